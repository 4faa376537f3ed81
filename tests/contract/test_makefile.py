"""What the verbs that prove something run: nothing of it goes without a word here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = [
    "ruff check .",
    "ruff format --check .",
    "mypy --num-workers 3",
    "lint-imports --no-cache",
    "python -m gateway.generate --check",
    "python schema/client/python/generate.py --check",
    "python -m gateway.schemadiff",
    "python -m tests.upkeep.coverage",
]


def lines(*words: str) -> list[str]:
    """What `make` would run on a machine that is set up; the Makefile alone says how, no outer make."""
    outer = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON", "TAG", "VENV", "WORKERS"}
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    there = [word for target in ("setup", ".venv/.coverage", ".venv/.deploy") for word in ("-o", target)]
    asked = ["make", "--no-print-directory", "-n", *there, *words]
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.removeprefix(".venv/bin/").rstrip() for line in done.stdout.replace("\\\n", "").splitlines()]


def test_a_check_is_all_that_needs_no_running_gateway() -> None:
    assert lines("check") == CHECK


def test_a_test_is_a_check_and_the_whole_suite() -> None:
    assert lines("test", "ARGS=-k quote") == [*CHECK, "python -m pytest -n 3 --dist worksteal -k quote"]


@pytest.mark.parametrize(
    ("words", "run"),
    [
        (("audit", "ARGS=--strict"), ["python -m tests.upkeep.audit --strict"]),
        (("release", "TAG=v0.2.0"), ['python -m tests.upkeep.release "$TAG"', "python -m hatchling build"]),
        (("check-deploy", "ARGS=--strict"), ["python -m deploy.check --strict"]),
    ],
)
def test_what_workflows_ask_for_besides_reaches_the_programs(words: tuple[str, ...], run: list[str]) -> None:
    assert lines(*words) == run


def test_coverage_is_of_the_whole_suite_and_judged_at_the_end() -> None:
    *_, suite, nobody, judged = lines("coverage")

    assert suite.endswith(" -n 3 --dist worksteal  || [ $? -eq 1 ]")
    assert "python -m pytest -p no:slipcover -W ignore::pytest.PytestAssertRewriteWarning -n 3" in suite
    assert "python -m slipcover --source gateway,plugins,providers,schema " in nobody
    assert judged == "python -m tests.upkeep.coverage build/traced"
