"""What the last release has shown to clients: its schema and its error codes, each under that release's name.

CHANGELOG.md says which releases there were: a heading with a version and a day is one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from graphql import Node, Visitor, parse, print_ast, visit

from gateway.cli.codes import CODES

SCHEMA, RELEASED, RELEASED_CODES = "schema/schema.graphql", "schema/released.graphql", "schema/released-codes.txt"
HEADING = re.compile(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)

Version = tuple[int, int, int]


class Unreadable(ValueError):
    """The project's version is not three numbers, or a heading of the changelog has a date that is none."""


@dataclass(frozen=True, slots=True)
class Release:
    """A version, and the day it came out."""

    version: Version
    day: date

    def __str__(self) -> str:
        return f"{dotted(self.version)}, {self.day}"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The project's version, its releases with the newest first, and the one that the released files are of."""

    version: Version
    releases: tuple[Release, ...] = ()
    last: Release | None = None

    @property
    def newest(self) -> Release | None:
        """By the changelog."""
        return self.releases[0] if self.releases else None

    @property
    def coming(self) -> list[Version]:
        """What may be the next release's version."""
        major, minor, patch = self.version
        here = [] if self.last is not None and self.last.version == self.version else [self.version]
        return [*here, (major, minor, patch + 1), (major, minor + 1, 0), (major + 1, 0, 0)]


def history_of(root: Path) -> History:
    """What the files of the project say; Unreadable where a version or a day is none."""
    told = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if (numbers := re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", told)) is None:
        raise Unreadable(f"pyproject.toml says version {told}: three numbers are needed, such as 0.2.0")
    major, minor, patch = map(int, numbers.groups())
    releases = releases_in((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    head = (root / RELEASED).read_text(encoding="utf-8").partition("\n")[0] if (root / RELEASED).is_file() else ""
    last = next((each for each in releases if mark(each) == head), None)
    return History(version=(major, minor, patch), releases=releases, last=last)


def releases_in(changelog: str) -> tuple[Release, ...]:
    """Those that have a version and a day, in the changelog's order."""
    found = []
    for major, minor, patch, day in HEADING.findall(changelog):
        version = int(major), int(minor), int(patch)
        try:
            found.append(Release(version, date.fromisoformat(day)))
        except ValueError as error:
            raise Unreadable(f"CHANGELOG.md dates {dotted(version)} {day}, which is no day") from error
    return tuple(found)


def mark(release: Release | None) -> str:
    """The first line of the released files."""
    return "# Before the first release" if release is None else f"# Of release {release}"


def dotted(version: Version) -> str:
    """As it is written."""
    return ".".join(map(str, version))


def released_texts(release: Release | None, schema: str, codes: Iterable[str] = CODES) -> dict[str, str]:
    """The released files by path, if *schema* and *codes* are what *release* shows."""
    return {
        RELEASED: f"{mark(release)}\n\n{bare(schema)}",
        RELEASED_CODES: "\n".join([mark(release), *sorted(map(str, codes))]) + "\n",
    }


def codes_in(text: str) -> list[str]:
    """The codes of a released file."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class _Undescribed(Visitor):
    """Takes the descriptions out of a document."""

    def enter(self, node: Node, *_: object) -> Node | None:
        """The node without one; None leaves it as it is."""
        if getattr(node, "description", None) is None:
            return None
        return type(node)(**{key: getattr(node, key) for key in node.keys if key != "description"})


def bare(text: str) -> str:
    """A schema's text without descriptions and comments."""
    return print_ast(visit(parse(text), _Undescribed())) + "\n"
