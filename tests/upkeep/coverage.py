"""How much of the code the suite runs: `make coverage` measures and writes it down, `make check` holds it to 80 %.

A measured suite is slower, and a whole one is no part of every check. In between, a file that is new or another than
the measured one counts as not run at all, and what was not run counts as if all of it were in the other files: what is
printed is the least that can be true as long as no test was taken away. That, CI sees: it measures, and compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.upkeep.packages import ROOT

LEAST = 80.0
TOLERANCE = 0.5
"""Points: what hangs on the machine and on chance differs by less from run to run."""
NAME = "tests/upkeep/coverage.json"
SOURCES = ("gateway", "plugins", "providers", "schema")
NOT_OURS = "schema/client/"


class Wrong(Exception):
    """What is written down cannot be true."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of code: what it holds, as a digest, and how many statements, or lines but for blank ones."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Measured:
    """How many statements the suite ran, of those that each file had that day."""

    covered: int
    files: Mapping[str, File]

    @property
    def statements(self) -> int:
        """All there were."""
        return sum(file.size for file in self.files.values())

    @property
    def percent(self) -> float:
        """Of the statements, on the day of measuring."""
        return 100 * self.covered / max(1, self.statements)

    def least(self, today: Mapping[str, File]) -> float:
        """The percentage of the files there are now; Wrong where it was never so many."""
        if not self.files:
            raise Wrong("it is of no file")
        if self.covered > self.statements:
            raise Wrong(f"{self.covered} statements run of {self.statements}")
        same = other = 0
        for name, file in today.items():
            measured = self.files.get(name)
            if measured is None or measured.digest != file.digest:
                other += file.size
            elif measured.size > file.size:
                raise Wrong(f"{measured.size} statements in {name}, which has {file.size} lines")
            else:
                same += measured.size
        return 100 * max(0, same - (self.statements - self.covered)) / max(1, same + other)


def today(root: Path) -> dict[str, File]:
    """The files of code that are there, with their lines: as many as statements, or more."""
    return dict(_files(root))


def _files(root: Path) -> Iterator[tuple[str, File]]:
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            name, content = path.relative_to(root).as_posix(), path.read_bytes()
            if not name.startswith(NOT_OURS):
                yield (
                    name,
                    File(sha256(content).hexdigest()[:16], sum(map(bool, map(bytes.strip, content.split(b"\n"))))),
                )


def measured(path: Path) -> Measured | None:
    """What was written down; None where nothing was measured yet, Wrong where it is something else."""
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Measured(told["covered"], {name: File(*file) for name, file in told["files"].items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Wrong("it does not say how many statements each file has") from error


def write(folder: Path, root: Path) -> Measured:
    """Keep what processes wrote into a folder: a line counts as run where one of them ran it."""
    ran: set[tuple[str, int]] = set()
    known: dict[str, set[int]] = {}
    there = today(root)
    names = {root / name: name for name in there}
    for path in folder.glob("*.json"):
        for where, lines in json.loads(path.read_text(encoding="utf-8"))["files"].items():
            if (name := names.get(root / where)) is None:
                continue
            ran.update((name, number) for number in lines["executed_lines"])
            known.setdefault(name, set()).update(lines["executed_lines"], lines["missing_lines"])
    kept = Measured(len(ran), {name: File(there[name].digest, len(lines)) for name, lines in sorted(known.items())})
    (root / NAME).write_text(text_of(kept), encoding="utf-8")
    return kept


def text_of(kept: Measured) -> str:
    """As it is written down: a line a file, so that a change shows what it is of."""
    files = ",\n".join(f"{json.dumps(name)}: {json.dumps([f.digest, f.size])}" for name, f in kept.files.items())
    return f'{{"covered": {kept.covered}, "files": {{\n{files}\n}}}}\n'


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Judge what is written down, after writing it where a folder is given.

    1 below 80 %, where nothing or what cannot be is written down, and where less was measured than was written before.
    """
    if len(arguments) > 1:
        print("usage: python -m tests.upkeep.coverage [folder of measured processes]", file=sys.stderr)
        return 2
    try:
        before = measured(root / NAME)
    except Wrong as error:
        if not arguments:
            return _refused(error)
        before = None
    kept = write(Path(arguments[0]), root) if arguments else before
    if kept is None:
        print("coverage: not measured yet, run make coverage", file=sys.stderr)
        return 1
    try:
        least = kept.least(today(root))
    except Wrong as error:
        return _refused(error)
    print(f"coverage: {kept.percent:.1f} % measured, at least {least:.1f} % now; {LEAST:.0f} % are asked for")
    if before is not None and kept.percent < before.percent - TOLERANCE:
        print(f"coverage: {NAME} said {before.percent:.1f} %: look where it went, commit the file", file=sys.stderr)
        return 1
    if least < LEAST:
        print(
            "coverage: too little is known to be run: test more, or measure what is new by make coverage",
            file=sys.stderr,
        )
    return 0 if least >= LEAST else 1


def _refused(error: Wrong) -> int:
    print(f"coverage: {NAME} cannot be true, run make coverage: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
