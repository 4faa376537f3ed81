"""Says at the end of a run what the captures beside the checkout came to."""

from __future__ import annotations

import pytest

from tests.contract.captures import FOLDER

MODULE = "tests/contract/test_captures.py"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Only where their tests were run, and there are any; `python -m tests.contract.proof` names each."""
    ran = (report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind))
    if FOLDER.is_dir() and any(report.nodeid.startswith(MODULE) for report in ran):
        from tests.contract.proof import summary

        for line in summary():
            terminalreporter.write_line(line)
