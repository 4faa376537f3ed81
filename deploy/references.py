"""What no linter sees: that everything is there which the files of this folder name, and that settings are settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PIECES = (
    "docker/Dockerfile", "compose/compose.yml", "compose/haproxy.cfg", "compose/secrets.sh", "kubernetes/rollout.sh",
    "kubernetes/bluegreen.sh", "kubernetes/base/common/settings.env", "postgres/archive.sh", "postgres/backup.sh",
    "postgres/restore.sh", "prometheus/prometheus.yml", "prometheus/rules/*.yml", "prometheus/tests/*.yml",
    "grafana/dashboards/*.json", "grafana/provisioning/dashboards/*.yml", "grafana/provisioning/datasources/*.yml",
)  # fmt: skip
"""Without one of these there would be nothing to look at, and nothing to find."""
BOARDS = "/var/lib/grafana/dashboards"
PREFIX = "MARKETGATE_"
_COPIED = re.compile(r"^COPY\s+(?!--from)(?:--\S+\s+)*(.+)\s+\S+$", re.MULTILINE)
_SUBSTITUTED = re.compile(r"\$\{\w+(?::?-([^}]*))?\}")


def findings(folder: Path) -> Iterator[tuple[str, str]]:
    """Each look's name and what it found, a line each; empty where all is well."""
    looks: dict[str, Callable[[Path], Iterator[str]]] = {
        "what has to be there": missing, "docker/Dockerfile: what it copies": uncopied,
        "compose/compose.yml: what it refers to": unreferred, "grafana/provisioning": unprovisioned,
        "settings of all of them": unsettled,
    }  # fmt: skip
    for name, look in looks.items():
        try:
            yield name, "\n".join(look(folder))
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            yield name, f"it cannot be read: {type(error).__name__}: {error}"


def missing(folder: Path) -> Iterator[str]:
    """Pieces that are not there."""
    yield from (f"{piece} is not there" for piece in PIECES if not any(folder.glob(piece)))


def uncopied(folder: Path) -> Iterator[str]:
    """Sources of the image that the repository does not have."""
    for file in folder.glob("docker/Dockerfile"):
        for sources in _COPIED.findall(file.read_text(encoding="utf-8").replace("\\\n", " ")):
            for source in sources.split():
                if not any(folder.parent.glob(source.rstrip("/"))):
                    yield f"COPY {source}: there is no such path"


def unreferred(folder: Path) -> Iterator[str]:
    """Names and files that a Compose file uses without having them."""
    for file in folder.glob("compose/*.yml"):
        whole = _loaded(file)
        for name, service in (whole.get("services") or {}).items():
            for kind, names in _named(service).items():
                known = whole.get(kind) or {}
                yield from (f"{name}: {kind} has no {each}" for each in names if each not in known)
            for path in _paths(service):
                if not (file.parent / path).exists():
                    yield f"{name}: there is no {path}"
            for setting, value in _environment(service).items():
                secret = str(value).removeprefix("/run/secrets/")
                if secret != value and secret not in _names(service.get("secrets")):
                    yield f"{name}: {setting} is a secret that the service is not given: {secret}"


def _named(service: Mapping[str, Any]) -> dict[str, list[str]]:
    """By the part of the file that has to have them."""
    volumes = [str(each).partition(":")[0] for each in service.get("volumes") or ()]
    return {
        "secrets": _names(service.get("secrets")),
        "networks": _names(service.get("networks")),
        "services": _names(service.get("depends_on")),
        "volumes": [each for each in volumes if not each.startswith((".", "/", "$"))],
    }


def _names(given: Any) -> list[str]:
    """Of a list or an object; an entry of a list may be an object with a `source`."""
    return [str(each["source"] if isinstance(each, dict) else each) for each in given or ()]


def _paths(service: Mapping[str, Any]) -> Iterator[str]:
    """On the machine, from the file's folder; secrets are made later."""
    for each in service.get("volumes") or ():
        path = str(each).partition(":")[0]
        if path.startswith("."):
            yield path
    build = service.get("build")
    if isinstance(build, dict):
        yield f"{build['context']}/{build.get('dockerfile', 'Dockerfile')}"


def unprovisioned(folder: Path) -> Iterator[str]:
    """What Grafana would not find, or would leave out without a word."""
    root = folder / "grafana" / "provisioning"
    sources = set()
    for file in sorted(root.glob("*/*.yml")):
        whole, kind = _loaded(file), file.parent.name
        if whole.get("apiVersion") != 1:
            yield f"{kind}/{file.name}: apiVersion must be 1"
        entries = whole.get("providers" if kind == "dashboards" else "datasources") or []
        needed = ("name", "type", "options") if kind == "dashboards" else ("name", "type", "uid", "url")
        if not entries:
            yield f"{kind}/{file.name}: it provides nothing"
        for each in entries:
            yield from (f"{kind}/{file.name}: an entry has no {key}" for key in needed if not each.get(key))
            sources.add(str(each.get("uid")))
            if kind == "dashboards" and (each.get("options") or {}).get("path") != BOARDS:
                yield f"{kind}/{file.name}: options.path must be {BOARDS}, where Compose mounts them"
    for file in sorted(folder.glob("grafana/dashboards/*.json")):
        text = file.read_text(encoding="utf-8")
        used = set(re.findall(r'"datasource":\s*\{[^{}]*"uid":\s*"([^"$]+)"', text))
        yield from (f"dashboards/{file.name}: no datasource has the uid {each}" for each in sorted(used - sources))


def unsettled(folder: Path) -> Iterator[str]:
    """Variables that are no settings, and values that would stop the start."""
    from gateway.core.settings import Settings, SettingsError, load_settings

    for place, given in _settings(folder):
        ours = {name: value for name, value in given.items() if name.startswith(PREFIX)}
        for name in sorted(ours):
            plain = name.removesuffix("_FILE")
            if plain != name and plain.removeprefix(PREFIX).lower() not in Settings.model_fields:
                yield f"{place}: {name}: {plain} is not a setting"
        try:
            loaded = load_settings({name: value for name, value in ours.items() if not name.endswith("_FILE")}, None)
        except SettingsError as error:
            yield f"{place}: {error}"
        else:
            yield from (f"{place}: {warning}" for warning in loaded.warnings)


def _settings(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every place that sets variables of the gateway, and which."""
    for file in folder.glob("compose/*.yml"):
        for name, service in (_loaded(file).get("services") or {}).items():
            yield f"compose/{file.name}: {name}", _environment(service)
    for file in sorted(folder.glob("kubernetes/**/*.env")):
        yield file.relative_to(folder).as_posix(), _pairs(file.read_text(encoding="utf-8").splitlines())
    for file in sorted(folder.glob("kubernetes/**/kustomization.yaml")):
        for generator in _loaded(file).get("configMapGenerator") or ():
            yield file.relative_to(folder).as_posix(), _pairs(generator.get("literals") or ())
    for file in folder.glob("docker/Dockerfile"):
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
        yield "docker/Dockerfile", _pairs(re.findall(rf"\b{PREFIX}\w+=\S+", text))


def _environment(service: Mapping[str, Any]) -> dict[str, str]:
    """A service's variables; what the machine may put in its place is its default."""
    given = service.get("environment") or {}
    whole = _pairs(map(str, given)) if isinstance(given, list) else given
    return {str(name): _SUBSTITUTED.sub(lambda found: found[1] or "", str(value)) for name, value in whole.items()}


def _pairs(lines: Any) -> dict[str, str]:
    parted = (str(line).partition("=") for line in lines if not str(line).lstrip().startswith("#"))
    return {name.strip(): value for name, mark, value in parted if mark}


def _loaded(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
