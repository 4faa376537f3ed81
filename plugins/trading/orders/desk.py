"""Orders of accounts: placed, changed, cancelled. Prices are asked first; then the account is locked and decided on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gateway.core.contract import Context, Host
from gateway.core.ports import Act, Audit
from gateway.core.store import Tx, new_id
from plugins.trading.brokers.desk import LiveDesk
from plugins.trading.brokers.together import Batch
from plugins.trading.markets.prices import Prices
from plugins.trading.orders import trail
from plugins.trading.orders.conditions import check_condition
from plugins.trading.orders.deciding import Decider
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.grouping import check_group, check_placed, place_of
from plugins.trading.orders.groups import GroupKey, find_placed, note_placed
from plugins.trading.orders.inputs import GroupRule
from plugins.trading.orders.knowing import Known, Placed, ask_all, ask_one
from plugins.trading.orders.losing import check_loss
from plugins.trading.orders.placing import Place, place, replaced
from plugins.trading.orders.protecting import close_down, cover, take_away
from plugins.trading.orders.reading import find_row
from plugins.trading.orders.store import FillStore, OrderStore
from plugins.trading.orders.wishes import (
    LONGEST_CLIENT_ID,
    Exit,
    Wish,
    check_tag,
    check_wish,
    digest_of_wish,
    exit_wish,
)
from plugins.trading.rows import OrderRow
from plugins.trading.writing import Writing
from schema.idempotency import digest, digest_of
from schema.symbols import InstrumentId, parse_instrument
from schema.words.orders import OrderCause, OrderLeg, OrderStatus, OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side


class OrderDesk:
    """What callers do with orders; the engine does the rest."""

    def __init__(self, host: Host, decider: Decider) -> None:
        self._host, self._decider = host, decider
        self._orders, self._fills = OrderStore(), FillStore()
        self._live = LiveDesk(host)

    async def place(self, context: Context, account_id: str, wish: Wish) -> Placed:
        """An order, with the exits of a bracket; or what the same clientOrderId placed before."""
        check_wish(wish)
        instrument = await Prices.of(context).find(wish.symbol, "symbol")
        digest = digest_of_wish(wish, instrument)
        known = await self._known(context, account_id, wish.client_order_id, digest)
        if known.before is not None:
            return known.before
        await check_condition(context, known.account, wish)
        if known.at_broker:
            return await self._at_broker(await self._live.place(context, known.account, wish, digest))

        def put(floor: Floor, ground: Ground, halted: str | None) -> list[OrderRow]:
            how = Place(made_by=context.principal.actor, halted=halted, digest=digest)
            return place(floor, ground, wish, how)

        return await self._placed(context, known, instrument, wish, digest, put)

    async def place_group(
        self, context: Context, account_id: str, rule: GroupRule, wishes: Sequence[Wish], key: str | None = None
    ) -> Sequence[OrderRow]:
        """Orders that belong together: all, or none; or what the same key placed before."""
        check_group(wishes, rule)
        prices = Prices.of(context)
        instruments = [await prices.find(w.symbol, "orders", str(n), "symbol") for n, w in enumerate(wishes)]
        meant = [replace(wish, symbol=str(each)) for wish, each in zip(wishes, instruments, strict=True)]
        digest = digest_of(key, (rule, meant))
        bound = None if key is None or digest is None else GroupKey(key=key, digest=digest)
        known = await self._known(context, account_id)
        if bound is not None:
            async with self._host.store.glance() as tx:
                before = await find_placed(tx, context.tenant, known.account.id, bound)
            if before is not None:
                return before
        for n, wish in enumerate(wishes):
            await check_condition(context, known.account, wish, "orders", str(n))
        if known.at_broker and rule is GroupRule.ALL:
            return await self._live.place_all(context, known.account, _batch(wishes, bound))
        known.check_simulated("rule")

        async def ask(known: Known) -> list[Ground]:
            ends = [wish.time_in_force for wish in wishes]
            return await ask_all(context, known, instruments, "orders", times_in_force=ends)

        async def put(floor: Floor, grounds: Sequence[Ground], halted: str | None) -> list[OrderRow]:
            w, rows = floor.w, list[OrderRow]()
            if (before := await find_placed(w.tx, w.tenant, w.account.id, bound)) is not None:
                return before
            group, how = new_id("grp"), Place(made_by=context.principal.actor, halted=halted)
            for n, (wish, ground) in enumerate(zip(wishes, grounds, strict=True)):
                own = place_of(rule, n, rows[0] if rows else None, how, group)
                rows.append(place(floor, ground, wish, own)[0])
                check_placed(floor.orders[rows[-1].id], rule, own.path, ground.market.tick)
            # The first may be filled by now: what came after it has not heard of that.
            floor.marks = grounds[0].marks if floor.lends else None
            floor.follow(rows[0].id, grounds[0].market)
            for n, (row, ground) in enumerate(zip(rows, grounds, strict=True)):
                check_placed(floor.orders[row.id], rule, ("orders", str(n)), ground.market.tick)
                await self._record(floor, trail.placed(context, row, rule=rule.value))
            await note_placed(floor, bound, rows)
            return [floor.orders[row.id] for row in rows]

        return await self._decider.decided(context, known, instruments, ask, put)

    async def replace(self, context: Context, order_id: str, terms: Mapping[str, Any]) -> OrderRow:
        """The order with other terms; its place in the queue is lost."""
        row = await self._order(context, order_id)
        known, instrument = await self._known(context, row.account_id), parse_instrument(row.instrument)
        if known.at_broker:
            return await self._live.replace(context, known.account, row, terms)

        async def ask(known: Known) -> list[Ground]:
            return [await ask_one(context, known, instrument)]

        async def put(floor: Floor, grounds: Sequence[Ground], halted: str | None) -> OrderRow:
            now = floor.orders.get(order_id)
            if now is None or not now.open:
                raise await self._ended(floor.w, order_id)
            check_loss(floor, grounds[0], Side(now.side), reduce_only=now.reduce_only)
            floor.judge(order_id, grounds[0].marks)
            after = replaced(floor, grounds[0], now, terms, halted)
            await self._record(floor, trail.replaced(context, now, terms))
            return floor.orders[after.id]

        return await self._decider.decided(context, known, [instrument], ask, put)

    async def cancel(self, context: Context, order_id: str) -> tuple[OrderRow, list[OrderRow]]:
        """The order, and all that was cancelled with it."""
        row = await self._order(context, order_id)
        known = await self._known(context, row.account_id)
        if known.at_broker:
            return await self._live.cancel(context, known.account, row), []
        async with self._decider.floor(context, row.account_id, parse_instrument(row.instrument)) as (floor, _):
            now = floor.orders.get(order_id)
            if now is None or not now.open:
                raise await self._ended(floor.w, order_id)
            before = {each.id for each in floor.open}
            floor.end(now, OrderStatus.CANCELED, "CANCELED")
            ended = [each for each in floor.orders.values() if each.id in before and not each.open]
            gone = [each for each in ended if each.id != order_id]
            await self._record(floor, trail.canceled(context, now, gone))
            await floor.write()
        return floor.orders[order_id], gone

    async def cancel_all(self, context: Context, account_id: str, symbol: str | None) -> list[OrderRow]:
        """All open orders of an account, or of one instrument of it."""
        known = await self._known(context, account_id)
        named = str(await Prices.of(context).find(symbol, "symbol")) if symbol is not None else None
        if known.at_broker:
            return await self._live.cancel_all(context, known.account, named)
        async with self._decider.floor(context, account_id) as (floor, _):
            wanted = [row.id for row in floor.open if named is None or row.instrument == named]
            before = {row.id for row in floor.open}
            floor.end_all(wanted, OrderStatus.CANCELED, "CANCELED")
            gone = [row for row in floor.orders.values() if row.id in before and not row.open]
            await self._record(floor, trail.canceled_all(context, account_id, named, gone))
            await floor.write()
        return gone

    async def close(
        self, context: Context, account_id: str, symbol: str, quantity: Decimal | None, client_order_id: str | None
    ) -> Placed:
        """An order at the market that closes a position, whole or in part. What protected a whole one is cancelled,
        and what is left of the entries that opened it."""
        check_tag("clientOrderId", client_order_id, LONGEST_CLIENT_ID)
        instrument = await Prices.of(context).find(symbol, "symbol")
        meant = digest(("close", str(instrument), quantity))
        known = await self._known(context, account_id, client_order_id, meant)
        if known.before is not None:
            return known.before
        if known.at_broker:
            wish = await self._live.closing(context, known.account, instrument, quantity, client_order_id)
            return await self._at_broker(await self._live.place(context, known.account, wish, meant))

        def put(floor: Floor, ground: Ground, halted: str | None) -> list[OrderRow]:
            now = floor.held(str(instrument))
            if not now:
                raise Refused("REDUCE_ONLY_WOULD_INCREASE", f"The account holds nothing of {instrument}.", "symbol")
            wish = Wish(
                symbol=symbol, side=Side.SELL if now > 0 else Side.BUY, type=OrderType.MARKET,
                quantity=now.copy_abs() if quantity is None else quantity, reduce_only=True, cause=OrderCause.CLOSE,
                client_order_id=client_order_id,
            )  # fmt: skip
            check_wish(wish)
            if wish.quantity == now.copy_abs():
                close_down(floor, str(instrument))
            return place(floor, ground, wish, Place(made_by=context.principal.actor, halted=halted, digest=meant))

        return await self._placed(context, known, instrument, None, meant, put, client_order_id)

    async def protect(
        self, context: Context, account_id: str, symbol: str, profit: Exit | None, loss: Exit | None
    ) -> tuple[list[OrderRow], list[OrderRow]]:
        """What protects a position now, and what did before."""
        known, instrument = await self._known(context, account_id), await Prices.of(context).find(symbol, "symbol")
        known.check_simulated()

        async def ask(known: Known) -> list[Ground]:
            return [await ask_one(context, known, instrument)]

        async def put(
            floor: Floor, grounds: Sequence[Ground], halted: str | None
        ) -> tuple[list[OrderRow], list[OrderRow]]:
            now = floor.held(str(instrument))
            if not now:
                raise Refused("REDUCE_ONLY_WOULD_INCREASE", f"The account holds nothing of {instrument}.", "symbol")
            entry = Wish(
                symbol=symbol, side=Side.BUY if now > 0 else Side.SELL, type=OrderType.MARKET, quantity=now.copy_abs(),
                take_profit=profit, stop_loss=loss,
            )  # fmt: skip
            check_wish(entry)
            before = take_away(floor, str(instrument), "REPLACED")
            group, rows = new_id("grp"), []
            for leg, exit, name in (
                (OrderLeg.TAKE_PROFIT, profit, "takeProfit"), (OrderLeg.STOP_LOSS, loss, "stopLoss")
            ):  # fmt: skip
                if exit is not None:
                    how = Place(made_by=context.principal.actor, halted=halted, leg=leg, group=group, path=(name,))
                    rows += place(floor, grounds[0], exit_wish(entry, exit), how)
            before += cover(floor, str(instrument), rows)
            made, gone = [floor.orders[row.id] for row in rows], [floor.orders[row.id] for row in before]
            await self._record(floor, trail.protected(context, account_id, str(instrument), made, gone))
            return made, gone

        return await self._decider.decided(context, known, [instrument], ask, put)

    async def _placed(
        self, context: Context, known: Known, instrument: InstrumentId, wish: Wish | None, digest: str,
        put: Callable[[Floor, Ground, str | None], list[OrderRow]], client_order_id: str | None = None,
    ) -> Placed:  # fmt: skip
        key = wish.client_order_id if wish else client_order_id
        tif = wish.time_in_force if wish else TimeInForce.GTC

        async def ask(known: Known) -> list[Ground]:
            return [await ask_one(context, known, instrument, tif)]

        async def decide(floor: Floor, grounds: Sequence[Ground], halted: str | None) -> Placed:
            # As many orders as when it was looked for: nobody has placed it since.
            if key is not None and floor.w.account.orders != known.account.orders:
                before = await self._orders.with_client_id(floor.w.tx, context.tenant, known.account.id, key)
                if before is not None:
                    return await self._again(floor.w.tx, before, digest)
            rows = put(floor, grounds[0], halted)
            await self._record(floor, trail.placed(context, rows[0]))
            order, *children = (floor.orders[row.id] for row in rows)
            own = [fill for fill in floor.fills if fill.order_id == order.id]
            return Placed(order=order, children=children, fills=own)

        return await self._decider.decided(context, known, [instrument], ask, decide)

    async def _record(self, floor: Floor, act: Act) -> None:
        await self._host.service(Audit).record(floor.w.tx, act)

    async def _again(self, tx: Tx, row: OrderRow, digest: str) -> Placed:
        if row.request_digest != digest:
            told = "This clientOrderId came with another order: repeat that one, or give another id."
            raise Refused("IDEMPOTENCY_MISMATCH", told, "clientOrderId")
        children = await self._orders.children(tx, row.tenant_id, row.account_id, row.id)
        fills = await self._fills.of_order(tx, row.tenant_id, row.id) if row.fills else ()
        return Placed(order=row, children=children, fills=fills)

    async def _at_broker(self, row: OrderRow) -> Placed:
        async with self._host.store.read() as tx:
            return Placed(order=row, fills=await self._fills.of_order(tx, row.tenant_id, row.id))

    async def _order(self, context: Context, order_id: str) -> OrderRow:
        row = await find_row(context, order_id)
        if row is None:
            told = "You have no order with this id: `orders(accountId:)` lists those of an account."
            raise Refused("NOT_FOUND", told, "orderId")
        return row

    async def _ended(self, w: Writing, order_id: str) -> Refused:
        """As it stands under the lock: it may have ended since it was looked for."""
        row = await self._orders.find(w.tx, w.tenant, order_id)
        told = "The order has ended" if row is None else f"The order is {row.status}"
        if row is not None and row.reason:
            told += f": {row.reason.removeprefix(f'{row.status}: ')}"
        return Refused("ORDER_ENDED", f"{told}: that is for good.", "orderId")

    async def _known(self, context: Context, account_id: str, key: str | None = None, digest: str = "") -> Known:
        """What is read before anybody is asked for prices. Refused where the caller may not trade."""
        async with self._host.store.glance() as tx:
            if key is None:
                return await self._decider.read(tx, await self._decider.account(tx, context, account_id))
            account, row = await self._decider.called(tx, context, account_id, key)
            if row is not None:
                return Known(account=account, before=await self._again(tx, row, digest))
            return await self._decider.read(tx, account)


def _batch(wishes: Sequence[Wish], key: GroupKey | None) -> Batch:
    group = new_id("grp")

    async def before(floor: Floor) -> list[OrderRow] | None:
        return await find_placed(floor.w.tx, floor.w.tenant, floor.w.account.id, key)

    async def note(floor: Floor, rows: Sequence[OrderRow]) -> None:
        await note_placed(floor, key, rows)

    together = [replace(wish, group=group) for wish in wishes]
    return Batch(wishes=together, path="orders", before=before, note=note)
