"""`.ci/run`: no skip where every tool is there, and elsewhere one line that names what is missing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.printed import ROOT

TOOLS = ("chromium", "git", "haproxy", "kubectl", "node", "npm", "promtool")
SHOWN = '#!/bin/sh\necho "make $* NO_SKIPS=$MARKETGATE_TEST_NO_SKIPS"\n'


def entry(folder: Path, *tools: str, failing: str = "", **settings: str) -> tuple[int, list[str], str]:
    """Exit code, verbs and complaint of a copy of the script on a machine that has only these tools."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    machine = folder / "bin"
    machine.mkdir()
    for tool in (*tools, "make"):
        script = SHOWN if tool == "make" else "#!/bin/sh\n"
        script += f'case "$*" in *"{failing}"*) exit 1 ;; esac\n' if failing else ""
        (machine / tool).write_text(script)
        (machine / tool).chmod(0o755)
    (machine / "dirname").symlink_to(str(shutil.which("dirname")))
    command = [str(shutil.which("bash")), ".ci/run"]
    env = {"PATH": str(machine), **settings}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_where_every_tool_is_there_no_skip_is_allowed(tmp_path: Path) -> None:
    assert entry(tmp_path, *TOOLS) == (0, ["make extras NO_SKIPS=", "make test NO_SKIPS=1"], "")


def test_what_a_plain_machine_lacks_is_said_in_one_line(tmp_path: Path) -> None:
    assert entry(tmp_path, "git", "node", "npm") == (
        0,
        ["make test NO_SKIPS="],
        ".ci/run: missing here, so that tests are skipped: chromium, haproxy, kubectl, promtool\n",
    )


@pytest.mark.parametrize(
    ("failing", "missing"),
    [("ls-files", "a clone by git"), ("view", "an answer from the registry of npm"), ("extras", "ccxt and arch")],
)
def test_a_tool_that_has_nothing_to_work_with_is_missing_too(tmp_path: Path, failing: str, missing: str) -> None:
    code, verbs, told = entry(tmp_path, *TOOLS, failing=failing)

    assert (code, verbs[-1]) == (0, "make test NO_SKIPS=")
    assert told == f".ci/run: missing here, so that tests are skipped: {missing}\n"


def test_who_asks_for_no_skip_has_none_and_a_failed_suite_fails(tmp_path: Path) -> None:
    code, verbs, _ = entry(tmp_path, failing="test", MARKETGATE_TEST_NO_SKIPS="1")

    assert (code, verbs) == (1, ["make test NO_SKIPS=1"])
