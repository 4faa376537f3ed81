"""One summary of what a run skipped, by reason; with MARKETGATE_TEST_NO_SKIPS=1 a skip fails the run, as in CI."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable

import pytest

SETTING = "MARKETGATE_TEST_NO_SKIPS"
EXPECTED = re.compile(
    # Data that no licence lets into the repository, and the page that its schema grew from.
    r"(?:no captured payloads in \.\./shared/recordings|no [\w.-]+\.csv\.gz beside the repository"
    r"|(?:/[^:/]+)*/shared/data(?:/[\w.-]+\.csv\.gz)? is not there|the page lies beside a checkout only)\Z"
)
"""Reasons that a clean checkout has for ever: named in the summary, allowed everywhere."""
FAILED = pytest.ExitCode.TESTS_FAILED


def reasons(reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> Counter[str]:
    """How many tests, or files, each reason kept from running."""
    return Counter(
        report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for report in reports
    )


def refused(found: Iterable[str]) -> list[str]:
    """The reasons that CI does not accept."""
    return sorted(reason for reason in found if not EXPECTED.match(reason))


def none_allowed() -> bool:
    """Whether the setting says so; 0 says no, as nothing does."""
    return os.environ.get(SETTING, "0") not in ("", "0")


def _found(config: pytest.Config) -> Counter[str]:
    """Those of the whole run; in a worker of xdist, which does not report, none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reasons(reporter.stats.get("skipped", ()) if reporter is not None else ())


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that skipped what it must not has failed."""
    if none_allowed() and refused(_found(session.config)) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The summary."""
    found = _found(terminalreporter.config)
    if not found:
        return
    wrong = set(refused(found)) if none_allowed() else set()
    terminalreporter.section("skipped, by reason")
    for reason, count in sorted(found.items(), key=lambda each: (-each[1], each[0])):
        terminalreporter.write_line(f"{'REFUSED ' if reason in wrong else ''}{count:4} {reason}")
