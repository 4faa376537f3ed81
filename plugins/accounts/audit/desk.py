"""Writes the audit trail, and says whether it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.core.contract import Host
from gateway.core.ports import Act, Organisations
from gateway.core.store import Tx, new_id
from plugins.accounts.audit.chain import Signer
from plugins.accounts.audit.judge import Judge
from plugins.accounts.audit.plain import plain
from plugins.accounts.audit.rows import AuditRow
from plugins.accounts.audit.store import AuditDirectory, AuditStore

PAGE = 2_000
GONE = "its trail is gone: the line of its making, at least, was removed"


class NoTrail(Exception):
    """There is no such tenant, and no line of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What verification found in one tenant's trail; lines that wait for the sealer are no problem by themselves."""

    tenant: str
    lines: int
    checkpoints: int
    problems: list[str]
    unsealed: int
    oldest_unsealed: datetime | None


class AuditDesk:
    """Serves the port `Audit`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.store, self.directory = AuditStore(), AuditDirectory()

    def signer(self) -> Signer:
        """Signs and verifies segments."""
        return Signer(keys=self._host.vault.keys("audit"))

    async def record(self, tx: Tx, act: Act) -> None:
        """Write a line in the transaction of the act. What looks secret raises in development, and is masked else."""
        strict = self._host.settings.development
        row = AuditRow(
            tenant_id=act.tenant, id=new_id("audit"), at=self._host.clock.now(), action=act.action, actor=act.actor,
            actor_kind=act.actor_kind, target=act.target, before=plain(act.before, strict=strict),
            after=plain(act.after, strict=strict), client_ip=act.client_ip, request_id=act.request_id, sequence=None,
            hash=None,
        )  # fmt: skip
        await self.store.add(tx, act.tenant, row)

    async def verify(self, tenant: str | None = None) -> list[Finding]:
        """Recompute the chains of all tenants, or of one; NoTrail where there never was such a tenant."""
        async with self._host.store.read() as tx:
            await self.directory.snapshot(tx)
            existing = {each.id for each in await self._host.service(Organisations).all(tx)}
            known = existing.union(await self.directory.tenants(tx), [""] if tenant == "" else [])
            if tenant is not None and tenant not in known:
                raise NoTrail
            tenants = sorted(known) if tenant is None else [tenant]
            return [await self._verified(tx, each, existing=each in existing) for each in tenants]

    async def _verified(self, tx: Tx, tenant: str, *, existing: bool) -> Finding:
        segments = await self.store.segments(tx, tenant)
        judge = Judge(segments, self.signer())
        lines, last = 0, None
        while page := await self.store.sealed_after(tx, tenant, last, PAGE):
            for row in page:
                judge.feed(row)
            lines, last = lines + len(page), page[-1].sequence
        unsealed, oldest = await self.store.unsealed(tx, tenant)
        problems = judge.problems()
        # Every organisation has the line of its making, or the signed end of the segment that held it.
        if existing and not (lines or segments or unsealed):
            problems.append(GONE)
        return Finding(
            tenant=tenant, lines=lines, checkpoints=sum(each.removed_at is not None for each in segments),
            problems=problems, unsealed=unsealed, oldest_unsealed=oldest,
        )  # fmt: skip
