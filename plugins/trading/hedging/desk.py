"""Hedges executed and closed: on paper in one transaction, at a broker leg by leg."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.contract import Context, Host
from gateway.core.matching.model import ExecutionModel
from gateway.core.ports import Audit
from gateway.core.store import Tx
from plugins.trading.accounts.rules import SIMULATOR
from plugins.trading.brokers.closable import Bounds
from plugins.trading.brokers.desk import LiveDesk
from plugins.trading.brokers.floor import LiveFloor
from plugins.trading.brokers.together import Batch
from plugins.trading.hedging.legs import (
    KIND,
    ZERO,
    Leg,
    check_apart,
    check_legs,
    closing_wish,
    hedge_id,
    is_closing,
    left_of,
    unclosed,
    wish_of,
)
from plugins.trading.hedging.store import HedgeStore
from plugins.trading.markets.opening import Shut, timed
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.deciding import Decider
from plugins.trading.orders.desk import OrderDesk
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.groups import unclaimed
from plugins.trading.orders.knowing import Known, ask_all
from plugins.trading.orders.placing import Place, place
from plugins.trading.orders.wishes import Wish, check_wish
from plugins.trading.positions.standings import Appraiser
from plugins.trading.rows import AccountRow, OrderRow
from schema.idempotency import check_same, digest_of
from schema.names import could_be_id
from schema.symbols import parse_instrument
from schema.words.orders import OrderCause, OrderStatus
from schema.words.problems import Refused

OURS = frozenset({"BROKER_UNAVAILABLE", "DAILY_LOSS_REACHED", "KILL_SWITCH", "NOT_ALLOWED"})
"""Codes with which an order for a broker ends though the broker has not refused it."""
Legs = Callable[[AccountRow], Awaitable[Sequence[Leg]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """As it stands."""

    id: str
    account: AccountRow
    orders: Sequence[OrderRow]
    """All of it, closing ones too."""
    refused: Refused | None = None
    """Why it is not whole: at a broker a leg was refused after others were sent."""

    @property
    def complete(self) -> bool:
        """Whether all that opens it is filled whole."""
        opens = (row for row in self.orders if row.cause != OrderCause.CLOSE)
        return self.refused is None and all(row.status == OrderStatus.FILLED for row in opens)


class HedgeDesk:
    """Whoever may trade with the account may hedge it."""

    def __init__(self, host: Host, decider: Decider) -> None:
        self._host, self._decider, self._rows, self._live = host, decider, HedgeStore(), LiveDesk(host)

    async def execute(
        self, context: Context, account_id: str, legs: Legs, *, client_id: str | None, digest: str,
        strategy: str | None = None,
    ) -> Hedge:  # fmt: skip
        """All of its orders, or none; at a broker what is filled stays, and the rest is cancelled.

        The same *client_id* is the same hedge: then *legs* are not even asked for.
        """
        known = await self._decider.known(context, account_id)
        account = known.account
        hedge = hedge_id(account.id, client_id)
        held = await self._held(context, account, hedge)
        if held:
            return self._again(account, hedge, held, digest)
        wanted = await legs(account)
        check_legs(wanted)
        wishes = [wish_of(leg, hedge, n, strategy) for n, leg in enumerate(wanted, 1)]
        for n, wish in enumerate(wishes):
            check_wish(wish, "legs", str(n))
        prices = Prices.of(context)
        named = [await prices.find(wish.symbol, "legs", str(n), "symbol") for n, wish in enumerate(wishes)]
        check_apart(named)
        if known.at_broker:
            sent = self._send(context, account, hedge, wishes, digest)
            return await self._timed(context, account, sent)

        async def ask(known: Known) -> list[Ground]:
            return await ask_all(context, known, named, "legs")

        async def put(floor: Floor, grounds: Sequence[Ground], halted: str | None) -> Hedge:
            before = await self._rows.of(floor.w.tx, context.tenant, account.id, hedge)
            if before:
                return self._again(account, hedge, before, digest)
            for n, (wish, ground) in enumerate(zip(wishes, grounds, strict=True)):
                path = ("legs", str(n))
                how = Place(made_by=context.principal.actor, halted=halted, digest=digest, path=path)
                self._put(floor, ground, await unclaimed(floor, wish), how)
            await self._record(floor, context, "hedge.executed", hedge, wishes)
            return Hedge(id=hedge, account=account, orders=_of(floor, hedge))

        made = self._decider.decided(context, known, named, ask, put, whole=True)
        return await self._timed(context, account, made)

    async def close(self, context: Context, account_id: str, hedge: str, key: str | None = None) -> Hedge:
        """Its open orders are cancelled, and what it has opened and the account still holds is closed.

        What the same key has closed before is answered as it stands, with what was refused then.
        """
        digest_of(key, hedge)  # refuses what is no key
        known = await self._decider.known(context, account_id)
        account = known.account
        held = await self._held(context, account, hedge) if could_be_id(hedge) else []
        if not held or not hedge.startswith(f"{KIND}_"):
            raise Refused("NOT_FOUND", "The account has no hedge with this id: `hedgeExecute` gave it.", "hedgeId")
        if (before := await self._before(account, hedge, key)) is not None:
            return before
        if known.at_broker:
            return await self._take_back(context, account, hedge, held, key)
        kinds = {row.instrument: row for row in held}
        named = [parse_instrument(each) for each in kinds]

        async def ask(known: Known) -> list[Ground]:
            return await ask_all(context, known, named)

        async def put(floor: Floor, grounds: Sequence[Ground], halted: str | None) -> Hedge:
            now = await self._rows.of(floor.w.tx, context.tenant, account.id, hedge)
            if await self._is_repeated(floor.w.tx, account, hedge, key):
                return Hedge(id=hedge, account=account, orders=now)
            ended = [row for row in floor.open if row.group_id == hedge]
            floor.end_all([row.id for row in ended], OrderStatus.CANCELED, "CLOSED")
            priced, placed = dict(zip(kinds, grounds, strict=True)), list[Wish]()
            for name, left in left_of(now).items():
                wish = closing_wish(kinds[name], left, floor.held(name), hedge)
                if wish is not None:
                    placed.append(wish)
                    how = Place(made_by=context.principal.actor, halted=halted)
                    self._put(floor, priced[name], wish, how)
            if not placed and not ended:
                raise _closed()
            if key is not None:
                await self._rows.note(floor.w.tx, context.tenant, account.id, key, hedge, floor.now)
            await self._record(floor, context, "hedge.closed", hedge, placed)
            changed = {row.id: row for row in _of(floor, hedge)}
            rows = {row.id: row for row in now} | changed
            return Hedge(id=hedge, account=account, orders=sorted(rows.values(), key=lambda row: row.number))

        made = self._decider.decided(context, known, named, ask, put, whole=True)
        return await self._timed(context, account, made)

    async def _timed(self, context: Context, account: AccountRow, made: Awaitable[Hedge]) -> Hedge:
        """The same; where a market is closed, the refusal says when it opens, if that is known."""
        try:
            return await made
        except Shut as shut:
            raise await timed(context, shut, ExecutionModel.read(account.model)) from None

    def _put(self, floor: Floor, ground: Ground, wish: Wish, how: Place) -> None:
        """One that ends at once unfilled undoes all: it raises inside the transaction."""
        row = place(floor, ground, wish, how)[0]
        if row.status == OrderStatus.REJECTED:
            code, _, words = (row.reason or "").partition(": ")
            raise Refused(code, f"{row.instrument}: {words}.", *how.path)

    async def _send(
        self, context: Context, account: AccountRow, hedge: str, wishes: Sequence[Wish], digest: str
    ) -> Hedge:  # fmt: skip
        """One after the other. Where one is refused, what of the others is not filled is cancelled; what is, stays."""

        async def before(floor: LiveFloor) -> list[OrderRow] | None:
            return await self._rows.of(floor.w.tx, context.tenant, account.id, hedge) or None

        batch = Batch(wishes=wishes, path="legs", digest=digest, before=before)
        return self._again(account, hedge, await self._live.place_all(context, account, batch), digest)

    async def _take_back(
        self, context: Context, account: AccountRow, hedge: str, held: Sequence[OrderRow], key: str | None
    ) -> Hedge:
        """Orders that close it already are left to it, and count as if they had."""
        refused = None
        await self._cancel(context, [row for row in held if not is_closing(row)])
        stands = await context.service(Appraiser).held(context, account)
        units = {row.instrument: row.quantity for row in stands.positions}
        now = await self._held(context, account, hedge)
        rows = {row.instrument: row for row in now}
        there = unclosed(now)
        bounds = await self._live.bounds(context, account, {name: units.get(name, ZERO) for name in there})
        made = [
            closing_wish(rows[name], left, units.get(name, ZERO), hedge, bounds[name]) for name, left in there.items()
        ]
        wishes = [wish for wish in made if wish is not None]
        nothing = not wishes and not any(row.open for row in held)
        # Before anything is sent: whoever repeats it sends nothing twice.
        if nothing or not await self._note(account, hedge, key):
            if (before := await self._before(account, hedge, key)) is not None:
                return before
            raise _closed()
        for wish in wishes:
            try:
                placed = await self._close(context, account, hedge, wish, rows[wish.symbol], bounds[wish.symbol])
                if placed is not None and placed.status == OrderStatus.REJECTED:
                    raise Refused("BROKER_REFUSED", f"{wish.symbol}: {placed.reason}", "hedgeId")
            except Refused as error:
                refused = refused or error
        if key is not None:
            async with self._host.store.write() as tx:
                await self._rows.answer(tx, context.tenant, account.id, key, _plain(refused))
        return Hedge(
            id=hedge, account=account, orders=await self._held(context, account, hedge), refused=refused
        )  # fmt: skip

    async def _close(
        self, context: Context, account: AccountRow, hedge: str, wish: Wish, row: OrderRow, bounds: Bounds
    ) -> OrderRow | None:  # fmt: skip
        """What of it is not being closed behind the lock; None where that is nothing, as others close it meanwhile."""

        async def fit(floor: LiveFloor) -> Wish | None:
            left = unclosed(await self._rows.of(floor.w.tx, context.tenant, account.id, hedge))
            return closing_wish(row, left.get(wish.symbol, ZERO), floor.held(wish.symbol), hedge, bounds)

        return await self._live.place_fitted(context, account, wish, fit)

    async def _is_repeated(self, tx: Tx, account: AccountRow, hedge: str, key: str | None) -> bool:
        closed = None if key is None else await self._rows.closed_by(tx, account.tenant_id, account.id, key)
        if closed is not None:
            check_same(closed, hedge)
        return closed is not None

    async def _note(self, account: AccountRow, hedge: str, key: str | None) -> bool:
        if key is None:
            return True
        async with self._host.store.write() as tx:
            return await self._rows.note(tx, account.tenant_id, account.id, key, hedge, self._host.clock.now())

    async def _before(self, account: AccountRow, hedge: str, key: str | None) -> Hedge | None:
        """What the same key has closed, as it stands; None where it has closed nothing. What was answered is read
        before the orders: they are as that answer left them, or later."""
        async with self._host.store.read() as tx:
            if key is None or not await self._is_repeated(tx, account, hedge, key):
                return None
            answer = await self._rows.answered(tx, account.tenant_id, account.id, key)
            rows = await self._rows.of(tx, account.tenant_id, account.id, hedge)
        refused = None if account.broker == SIMULATOR else _refused(answer, rows)
        return Hedge(id=hedge, account=account, orders=rows, refused=refused)

    async def _cancel(self, context: Context, rows: Sequence[OrderRow]) -> None:
        for row in rows:
            if not row.open:
                continue
            try:
                await context.service(OrderDesk).cancel(context, row.id)
            except Refused as error:
                # It has ended meanwhile, or the broker says later what became of it.
                if error.code not in ("ORDER_ENDED", "BROKER_UNAVAILABLE"):
                    raise

    def _again(self, account: AccountRow, hedge: str, rows: Sequence[OrderRow], digest: str) -> Hedge:
        """As it stands; Refused where it came of other input, or where nothing came of it."""
        if rows[0].request_digest != digest:
            raise _other_input()
        refused = None if account.broker == SIMULATOR else _refused_leg(rows)
        if refused is not None and not any(row.open or row.filled for row in rows):
            raise refused
        return Hedge(id=hedge, account=account, orders=rows, refused=refused)

    async def _held(self, context: Context, account: AccountRow, hedge: str) -> list[OrderRow]:
        async with self._host.store.read() as tx:
            return await self._rows.of(tx, context.tenant, account.id, hedge)

    async def _record(
        self, floor: Floor, context: Context, action: str, hedge: str, wishes: Sequence[Wish]
    ) -> None:  # fmt: skip
        legs = [f"{wish.side} {wish.quantity:f} {wish.symbol}" for wish in wishes]
        act = context.act(action, hedge, after={"account": floor.w.account.id, "legs": legs})
        await self._host.service(Audit).record(floor.w.tx, act)


def _of(floor: Floor, hedge: str) -> list[OrderRow]:
    return sorted((row for row in floor.orders.values() if row.group_id == hedge), key=lambda row: row.number)


def _refused_leg(rows: Iterable[OrderRow]) -> Refused | None:
    """Which of its orders was not taken, where that was said after all of them were kept."""
    opens = [row for row in rows if row.cause != OrderCause.CLOSE]
    for n, row in enumerate(opens):
        if row.status == OrderStatus.REJECTED:
            reason = row.reason or ""
            code = reason.partition(":")[0]
            return Refused(code if code in OURS else "BROKER_REFUSED", reason, "legs", str(n))
    return None


def _refused(answer: Mapping[str, Any] | None, rows: Sequence[OrderRow]) -> Refused | None:
    """What was refused when a key closed it at a broker. That may not be known: its process has ended, or is still at
    it."""
    if answer:
        return Refused(answer["code"], answer["message"], *answer["field"])
    if answer is None and (left_of(rows) or any(row.open for row in rows)):
        told = "Closing it under this idempotencyKey was not answered: what `open` names, another key closes."
        return Refused("BROKER_UNAVAILABLE", told, "hedgeId")
    return None


def _plain(refused: Refused | None) -> dict[str, Any]:
    """As it is kept."""
    return {} if refused is None else {"code": refused.code, "message": refused.message, "field": list(refused.field)}


def _other_input() -> Refused:
    told = "This clientHedgeId came with other input: repeat that input, or give another id."
    return Refused("IDEMPOTENCY_MISMATCH", told, "clientHedgeId")


def _closed() -> Refused:
    return Refused("HEDGE_CLOSED", "Nothing of this hedge is open, or held any more.", "hedgeId")
