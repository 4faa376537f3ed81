"""What the engine booked for holding and for owing: that it was held, and owed, then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from gateway.core.matching.funding import interest
from gateway.core.matching.rounding import quantum_of
from plugins.trading.ledger.book import by_entry
from plugins.trading.ledger.carrying import funding_of, interest_memo, interest_of, rate_of
from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, total
from plugins.trading.ledger.drafts import Line
from plugins.trading.ledger.proof.findings import Found, differs
from plugins.trading.ledger.proof.loading import Kept
from plugins.trading.rows import EntryRow, FillRow
from schema.words.trades import Side

DAY = timedelta(days=1)
INTERVAL = timedelta(hours=8)
AROUND = timedelta(minutes=1)
"""Venues' times are not exact."""


def carrying_findings(kept: Kept) -> list[Found]:
    """Of each entry of funding and of interest; that there is one at most its key says, which the database keeps."""
    found: list[Found] = []
    lines = by_entry(kept.lines)
    for entry in kept.entries:
        if (of := funding_of(entry.idempotency_key)) is not None:
            found += _funding(kept, entry, *of)
        elif interest_of(entry.idempotency_key) is not None:
            found += _interest(kept, lines, entry)
    return found


def _funding(kept: Kept, entry: EntryRow, instrument: str, at: datetime) -> list[Found]:
    """Something was held in the eight hours before."""
    fills = sorted((fill for fill in kept.fills if fill.instrument == instrument), key=lambda fill: fill.at)
    start, end = at - INTERVAL, at + AROUND
    before = total(_signed(fill) for fill in fills if fill.at <= start)
    if before or any(start < fill.at <= end for fill in fills):
        return []
    return [(entry.id, f"it is funding of {instrument} until {at:%Y-%m-%d %H:%M} UTC, and none was held")]


def _interest(kept: Kept, lines: Mapping[str, Sequence[Line]], entry: EntryRow) -> list[Found]:
    """It is that of the balance which the entries before the end of its day sum to."""
    of, rate = interest_of(entry.idempotency_key), rate_of(entry.memo)
    if of is None or rate is None:
        return [(entry.id, "it does not say of what it is interest")]
    currency, day = of
    end = datetime.combine(day, time(), UTC) + DAY
    booked = (each for each in kept.entries if each.at < end and not each.pending)
    balance = _cash(lines, booked, currency)
    paid = _cash(lines, (entry,), currency)
    return [
        *differs(entry.id, "its memo", entry.memo, interest_memo(day, rate, balance, currency)),
        *differs(entry.id, "its interest", paid, interest(min(balance, ZERO), rate, DAY, quantum_of(currency))),
    ]


def _cash(lines: Mapping[str, Sequence[Line]], entries: Iterable[EntryRow], currency: str) -> Decimal:
    mine = (line for entry in entries for line in lines.get(entry.id, ()))
    return total(line.amount for line in mine if line.ledger is Ledger.CASH and line.asset == currency)


def _signed(fill: FillRow) -> Decimal:
    return fill.quantity if fill.side == Side.BUY else EXACT.minus(fill.quantity)
