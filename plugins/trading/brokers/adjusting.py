"""Bringing the units of an account at a broker to what the broker holds, an instrument at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context as Reckoning
from decimal import Decimal

from gateway.core.contract import Context, Host
from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.ports import Audit
from plugins.trading.accounts.access import Access, Gate, manages
from plugins.trading.accounts.desk import TOPIC
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.course import references
from plugins.trading.brokers.holdings import Difference, difference_of
from plugins.trading.brokers.port import (
    AnswerUnreadable,
    Broker,
    BrokerRefused,
    BrokerTrouble,
    KeyRefused,
    Stock,
    Ticket,
)  # fmt: skip
from plugins.trading.brokers.reconciling import GIVEN_UP, GIVEN_UP_FOR
from plugins.trading.brokers.settling import Settler
from plugins.trading.brokers.store import LiveDirectory
from plugins.trading.brokers.units import book_units
from plugins.trading.ledger.amounts import read_memo
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.chart import money
from plugins.trading.ledger.drafts import adjustment
from plugins.trading.ledger.shown import Shown, shown_of
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.store import OrderStore
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, EntryRow, OrderRow
from plugins.trading.writing import Writing, finish
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.orders import AccountKind, OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side

ZERO = Decimal(0)
_EXACT = Reckoning(prec=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Of one instrument, in units; or of its asset as money."""

    symbol: str
    """Of money the currency."""
    currency: str
    units: Decimal
    told: str
    """What its memo says beside what the broker holds."""

    @property
    def is_money(self) -> bool:
        """Whether it moves cash."""
        return self.symbol == self.currency


class UnitsDesk:
    """Nobody tells what units have cost that came or went without a trade: an owner or admin answers for them."""

    def __init__(self, host: Host) -> None:
        self._host, self._gate, self._settler = host, Gate(), Settler(host)

    async def adjust(self, context: Context, account_id: str, symbol: str, reason: str) -> Shown:
        """The entry by which the account holds of an instrument what its broker does."""
        memo = read_memo(reason, "reason")
        if memo is None:
            raise Refused("MEMO_INVALID", "The reason is empty: give 1 to 300 characters.", "reason")
        account = await self._look(context, account_id)
        instrument = await Prices.of(context).find(symbol, "symbol")
        currency = await self._currency(context, account, instrument)
        broker, account, stock = await self._asked(context, account, instrument)
        async with self._host.store.write() as tx:
            w = Writing(tx=tx, account=await self._gate.lock(tx, context, account_id, Access.TRADE, "accountId"))
            if w.account.version != account.version:
                told = "The account has changed while its broker was asked: try again."
                raise Refused("BROKER_UNAVAILABLE", told, "accountId")
            found, made = await self._difference(w, broker, stock, instrument, currency)
            by = context.principal.actor
            rows = [await self._book(w, each, f"{memo}; {found.told(broker.id)}{each.told}", by) for each in made]
            # What they are worth is neither profit nor loss of the day.
            w.set(day=None, day_equity=None)
            entry, *_ = await shown_of(tx, w.tenant, account.id, rows)
            for row, each in zip(rows, made, strict=True):
                after = {"account": account.id, "symbol": each.symbol, "units": f"{each.units:f}", "memo": row.memo}
                await self._host.service(Audit).record(tx, context.act("position.adjusted", row.id, after=after))
            tx.then(lambda: self._host.bus.publish(TOPIC, {"id": account.id}))
            await finish(self._host, w)
        return entry

    async def _book(self, w: Writing, each: Booking, memo: str, by: str) -> EntryRow:
        at = self._host.clock.now()
        if not each.is_money:
            return await book_units(w, each.symbol, each.currency, each.units, memo=memo, at=at, made_by=by)
        draft = adjustment(each.currency, each.units, memo=memo)
        (entry,) = await LedgerBook().post(w, [draft], at=at, made_by=by)
        return entry

    async def _look(self, context: Context, account_id: str) -> AccountRow:
        async with self._host.store.read() as tx:
            account = await self._gate.tradable(tx, context, account_id, "accountId")
        if not manages(context.principal):
            told = "A correction is made by an owner or admin of the organisation, signed in."
            raise Refused("NOT_ALLOWED", told, "accountId")
        if account.kind != AccountKind.LIVE:
            told = "What a paper account holds is what its orders have filled: only of a LIVE one a broker may differ."
            raise Refused("PAPER_ACCOUNT", told, "accountId")
        return account

    async def _currency(self, context: Context, account: AccountRow, instrument: InstrumentId) -> str:
        """Of what is held, which may be halted or delisted by now; else as it is traded."""
        async with self._host.store.read() as tx:
            held = await PositionStore().find(tx, account.tenant_id, account.id, str(instrument))
        return (await Prices.of(context).spec(instrument, "symbol")).currency if held is None else held.currency

    async def _asked(
        self, context: Context, account: AccountRow, instrument: InstrumentId
    ) -> tuple[Broker, AccountRow, Stock]:  # fmt: skip
        """With the account as it stood before the broker was asked what it holds."""
        try:
            broker = await self._host.service(Brokers).of(account)
            await self._learn_late(broker, account, instrument)
            now = await self._look(context, account.id)
            return broker, now, await broker.stock()
        except BrokerTrouble as error:
            raise Refused("BROKER_UNAVAILABLE", f"{error}.", "accountId") from None

    async def _learn_late(self, broker: Broker, account: AccountRow, instrument: InstrumentId) -> None:
        """What was given up here may have come there since, and be filled: it would be counted twice."""
        since = self._host.clock.now() - GIVEN_UP_FOR
        async with self._host.store.read() as tx:
            rows = await LiveDirectory().ended(tx, account, GIVEN_UP, since)
        moving = [row for row in rows if _moves(broker, row, instrument)]
        for row, which in ((each, which) for each in moving for which in references(each)):
            try:
                report = await broker.find(which)
            except KeyRefused:
                raise
            except (BrokerRefused, AnswerUnreadable):
                # It tells nothing of the order, as of one whose symbol was taken off.
                continue
            if report is None:
                continue
            await self._settler.learn(broker, row, report)
            if report.status not in TERMINAL or row.id in self._settler.waiting:
                told = f"{row.id} had ended here, and {broker.id} has it still: try again in a few minutes."
                raise Refused("ORDERS_OPEN", told, "symbol")

    async def _difference(
        self, w: Writing, broker: Broker, stock: Stock, instrument: InstrumentId, currency: str
    ) -> tuple[Difference, list[Booking]]:
        """Of the asset, and what is booked for it, the instrument's own first."""
        held = await PositionStore().of(w.tx, w.tenant, w.account.id)
        name = broker.asset_of(instrument)
        alike = {row.instrument: row for row in held if broker.asset_of(parse_instrument(row.instrument)) == name}
        unfit = broker.check(_form(instrument, currency))
        if unfit is not None and str(instrument) not in alike:
            raise Refused("UNKNOWN_INSTRUMENT", unfit, "symbol")
        await self._check_open(w, broker, instrument)
        cash = {row.asset: row.posted for row in await PositionStore().cash(w.tx, w.tenant, w.account.id)}
        units = {symbol: row.quantity for symbol, row in alike.items()}
        found, is_money = difference_of(stock, cash, units, name), False
        if unfit is not None:
            # Whatever the broker holds, it is not that.
            made = {str(instrument): units[str(instrument)].copy_negate()}
        else:
            is_money = stock.pooled and (name == w.account.currency or (name in cash and not alike))
            pot = {**units, name: cash[name]} if stock.pooled and name in cash else units
            made = booked(pot, str(instrument), ZERO if is_money else found.more)
        if not made:
            told = f"{found.told(broker.id)}: there is nothing to book."
            if is_money:
                told = f"{name} is money of this account: the reconciliation books what differs of it."
            raise Refused("NOTHING_DIFFERS", told, "symbol")
        others = ", ".join(symbol for symbol in made if symbol != str(instrument))
        currencies = {name: name, str(instrument): currency} | {row.instrument: row.currency for row in held}
        bookings = [
            Booking(
                symbol=symbol, currency=currencies[symbol], units=more,
                told=f"; netted with {others if symbol == str(instrument) else instrument}" if others else "",
            )
            for symbol, more in made.items()
        ]  # fmt: skip
        # Money has fewer digits than units may have.
        return found, [each for each in bookings if not each.is_money or money(each.units, name)]

    async def _check_open(self, w: Writing, broker: Broker, instrument: InstrumentId) -> None:
        """What an open order has filled may be on its way: it would be counted twice."""
        rows = await OrderStore().open(w.tx, w.tenant, w.account.id)
        ids = [row.id for row in rows if _moves(broker, row, instrument)]
        if ids:
            told = f"Open orders may change it ({', '.join(ids[:3])}): cancel them with `ordersCancelAll` first."
            raise Refused("ORDERS_OPEN", told, "symbol")


def booked(held: Mapping[str, Decimal], symbol: str, more: Decimal) -> dict[str, Decimal]:
    """By symbol, how many units an instrument takes of what its asset has *more*, *held* being all pairs of it; and
    the asset itself, by its own name, as far as it is money.

    None is turned for what another lacks. Where it takes nothing it is netted with opposite pairs, which takes as many
    units off one as off the other.
    """
    mine = held.get(symbol, ZERO)
    others = {name: units for name, units in held.items() if name != symbol and units}
    if others and _EXACT.add(mine, more) < ZERO:
        more = min(ZERO, mine.copy_negate())
    if more:
        return {symbol: more}
    left, made = mine, dict[str, Decimal]()
    for name, units in sorted(others.items()):
        if left and (units < ZERO) != (mine < ZERO):
            part = min(left.copy_abs(), units.copy_abs()).copy_sign(mine)
            left, made[name] = _EXACT.subtract(left, part), part
    return {symbol: _EXACT.subtract(left, mine), **made} if made else {}


def _moves(broker: Broker, row: OrderRow, instrument: InstrumentId) -> bool:
    """Whether an order's fills move what the broker has of an instrument's asset: units, or a coin as money."""
    pays = instrument.asset_class is AssetClass.CRYPTO and row.currency == instrument.base
    return pays or broker.asset_of(parse_instrument(row.instrument)) == broker.asset_of(instrument)


def _form(instrument: InstrumentId, currency: str) -> Ticket:
    """For whether a broker trades it at all."""
    return Ticket(
        client_id="", instrument=instrument, side=Side.BUY, type=OrderType.MARKET, time_in_force=TimeInForce.GTC,
        quantity=Decimal(1), currency=currency,
    )  # fmt: skip
