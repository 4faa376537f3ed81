"""Which packages the project stands on: the locks of Python, and those of its pages and clients."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9][a-z0-9-]*)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)
NODE_LOCK = "package-lock.json"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One pinned package; *licence* only where its lock says it."""

    ecosystem: str
    """`PyPI` or `npm`."""
    name: str
    version: str
    licence: str = ""


def python_packages(lock: Path) -> list[Package]:
    """Those of a lock of requirements."""
    return sorted({Package("PyPI", name, version) for name, version in PIN.findall(lock.read_text(encoding="utf-8"))})


def node_packages(lock: Path, *, shipped: bool = False) -> list[Package]:
    """Those of a lock of npm; *shipped* leaves out what only builds."""
    found = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return sorted(
        {
            Package("npm", path.rpartition("node_modules/")[2], entry["version"], entry.get("license", ""))
            for path, entry in found.items()
            if path and not (shipped and entry.get("dev"))
        }
    )


def node_locks(root: Path = ROOT) -> Iterator[Path]:
    """Every lock of npm in the repository."""
    for folder in ("gateway/edge/page", "schema/client"):
        yield from (path for path in sorted((root / folder).rglob(NODE_LOCK)) if "node_modules" not in path.parts)


def pinned(root: Path = ROOT) -> list[Package]:
    """All of them, those for development, too."""
    found: set[Package] = set()
    for lock in (root / "requirements").glob("*.txt"):
        found.update(python_packages(lock))
    for lock in node_locks(root):
        found.update(node_packages(lock))
    return sorted(found)
