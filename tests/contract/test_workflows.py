"""The workflows of continuous integration do what the Makefile's verbs do, and nothing else: word for word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
VERBS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PYTHONS = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OLDEST = PYTHONS[0]
TOOLS = "sudo apt-get update && sudo apt-get install --yes --no-install-recommends haproxy prometheus"
"""What tests look for and no runner has."""
NO_SKIPS = {"MARKETGATE_TEST_NO_SKIPS": "1"}
READ_ONLY = {"contents": "read"}


def job(minutes: int, *runs: str, python: str = OLDEST, kept: str | None = None, **rest: Any) -> dict[str, Any]:
    """A job with all of its keys; *kept* names what it hands over of which paths."""
    setup = {"uses": "actions/setup-python@v6", "with": {"python-version": python}}
    steps: list[dict[str, Any]] = [{"uses": "actions/checkout@v5"}, setup, *({"run": run} for run in runs)]
    if kept is not None:
        name, _, path = kept.partition(": ")
        steps.append({"uses": "actions/upload-artifact@v4", "with": {"name": name, "path": path}})
    return {"runs-on": "ubuntu-latest", "timeout-minutes": minutes, **rest, "steps": steps}


WORKFLOWS: dict[str, dict[str, Any]] = {
    "ci": {
        "name": "ci",
        "on": {"push": {"branches": ["main"]}, "pull_request": None},
        "permissions": READ_ONLY,
        "concurrency": {
            "group": "ci-${{ github.ref }}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "jobs": {
            "test": job(
                45, TOOLS, "make extras", "make test",
                python="${{ matrix.python }}",
                strategy={"fail-fast": False, "matrix": {"python": PYTHONS}},
                env=NO_SKIPS,
            ),
            "audit": job(15, "make audit ARGS=--strict"),
            "docs": job(15, "make docs"),
            "deploy": job(15, TOOLS, "make check-deploy ARGS=--strict"),
            "coverage": job(60, "make coverage"),
        },
    },
    "nightly": {
        "name": "nightly",
        "on": {"schedule": [{"cron": "17 3 * * *"}], "workflow_dispatch": None},
        "permissions": READ_ONLY,
        "concurrency": {"group": "nightly"},
        "jobs": {
            "audit": job(15, "make audit ARGS=--strict"),
            "bench": job(60, "make bench"),
            "screenshots": job(15, "make screenshots", kept="screenshots: docs/images"),
        },
    },
    "release": {
        "name": "release",
        "on": {"push": {"tags": ["v*"]}},
        "permissions": READ_ONLY,
        "concurrency": {"group": "release-${{ github.ref }}"},
        "jobs": {
            "build": job(
                60, TOOLS, "make extras", "make test", "make audit ARGS=--strict", "make release",
                kept="release: dist\nbuild/notes.md\n",
                env={**NO_SKIPS, "TAG": "${{ github.ref_name }}"},
            ),
        },
    },
}  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    # `on` is a boolean to YAML 1.1, and PyYAML reads that.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


def steps() -> list[dict[str, Any]]:
    return [step for flow in WORKFLOWS.values() for job in flow["jobs"].values() for step in job["steps"]]


def test_there_are_workflows_for_changes_nights_and_releases() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"{name}.yml" for name in WORKFLOWS]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_what_is_written_here(name: str) -> None:
    assert read(FOLDER / f"{name}.yml") == WORKFLOWS[name]


# --- What is written here, too, has to be right.


def test_every_step_that_runs_something_is_one_verb_and_no_words_of_strangers() -> None:
    verbs = {
        found[1]
        for step in steps()
        if (found := re.fullmatch(r"make ([a-z-]+)(?: ARGS=--strict)?", step.get("run", "")))
    }

    assert [step["run"] for step in steps() if "run" in step and not step["run"].startswith("make ")] == [TOOLS] * 3
    assert verbs == {
        "audit", "bench", "check-deploy", "coverage", "docs", "extras", "release", "screenshots", "test",
    }  # fmt: skip
    assert verbs - VERBS == set()


def test_only_githubs_own_actions_are_used_each_with_a_version() -> None:
    pinned = re.compile(r"actions/(checkout|setup-python|upload-artifact)@(v\d+|[0-9a-f]{40})")

    assert [step["uses"] for step in steps() if "uses" in step and not pinned.fullmatch(step["uses"])] == []


def test_the_suite_runs_on_every_python_that_the_project_names() -> None:
    assert PYTHONS == ["3.11", "3.12", "3.13"]
