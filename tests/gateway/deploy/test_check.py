"""`make check-deploy`: what it looks at, what it says where a tool is missing, and when it fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deploy.check import HERE, Look, Seen, find_tool, looks, main, seen, told
from deploy.references import PIECES, findings

TRUE, FALSE, CAT = "/bin/true", "/bin/false", "/bin/cat"
PROMTOOL = find_tool("promtool")


def filled(folder: Path) -> Path:
    for name in PIECES:
        path = folder / name.replace("*", "a")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    provisioning = folder / "grafana" / "provisioning"
    (provisioning / "dashboards" / "a.yml").write_text(
        "{apiVersion: 1, providers: [{name: a, type: file, options: {path: /var/lib/grafana/dashboards}}]}"
    )
    (provisioning / "datasources" / "a.yml").write_text(
        "{apiVersion: 1, datasources: [{name: a, type: prometheus, uid: a, url: http://a}]}"
    )
    dashboard(folder / "grafana" / "dashboards" / "a.json", "up")
    return folder


def dashboard(path: Path, *asked: object) -> None:
    targets = [{"refId": "A", "expr": each} for each in asked]
    board = {"uid": "a", "templating": {"list": []}, "panels": [{"id": 1, "title": "One", "targets": targets}]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(board))


def test_every_kind_of_file_is_looked_at_by_its_own_tool(tmp_path):
    found = {look.name: look.tools for look in looks(filled(tmp_path))}

    assert found == {
        "docker/Dockerfile": ("hadolint",), "compose/compose.yml": ("check-jsonschema",),
        "compose/haproxy.cfg": ("haproxy",),
        **{piece: ("shellcheck",) for piece in PIECES if piece.endswith(".sh")},
        "kubernetes/staging": ("kubectl", "kubernetes-validate"),
        "kubernetes/production": ("kubectl", "kubernetes-validate"),
        "kubernetes/bluegreen": ("kubectl", "kubernetes-validate"),
        "prometheus/prometheus.yml": ("promtool",), "prometheus/rules": ("promtool",),
        "prometheus/tests/a.yml": ("promtool",), "grafana/dashboards/a.json": ("promtool",),
    }  # fmt: skip


def test_no_script_and_no_overlay_of_ours_is_left_out():
    names = {look.name for look in looks(HERE)}

    assert {path.relative_to(HERE).as_posix() for path in HERE.rglob("*.sh")} <= names
    overlays = {f"kubernetes/{path.name}" for path in (HERE / "kubernetes" / "overlays").iterdir()}
    assert overlays <= names
    assert {"workflows/ci.yml", "workflows/nightly.yml", "workflows/release.yml"} <= names


def test_a_finding_fails_and_is_told_with_its_words(tmp_path, capsys):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho line 3 is wrong\nexit 1\n")
    tool.chmod(0o755)

    code = main(filled(tmp_path / "deploy"), lambda name: str(tool) if name == "hadolint" else TRUE)

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[:2] == ["WRONG    docker/Dockerfile", "         line 3 is wrong"]
    assert lines[-1] == "20 good, 1 wrong, 0 not run"


def test_a_missing_tool_is_named_and_never_counts_as_good(tmp_path, capsys):
    code = main(filled(tmp_path), lambda name: None if name in ("promtool", "kubectl") else TRUE)

    out = capsys.readouterr().out
    assert code == 0
    assert "NOT RUN  kubernetes/production: kubectl is not there\n" in out
    assert "NOT RUN  prometheus/rules: promtool is not there\n" in out
    assert "NOT RUN  prometheus/tests/a.yml: promtool is not there\n" in out
    assert out.endswith("14 good, 0 wrong, 7 not run\n")


def test_where_it_is_strict_a_missing_tool_is_a_finding(tmp_path):
    filled(tmp_path)

    assert main(tmp_path, lambda name: None if name == "promtool" else TRUE, strict=True) == 1
    assert main(tmp_path, lambda name: TRUE, strict=True) == 0


def test_a_tool_that_does_not_end_is_a_finding():
    look = Look(name="slow", tools=("tool",), command=("tool", "60"))

    assert seen(look, {"tool": "/bin/sleep"}.get, 0.05) == Seen(name="slow", problem="sleep had not ended after 0.05 s")


def problem(folder: Path, promtool: str = TRUE) -> str:
    (look,) = (each for each in looks(folder) if each.name == "grafana/dashboards/a.json")
    return seen(look, {"promtool": promtool}.get).problem


def test_a_file_that_is_no_dashboard_is_a_finding(tmp_path):
    path = filled(tmp_path) / "grafana" / "dashboards" / "a.json"

    assert problem(tmp_path) == ""
    for text, wrong in (
        ("{", "JSONDecodeError: Expecting property name enclosed in double quotes"),
        ("[]", "TypeError: list indices must be integers or slices, not str"),
        ('{"uid": "a", "panels": []}', "KeyError: 'templating'"),
    ):
        path.write_text(text)
        assert problem(tmp_path).startswith(f"a.json is no dashboard: {wrong}")
    dashboard(path, 7)
    assert problem(tmp_path) == "a.json is no dashboard: AttributeError: 'int' object has no attribute 'replace'"


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
def test_a_dashboard_that_asks_no_promql_is_a_finding(tmp_path):
    path = filled(tmp_path) / "grafana" / "dashboards" / "a.json"

    dashboard(path, "up", "sum(rate(a[$__rate_interval]))")
    good = problem(tmp_path, str(PROMTOOL))
    dashboard(path, "up", "sum(rate(a[$__rate_interval])")

    assert good == ""
    assert "unclosed left parenthesis" in problem(tmp_path, str(PROMTOOL))


def test_the_alerts_and_dashboards_of_ours_are_looked_at():
    names = {look.name for look in looks(HERE)}

    assert {path.relative_to(HERE).as_posix() for path in HERE.glob("grafana/dashboards/*.json")} <= names
    assert "prometheus/tests/alerts.yml" in names


def test_what_cannot_be_rendered_is_a_finding_though_its_reader_has_no_objection():
    look = Look(
        name="overlay", tools=("kubectl", "kubernetes-validate"), command=("kubernetes-validate",), fed=("kubectl",)
    )

    assert seen(look, {"kubectl": FALSE, "kubernetes-validate": TRUE}.get).problem
    assert seen(look, {"kubectl": TRUE, "kubernetes-validate": CAT}.get) == Seen(name="overlay")
    assert list(told([seen(look, {"kubectl": TRUE, "kubernetes-validate": FALSE}.get)])) == [
        "WRONG    overlay", "         it ended with 1",
    ]  # fmt: skip


# --- What no linter sees


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of ours to break, beside everything that it names."""
    root = tmp_path_factory.mktemp("copy")
    for path in HERE.parent.iterdir():
        if path.name != "deploy":
            (root / path.name).symlink_to(path)
    shutil.copytree(HERE, root / "deploy", ignore=shutil.ignore_patterns("__pycache__", "secrets"))
    return root / "deploy"


def found_in(folder: Path) -> list[str]:
    return [line for _, problem in findings(folder) for line in problem.splitlines()]


def test_nothing_of_ours_refers_to_what_is_not_there(whole):
    assert found_in(whole) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("prometheus/prometheus.yml", None, "", "prometheus/prometheus.yml is not there"),
        ("prometheus/tests/alerts.yml", None, "", "prometheus/tests/*.yml is not there"),
        ("docker/Dockerfile", None, "", "docker/Dockerfile is not there"),
        ("docker/Dockerfile", "COPY schema/ ", "COPY schemes/ ", "COPY schemes/: there is no such path"),
        ("docker/Dockerfile", "MARKETGATE_PORT", "MARKETGATE_PRT",
         "docker/Dockerfile: MARKETGATE_PRT is not a setting; did you mean MARKETGATE_PORT?"),
        ("compose/compose.yml", "[grafana_password]", "[password]", "grafana: secrets has no password"),
        ("compose/compose.yml", "      prometheus: {condition", "      prom: {condition",
         "grafana: services has no prom"),
        ("compose/compose.yml", "networks: [inside, front]", "networks: [inside, out]",
         "balancer: networks has no out"),
        ("compose/compose.yml", '["backup:/backup"]', '["backups:/backup"]', "backup-folder: volumes has no backups"),
        ("compose/compose.yml", "./haproxy.cfg", "./proxy.cfg", "balancer: there is no ./proxy.cfg"),
        ("compose/compose.yml", "secrets: [postgres_password]", "secrets: [grafana_password]",
         "postgres: POSTGRES_PASSWORD_FILE is a secret that the service is not given: postgres_password"),
        ("compose/compose.yml", "MARKETGATE_ARCHIVE_DIR", "MARKETGATE_ARCHIVE",
         "compose/compose.yml: worker: MARKETGATE_ARCHIVE is not a setting"),
        ("compose/compose.yml", "services:", "services: [", "it cannot be read: ParserError: while parsing"),
        ("grafana/provisioning/dashboards/marketgate.yml", "path: /var", "path: /srv",
         "dashboards/marketgate.yml: options.path must be /var/lib/grafana/dashboards, where Compose mounts them"),
        ("grafana/provisioning/datasources/prometheus.yml", "uid: prometheus", "uid: other",
         "dashboards/business.json: no datasource has the uid prometheus"),
        ("grafana/provisioning/datasources/prometheus.yml", "datasources:", "sources:",
         "datasources/prometheus.yml: it provides nothing"),
        ("kubernetes/base/common/settings.env", "_DRAIN_S=15", "_DRAIN_S=soon",
         "kubernetes/base/common/settings.env: MARKETGATE_DRAIN_S: Input should be a valid number"),
        ("kubernetes/base/common/settings.env", "_REDIS_URL_FILE", "_REDIS_FILE",
         "kubernetes/base/common/settings.env: MARKETGATE_REDIS_FILE: MARKETGATE_REDIS is not a setting"),
        ("kubernetes/overlays/staging/kustomization.yaml", "_LOG_LEVEL", "_LEVEL",
         "kubernetes/overlays/staging/kustomization.yaml: MARKETGATE_LEVEL is not a setting"),
    ],
)  # fmt: skip
def test_what_a_file_names_wrongly_is_a_finding(whole, file, old, new, told):
    path = whole / file
    text = path.read_text()

    path.unlink()
    if old is not None:
        assert old in text
        path.write_text(text.replace(old, new, 1))
    found = found_in(whole)
    path.write_text(text)

    assert [line for line in found if line.startswith(told)], found
