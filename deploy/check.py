"""`make check-deploy`: lints what is in this folder, and CI's workflows, offline. Exit code 1 where something is found.

Tools come from requirements/deploy.txt, or from the machine (kubectl, promtool, haproxy); one that is missing is named,
and what it would have looked at counts as not looked at, never as good: with `--strict` that is a finding, too.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.references import findings

HERE = Path(__file__).resolve().parent
OVERLAYS = ("staging", "production", "bluegreen")
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where distributions keep servers; not in everybody's PATH."""
PYTHON = sys.executable
PATIENCE_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at something: its name, the tools that it takes, and the command; *fed* is what that reads."""

    name: str
    tools: tuple[str, ...]
    command: tuple[str, ...]
    fed: tuple[str, ...] = ()
    """A command whose output is the command's input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a look; *missing* names the tool that is not there."""

    name: str
    problem: str = ""
    missing: str = ""


Find = Callable[[str], str | None]


def looks(folder: Path) -> Iterator[Look]:
    """Everything there is to look at below a `deploy` folder."""
    for file in sorted(folder.rglob("Dockerfile")):
        yield Look(name=_shown(file, folder), tools=("hadolint",), command=("hadolint", str(file)))
    for file in sorted(folder.glob("compose/*.yml")):
        schema = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(file))
        yield Look(name=_shown(file, folder), tools=schema[:1], command=schema)
    for file in sorted(folder.parent.glob(".github/workflows/*.yml")):
        schema = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(file))
        yield Look(name=f"workflows/{file.name}", tools=schema[:1], command=schema)
    for file in sorted(folder.glob("compose/*.cfg")):
        yield Look(name=_shown(file, folder), tools=("haproxy",), command=("haproxy", "-c", "-q", "-f", str(file)))
    for file in sorted(folder.rglob("*.sh")):
        command = ("shellcheck", "--external-sources", str(file))
        yield Look(name=_shown(file, folder), tools=command[:1], command=command)
    for overlay in OVERLAYS:
        rendered = ("kubectl", "kustomize", str(folder / "kubernetes" / "overlays" / overlay))
        validate = ("kubernetes-validate", "--strict", "--quiet", "-")
        yield Look(name=f"kubernetes/{overlay}", tools=(rendered[0], validate[0]), command=validate, fed=rendered)
    prometheus = folder / "prometheus"
    if (prometheus / "prometheus.yml").is_file():
        config = ("promtool", "check", "config", str(prometheus / "prometheus.yml"))
        yield Look(name="prometheus/prometheus.yml", tools=config[:1], command=config)
    if rules := sorted(map(str, prometheus.glob("rules/*.yml"))):
        yield Look(name="prometheus/rules", tools=("promtool",), command=("promtool", "check", "rules", *rules))
    for file in sorted(prometheus.glob("tests/*.yml")):
        tested = ("promtool", "test", "rules", str(file))
        yield Look(name=_shown(file, folder), tools=tested[:1], command=tested)
    for file in sorted(folder.glob("grafana/dashboards/*.json")):
        asked = (PYTHON, str(HERE / "dashboard.py"), str(file))
        check = ("promtool", "check", "rules", "/dev/stdin")
        yield Look(name=_shown(file, folder), tools=check[:1], command=check, fed=asked)


def _shown(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def find_tool(name: str) -> str | None:
    """Its path: beside this interpreter first, then wherever the machine has it."""
    return (
        shutil.which(name, path=str(Path(sys.executable).parent))
        or shutil.which(name)
        or shutil.which(name, path=SYSTEM)
    )


def seen(look: Look, find: Find, patience_s: float = PATIENCE_S) -> Seen:
    """Run it; a tool that does not end has found nothing good."""
    paths = {tool: find(tool) for tool in look.tools}
    missing = [tool for tool, path in paths.items() if path is None]
    if missing:
        return Seen(name=look.name, missing=", ".join(missing))
    try:
        fed = _run(look.fed, paths, patience_s) if look.fed else None
        if fed is not None and fed.returncode:
            return Seen(name=look.name, problem=_said(fed))
        ended = _run(look.command, paths, patience_s, None if fed is None else fed.stdout)
    except subprocess.TimeoutExpired as late:
        return Seen(name=look.name, problem=f"{Path(late.cmd[0]).name} had not ended after {late.timeout:g} s")
    return Seen(name=look.name, problem=_said(ended))


def _said(ended: subprocess.CompletedProcess[str]) -> str:
    """What a tool objects to; empty where it does not."""
    return (ended.stdout + ended.stderr).strip() or f"it ended with {ended.returncode}" if ended.returncode else ""


def _run(
    command: Sequence[str], paths: Mapping[str, str | None], patience_s: float, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    whole = [paths.get(command[0]) or command[0], *command[1:]]
    return subprocess.run(whole, input=given, capture_output=True, text=True, check=False, timeout=patience_s)


def told(found: Sequence[Seen]) -> Iterator[str]:
    """A line for each look, and what it found below it."""
    for each in found:
        if each.missing:
            yield f"NOT RUN  {each.name}: {each.missing} is not there"
        elif each.problem:
            yield f"WRONG    {each.name}"
            yield from (f"         {line}" for line in each.problem.splitlines())
        else:
            yield f"good     {each.name}"


def main(folder: Path = HERE, find: Find = find_tool, *, strict: bool = False) -> int:
    """Look at everything; 1 where something is wrong, and where *strict* if a tool was missing."""
    found = [seen(look, find) for look in looks(folder)]
    found += [Seen(name=name, problem=problem) for name, problem in findings(folder)]
    print(*told(found), sep="\n")
    not_run = sum(bool(each.missing) for each in found)
    wrong = sum(bool(each.problem) for each in found)
    print(f"{len(found) - not_run - wrong} good, {wrong} wrong, {not_run} not run")
    return 1 if wrong or (strict and not_run) else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make check-deploy")
    parser.add_argument("--strict", action="store_true", help="a look that was not run is a finding, too")
    sys.exit(main(strict=parser.parse_args().strict))
