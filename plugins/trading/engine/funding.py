"""Funding of perpetuals, every eight hours UTC: booked once, at the rates that the account's provider tells.

What was paid since the last time is summed, where a venue pays more often. Who holds the position when it is booked
has held it then, at the mark of then: an engine that was away for hours books late, by what is held now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import structlog

from gateway.core.contract import Host
from gateway.core.matching.funding import funding, next_funding
from gateway.core.matching.positions import funded
from gateway.core.matching.rounding import quantum_of
from plugins.trading.engine.dealing import Dealer
from plugins.trading.engine.seat import Seat
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import funding as funding_entry
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.floor import SYSTEM, Floor
from plugins.trading.positions.store import PositionStore
from plugins.trading.positions.turning import position_of
from plugins.trading.rows import PositionRow
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import NoAnswer
from schema.symbols import InstrumentId, parse_instrument
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
)
from schema.words.instruments import InstrumentType, type_of

INTERVAL = timedelta(hours=8)
SOON = timedelta(minutes=2)
"""How long after the time venues need until they tell what was paid."""
AROUND = timedelta(minutes=1)
"""Venues' times are not exact."""
ZERO, ONE = Decimal(0), Decimal(1)

LOG = structlog.get_logger(__name__)


class Funder:
    """Asks the venue first; then the account is locked, and what was booked already is left alone."""

    def __init__(self, host: Host, dealer: Dealer) -> None:
        self._host, self._dealer, self._book = host, dealer, LedgerBook()

    def due(self, seat: Seat) -> list[PositionRow]:
        """Perpetuals that were held at the last time, and are not known to be booked for it."""
        at = last_funding(self._host.clock.now() - SOON)
        return [
            row
            for name, row in seat.positions.items()
            if seat.funded.get(name) != at and row.opened_at <= at and _is_perpetual(name)
        ]

    async def book(self, seat: Seat) -> None:
        """All that is due of an account; what nobody tells a rate of is asked again with the next look."""
        for row in self.due(seat):
            at = last_funding(self._host.clock.now() - SOON)
            instrument = parse_instrument(row.instrument)
            try:
                rate, told = await self._rate(seat, instrument, max(at - INTERVAL, row.opened_at), at)
                mark = told or (await Prices.of(seat.context()).priced(instrument, seat.model)).price
            except NoAnswer as error:
                LOG.warning("trading_funding_unknown", instrument=row.instrument, reason=error.message)
                continue
            async with self._dealer.floor(seat) as (floor, _):
                await self._pay(floor, row.instrument, at, rate, mark)
            seat.funded[row.instrument] = at

    async def _rate(
        self, seat: Seat, instrument: InstrumentId, start: datetime, end: datetime
    ) -> tuple[Decimal, Decimal | None]:
        """What was paid in `(start, end]`, and the mark of then; where that is not told, the running rate."""
        provider, market = seat.model.provider, seat.context().market
        terms = DEFAULT_TERMS if provider is None else Terms(providers=(provider,))
        ask = FundingHistoryAsk(instrument=instrument, start=start + AROUND, end=end + AROUND)
        try:
            paid = cast(Sequence[FundingRate], (await market.fetch(FUNDING_HISTORY, ask, terms)).value)
        except NoAnswer:
            paid = ()
        if paid:
            return sum((each.rate for each in paid), ZERO), paid[-1].mark_price
        running = cast(
            FundingRate, (await market.fetch(FUNDING_RATES, FundingRatesAsk(instruments=(instrument,)), terms)).value
        )
        times = (
            1 if not running.interval_ms else max(1, round((end - start) / timedelta(milliseconds=running.interval_ms)))
        )
        return running.rate * times, running.mark_price

    async def _pay(self, floor: Floor, instrument: str, at: datetime, rate: Decimal, mark: Decimal) -> None:
        row, w, key = floor.positions.get(instrument), floor.w, f"funding:{instrument}:{at.isoformat()}"
        if row is None or row.opened_at > at or await self._book.repeated(w.tx, w.account, key, key):
            return
        amount = funding(row.quantity, ONE, mark, rate, quantum_of(row.currency))
        if not amount:
            return
        memo = f"funding of {row.instrument} at {at:%Y-%m-%d %H:%M} UTC: {rate:f} of {row.quantity:f} at {mark:f}"
        draft = funding_entry(row.currency, amount, instrument=row.instrument, memo=memo)
        await self._book.post(w, [draft], at=floor.now, made_by=SYSTEM, key=key, digest=key)
        after = funded(position_of(row), amount)
        floor.positions[instrument] = replace(row, funding=after.funding, changed_at=floor.now)
        await PositionStore().put(w.tx, w.tenant, floor.positions[instrument])


def last_funding(at: datetime) -> datetime:
    """The newest time that is not later."""
    return next_funding(at) - INTERVAL


def _is_perpetual(name: str) -> bool:
    return type_of(parse_instrument(name)) is InstrumentType.PERPETUAL
