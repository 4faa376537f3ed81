"""A provider and a plugin of other packages, installed beside Marketgate: judged, asked, and named where broken."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.wheels import environment_of

SCRIPT = """
import contextlib, io, json
from pathlib import Path

from starlette.testclient import TestClient
from structlog.testing import capture_logs

from gateway.app import build_gateway, create_app
from gateway.cli.app import run
from gateway.core.settings import Settings

told = {}
for arguments in (
    ("provider", "check", "sea"), ("plugin", "check", "shore"), ("provider", "check", "wreck"),
    ("plugin", "check", "reef"), ("plugin", "check", "nobody"),
):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*arguments, *(["--json"] if arguments[2] != "nobody" else [])])
    told[" ".join(arguments)] = [code, out.getvalue(), err.getvalue()]
with capture_logs() as logged:
    settings = Settings(env="development", data_dir=Path("data"), providers=("sea", "sandbox"))
    gateway = build_gateway(settings)
told["failed"] = [e["reason"] for e in logged if e["event"].endswith("_failed_to_load")]
told["providers"] = {str(p.id): [p.status.value, p.status_reason] for p in gateway.inventory.all()}
with TestClient(create_app(settings, gateway=gateway)) as client:
    question = '{ tide(place: "Brest") { height provenance { provider } } }'
    told["answer"] = client.post("/graphql", json={"query": question}).json()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("wheels")
    python = environment_of(folder)
    ended = subprocess.run(
        [str(python), "-c", SCRIPT], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_a_sound_provider_and_a_sound_plugin_of_other_packages_pass(told: Any):
    code, out, _ = told["provider check sea"]
    assert (code, json.loads(out)) == (0, {"verdicts": [{"provider": "sea", "cases": 1, "findings": []}]})
    code, out, _ = told["plugin check shore"]
    assert (code, json.loads(out)) == (0, {"plugin": "shore", "findings": []})


def test_their_new_capability_answers_a_query(told: Any):
    assert told["answer"]["data"] == {"tide": {"height": "4.125", "provenance": {"provider": "sea"}}}


def test_broken_ones_are_named_and_the_rest_starts(told: Any):
    objections = "Query.quote is defined by market already; Query.quote needs `metadata=facts(…)`, so that it has a price and a scope"  # noqa: E501

    assert told["failed"] == ["OSError: sunk", f"ValueError: {objections}"]
    assert told["providers"]["wreck"] == ["FAILED_TO_LOAD", "OSError: sunk"]
    assert told["providers"]["sea"] == ["READY", None]


def test_the_check_says_what_is_wrong_with_a_broken_one(told: Any):
    code, _, err = told["provider check wreck"]
    assert (code, err) == (4, "marketgate: wreck does not load: OSError: sunk\n")
    code, out, _ = told["plugin check reef"]
    assert (code, json.loads(out)["findings"]) == (
        4,
        [
            "reef.py line 4: imports gateway.core.store; other packages see gateway.sdk alone",
            "Mutation.reef_paint needs neither a scope nor a person: anybody could change something",
            "Query.quote is defined by market already",
            "Query.quote needs `metadata=facts(…)`, so that it has a price and a scope",
        ],
    )


def test_a_plugin_that_is_not_installed_is_usage(told: Any):
    code, _, err = told["plugin check nobody"]

    assert code == 2
    assert "there is no plugin 'nobody' in the entry points marketgate.plugins; installed: reef, shore" in err
