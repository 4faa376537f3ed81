"""Calendars of economic releases, which differ in the names of their fields only."""

from __future__ import annotations

from providers.row import Row
from schema.words.economics import EconomicCalendarAsk, EconomicEvent, Importance

IMPORTANCE = {"low": Importance.LOW, "medium": Importance.MEDIUM, "high": Importance.HIGH}
COUNTRIES = {"EU": "XM", "EMU": "XM", "EA": "XM", "UK": "GB"}
"""Codes that are not those of ISO 3166."""


def releases(
    ask: EconomicCalendarAsk, rows: Row, *, time: str, forecast: str, previous: str
) -> tuple[EconomicEvent, ...]:
    """The events of the ask's days and countries, ascending; times are UTC, `time` and the others name the fields."""
    found = []
    for row in rows:
        moment, code = row.instant(time), row.maybe_text("country")
        country = None if code is None else COUNTRIES.get(code, code)
        if ask.start <= moment.date() < ask.end and (not ask.countries or country in ask.countries):
            impact = row.maybe_text("impact") or ""
            event = EconomicEvent(
                time=moment, country=country, name=row.text("event"), importance=IMPORTANCE.get(impact.lower()),
                unit=row.maybe_text("unit"), actual=row.maybe("actual"), forecast=row.maybe(forecast),
                previous=row.maybe(previous),
            )  # fmt: skip
            found.append(event)
    return tuple(sorted(found, key=lambda event: event.time))
