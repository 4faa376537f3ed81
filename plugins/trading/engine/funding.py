"""Funding of perpetuals, every eight hours UTC: booked once, at the rates that the account's provider tells.

Each payment is that of what was held when it was made: positions are rebuilt from their fills, those that were closed
since as well. Times that nobody worked are booked in order, by the history of rates; a perpetual that nobody tells a
rate of waits by itself, and the account's time with it. It is owed whatever kill switch is on.
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
from gateway.core.matching.rounding import quantum_of
from gateway.core.store import Tx
from plugins.trading.engine.holders import Holders, Payment, times_between, told
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.carrying import funding_key
from plugins.trading.ledger.chart import total
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
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
)
from schema.words.intervals import Interval
from schema.words.problems import Refused

INTERVAL = timedelta(hours=8)
SOON = timedelta(minutes=2)
"""How long after the time venues need until they tell what was paid."""
AROUND = timedelta(minutes=1)
"""Venues' times are not exact."""
RECENT = timedelta(minutes=5)
"""Of what was paid since, the price of now stands in for a mark that nobody tells."""
HOUR = timedelta(hours=1)
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
        self._settled: set[tuple[str, str, datetime]] = set()
        """Accounts, instruments and times of which nothing is left, while others of the account wait."""
        self._settled_until: datetime | None = None

    @property
    def until(self) -> datetime:
        """The newest time that is to be booked."""
        return last_funding(self._host.clock.now() - SOON)

    async def book(self, account: AccountRow, context: Context) -> bool:
        """All that is told of what is due of an account; whether nothing is left that somebody may tell later."""
        until = self.until
        if account.funded_at is None or account.funded_at >= until:
            return True
        if self._settled_until != until:
            # Nobody else lets go of accounts that were given up while they waited.
            self._settled, self._settled_until = set(), until
        async with self._host.store.read() as tx:
            holders = await self._holders(tx, account, account.funded_at)
        known, done = await self._asked(account, context, holders, until)
        if not known and done == account.funded_at:
            return False
        async with writing(self._host, account.tenant_id, account.id) as w:
            start = w.account.funded_at
            if start is None or start >= until:
                return True
            booked = await self._all(w, start, max(done, start), until, known)
        self._settled |= {(account.id, *each) for each in booked}
        return done >= until

    async def _all(
        self, w: Writing, start: datetime, done: datetime, until: datetime, known: Told
    ) -> list[tuple[str, datetime]]:
        """Book what is known, in order, and until when all of it is; that of which nothing is left."""
        holders, booked = await self._holders(w.tx, w.account, start), list[tuple[str, datetime]]()
        for at in times_between(start, until, INTERVAL):
            for instrument in holders.instruments:
                paid = known.get((instrument, at))
                if paid is not None and await self._pay(w, holders, instrument, at, paid, whole=at <= done):
                    booked.append((instrument, at))
        await self._write(w, holders)
        if done > start:
            idle = done == until and not holders.open and not holders.filled_after(until)
            w.set(funded_at=None if idle else done)
        if w.touched:
            news = {"account": w.account.id, "tenant": w.tenant, "shard": w.account.shard}
            w.tx.then(lambda: self._host.bus.publish(TOPIC, news))
        return booked

    async def _holders(self, tx: Tx, account: AccountRow, since: datetime) -> Holders:
        tenant, id = account.tenant_id, account.id
        return Holders(
            await PositionStore().of(tx, tenant, id), await FillStore().since(tx, tenant, id, since),
            await TripStore().closed_since(tx, tenant, id, since),
        )  # fmt: skip

    async def _asked(
        self, account: AccountRow, context: Context, holders: Holders, until: datetime
    ) -> tuple[Told, datetime]:
        """What was paid, and until when all of it is known. Where nobody tells a time of a perpetual, its later ones
        wait, too, and no other perpetual does."""
        known, waiting = dict[tuple[str, datetime], Sequence[Payment]](), set[str]()
        done = start = account.funded_at or until
        if start < until - LONGEST:
            LOG.error("trading_funding_missed", account=account.id, since=start, until=until - LONGEST)
        for at in times_between(start, until, INTERVAL):
            for instrument in holders.instruments:
                if instrument in waiting or (account.id, instrument, at) in self._settled:
                    continue
                if at <= until - LONGEST or not holders.held_within(instrument, at - INTERVAL, at):
                    continue
                try:
                    paid = await self._paid(account, context, parse_instrument(instrument), at, newest=at == until)
                except (NoAnswer, Refused) as error:
                    LOG.warning("trading_funding_unknown", instrument=instrument, at=at, reason=error.message)
                    waiting.add(instrument)
                else:
                    known[instrument, at] = paid
            if not waiting:
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
        lacking = [each.time for each in rates if not _mark_of(each)]
        marks = await self._marks(context, instrument, lacking, model, terms)
        return [Payment(at=each.time, rate=each.rate, mark=_mark_of(each) or marks[each.time]) for each in rates]

    async def _running(
        self, context: Context, instrument: InstrumentId, at: datetime, terms: Terms
    ) -> list[FundingRate]:
        """The rate of now at each of its times."""
        ask = FundingRatesAsk(instruments=(instrument,))
        running = cast(FundingRate, (await context.market.fetch(FUNDING_RATES, ask, terms)).value)
        every = timedelta(milliseconds=running.interval_ms) if running.interval_ms else INTERVAL
        return [replace(running, time=each) for each in times_between(at - INTERVAL, at, min(every, INTERVAL))]

    async def _marks(
        self, context: Context, instrument: InstrumentId, times: Sequence[datetime], model: ExecutionModel, terms: Terms
    ) -> dict[datetime, Decimal]:
        """Prices at times of which the venue tells no mark: those of long ago open an hour's candle; else of now."""
        past = [each for each in times if each < self._host.clock.now() - RECENT]
        found = await self._openings(context, instrument, past, terms) if past else {}
        if len(found) < len(set(times)):
            now = (await Prices.of(context).priced(instrument, model)).price
            found = dict.fromkeys(times, now) | found
        return found

    async def _openings(
        self, context: Context, instrument: InstrumentId, times: Sequence[datetime], terms: Terms
    ) -> dict[datetime, Decimal]:
        """First prices of the hours that begin at some times, as far as somebody tells them."""
        hours = {each: _hour_at(each) for each in times}
        ask = CandlesAsk(
            instrument=instrument, interval=Interval.H1, start=min(hours.values()), end=max(hours.values()) + HOUR
        )
        try:
            bars = cast(Bars, (await context.market.fetch(CANDLES, ask, terms)).value)
        except NoAnswer:
            return {}
        first = dict(zip(bars.open_time, bars.open, strict=True))
        return {each: first[hour] for each, hour in hours.items() if hour in first and abs(each - hour) <= AROUND}

    async def _pay(
        self, w: Writing, holders: Holders, instrument: str, at: datetime, paid: Sequence[Payment], *, whole: bool
    ) -> bool:
        """Book what an instrument's positions got or paid until a time; whether nothing of it is left. *whole*: all
        others of the time are known, too."""
        key, currency = funding_key(instrument, at), holders.currency(instrument)
        if not paid or await self._book.repeated(w.tx, w.account, key, key):
            return True
        shares = []
        for each in paid:
            held = holders.quantity(instrument, each.at)
            amount = funding(held, Decimal(1), each.mark, each.rate, quantum_of(currency))
            if amount and holders.holder(instrument, each.at) is not None:
                shares.append((each, held, amount))
        net = total(amount for _, _, amount in shares)
        if shares and not net and not whole:
            # No entry would say that it is done: it is once the account's time passes it.
            return False
        for each, _, amount in shares:
            holders.credit(instrument, each.at, amount)
        if net:
            memo = told(instrument, [(each, held) for each, held, _ in shares])
            draft = funding_entry(currency, net, instrument=instrument, memo=memo)
            await self._book.post(w, [draft], at=self._host.clock.now(), made_by=SYSTEM, key=key, digest=key)
        return True

    async def _write(self, w: Writing, holders: Holders) -> None:
        """Positions of now and of then."""
        for row in holders.changed.values():
            await PositionStore().put(w.tx, w.tenant, replace(row, changed_at=self._host.clock.now()))
        for trip in holders.closed.values():
            await TripStore().fund(w.tx, w.tenant, trip.id, trip.funding)


def _mark_of(rate: FundingRate) -> Decimal | None:
    """What the venue reckoned a payment by; of one that is not made yet its index says nothing."""
    return rate.mark_price or (rate.index_price if rate.settled else None)


def _hour_at(at: datetime) -> datetime:
    """The full hour around or before a time."""
    return (at + AROUND).replace(minute=0, second=0, microsecond=0)
