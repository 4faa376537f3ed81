"""Accounts that hold something, valued once a second: the day, its loss, margin calls, liquidations."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import structlog

from gateway.core.contract import Host
from gateway.core.matching.model import ExecutionModel, Spec
from gateway.core.matching.offers import is_stale
from gateway.core.matching.rounding import EXACT
from gateway.core.ports import Outbox
from plugins.trading.engine.asking import Asker, decides
from plugins.trading.engine.daily import LOSS, judged, opens, tell_loss
from plugins.trading.engine.dealing import Dealer
from plugins.trading.engine.events import AccountMarginCall
from plugins.trading.engine.feedbook import Feedbook
from plugins.trading.engine.judging import Verdict, closing_of, judge
from plugins.trading.engine.seat import Seat
from plugins.trading.markets.marks import Mark, Marks
from plugins.trading.markets.modes import least_mode
from plugins.trading.markets.priced import Priced, aged, mark_of
from plugins.trading.markets.prices import Prices
from plugins.trading.markets.ticks import is_open, maker_of
from plugins.trading.orders.books import SYSTEM
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.market import UNDER_WAY, Market, tells
from plugins.trading.orders.placing import Place, place
from plugins.trading.orders.wishes import Wish
from plugins.trading.positions.standing import Standing, standing
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import BalanceRow, OrderRow
from schema.errors import FailureCode, MarketgateError, NoAnswer
from schema.provenance import DataMode
from schema.symbols import parse_instrument
from schema.words.orders import FillSource, OrderCause, OrderStatus, OrderType
from schema.words.problems import Refused
from schema.words.trades import Side

RATES_S, PRICES_S = 10.0, 1.0
"""How long rates of exchange stand, and prices that no stream tells."""
LACKS_S = 5.0
"""The same of prices that nobody tells, or that are old, while no order needs them; of an account of which only the day
is to be noted, as of rates."""
JUST_NOW = timedelta(seconds=2)
"""So long a market that was told to be open is so."""

LOG = structlog.get_logger(__name__)


class Guard:
    """What it decides of memory it decides again under the account's lock, by the same prices."""

    def __init__(self, host: Host, dealer: Dealer, feeds: Feedbook) -> None:
        self._host, self._dealer, self._feeds = host, dealer, feeds
        self._asker = Asker(host.clock)

    async def look(self, seat: Seat) -> Standing | None:
        """Value it, and do what that calls for; the figures, where they are known."""
        marks = await self._closable(seat, await self.marks(seat))
        now, verdict = await self._judge(seat, marks)
        if verdict is not None and not verdict.over and (met := self._unheard(seat, marks)):
            await self._reach(seat, met)
            now, verdict = await self._judge(seat, marks)
        if verdict is not None and verdict.anything and not (seat.halted and not verdict.new_day):
            await self._act(seat, marks)
        return None if verdict is None else now

    async def marks(self, seat: Seat, *markets: Market) -> Marks:
        """By which it is valued as these messages meet its orders: what no stream tells of an instrument, its message
        does; where it has none, somebody is asked, and waited for hardly at all. Without a message what is asked for
        counts only where it is as good as a stream's."""
        told, cash = {str(each.spec.instrument): _mark_told(each) for each in markets}, await self._cash(seat)
        named = {*seat.positions, *told}
        streamed = self._streamed(seat, named)
        if not markets:
            streamed = {name: each if self._fresh(seat, name) else _old(each) for name, each in streamed.items()}
        fresh = {name: each for name, each in told.items() if each is not None}
        fresh |= {name: each for name, each in streamed.items() if not each.stale}
        # Both at once: no order waits twice.
        rates, asked = await asyncio.gather(
            self._exchange(seat, cash, told.keys()),
            self._ask(
                seat,
                frozenset(named - fresh.keys()),
                frozenset(),
                seat.model,
                PRICES_S,
                PRICES_S if markets else self._lacks_s(seat),
            ),
        )
        answers = asked.prices if markets else self._deciding(seat, asked.prices)
        return replace(
            rates, prices={**streamed, **answers, **fresh}, failures={**asked.failures, **rates.failures}
        )  # fmt: skip

    async def close(self) -> None:
        """Nothing more is asked for, of orders that arrive neither."""
        await self._asker.close()
        await self._dealer.close()

    def concerns(self, seat: Seat) -> bool:
        """Whether anything could come of valuing it."""
        account = seat.account
        return seat.lends or account.max_daily_loss is not None or account.day != self._day

    def _lacks_s(self, seat: Seat) -> float:
        return LACKS_S if seat.lends or seat.account.max_daily_loss is not None else RATES_S

    def basis(self, seat: Seat) -> object:
        """What its value depends on: the same again means the same value."""
        priced = [(name, self._price(seat, name)) for name in sorted(seat.positions)]
        told = tuple((name, each and (each.price, each.open, each.too_old(seat.model))) for name, each in priced)
        asks, moment = any(self._fresh(seat, name) is None for name, _ in priced), self._host.clock.monotonic()
        rates = int(moment // RATES_S) if self._is_foreign(seat) else 0
        asked = int(moment // PRICES_S) if asks else 0
        return seat.account.version, self._day, rates, asked, seat.halted, told

    @property
    def _day(self) -> str:
        return self._host.clock.now().date().isoformat()

    def _is_foreign(self, seat: Seat) -> bool:
        base = seat.account.currency
        held = {row.currency for row in seat.positions.values()} | {row.asset for row in seat.cash or ()}
        return bool(held - {base})

    def _price(self, seat: Seat, instrument: str) -> Priced | None:
        feed = self._feeds.quoted(seat, instrument)
        return feed.priced(seat.model) if feed else None

    def _fresh(self, seat: Seat, instrument: str) -> Priced | None:
        """What a stream tells, and decides; also what was looked for instead, where it is as good, or the provider's
        whom the account has chosen."""
        feed, priced = self._feeds.quoted(seat, instrument), self._price(seat, instrument)
        if feed is None or priced is None or priced.too_old(seat.model):
            return None
        chosen = seat.model.provider is not None or priced.provenance.mode is not DataMode.LIVE
        return priced if not feed.looked or chosen or decides(priced, feed.told) else None

    def _deciding(self, seat: Seat, prices: Mapping[str, Mark]) -> dict[str, Mark]:
        """What was asked for, old where it decides nothing."""
        feeds = {name: self._feeds.quoted(seat, name) for name in prices}
        told = {name: feed.told if feed else None for name, feed in feeds.items()}
        return {
            name: mark if mark.priced is not None and decides(mark.priced, told[name]) else _old(mark)
            for name, mark in prices.items()
        }

    async def _cash(self, seat: Seat) -> tuple[BalanceRow, ...]:
        if seat.cash is None:
            async with self._host.store.read() as tx:
                seat.cash = await PositionStore().cash(tx, seat.tenant, seat.id)
        return tuple(seat.cash)

    def _streamed(self, seat: Seat, names: Iterable[str]) -> dict[str, Mark]:
        found = {}
        for name in names:
            feed, priced = self._feeds.quoted(seat, name), self._price(seat, name)
            if feed is not None and feed.spec is not None and priced is not None:
                found[name] = mark_of(priced, seat.model, derivative=feed.spec.derivative)
        return found

    async def _exchange(self, seat: Seat, cash: Iterable[BalanceRow], more: Collection[str]) -> Marks:
        """Rates of what it has, owes and reserves, and of what some instruments are paid in."""
        currencies = {row.asset for row in cash if row.posted} | {row.currency for row in seat.positions.values()}
        currencies |= {row.currency for row in seat.orders.values() if row.reserved or row.instrument in more}
        named = frozenset(currencies - {seat.account.currency})
        return await self._ask(seat, frozenset(), named, ExecutionModel(), RATES_S, RATES_S)

    async def _ask(
        self, seat: Seat, instruments: frozenset[str], currencies: frozenset[str], model: ExecutionModel,
        stands_s: float, lacks_s: float,
    ) -> Marks:  # fmt: skip
        base = seat.account.currency
        if not instruments and not currencies:
            return Marks(currency=base)

        def lacking(told: str) -> Marks:
            failure = NoAnswer(seat.id, FailureCode.UPSTREAM_UNAVAILABLE, told, ())
            return Marks(currency=base, failures=dict.fromkeys(instruments | currencies, failure))

        async def ask() -> Marks:
            try:
                return await Prices.of(seat.context()).marks(instruments, currencies, base, model)
            except MarketgateError as error:
                return lacking(error.message)

        # Of its model all that its prices depend on.
        how = model.provider, model.extended_hours, model.max_age_ms
        key = (seat.tenant, base, instruments, currencies, how)
        lasts_s = model.max_age_ms / 1000
        found = await self._asker.of(key, ask, stands_s=stands_s, lacks_s=lacks_s, lasts_s=lasts_s)
        if found is None:
            return lacking("whoever tells it has not answered yet")
        return aged(found, model, self._host.clock.now())

    async def _judge(self, seat: Seat, marks: Marks) -> tuple[Standing, Verdict | None]:
        cash = await self._cash(seat)
        now = standing(
            seat.account, cash, _reserved(seat), tuple(seat.positions.values()), marks, day=self._day
        )  # fmt: skip
        closing = closing_of(seat.orders.values(), self._host.clock.now(), self._silent(seat))
        return now, judge(seat.account, now, self._day, closing)

    def _silent(self, seat: Seat) -> frozenset[str]:
        """Instruments that are being closed by force, and of which no stream tells its order anything fresh."""
        found, now = set[str](), self._host.clock.now()
        for name in {row.instrument for row in seat.orders.values() if row.cause == OrderCause.LIQUIDATION}:
            feed = self._feeds.matched(seat, name)
            market = feed.market(seat.model) if feed else None
            if market is None or market.tick is None or is_stale(market.tick, now, seat.model):
                found.add(name)
        return frozenset(found)

    def _unheard(self, seat: Seat, marks: Marks) -> list[tuple[OrderRow, Market]]:
        """Orders by force that have reached their market, while no stream tells it, with what was asked for since. Bars
        are streamed only."""
        seat.asked = {id: at for id, at in seat.asked.items() if id in seat.orders}
        if seat.halted or seat.model.source is FillSource.BARS:
            return []
        found, silent, now = list[tuple[OrderRow, Market]](), self._silent(seat), self._host.clock.now()
        for row in seat.orders.values():
            mark = marks.prices.get(row.instrument)
            if row.cause != OrderCause.LIQUIDATION or row.instrument not in silent or mark is None or mark.stale:
                continue
            ground = self._ground(seat, row.instrument, marks) if mark.open else None
            reached = row.due_at is None or row.due_at <= now
            if reached and ground is not None and ground.priced is mark.priced and _is_news(seat, row, ground):
                found.append((row, ground.market))
        return found

    async def _reach(self, seat: Seat, met: Sequence[tuple[OrderRow, Market]]) -> None:
        """Each meets what was asked for as it would a message, and that once, whatever becomes of the transaction."""
        seat.asked |= {row.id: market.tick.as_of for row, market in met if market.tick and market.tick.as_of}
        async with self._dealer.floor(seat) as (floor, halted):
            for row, market in () if halted else met:
                now = floor.orders.get(row.id)
                if now is None or not now.open or now.accepted_at != row.accepted_at:
                    continue
                if now.due_at is None:
                    floor.take(floor.round([now], market, heard=False))
                else:
                    floor.step(now, market)
            await floor.write()

    async def _act(self, seat: Seat, marks: Marks) -> None:
        async with self._dealer.floor(seat) as (floor, halted):
            found = await judged(floor, marks, self._silent(seat))
            if found is None:
                return
            if not halted:
                self._enforce(seat, floor, *found, marks)
            await floor.write()

    def _enforce(self, seat: Seat, floor: Floor, verdict: Verdict, now: Standing, marks: Marks) -> None:
        if verdict.loss:
            gone = _cancel(floor, LOSS, [row for row in floor.open if opens(row, lends=floor.lends)])
            tell_loss(self._host, floor, verdict, now, gone)
        if verdict.call:
            floor.w.set(margin_called=True)
            mode = least_mode(now.modes)
            call = AccountMarginCall.told(floor.w.account, verdict.equity, verdict.maintenance, mode, floor.now)
            self._host.service(Outbox).emit(floor.w.tx, call, tenant=seat.tenant)
        if verdict.recovered:
            floor.w.set(margin_called=False)
        if verdict.over:
            _cancel(floor, "RECOVERED", [row for row in floor.open if row.cause == OrderCause.LIQUIDATION])
        if verdict.close:
            self._liquidate(seat, floor, verdict, marks)

    def _liquidate(self, seat: Seat, floor: Floor, verdict: Verdict, marks: Marks) -> None:
        _cancel(floor, "LIQUIDATION", [row for row in floor.open if row.cause != OrderCause.LIQUIDATION])
        for name in verdict.close:
            ground, held = self._ground(seat, name, marks), floor.held(name)
            if ground is None or not held:
                continue
            wish = Wish(
                symbol=name, side=Side.SELL if held > 0 else Side.BUY, type=OrderType.MARKET, quantity=held.copy_abs(),
                reduce_only=True, cause=OrderCause.LIQUIDATION,
            )  # fmt: skip
            try:
                placed = place(floor, ground, wish, Place(made_by=SYSTEM))
            except Refused as refused:
                LOG.error("trading_not_liquidated", account=seat.id, instrument=name, reason=refused.message)
                continue
            if ground.fresh and ground.fresh.as_of and not seat.model.latency_ms:
                seat.asked |= {row.id: ground.fresh.as_of for row in placed}

    def _ground(self, seat: Seat, instrument: str, marks: Marks) -> Ground | None:
        spec, mark = self._spec(seat, instrument), marks.prices.get(instrument)
        priced = self._fresh(seat, instrument) or (mark.priced if mark else None)
        if spec is None or priced is None:
            return None
        return Ground(spec=spec, model=seat.model, priced=priced, lacking=None, marks=marks, closes_at=None)

    async def _closable(self, seat: Seat, marks: Marks) -> Marks:
        """Somebody may tell what an instrument is worth that is traded no more, or in other money, or whose market has
        closed since: others are closed in its place."""
        prices = dict(marks.prices)
        for name, mark in marks.prices.items():
            if mark.open and not mark.stale and not await self._is_open(seat, name, mark):
                prices[name] = replace(mark, open=False)
        return replace(marks, prices=prices)

    async def _is_open(self, seat: Seat, instrument: str, mark: Mark) -> bool:
        """As it was told, where that was just now; else by the calendar. What is traded no more is not."""
        spec = self._spec(seat, instrument)
        if spec is None or not tells(spec, mark.currency):
            return False
        asked = mark.priced if self._fresh(seat, instrument) is None else None
        if asked is None or self._host.clock.now() - asked.tick.at <= JUST_NOW:
            return True
        state = await Prices.of(seat.context()).state(parse_instrument(instrument))
        return is_open(state, extended=seat.model.extended_hours)

    def _spec(self, seat: Seat, instrument: str) -> Spec | None:
        feed = self._feeds.quoted(seat, instrument)
        return feed.spec if feed else None


def _mark_told(market: Market) -> Mark | None:
    """What a message itself says of what is held of its instrument; None where it tells no price."""
    tick, price, spec = market.tick, market.price, market.spec
    if tick is None or price is None:
        return None
    return Mark(
        price=price, currency=spec.currency, provenance=maker_of(tick), open=market.open, derivative=spec.derivative,
        bid=tick.bid, ask=tick.ask,
    )  # fmt: skip


def _is_news(seat: Seat, row: OrderRow, ground: Ground) -> bool:
    """Whether a price is newer than all that an order has met; another process may have worked it before, by a price
    whose provider's clock was ahead."""
    stamp = ground.fresh.as_of if ground.fresh else None
    before = seat.asked.get(row.id) or (row.changed_at + UNDER_WAY if row.due_at is None else None)
    return stamp is not None and (before is None or stamp > before)


def _old(mark: Mark) -> Mark:
    return replace(mark, stale=True)


def _cancel(floor: Floor, reason: str, rows: Sequence[OrderRow]) -> int:
    """How many."""
    floor.end_all([row.id for row in rows], OrderStatus.CANCELED, reason)
    return sum(not floor.orders[row.id].open for row in rows)


def _reserved(seat: Seat) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for row in seat.orders.values():
        if row.reserved:
            found[row.currency] = EXACT.add(found.get(row.currency, Decimal(0)), row.reserved)
    return found
