"""Splits and dividends out of the events of Yahoo's chart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from providers.equities._companies import actions_in
from providers.equities._yahoo import currency_of
from providers.row import Row
from schema.errors import NotCovered
from schema.words.companies import ActionKind, CorporateAction, CorporateActionsAsk


def parse_actions(ask: CorporateActionsAsk, chart: Row) -> tuple[CorporateAction, ...]:
    """`{"meta", "events": {"splits": {…}, "dividends": {…}}}`; without events there were none."""
    currency, power = currency_of(ask.instrument, chart["meta"])
    if power:
        # Some come in pence and some in pounds, and nothing tells them apart.
        raise NotCovered(chart.provider, f"dividends of {ask.instrument} come in a unit that is not told")
    events = chart.get("events")
    return () if events is None else actions_in(ask, [*splits(chart, events), *dividends(chart, events, currency)])


def splits(chart: Row, events: Row) -> Iterator[CorporateAction]:
    """`{"1626787800": {"date", "numerator", "denominator"}}`: new shares for old ones."""
    for row in each(events, "splits"):
        new, old = row.positive("numerator"), row.positive("denominator")
        if new is None or old is None:
            row.broken("is not a split")
        yield CorporateAction(kind=ActionKind.SPLIT, ex_date=day_of(chart, row), split_to=new, split_from=old)


def dividends(chart: Row, events: Row, currency: str) -> Iterator[CorporateAction]:
    """`{"1722864600": {"date", "amount"}}`; amounts are adjusted for later splits, as prices are."""
    for row in each(events, "dividends"):
        yield CorporateAction(
            kind=ActionKind.CASH_DIVIDEND,
            ex_date=day_of(chart, row),
            adjusted_amount=row.decimal("amount"),
            currency=currency,
        )


def each(events: Row, name: str) -> Iterator[Row]:
    """The events of a kind, whatever their keys."""
    held = events.get(name)
    return iter(()) if held is None else (row for _, row in held.items())


def day_of(chart: Row, row: Row) -> date:
    """An event's time is the opening of its session."""
    return row.epoch("date").astimezone(chart["meta"].zone("exchangeTimezoneName")).date()
