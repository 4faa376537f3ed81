"""Funding of perpetuals, every eight hours UTC: booked once, at the rates that the account's provider tells.

Each payment is that of what was held when it was made: positions are rebuilt from their fills, those that were closed
since as well. Times that nobody worked are booked in order, by the history of rates. It is owed whatever kill switch
is on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import structlog

from gateway.core.contract import Context, Host
from gateway.core.matching.funding import funding, last_funding
from gateway.core.matching.model import ExecutionModel
from gateway.core.matching.rounding import EXACT, quantum_of
from gateway.core.store import Tx
from plugins.trading.engine.holders import Holders, Payment, times_between, told
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.carrying import funding_key
from plugins.trading.ledger.drafts import funding as funding_entry
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.books import SYSTEM
from plugins.trading.orders.floor import TOPIC
from plugins.trading.orders.store import FillStore
from plugins.trading.positions.store import PositionStore, TripStore
from plugins.trading.rows import AccountRow
from plugins.trading.writing import Writing, writing
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import FailureCode, NoAnswer
from schema.symbols import InstrumentId, parse_instrument
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
)

INTERVAL = timedelta(hours=8)
SOON = timedelta(minutes=2)
"""How long after the time venues need until they tell what was paid."""
AROUND = timedelta(minutes=1)
"""Venues' times are not exact."""
LONGEST = timedelta(days=7)
"""How far back times are made up for that nobody worked."""
NOBODY = frozenset({FailureCode.NOT_COVERED, FailureCode.NOT_RECORDED, FailureCode.UNKNOWN_INSTRUMENT})
"""Why a history will not be told later either."""

LOG = structlog.get_logger(__name__)

Told = Mapping[tuple[str, datetime], Sequence[Payment]]
"""What was paid in the eight hours until a time, by instrument and time."""


class Funder:
    """Asks the venue first; then the account is locked, and what was booked already is left alone."""

    def __init__(self, host: Host) -> None:
        self._host, self._book = host, LedgerBook()

    @property
    def until(self) -> datetime:
        """The newest time that is to be booked."""
        return last_funding(self._host.clock.now() - SOON)

    async def book(self, account: AccountRow, context: Context) -> bool:
        """All that is due of an account, in order; whether nothing is left that somebody may tell a rate of later."""
        until = self.until
        if account.funded_at is None or account.funded_at >= until:
            return True
        async with self._host.store.read() as tx:
            holders = await self._holders(tx, account, account.funded_at)
        known, done = await self._asked(account, context, holders, until)
        async with writing(self._host, account.tenant_id, account.id) as w:
            start = w.account.funded_at
            if start is None or start >= done:
                return done >= until
            holders = await self._holders(w.tx, w.account, start)
            for at in times_between(start, done, INTERVAL):
                for instrument in holders.instruments:
                    await self._pay(w, holders, instrument, at, known.get((instrument, at), ()))
            await self._write(w, holders)
            idle = done == until and not holders.open and not holders.filled_after(until)
            w.set(funded_at=None if idle else done)
            news = {"account": account.id, "tenant": account.tenant_id, "shard": account.shard}
            w.tx.then(lambda: self._host.bus.publish(TOPIC, news))
        return done >= until

    async def _holders(self, tx: Tx, account: AccountRow, since: datetime) -> Holders:
        tenant, id = account.tenant_id, account.id
        return Holders(
            await PositionStore().of(tx, tenant, id), await FillStore().since(tx, tenant, id, since),
            await TripStore().closed_since(tx, tenant, id, since),
        )  # fmt: skip

    async def _asked(
        self, account: AccountRow, context: Context, holders: Holders, until: datetime
    ) -> tuple[Told, datetime]:
        """What was paid, and until when all of it is known."""
        known: dict[tuple[str, datetime], Sequence[Payment]] = {}
        done = start = account.funded_at or until
        if start < until - LONGEST:
            LOG.error("trading_funding_missed", account=account.id, since=start, until=until - LONGEST)
        for at in times_between(start, until, INTERVAL):
            for instrument in holders.instruments:
                if at <= until - LONGEST or not holders.held_within(instrument, at - INTERVAL, at):
                    continue
                try:
                    paid = await self._paid(account, context, parse_instrument(instrument), at, newest=at == until)
                except NoAnswer as error:
                    LOG.warning("trading_funding_unknown", instrument=instrument, at=at, reason=error.message)
                    return known, done
                known[instrument, at] = paid
            done = at
        return known, done

    async def _paid(
        self, account: AccountRow, context: Context, instrument: InstrumentId, at: datetime, *, newest: bool
    ) -> list[Payment]:
        """What was paid in the eight hours until a time. Of the newest one the running rate stands in for a history
        that nobody tells; of one before it nothing is made up."""
        model = ExecutionModel.read(account.model)
        terms = DEFAULT_TERMS if model.provider is None else Terms(providers=(model.provider,))
        ask = FundingHistoryAsk(instrument=instrument, start=at - INTERVAL + AROUND, end=at + AROUND)
        try:
            rates = cast(Sequence[FundingRate], (await context.market.fetch(FUNDING_HISTORY, ask, terms)).value)
        except NoAnswer as error:
            if not newest and error.code not in NOBODY:
                raise
            rates = ()
        if not rates:
            if not newest:
                LOG.error("trading_funding_missed", account=account.id, instrument=str(instrument), at=at)
                return []
            rates = await self._running(context, instrument, at, terms)
        marks = [each.mark_price for each in rates]
        now = None if all(marks) else (await Prices.of(context).priced(instrument, model)).price
        return [
            Payment(at=each.time, rate=each.rate, mark=mark)
            for each in rates
            if (mark := each.mark_price or now) is not None
        ]

    async def _running(
        self, context: Context, instrument: InstrumentId, at: datetime, terms: Terms
    ) -> list[FundingRate]:
        """The rate of now at each of its times."""
        ask = FundingRatesAsk(instruments=(instrument,))
        running = cast(FundingRate, (await context.market.fetch(FUNDING_RATES, ask, terms)).value)
        every = timedelta(milliseconds=running.interval_ms) if running.interval_ms else INTERVAL
        return [replace(running, time=each) for each in times_between(at - INTERVAL, at, min(every, INTERVAL))]

    async def _pay(self, w: Writing, holders: Holders, instrument: str, at: datetime, paid: Sequence[Payment]) -> None:
        """Book what an instrument's positions got or paid until a time."""
        key, currency, whole = funding_key(instrument, at), holders.currency(instrument), Decimal(0)
        if not paid or await self._book.repeated(w.tx, w.account, key, key):
            return
        shares = []
        for each in paid:
            held = holders.quantity(instrument, each.at)
            amount = funding(held, Decimal(1), each.mark, each.rate, quantum_of(currency))
            if amount and holders.credit(instrument, each.at, amount):
                shares.append((each, held))
                whole = EXACT.add(whole, amount)
        if whole:
            draft = funding_entry(currency, whole, instrument=instrument, memo=told(instrument, shares))
            await self._book.post(w, [draft], at=self._host.clock.now(), made_by=SYSTEM, key=key, digest=key)

    async def _write(self, w: Writing, holders: Holders) -> None:
        """Positions of now and of then."""
        for row in holders.changed.values():
            await PositionStore().put(w.tx, w.tenant, replace(row, changed_at=self._host.clock.now()))
        for trip in holders.closed.values():
            await TripStore().fund(w.tx, w.tenant, trip.id, trip.funding)
