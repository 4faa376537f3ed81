"""Alerts, recording rules and dashboards: every metric and label in them exists, every alert has a runbook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.core.metrics import DECLARED
from gateway.generate import metrics_page

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs/runbooks.md"
TARGET = {"instance", "job"}
"""Labels that Prometheus adds to all that it scrapes."""
PROCESS = {
    "up": TARGET, "process_resident_memory_bytes": TARGET, "process_cpu_seconds_total": TARGET,
    "process_open_fds": TARGET, "process_max_fds": TARGET, "process_start_time_seconds": TARGET,
}  # fmt: skip
SUFFIXES = {"histogram": (("_bucket", {"le"}), ("_count", set()), ("_sum", set())), "counter": (), "gauge": ()}
FUNCTIONS = {
    "rate", "increase", "sum", "max", "min", "count", "avg", "by", "without", "on", "ignoring", "or", "and", "unless",
    "histogram_quantile", "topk", "vector", "avg_over_time", "max_over_time", "label_values", "round", "bool",
    "group_left", "group_right", "absent",
}  # fmt: skip
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"[^\"]*\"")
GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Every series that `/metrics` or a recording rule can have, with its labels."""
    metrics_page()
    found = dict(PROCESS)
    for each in DECLARED.values():
        labels = {*each.labels, *TARGET}
        found.update({each.name: labels} if not SUFFIXES[each.kind] else {})
        found.update({each.name + suffix: labels | more for suffix, more in SUFFIXES[each.kind]})
    for _, rule in rules():
        if "record" in rule:
            found[rule["record"]] = {"provider"} if "by (provider)" in rule["expr"] else set()
    return found


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path.name, rule


def alerts() -> list[dict[str, Any]]:
    return [rule for _, rule in rules() if "alert" in rule]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            yield path.stem, panel


def expressions() -> list[tuple[str, str]]:
    found = [(f"{name}: {rule.get('alert') or rule.get('record')}", str(rule["expr"])) for name, rule in rules()]
    found += [(f"{name}: {p['title']}", target["expr"]) for name, p in panels() for target in p["targets"]]
    for path in DASHBOARDS:
        for variable in json.loads(path.read_text())["templating"]["list"]:
            found.append((f"{path.stem}: {variable['name']}", variable["definition"]))
    return found


def faults_of(expression: str, known: dict[str, set[str]]) -> list[str]:
    """Names and labels that no series has."""
    asked = re.match(r"label_values\((\w+), (\w+)\)", expression)
    if asked:
        expression = f"sum by ({asked[2]}) ({asked[1]})"
    plain = re.sub(r"\[[^\]]*\]", "", expression)
    groups = [{label.strip() for label in group.split(",") if label.strip()} for group in GROUPED.findall(plain)]
    faults, used = [], set[str]()
    for name, braces in SELECTOR.findall(GROUPED.sub(" ", plain)):
        if name in FUNCTIONS or _is_number(name):
            continue
        if name not in known:
            faults.append(f"no metric {name}")
            continue
        used |= known[name]
        faults += [f"{name} has no label {label}" for label in MATCHER.findall(braces) if label not in known[name]]
    return faults + [f"nothing has the label {label}" for group in groups for label in group - used]


def _is_number(name: str) -> bool:
    return re.fullmatch(r"[\d.e]+|e\d+", name) is not None


def test_every_metric_and_label_of_rules_and_dashboards_exists(known: dict[str, set[str]]):
    faults = [f"{where}: {fault}" for where, expression in expressions() for fault in faults_of(expression, known)]

    assert faults == []
    assert len(expressions()) > 100


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(rate(marketgate_nothing_total[5m]))", "no metric marketgate_nothing_total"),
        ("marketgate_operations_seconds", "no metric marketgate_operations_seconds"),
        ('rate(marketgate_operations_total{tenant="a"}[5m])', "marketgate_operations_total has no label tenant"),
        ("sum by (symbol) (marketgate_live_readers)", "nothing has the label symbol"),
    ],
)
def test_a_name_that_is_not_there_is_found(known: dict[str, set[str]], expression: str, fault: str):
    assert faults_of(expression, known) == [fault]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    headings = re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)

    assert sorted(headings) == sorted(alert["alert"] for alert in alerts())
    for alert in alerts():
        assert alert["annotations"]["runbook"] == f"docs/runbooks.md#{alert['alert'].lower()}"
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_every_alert_is_seen_to_fire_by_a_test():
    tested = yaml.safe_load((ROOT / "deploy/prometheus/tests/alerts.yml").read_text())["tests"]
    fired = {each["alertname"] for test in tested for each in test.get("alert_rule_test", ()) if each["exp_alerts"]}

    assert [alert["alert"] for alert in alerts() if alert["alert"] not in fired] == []


@pytest.mark.parametrize("part", ["**Means**", "**Look at**", "**Do**"])
def test_every_runbook_says_what_it_means_what_to_look_at_and_what_to_do(part: str):
    sections = re.split(r"^### ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]

    assert [section.split("\n")[0] for section in sections if part not in section] == []


def test_dashboards_have_ids_of_their_own_and_the_source_that_is_provisioned():
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    (source,) = provisioned["datasources"]
    boards = [json.loads(path.read_text()) for path in DASHBOARDS]

    assert len({board["uid"] for board in boards}) == len(boards) == 5
    for board in boards:
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}


@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "--lint=none", "deploy/prometheus/prometheus.yml"),
        ("check", "rules", *(str(path.relative_to(ROOT)) for path in RULES)),
        ("test", "rules", "deploy/prometheus/tests/alerts.yml"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_promtool_finds_nothing_wrong(command: tuple[str, ...]):
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")

    done = subprocess.run([tool, *command], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
