"""What goes into the image, and what Compose makes of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.sbom import bill, read_pins
from gateway import __version__
from gateway.core.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "deploy" / "compose"


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((COMPOSE / "compose.yml").read_text()))


def test_the_bill_of_materials_names_every_pin_of_the_lock(tmp_path):
    output = tmp_path / "sbom.json"
    subprocess.run([sys.executable, ROOT / "deploy" / "sbom.py", "--output", output], check=True)

    found = json.loads(output.read_text())

    lock = (ROOT / "requirements" / "image.txt").read_text()
    # Counted apart from what reads them: the beginnings of all lines that are no hash.
    pinned = {line.split(" ")[0].split("[")[0] for line in lock.splitlines() if line[:1].strip() and line[0] != "#"}
    assert {f"{each['name']}=={each['version']}" for each in found["components"]} == {
        re.sub(r"\[.*\]", "", line) for line in pinned
    }
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    whole = f"pkg:pypi/marketgate@{__version__}"
    assert found["metadata"]["component"]["purl"] == whole
    refs = [each["bom-ref"] for each in found["components"]]
    assert found["dependencies"] == [{"ref": whole, "dependsOn": refs}]


def test_a_bill_of_the_same_lock_is_the_same_and_says_where_a_package_is_left_out():
    lock = (
        "Some_Thing[extra]==1.2 ; sys_platform == 'win32' \\\n    --hash=sha256:00\nother==3 \\\n    --hash=sha256:01\n"
    )

    assert [(pin.name, pin.version, pin.marker) for pin in read_pins(lock)] == [
        ("some-thing", "1.2", "sys_platform == 'win32'"), ("other", "3", ""),
    ]  # fmt: skip
    first = bill(lock, "whole", "1")
    assert first == bill(lock, "whole", "1")
    assert first["serialNumber"] != bill(lock, "whole", "2")["serialNumber"]
    assert first["components"][0]["properties"] == [{"name": "marketgate:marker", "value": "sys_platform == 'win32'"}]


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular():
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text().replace("\\\n", "")

    installs = re.findall(r"pip install ([^&\n]+)", text)
    assert len(installs) == 3
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert "requirements/image.txt" in installs[0]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version not in text, "a release is raised in one place"
    assert re.findall(r"^(?:USER|VOLUME|ENTRYPOINT|CMD) .*$", text, re.MULTILINE) == [
        'VOLUME ["/data"]', "USER 10001:10001", 'ENTRYPOINT ["marketgate"]', 'CMD ["serve"]',
    ]  # fmt: skip
    named = set(re.findall(r"\b(MARKETGATE_[A-Z_]+)=", text))
    assert {name.removeprefix("MARKETGATE_").lower() for name in named} <= set(Settings.model_fields)


def test_what_the_image_copies_is_let_through_and_nothing_that_is_secret_is():
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE)

    def let_through(path: str) -> bool:
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!").removeprefix("**/")
            parts = [path, *map(str, Path(path).parents), Path(path).name]
            if any(fnmatch(part, pattern) for part in parts):
                kept = rule.startswith("!")
        return kept

    for source in " ".join(copied).split():
        assert let_through(source.rstrip("/")), source
    for path in (
        ".env",
        "gateway/.env",
        "deploy/compose/secrets/secret_key",
        ".git/config",
        ".marketgate/x",
        "tests/house.py",
    ):
        assert not let_through(path), path
    assert let_through("gateway/edge/static/index.html")


# --- Compose


def test_every_container_is_locked_down_bounded_and_looked_at():
    for name, service in compose()["services"].items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        # The image has one of its own for gateways; what listens nowhere has none.
        assert "healthcheck" in service or service.get("restart") == "no" or name.startswith("gateway-"), name
        assert service["image"].startswith("${MARKETGATE_IMAGE") or re.search(r":v?\d+", service["image"]), name


def test_secrets_are_files_and_settings_are_settings():
    found = compose()

    for service in found["services"].values():
        environment = service.get("environment", {})
        ours = {name for name in environment if name.startswith("MARKETGATE_")}
        assert {n.removeprefix("MARKETGATE_").removesuffix("_FILE").lower() for n in ours} <= set(Settings.model_fields)
        for name, value in environment.items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
            else:
                assert not re.search("PASSWORD|SECRET|(DATABASE|REDIS)_URL", name), name
    assert all(each["file"].startswith("./secrets/") for each in found["secrets"].values())
    assert "/deploy/compose/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_callers_reach_gateways_through_the_balancer_only():
    services = compose()["services"]

    assert {name for name, each in services.items() if "ports" in each} == {"balancer", "grafana"}
    for name in ("gateway-a", "gateway-b"):
        assert "front" not in services[name]["networks"]
        assert f"{name}:8000" in (COMPOSE / "haproxy.cfg").read_text()


def test_secrets_are_made_once_and_stay(tmp_path):
    folder = tmp_path / "secrets"

    def made() -> tuple[str, dict[str, str]]:
        ended = subprocess.run([COMPOSE / "secrets.sh", folder], capture_output=True, text=True, check=True)
        return ended.stdout, {path.name: path.read_text() for path in folder.iterdir()}

    told, first = made()
    again, second = made()

    assert set(first) == {Path(each["file"]).name for each in compose()["secrets"].values()}
    assert (told.count("made "), again, first == second) == (5, "", True)
    assert f":{first['postgres_password'].strip()}@postgres/" in first["database_url"]
    loaded = Settings.model_validate({"secret_key": first["secret_key"].strip()})
    assert loaded.root_secrets() == (first["secret_key"].strip(),)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}


@pytest.mark.parametrize("openssl", ["exit 1", "exit 0", "echo", "echo short"])
def test_no_secret_is_kept_where_none_can_be_made(tmp_path, openssl):
    folder, tools = tmp_path / "secrets", tmp_path / "tools"
    tools.mkdir()
    (tools / "openssl").write_text(f"#!/bin/sh\n{openssl}\n")
    (tools / "openssl").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    ended = subprocess.run(
        [COMPOSE / "secrets.sh", folder], capture_output=True, text=True, check=False, env=environment
    )

    assert (ended.returncode, ended.stdout, list(folder.iterdir())) == (1, "", [])
    assert "openssl made no random value: install it" in ended.stderr


def test_half_of_a_pair_of_secrets_is_refused(tmp_path):
    (tmp_path / "database_url").write_text("postgresql://marketgate:there@postgres/marketgate\n")

    ended = subprocess.run([COMPOSE / "secrets.sh", tmp_path], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "without postgres_password" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["database_url"]


def test_the_balancer_understands_its_settings(tmp_path):
    haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if haproxy is None:
        pytest.skip("needs haproxy, which reads its settings")

    ended = subprocess.run([haproxy, "-c", "-f", COMPOSE / "haproxy.cfg"], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_workers_are_asked_for_their_figures_where_they_show_them():
    worker = compose()["services"]["worker"]
    port = worker["environment"]["MARKETGATE_WORKER_PORT"]
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    (asked,) = (each["dns_sd_configs"][0] for each in scraped if each["job_name"] == "marketgate-worker")
    settings = (ROOT / "deploy/kubernetes/base/common/settings.env").read_text().splitlines()
    (pod,) = yaml.safe_load_all((ROOT / "deploy/kubernetes/base/common/worker.yaml").read_text())
    (container,) = pod["spec"]["template"]["spec"]["containers"]

    assert (asked["names"], str(asked["port"])) == (["worker"], port)
    assert f":{port}/healthz" in worker["healthcheck"]["test"][-1]
    assert f"MARKETGATE_WORKER_PORT={port}" in settings
    assert [str(each["containerPort"]) for each in container["ports"]] == [port]
    assert pod["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == port
