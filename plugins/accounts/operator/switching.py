"""Providers for all tenants: paused, disabled, resumed; breakers by hand."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.contract import Context, Host, Worker
from gateway.core.ports import Audit, BreakerOrder, CacheDesk, Providers, Switchboard
from gateway.core.store import Tx, new_id
from plugins.accounts.operator.store import BreakerOrderDirectory, SwitchDirectory, SwitchRow
from plugins.accounts.operator.tenants import LONGEST_REASON, read
from schema.errors import BadInput, UnknownProvider
from schema.symbols import parse_instrument
from schema.words.problems import Refused
from schema.words.registry import ProviderInfo

EVERY_S = 5.0
ORDERS_STAY = timedelta(hours=1)
"""Long enough for every process to read them."""
READY, PAUSED, DISABLED = "ready", "paused", "disabled"


class Switching:
    """What is switched stands in the database; all processes hear of it, or read it within seconds."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rows, self._orders = SwitchDirectory(), BreakerOrderDirectory()

    def workers(self) -> list[Worker]:
        """Without a bus between processes, this is how the others learn of a switch."""
        return [Worker(name="accounts.operator.switches", every=EVERY_S, run=self.follow)]

    async def follow(self) -> None:
        """Switch in this process what stands in the database."""
        board = self._host.service(Switchboard)
        await board.follow(self._read)
        await board.follow_breakers(self._read_orders)

    async def _read_orders(self) -> list[BreakerOrder]:
        async with self._host.store.read() as tx:
            return await self._orders.all(tx)

    async def _read(self) -> dict[str, tuple[str, str | None]]:
        async with self._host.store.read() as tx:
            return {row.provider: (row.state, row.reason) for row in await self._rows.all(tx)}

    async def switch(self, context: Context, provider: str, state: str, reason: str) -> ProviderInfo:
        """Pause or disable."""
        await self._check(provider)
        row = SwitchRow(
            provider=provider, state=state, reason=read(reason, "reason", longest=LONGEST_REASON),
            by=context.principal.actor, at=self._host.clock.now(),
        )  # fmt: skip
        async with self._host.store.write() as tx:
            before = await self._rows.find(tx, provider)
            await self._rows.put(tx, row)
            await self._record(tx, context, f"provider.{state}", provider, before, row)
            tx.then(lambda: self._host.service(Switchboard).apply(provider, state, row.reason))
        return self._shown(provider)

    async def resume(self, context: Context, provider: str) -> ProviderInfo:
        """As usual again; nothing where it is so already."""
        await self._check(provider)
        async with self._host.store.write() as tx:
            before = await self._rows.find(tx, provider)
            if before is not None:
                await self._rows.remove(tx, provider)
                await self._record(tx, context, "provider.resumed", provider, before, None)
            tx.then(lambda: self._host.service(Switchboard).apply(provider, READY, None))
        return self._shown(provider)

    async def breaker(
        self, context: Context, provider: str, capability: str, *, trip: bool, reason: str
    ) -> ProviderInfo:
        """Open or close one by hand, in all processes: those that do not hear it read it within seconds."""
        await self._check(provider, capability)
        told, now = read(reason, "reason", longest=LONGEST_REASON), self._host.clock.now()
        order = BreakerOrder(id=new_id("order"), provider=provider, capability=capability, trip=trip, reason=told)
        async with self._host.store.write() as tx:
            await self._orders.forget(tx, now - ORDERS_STAY)
            await self._orders.add(tx, order, now)
            act = context.act(
                "breaker.tripped" if trip else "breaker.reset", f"{provider}.{capability}", tenant="",
                after={"reason": told},
            )  # fmt: skip
            await self._host.service(Audit).record(tx, act)
            board = self._host.service(Switchboard)
            tx.then(lambda: board.breaker(order))
        return self._shown(provider)

    async def drop(self, context: Context, provider: str, capability: str | None, symbol: str | None) -> None:
        """Serve no copy any more, in any process."""
        await self._check(provider, capability)
        if symbol is not None and capability is None:
            raise Refused("INVALID", "give the capability that the symbol's answers are of", "symbol")
        if symbol is not None:
            symbol = _instrument(symbol)
        target = ".".join(part for part in (provider, capability) if part)
        desk = self._host.service(CacheDesk)
        async with self._host.store.write() as tx:
            act = context.act("cache.dropped", target, tenant="", after={"symbol": symbol} if symbol else None)
            await self._host.service(Audit).record(tx, act)
            tx.then(lambda: desk.drop(provider, capability, symbol))

    async def _check(self, provider: str, capability: str | None = None) -> None:
        try:
            await self._host.service(Switchboard).check(provider, capability)
        except UnknownProvider as unknown:
            raise Refused("UNKNOWN_PROVIDER", unknown.message, "provider") from None
        except BadInput as bad:
            raise Refused("UNKNOWN_CAPABILITY", bad.message, "capability") from None

    async def _record(
        self, tx: Tx, context: Context, action: str, provider: str, before: SwitchRow | None, after: SwitchRow | None
    ) -> None:
        act = context.act(action, provider, tenant="", before=_standing(before), after=_standing(after))
        await self._host.service(Audit).record(tx, act)

    def _shown(self, provider: str) -> ProviderInfo:
        found = self._host.service(Providers).find(provider)
        if found is None:
            raise RuntimeError("a provider that was just switched is not there")
        return found


def _instrument(symbol: str) -> str:
    """An id as caches hold it."""
    try:
        return str(parse_instrument(symbol))
    except ValueError as wrong:
        raise Refused("INVALID", str(wrong), "symbol") from None


def _standing(row: SwitchRow | None) -> dict[str, str | None]:
    return {"state": READY} if row is None else {"state": row.state, "reason": row.reason}
