"""How much of the code the suite runs: `make coverage` measures and writes it down, `make check` holds it to 80 %.

A measured suite is slower, and a whole one is no part of every check. In between, code that came since
counts as not run: what is printed is the least that can be true as long as no test was taken away.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.upkeep.packages import ROOT

LEAST = 80.0
NAME = "tests/upkeep/coverage.json"
SOURCES = ("gateway", "plugins", "providers", "schema")


@dataclass(frozen=True, slots=True)
class Measured:
    """Statements that the suite ran and all there were, and how many lines the files had that day."""

    covered: int
    statements: int
    lines: int

    @property
    def percent(self) -> float:
        """Of the statements, on the day of measuring."""
        return 100 * self.covered / self.statements

    def least(self, lines: int) -> float:
        """The percentage with *lines* there are now, as if none of those that came were run."""
        return self.percent * min(1.0, self.lines / lines)


def lines_of(root: Path) -> int:
    """Lines of code today, but for blank ones."""
    files = (path for name in SOURCES for path in (root / name).rglob("*.py") if "client" not in path.parts)
    return sum(bool(line.strip()) for path in files for line in path.read_text(encoding="utf-8").splitlines())


def measured(path: Path) -> Measured | None:
    """What was written down; None where nothing was measured yet."""
    return Measured(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def write(folder: Path, root: Path) -> Measured:
    """Keep what processes wrote into a folder: a line counts as run where one of them ran it."""
    ran: set[tuple[Path, int]] = set()
    known: set[tuple[Path, int]] = set()
    for path in folder.glob("*.json"):
        for name, lines in json.loads(path.read_text(encoding="utf-8"))["files"].items():
            ran.update((root / name, number) for number in lines["executed_lines"])
            known.update((root / name, number) for number in lines["missing_lines"])
    kept = Measured(len(ran), len(ran | known), lines_of(root))
    (root / NAME).write_text(json.dumps(asdict(kept), indent=2) + "\n", encoding="utf-8")
    return kept


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Judge what is written down, after writing it where a folder is given; 1 below 80 %, or where nothing is."""
    match list(arguments):
        case []:
            kept = measured(root / NAME)
        case [folder]:
            kept = write(Path(folder), root)
        case _:
            print("usage: python -m tests.upkeep.coverage [folder of measured processes]", file=sys.stderr)
            return 2
    if kept is None:
        print("coverage: not measured yet, run make coverage", file=sys.stderr)
        return 1
    least = kept.least(lines_of(root))
    print(f"coverage: {kept.percent:.1f} % measured, at least {least:.1f} % now; {LEAST:.0f} % are asked for")
    return 0 if least >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
