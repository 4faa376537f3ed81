"""Advisories that are known and borne for a while: each with its reason and its last day, 90 days off at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tests.upkeep.advisories import Advisory

LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """One advisory on one package, with why it does no harm here, or what is waited for."""

    package: str
    advisory: str
    until: date
    reason: str


BORNE: tuple[Borne, ...] = ()
"""`Borne(package="some", advisory="GHSA-…", until=date(2027, 1, 31), reason="…")`; a pull request, like all else."""


def told(found: Sequence[Advisory], borne: Sequence[Borne], today: date) -> tuple[list[str], bool]:
    """A line for each advisory, and for each exception that is for none; whether an advisory has to be acted on."""
    by_key = {(each.package, each.advisory): each for each in borne}
    lines, acted_on = [], False
    for advisory in found:
        package = advisory.package
        for known in advisory.ids:
            excepted = by_key.pop((package.name, known), None)
            refused = _refused(excepted, today) if excepted is not None else None
            subject = f"{package.name} {package.version}: {known}"
            if excepted is not None and refused is None:
                lines.append(f"BORNE {subject} until {excepted.until}: {excepted.reason}")
            else:
                lines.append(f"VULNERABLE {subject}{f', {refused}' if refused else ''}")
                acted_on = True
    return [*lines, *(f"NOT NEEDED any more: the exception for {name}: {known}" for name, known in by_key)], acted_on


def _refused(borne: Borne, today: date) -> str | None:
    """Why an exception is none; None for one that is."""
    if not borne.reason.strip():
        return "its exception gives no reason"
    if borne.until < today:
        return f"its exception ended {borne.until}"
    if borne.until > today + LONGEST:
        return f"its exception ends {borne.until}, more than {LONGEST.days} days from {today}"
    return None
