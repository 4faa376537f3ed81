"""What the roll-out scripts do to a cluster, call by call, when all goes well and when it does not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "deploy" / "kubernetes"

COMPLETE = ("get job marketgate-migrations", [[0, "SuccessCriteriaMet Complete"]])
READY = ("rollout status", [[0, ""]])
REVISION = ("revision}", [[0, "7"]])
BLUE = ("get service marketgate", [[0, "blue"]])
GATEWAY, WORKER = "deployment/marketgate-gateway", "deployment/marketgate-worker"


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    told: str
    calls: list[str]
    """What changed the cluster or waited for it, without the namespace."""

    def changing(self, *verbs: str) -> list[str]:
        return [call for call in self.calls if call.split()[0] in verbs]


Rules = list[tuple[str, list[list[Any]]]]
Roll = Callable[..., Ended]


def fake_kubectl(folder: Path, rules: Rules) -> None:
    """Writes its calls down. A rule is a text that a call holds, and answers; each call takes the next, the last stays.

    A shell starts in a tenth of the time that an interpreter takes, and some tests make a hundred calls.
    """
    lines = ["#!/bin/bash", f"cd {quote(str(folder))}", 'echo "$*" >>calls', 'case "$*" in']
    for text, answers in rules:
        lines.append(f"*{quote(text)}*) case $(grep --count --fixed-strings -- {quote(text)} calls) in")
        for number, (code, output) in enumerate(answers, 1):
            lines.append(f"{'*' if number == len(answers) else number}) printf %s {quote(output)}; exit {code};;")
        lines.append("esac;;")
    (folder / "kubectl").write_text("\n".join([*lines, "esac\n"]))
    (folder / "kubectl").chmod(0o755)


@pytest.fixture
def roll(tmp_path: Path) -> Roll:
    """Runs a script against such a kubectl."""

    def run(script: str, rules: Rules, *more: str, watched: int = 0) -> Ended:
        fake_kubectl(tmp_path, rules)
        (tmp_path / "any").mkdir(exist_ok=True)
        (tmp_path / "any" / "kustomization.yaml").write_text("kind: Kustomization\nnamespace: marketgate\n")
        ended = subprocess.run(
            [SCRIPTS / script, "any", *more], capture_output=True, text=True, check=False, timeout=30, cwd=tmp_path,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "POLL_S": "0.02", "WATCH_S": str(watched)},
        )  # fmt: skip
        calls = (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else []
        return Ended(ended.returncode, ended.stderr, [call.replace("--namespace marketgate ", "") for call in calls])

    return run


def applied(selector: str) -> str:
    return f"apply --kustomize any --selector marketgate/switch!=true,{selector}"


def test_a_roll_out_migrates_before_anything_that_serves_is_changed(roll):
    ended = roll("rollout.sh", [COMPLETE, READY, REVISION])

    assert (ended.code, ended.told) == (0, "rolled out: marketgate-gateway marketgate-worker\n")
    assert not [call for call in ended.calls if "namespace" in call], "all is asked of the overlay's own namespace"
    assert ended.changing("delete", "apply", "rollout") == [
        "delete job marketgate-migrations --ignore-not-found",
        applied("app.kubernetes.io/component notin (gateway,worker)"),
        applied("app.kubernetes.io/component notin (migrations)"),
        f"rollout status {GATEWAY} --timeout 300s",
        f"rollout status {WORKER} --timeout 300s",
    ]


def test_gateways_that_do_not_get_ready_are_brought_back_with_the_workers(roll):
    revisions = ("revision}", [[0, "7"], [0, "4"], [0, "8"], [0, "5"]])
    ended = roll("rollout.sh", [COMPLETE, ("rollout status", [[1, ""], [0, ""]]), revisions])

    assert ended.code == 1
    assert ended.told.splitlines() == [
        "marketgate-gateway did not get ready within 300 s: rolling back",
        "marketgate-gateway is as it was before", "marketgate-worker is as it was before",
    ]  # fmt: skip
    assert ended.changing("rollout") == [
        f"rollout status {GATEWAY} --timeout 300s",
        f"rollout undo {GATEWAY} --to-revision 7", f"rollout status {GATEWAY} --timeout 300s",
        f"rollout undo {WORKER} --to-revision 4", f"rollout status {WORKER} --timeout 300s",
    ]  # fmt: skip


def test_what_did_not_change_is_not_brought_back_to_what_was_before_it(roll):
    revisions = ("revision}", [[0, "7"], [0, "4"], [0, "8"], [0, "4"]])
    ended = roll("rollout.sh", [COMPLETE, ("rollout status", [[1, ""], [0, ""]]), revisions])

    assert ended.code == 1
    assert "marketgate-worker did not change" in ended.told
    assert [call for call in ended.calls if "undo" in call] == [f"rollout undo {GATEWAY} --to-revision 7"]


def test_a_first_roll_out_that_fails_has_nothing_to_go_back_to(roll):
    ended = roll("rollout.sh", [COMPLETE, ("rollout status", [[1, ""]]), ("revision}", [[0, ""]])])

    assert ended.code == 1
    assert "marketgate-gateway has no version before this one" in ended.told
    assert [call for call in ended.calls if "undo" in call] == []


@pytest.mark.parametrize("script", ["rollout.sh", "bluegreen.sh"])
@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([("get job", [[0, ""], [0, "FailureTarget Failed"]])], "the migrations failed"),
        ([("get job", [[0, ""]])], "the migrations did not end within 1 s"),
        # The end of the job before must not be taken for this one's.
        ([("delete job", [[1, ""]]), COMPLETE], "gateways and workers are as they were before"),
    ],
    ids=["failed", "timed out", "the old job stayed"],
)
def test_migrations_that_do_not_complete_stop_it_all_before_anything_is_changed(roll, script, rules, told):
    ended = roll(script, [*rules, REVISION, BLUE], *(["--timeout", "1"] if "within" in told else []))

    assert ended.code == 1
    assert told in ended.told
    assert ended.changing("rollout", "patch", "scale") == []
    assert [call for call in ended.changing("apply") if "notin (gateway,worker)" not in call] == []


def test_an_overlay_that_cannot_be_applied_is_brought_back(roll):
    revisions = ("revision}", [[0, "7"], [0, "4"], [0, "8"], [0, "4"]])
    ended = roll("rollout.sh", [COMPLETE, ("notin (migrations)", [[1, ""]]), READY, revisions])

    assert (ended.code, ended.told.splitlines()) == (
        1,
        ["the overlay could not be applied: rolling back", "marketgate-gateway is as it was before",
         "marketgate-worker did not change"],
    )  # fmt: skip
    assert [call for call in ended.calls if "undo" in call] == [f"rollout undo {GATEWAY} --to-revision 7"]


@pytest.mark.parametrize(
    "given", [["--frobnicate"], ["--timeout", "soon"], ["--timeout"], ["--namespace"], ["--namespace", ""], ["nowhere"]]
)
def test_wrong_arguments_touch_nothing(roll, given):
    ended = roll("rollout.sh", [], *given)

    assert (ended.code, ended.calls) == (2, [])
    assert ended.told == "usage: rollout.sh OVERLAY [--namespace NAME] [--timeout SECONDS]\n"


# --- Blue and green

FOUR = ("{.spec.replicas}", [[0, "4"]])
WHOLE = ("{.status.availableReplicas}", [[0, "4 4"]])


def switched(colour: str) -> str:
    return f'patch service marketgate --type merge --patch {{"spec":{{"selector":{{"marketgate/colour":"{colour}"}}}}}}'


def test_the_callers_are_sent_to_the_other_colour_once_as_many_of_it_are_ready(roll):
    ended = roll("bluegreen.sh", [BLUE, WHOLE, FOUR, COMPLETE, READY, REVISION])

    assert (ended.code, ended.told) == (0, "switched: blue -> green\n")
    assert ended.changing("apply", "scale", "rollout", "patch") == [
        applied("app.kubernetes.io/component notin (gateway,worker)"),
        applied("marketgate/colour in (green)"),
        "scale deployment/marketgate-gateway-green --replicas 4",
        "rollout status deployment/marketgate-gateway-green --timeout 300s",
        switched("green"),
        applied("app.kubernetes.io/component in (worker)"),
        f"rollout status {WORKER} --timeout 300s",
        "scale deployment/marketgate-gateway-blue --replicas 0",
    ]


def test_a_colour_that_does_not_get_ready_never_sees_a_caller(roll):
    ended = roll("bluegreen.sh", [BLUE, WHOLE, FOUR, COMPLETE, ("rollout status", [[1, ""]]), REVISION])

    assert (ended.code, ended.told) == (1, "green did not get ready within 300 s: the callers stay with blue\n")
    assert ended.changing("patch") == []
    assert ended.changing("scale")[-1] == "scale deployment/marketgate-gateway-green --replicas 0"


def test_a_colour_that_does_not_stay_ready_gives_the_callers_back(roll):
    lost = ("{.status.availableReplicas}", [[0, "4 4"], [0, "4 3"]])
    ended = roll(
        "bluegreen.sh", [BLUE, lost, FOUR, COMPLETE, ("rollout status", [[0, ""], [1, ""]]), REVISION], watched=2
    )

    assert (ended.code, ended.told) == (1, "green did not stay ready: the callers go back to blue\n")
    assert ended.changing("patch") == [switched("green"), switched("blue")]
    assert ended.changing("scale")[-1] == "scale deployment/marketgate-gateway-green --replicas 0"
    assert [call for call in ended.changing("apply") if "(worker)" in call] == []


def test_workers_that_do_not_get_ready_bring_all_back(roll):
    revisions = ("revision}", [[0, "3"], [0, "4"]])
    status = ("rollout status deployment/marketgate-worker", [[1, ""], [0, ""]])
    ended = roll("bluegreen.sh", [BLUE, WHOLE, FOUR, COMPLETE, status, READY, revisions])

    assert ended.code == 1
    assert ended.changing("patch") == [switched("green"), switched("blue")]
    assert f"rollout undo {WORKER} --to-revision 3" in ended.calls


GREEN_GOES = "scale deployment/marketgate-gateway-green --replicas 0"


@pytest.mark.parametrize(
    ("failing", "told", "patched"),
    [
        ("in (green)", "green could not be applied: the callers stay with blue\n", []),
        ("green --replicas 4", "green could not be scaled: the callers stay with blue\n", []),
        ('"green"', "the callers could not be sent to green: they stay with blue\n", ["green", "blue"]),
        ("in (worker)", "the workers could not be applied: all goes back to blue\nmarketgate-worker did not change\n",
         ["green", "blue"]),
    ],
)  # fmt: skip
def test_a_call_that_fails_on_the_way_brings_all_back(roll, failing, told, patched):
    ended = roll("bluegreen.sh", [(failing, [[1, ""]]), BLUE, WHOLE, FOUR, COMPLETE, READY, REVISION])

    assert (ended.code, ended.told) == (1, told)
    assert ended.changing("patch") == [switched(colour) for colour in patched]
    assert ended.changing("scale")[-1] == GREEN_GOES


def test_a_colour_that_may_have_callers_is_not_let_go(roll):
    ended = roll("bluegreen.sh", [("patch service", [[1, ""]]), BLUE, WHOLE, FOUR, COMPLETE, READY, REVISION])

    assert (ended.code, ended.told.splitlines()[1:]) == (
        1,
        ["the callers could not be sent back to blue: both colours stay, kubectl describe service/marketgate"],
    )
    assert GREEN_GOES not in ended.calls


def test_a_colour_before_that_cannot_be_let_go_is_named_and_the_switch_stands(roll):
    left = ("blue --replicas 0", [[1, ""]])
    ended = roll("bluegreen.sh", [left, BLUE, WHOLE, FOUR, COMPLETE, READY, REVISION])

    assert (ended.code, ended.told.splitlines()) == (
        0,
        ["blue still runs: kubectl scale deployment/marketgate-gateway-blue --replicas 0", "switched: blue -> green"],
    )


def test_the_first_time_the_service_is_made_once_its_colour_is_ready(roll):
    ended = roll("bluegreen.sh", [("get service marketgate", [[0, ""]]), WHOLE, COMPLETE, READY, REVISION])

    assert (ended.code, ended.told) == (0, "switched: green -> blue\n")
    assert ended.changing("scale") == ["scale deployment/marketgate-gateway-blue --replicas 2"]
    changed = ended.changing("apply", "rollout", "patch")
    made = changed.index("apply --kustomize any --selector marketgate/switch=true")
    assert changed[made - 1 : made + 2] == [
        "rollout status deployment/marketgate-gateway-blue --timeout 300s", changed[made], switched("blue"),
    ]  # fmt: skip


# --- What is rolled out


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, which reads what scripts ask for")
def test_what_scripts_ask_of_the_cluster_is_what_kubectl_finds_in_its_answers():
    conditions = [{"type": "Complete", "status": "True"}, {"type": "Failed", "status": "False"}]
    answer = {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "any", "annotations": {"deployment.kubernetes.io/revision": "7"}},
        "spec": {"replicas": 4, "selector": {"marketgate/colour": "blue"}},
        "status": {"availableReplicas": 3, "conditions": conditions},
    }  # fmt: skip
    text = "".join(path.read_text() for path in SCRIPTS.glob("*.sh"))

    found = {}
    for path in sorted(set(re.findall(r"'(jsonpath=[^']+)'", text))):
        command = ["kubectl", "label", "--local", "--filename", "-", "any=label", "--output", path]
        given = json.dumps(answer)
        found[path] = subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout

    assert sorted(found.values()) == ["4", "4 3", "7", "Complete", "blue"]


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, which renders the overlays")
    return {
        name: subprocess.run(
            ["kubectl", "kustomize", SCRIPTS / "overlays" / name], capture_output=True, text=True, check=True
        ).stdout
        for name in ("staging", "production", "bluegreen")
    }


def kinds(text: str, *wanted: str) -> list[dict[str, Any]]:
    import yaml

    return [each for each in yaml.safe_load_all(text) if each["kind"] in wanted]


def test_every_pod_is_restricted_and_reads_its_secrets_from_files(rendered):
    for text in rendered.values():
        for each in kinds(text, "Deployment", "Job"):
            pod = each["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            assert pod["securityContext"] == {
                "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            }  # fmt: skip
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert (pod["automountServiceAccountToken"], pod["serviceAccountName"]) == (False, "marketgate")
            assert "env" not in container
            assert container["image"].startswith("registry.example.com/marketgate:")
        assert kinds(text, "Secret") == []


def test_settings_of_the_cluster_are_settings_of_the_gateway(rendered):
    from gateway.core.settings import Settings

    for text in rendered.values():
        (settings,) = kinds(text, "ConfigMap")
        fields = {name.removeprefix("MARKETGATE_").removesuffix("_FILE").lower() for name in settings["data"]}
        assert fields <= set(Settings.model_fields)
        # A rollback brings the settings back too: pods name this very version of them.
        named = {
            source["configMapRef"]["name"]
            for each in kinds(text, "Deployment", "Job")
            for source in each["spec"]["template"]["spec"]["containers"][0]["envFrom"]
        }
        assert named == {settings["metadata"]["name"]}


def test_nothing_is_removed_that_is_not_archived(rendered):
    folders = {}
    for name, text in rendered.items():
        (settings,) = kinds(text, "ConfigMap")
        folders[name] = settings["data"].get("MARKETGATE_ARCHIVE_DIR")
        kept = {settings["data"][f"MARKETGATE_{days}_DAYS"] for days in ("AUDIT", "DELIVERY")}
        claims = [each["metadata"]["name"] for each in kinds(text, "PersistentVolumeClaim")]
        (worker,) = [each for each in kinds(text, "Deployment") if each["metadata"]["name"] == "marketgate-worker"]
        pod = worker["spec"]["template"]["spec"]
        mounted = {each["mountPath"]: each["name"] for each in pod["containers"][0]["volumeMounts"]}
        if folders[name] is None:
            assert (kept, claims) == ({"36500"}, [])
        else:
            volume = {"name": mounted[folders[name]], "persistentVolumeClaim": {"claimName": claims[0]}}
            assert volume in pod["volumes"]

    assert folders == {"staging": None, "production": "/archive", "bluegreen": "/archive"}


def test_metrics_are_denied_to_all_who_come_through_the_ingress(rendered):
    for text in rendered.values():
        calls, metrics = sorted(kinds(text, "Ingress"), key=lambda each: str(each["metadata"]["name"]))
        assert metrics["metadata"]["annotations"] == {
            "nginx.ingress.kubernetes.io/denylist-source-range": "0.0.0.0/0,::/0"
        }
        assert [path["path"] for path in metrics["spec"]["rules"][0]["http"]["paths"]] == ["/metrics"]
        assert metrics["spec"]["rules"][0]["host"] == calls["spec"]["rules"][0]["host"]
        assert metrics["spec"]["tls"] == calls["spec"]["tls"]


def test_a_pod_that_ends_has_the_time_to_drain_and_to_finish(rendered):
    from gateway.cli.serve import GRACE_S

    for text in rendered.values():
        (settings,) = kinds(text, "ConfigMap")
        needed = float(settings["data"]["MARKETGATE_DRAIN_S"]) + GRACE_S
        for each in kinds(text, "Deployment"):
            assert each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > needed


def test_the_autoscaler_goes_by_a_metric_that_there_is(rendered):
    listed = (ROOT / "docs" / "metrics.md").read_text()

    for text in rendered.values():
        for each in kinds(text, "HorizontalPodAutoscaler"):
            names = [metric["pods"]["metric"]["name"] for metric in each["spec"]["metrics"] if "pods" in metric]
            assert names == ["marketgate_live_readers"]
            assert f"| `{names[0]}` | gauge |" in listed


def test_each_colour_has_pods_of_its_own_and_the_service_calls_one(rendered):
    gateways = [each for each in kinds(rendered["bluegreen"], "Deployment") if "gateway" in each["metadata"]["name"]]
    (service,) = kinds(rendered["bluegreen"], "Service")

    colours = {each["metadata"]["name"]: each["spec"]["selector"]["matchLabels"] for each in gateways}
    assert {name: labels["marketgate/colour"] for name, labels in colours.items()} == {
        "marketgate-gateway-blue": "blue", "marketgate-gateway-green": "green",
    }  # fmt: skip
    assert service["spec"]["selector"] == colours["marketgate-gateway-blue"]
    assert service["metadata"]["labels"]["marketgate/switch"] == "true"


def test_the_way_out_is_open_for_every_port_that_a_provider_has(rendered):
    ports = {443}
    for path in (ROOT / "providers").rglob("*.py"):
        ports |= set(map(int, re.findall(r"\b(?:https|wss)://[A-Za-z0-9.-]+:(\d+)", path.read_text())))

    policies = kinds(rendered["production"], "NetworkPolicy")
    (out,) = [each for each in policies if each["metadata"]["name"] == "marketgate-upstreams"]
    assert ports <= {port["port"] for port in out["spec"]["egress"][0]["ports"]}
