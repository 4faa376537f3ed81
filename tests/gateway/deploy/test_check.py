"""`make check-deploy`: what it looks at, what it says where a tool is missing, and when it fails."""

from __future__ import annotations

from pathlib import Path

from deploy.check import HERE, Look, Seen, looks, main, seen, told

TRUE, FALSE, CAT = "/bin/true", "/bin/false", "/bin/cat"


def filled(folder: Path) -> Path:
    for name in (
        "docker/Dockerfile",
        "compose/compose.yml",
        "a.sh",
        "prometheus/prometheus.yml",
        "prometheus/rules/a.yml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_every_kind_of_file_is_looked_at_by_its_own_tool(tmp_path):
    found = {look.name: look.tools for look in looks(filled(tmp_path))}

    assert found == {
        "docker/Dockerfile": ("hadolint",), "compose/compose.yml": ("check-jsonschema",), "a.sh": ("shellcheck",),
        "kubernetes/staging": ("kubectl", "kubernetes-validate"),
        "kubernetes/production": ("kubectl", "kubernetes-validate"),
        "kubernetes/bluegreen": ("kubectl", "kubernetes-validate"),
        "prometheus/prometheus.yml": ("promtool",), "prometheus/rules": ("promtool",),
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
    assert lines[-1] == "7 good, 1 wrong, 0 not run"


def test_a_missing_tool_is_named_and_never_counts_as_good(tmp_path, capsys):
    code = main(filled(tmp_path), lambda name: None if name in ("promtool", "kubectl") else TRUE)

    out = capsys.readouterr().out
    assert code == 0
    assert "NOT RUN  kubernetes/production: kubectl is not there\n" in out
    assert "NOT RUN  prometheus/rules: promtool is not there\n" in out
    assert out.endswith("3 good, 0 wrong, 5 not run\n")


def test_what_cannot_be_rendered_is_a_finding_though_its_reader_has_no_objection():
    look = Look(
        name="overlay", tools=("kubectl", "kubernetes-validate"), command=("kubernetes-validate",), fed=("kubectl",)
    )

    assert seen(look, {"kubectl": FALSE, "kubernetes-validate": TRUE}.get).problem
    assert seen(look, {"kubectl": TRUE, "kubernetes-validate": CAT}.get) == Seen(name="overlay")
    assert list(told([seen(look, {"kubectl": TRUE, "kubernetes-validate": FALSE}.get)])) == [
        "WRONG    overlay", "         it ended with 1",
    ]  # fmt: skip
