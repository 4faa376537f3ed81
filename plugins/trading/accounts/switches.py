"""Kill switches over accounts: the organisation's, the operator's; and the organisation's consent to live trading."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit
from gateway.core.store import Tx
from plugins.trading.accounts.access import FLEET, manages
from plugins.trading.accounts.rules import reason_of
from plugins.trading.accounts.store import PermitStore, SwitchDirectory
from plugins.trading.rows import PermitRow, SwitchRow
from schema.words.problems import Refused

TOPIC = "trading.switched"
LIVE_WORDS = "live trading"
"""What is written once more to let an organisation trade with money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """How both switches stand."""

    permit: PermitRow | None
    fleet: SwitchRow | None


class SwitchDesk:
    """An organisation's owners and admins halt and resume it; operators all."""

    def __init__(self, host: Host) -> None:
        self._host, self._permits, self._switches = host, PermitStore(), SwitchDirectory()

    async def stand(self, context: Context) -> Switched:
        """How both stand."""
        async with self._host.store.read() as tx:
            return await self._stand(tx, context)

    async def halt(self, context: Context, reason: str) -> Switched:
        """No account of the organisation takes orders."""
        return await self._put(context, "trading.halted", halted=True, reason=reason_of(reason))

    async def resume(self, context: Context) -> Switched:
        """They do again."""
        return await self._put(context, "trading.resumed", halted=False, reason=None)

    async def opt_in(self, context: Context, *, live: bool, confirm: str | None) -> Switched:
        """Whether the organisation may have accounts that trade with money."""
        if live and confirm != LIVE_WORDS:
            told = f"LIVE accounts trade with money: confirm that with the words {LIVE_WORDS!r}."
            raise Refused("CONFIRMATION_NEEDED", told, "confirm")
        return await self._put(context, "trading.live_enabled" if live else "trading.live_disabled", live=live)

    async def halt_all(self, context: Context, reason: str) -> Switched:
        """No account of anybody takes orders."""
        return await self._put_all(context, "trading.fleet_halted", halted=True, reason=reason_of(reason))

    async def resume_all(self, context: Context) -> Switched:
        """They do again."""
        return await self._put_all(context, "trading.fleet_resumed", halted=False, reason=None)

    async def _put(
        self, context: Context, action: str, *, halted: bool | None = None, reason: str | None = None,
        live: bool | None = None,
    ) -> Switched:  # fmt: skip
        if not manages(context.principal):
            told = "Only an owner or an admin of the organisation may do this, signed in, not by key."
            raise Refused("NOT_ALLOWED", told)
        now, by = self._host.clock.now(), context.principal.actor
        async with self._host.store.write() as tx:
            held = await self._permits.lock(tx, context.tenant) or PermitRow(
                tenant_id=context.tenant, halted=False, halt_reason=None, live=False, changed_by=by, changed_at=now
            )
            row = replace(held, changed_by=by, changed_at=now)
            if halted is not None:
                row = replace(row, halted=halted, halt_reason=reason)
            if live is not None:
                row = replace(row, live=live)
            await self._permits.put(tx, context.tenant, row)
            act = context.act(action, context.tenant, after={"reason": reason} if reason else None)
            await self._host.service(Audit).record(tx, act)
            tx.then(lambda: self._host.bus.publish(TOPIC, {"tenant": context.tenant}))
            return await self._stand(tx, context)

    async def _put_all(self, context: Context, action: str, *, halted: bool, reason: str | None) -> Switched:
        now, by = self._host.clock.now(), context.principal.actor
        row = SwitchRow(name=FLEET, halted=halted, reason=reason, changed_by=by, changed_at=now)
        async with self._host.store.write() as tx:
            await self._switches.put(tx, row)
            act = context.act(action, FLEET, tenant="", after={"reason": reason} if reason else None)
            await self._host.service(Audit).record(tx, act)
            tx.then(lambda: self._host.bus.publish(TOPIC, {"fleet": True}))
            return await self._stand(tx, context)

    async def _stand(self, tx: Tx, context: Context) -> Switched:
        return Switched(
            permit=await self._permits.find(tx, context.tenant), fleet=await self._switches.find(tx, FLEET)
        )  # fmt: skip
