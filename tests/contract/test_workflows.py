"""The workflows of continuous integration do what the Makefile's verbs do, and may do nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
VERBS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
TOOLS = "sudo apt-get update && sudo apt-get install --yes --no-install-recommends haproxy prometheus"
"""What tests look for and no runner has."""
PATIENCE_MINUTES = 60


def read(path: Path) -> dict[str, Any]:
    # `on` is a boolean to YAML 1.1, and PyYAML reads that.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return dict(read(path)["jobs"])


def test_there_are_workflows_for_changes_nights_and_releases() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "nightly", "release"]
    asked = {
        step["run"].split()[1] for job in jobs(FOLDER / "ci.yml").values() for step in job["steps"] if "run" in step
    }
    assert {"audit", "check-deploy", "coverage", "docs", "test"} <= asked


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_that_runs_something_is_one_verb(path: Path) -> None:
    lines = [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]

    verbs = {found[1] for line in lines if (found := re.fullmatch(r"make ([a-z-]+)(?: ARGS=[\w=-]+)?", line))}
    assert [line for line in lines if line != TOOLS and not line.startswith("make ")] == []
    assert len(verbs) >= 2
    assert verbs - VERBS == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_may_write_and_every_job_ends(path: Path) -> None:
    found = read(path)

    assert found["permissions"] == {"contents": "read"}
    assert "group" in found["concurrency"]
    assert [job for job in jobs(path).values() if "permissions" in job or "services" in job] == []
    assert all(job["timeout-minutes"] <= PATIENCE_MINUTES for job in jobs(path).values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_only_githubs_own_actions_are_used_each_with_a_version(path: Path) -> None:
    used = {step["uses"] for job in jobs(path).values() for step in job["steps"] if "uses" in step}

    pinned = re.compile(r"actions/(checkout|setup-python|upload-artifact)@(v\d+|[0-9a-f]{40})")
    assert {action for action in used if not pinned.fullmatch(action)} == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_that_a_stranger_writes_becomes_part_of_a_command(path: Path) -> None:
    assert [step["run"] for job in jobs(path).values() for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_the_suite_runs_on_every_python_that_the_project_names_and_skips_nothing() -> None:
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    test = jobs(FOLDER / "ci.yml")["test"]

    assert test["strategy"]["matrix"]["python"] == named
    assert test["env"] == {"MARKETGATE_TEST_NO_SKIPS": "1"}
