"""Under which licences the packages stand that go out with the gateway, read from what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from tests.upkeep.packages import ROOT, Package, node_locks, node_packages, python_packages

ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0"),
        *("PSF-2.0", "Unlicense", "Zlib"),
    }
)
"""They ask for a notice at most, or for the package's own changed files (MPL): an application may ship with them."""
SPELLINGS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
UNKNOWN = "unknown"


def licence_of(package: Distribution) -> str:
    """An SPDX expression: the package's own, else from its `License`, else from its classifiers; or `unknown`."""
    facts = package.metadata
    for expression in facts.get_all("License-Expression") or ():
        return str(expression)
    named = [_spdx(words) for words in facts.get_all("License") or ()]
    classed = [_spdx(line.rpartition(" :: ")[2]) for line in facts.get_all("Classifier") or () if "License ::" in line]
    for found in (named, classed):
        if found and all(found):
            return " AND ".join(sorted(set(found)))
    return UNKNOWN


def _spdx(words: str) -> str:
    """Its SPDX name; empty for what is none."""
    return words if words in ALLOWED else SPELLINGS.get(words.strip().lower(), "")


def allowed(expression: str) -> bool:
    """Whether one may choose so that only allowed licences hold; parentheses bind as they do in SPDX."""
    parts = re.findall(r"\(|\)|[\w.+-]+", expression)
    return bool(parts) and _either(parts) and not parts


def _either(parts: list[str]) -> bool:
    good = _both(parts)
    while parts and parts[0].upper() == "OR":
        del parts[0]
        good = _both(parts) or good
    return good


def _both(parts: list[str]) -> bool:
    good = _one(parts)
    while parts and parts[0].upper() == "AND":
        del parts[0]
        good = _one(parts) and good
    return good


def _one(parts: list[str]) -> bool:
    if not parts:
        return False
    word = parts.pop(0)
    if word != "(":
        return word in ALLOWED
    good = _either(parts)
    closed = bool(parts) and parts.pop(0) == ")"
    return good and closed


def shipped(root: Path = ROOT) -> tuple[list[Package], list[str]]:
    """What goes out, with its licences, and the names of what is pinned for other machines only."""
    found, elsewhere = [], []
    for package in python_packages(root / "requirements" / "image.txt"):
        try:
            installed = distribution(package.name)
        except PackageNotFoundError:
            elsewhere.append(package.name)
            continue
        found.append(Package(package.ecosystem, package.name, installed.version, licence_of(installed)))
    for lock in node_locks(root):
        found += node_packages(lock, shipped=True)
    return sorted(set(found)), sorted(set(elsewhere))


def refused(packages: Iterable[Package]) -> list[Package]:
    """Those whose licence is unknown, or asks for more than a notice."""
    return [package for package in packages if not allowed(package.licence or UNKNOWN)]


def report(packages: Sequence[Package]) -> str:
    """A table: name, version, licence, from where."""
    head = ("package", "version", "licence", "from")
    rows = [head, *((each.name, each.version, each.licence or UNKNOWN, each.ecosystem) for each in packages)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
