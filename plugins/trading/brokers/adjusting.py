"""Bringing the units of an account at a broker to what the broker holds, an instrument at a time."""

from __future__ import annotations

from decimal import Context as Reckoning
from decimal import Decimal

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit
from plugins.trading.accounts.access import Access, Gate, manages
from plugins.trading.accounts.desk import TOPIC
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.holdings import Difference, difference_of
from plugins.trading.brokers.port import Broker, BrokerTrouble, Stock
from plugins.trading.brokers.units import book_units
from plugins.trading.ledger.amounts import read_memo
from plugins.trading.ledger.shown import Shown, shown_of
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.store import OrderStore
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, PositionRow
from plugins.trading.writing import Writing, finish
from schema.symbols import InstrumentId, parse_instrument
from schema.words.orders import AccountKind
from schema.words.problems import Refused

ZERO = Decimal(0)
_EXACT = Reckoning(prec=200)


class UnitsDesk:
    """Nobody tells what units have cost that came or went without a trade: an owner or admin answers for them."""

    def __init__(self, host: Host) -> None:
        self._host, self._gate = host, Gate()

    async def adjust(self, context: Context, account_id: str, symbol: str, reason: str) -> Shown:
        """The entry by which the account holds of an instrument what its broker does."""
        memo = read_memo(reason, "reason")
        if memo is None:
            raise Refused("MEMO_INVALID", "The reason is empty: give 1 to 300 characters.", "reason")
        account = await self._look(context, account_id)
        instrument = await Prices.of(context).find(symbol, "symbol")
        currency = await self._currency(context, account, instrument)
        broker, stock = await self._asked(account)
        async with self._host.store.write() as tx:
            w = Writing(tx=tx, account=await self._gate.lock(tx, context, account_id, Access.TRADE, "accountId"))
            if w.account.version != account.version:
                told = "The account has changed while its broker was asked: try again."
                raise Refused("BROKER_UNAVAILABLE", told, "accountId")
            found, more = await self._difference(w, broker, stock, instrument)
            row = await book_units(
                w, str(instrument), currency, more, memo=f"{memo}; {found.told(broker.id)}",
                at=self._host.clock.now(), made_by=context.principal.actor,
            )  # fmt: skip
            # What they are worth is neither profit nor loss of the day.
            w.set(day=None, day_equity=None)
            (entry,) = await shown_of(tx, w.tenant, account.id, [row])
            after = {"account": account.id, "symbol": str(instrument), "units": f"{more:f}", "memo": row.memo}
            await self._host.service(Audit).record(tx, context.act("position.adjusted", row.id, after=after))
            tx.then(lambda: self._host.bus.publish(TOPIC, {"id": account.id}))
            await finish(self._host, w)
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

    async def _asked(self, account: AccountRow) -> tuple[Broker, Stock]:
        try:
            broker = await self._host.service(Brokers).of(account.tenant_id, account.broker)
            return broker, await broker.stock()
        except BrokerTrouble as error:
            raise Refused("BROKER_UNAVAILABLE", f"{error}.", "accountId") from None

    async def _difference(
        self, w: Writing, broker: Broker, stock: Stock, instrument: InstrumentId
    ) -> tuple[Difference, Decimal]:
        """Of the asset, and how many units of the instrument that makes."""
        held = await PositionStore().of(w.tx, w.tenant, w.account.id)
        name = broker.asset_of(instrument)
        alike = [row for row in held if broker.asset_of(parse_instrument(row.instrument)) == name]
        await self._check_open(w, broker, name)
        cash = {row.asset: row.posted for row in await PositionStore().cash(w.tx, w.tenant, w.account.id)}
        if stock.pooled and (name == w.account.currency or (name in cash and not alike)):
            told = f"{name} is money of this account: the reconciliation books what differs of it."
            raise Refused("NOTHING_DIFFERS", told, "symbol")
        found = difference_of(stock, cash, {row.instrument: row.quantity for row in alike}, name)
        more = _share(alike, str(instrument), found.more)
        if not more:
            raise Refused("NOTHING_DIFFERS", f"{found.told(broker.id)}: there is nothing to book.", "symbol")
        return found, more

    async def _check_open(self, w: Writing, broker: Broker, name: str) -> None:
        """What an open order has filled may be on its way: it would be counted twice."""
        rows = await OrderStore().open(w.tx, w.tenant, w.account.id)
        ids = [row.id for row in rows if broker.asset_of(parse_instrument(row.instrument)) == name]
        if ids:
            told = f"Open orders may change it ({', '.join(ids[:3])}): cancel them with `ordersCancelAll` first."
            raise Refused("ORDERS_OPEN", told, "symbol")


def _share(alike: list[PositionRow], instrument: str, more: Decimal) -> Decimal:
    """Of several pairs of one asset none is turned for what another lacks."""
    mine = next((row.quantity for row in alike if row.instrument == instrument), ZERO)
    if len({row.instrument for row in alike} | {instrument}) == 1 or not _EXACT.add(mine, more) < ZERO:
        return more
    return min(ZERO, mine.copy_negate())
