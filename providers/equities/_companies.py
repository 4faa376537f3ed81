"""What companies did and reported, in the order and the range that asks want."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from providers.row import ABSENT, Key, Row
from schema.words.companies import ActionKind, CorporateAction, CorporateActionsAsk
from schema.words.fundamentals import Fundamentals, FundamentalsAsk

NO_DAY = ABSENT | {"0000-00-00"}


def maybe_day(row: Row, key: Key) -> date | None:
    """A calendar date, with or without a time behind it, that may be missing."""
    return None if row.maybe_text(key) in NO_DAY else row.instant(key).date()


def split_by(factor: Row, day: date) -> CorporateAction:
    """A factor of 4 is a split of 4 for 1, one of 1.5 of 3 for 2, one of 0.1 of 1 for 10."""
    ratio = factor.decimal()
    if ratio <= 0:
        factor.broken("is no factor of a split")
    new, old = ratio.as_integer_ratio()
    return CorporateAction(kind=ActionKind.SPLIT, ex_date=day, split_to=Decimal(new), split_from=Decimal(old))


def actions_in(ask: CorporateActionsAsk, actions: Iterable[CorporateAction]) -> tuple[CorporateAction, ...]:
    """Those with ex-dates in the ask's range, ascending."""
    inside = [
        action
        for action in actions
        if (ask.start is None or action.ex_date >= ask.start) and (ask.end is None or action.ex_date < ask.end)
    ]
    return tuple(sorted(inside, key=lambda action: action.ex_date))


def newest_reports(ask: FundamentalsAsk, reports: Iterable[Fundamentals]) -> tuple[Fundamentals, ...]:
    """The newest period first, one report of each: the one that was filed last of those that were known."""
    chosen: dict[date, Fundamentals] = {}
    for report in reports:
        filed, held = report.filed_at, chosen.get(report.period_end)
        if ask.known_at is not None and (filed is None or filed > ask.known_at):
            continue
        if held is None or (filed is not None and (held.filed_at is None or held.filed_at <= filed)):
            chosen[report.period_end] = report
    return tuple(chosen[end] for end in sorted(chosen, reverse=True)[: ask.limit])
