"""What a release must agree on, and its notes: `python -m tests.upkeep.release v0.2.0` writes build/notes.md."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from gateway import __version__
from gateway.released import SCHEMA, Unreadable, history_of, released_texts, releases_in
from tests.upkeep.packages import ROOT

HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
NOTES = "build/notes.md"


class NotReady(Exception):
    """Says what the tag, the version and the changelog do not agree on."""


def notes(tag: str, changelog: str, version: str, told: str) -> str:
    """The changelog's part for the tag; NotReady says what is missing. *told* is what the gateway itself says."""
    if tag != f"v{version}":
        raise NotReady(f"the tag is {tag}, pyproject.toml says version {version}")
    if told != version:
        raise NotReady(f"pyproject.toml says version {version}, what is installed says {told}: run make setup")
    headings = list(HEADING.finditer(changelog))
    released = [each for each in headings if each["version"] != "Unreleased"]
    if not released or released[0]["version"] != version:
        top = released[0]["version"] if released else "none"
        raise NotReady(f"the newest release in CHANGELOG.md is {top}, not {version}")
    if released[0]["date"] is None:
        raise NotReady(f"CHANGELOG.md gives no date for {version}")
    try:
        releases_in(changelog)
    except Unreadable as error:
        raise NotReady(str(error)) from error
    for each in headings:
        if each["version"] == "Unreleased" and _below(each, headings, changelog):
            raise NotReady("CHANGELOG.md has lines under Unreleased that belong to the release")
    found = _below(released[0], headings, changelog)
    if not found:
        raise NotReady(f"CHANGELOG.md says nothing about {version}")
    return found + "\n"


def unrenewed(root: Path) -> list[str]:
    """The files that do not hold what this release shows."""
    history, schema = history_of(root), (root / SCHEMA).read_text(encoding="utf-8")
    texts = released_texts(history.newest, schema)
    return [name for name, text in texts.items() if (root / name).read_text(encoding="utf-8") != text]


def _below(heading: re.Match[str], headings: Sequence[re.Match[str]], changelog: str) -> str:
    following = [each.start() for each in headings if each.start() > heading.start()]
    return changelog[heading.end() : min(following, default=len(changelog))].strip()


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Write the notes; 1 where the release is not ready."""
    if len(arguments) != 1:
        print("usage: python -m tests.upkeep.release v<version>", file=sys.stderr)
        return 2
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        text = notes(arguments[0], (root / "CHANGELOG.md").read_text(encoding="utf-8"), version, __version__)
        if stale := unrenewed(root):
            raise NotReady(f"{' and '.join(stale)}: not of this release, run python -m gateway.schemadiff --released")
    except (NotReady, Unreadable) as error:
        print(error, file=sys.stderr)
        return 1
    (root / NOTES).parent.mkdir(exist_ok=True)
    (root / NOTES).write_text(text, encoding="utf-8")
    print(f"written {NOTES}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
