"""Provider keys: set, tested, removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from gateway.core.contract import Context, Host, Sealed
from gateway.core.ports import Audit, Providers, TradingKeys
from plugins.providerkeys.ring import KeyRing
from plugins.providerkeys.rules import needed, read_parts, unknown_provider
from plugins.providerkeys.seal import Seal
from plugins.providerkeys.store import KeyRow, KeyStore
from plugins.providerkeys.words import ProviderKeySetInput, ProviderKeyTestOutcome
from schema.errors import Blocked, FailureCode, UpstreamError
from schema.names import could_be_id
from schema.words.problems import Refused
from schema.words.registry import Credential, ProviderStatus

_ANSWERED = frozenset({FailureCode.UNKNOWN_INSTRUMENT, FailureCode.DATA_STALE})
_REFUSED = frozenset({FailureCode.PROVIDER_MISCONFIGURED, FailureCode.PROVIDER_KEY_MISSING, FailureCode.NOT_COVERED})


class ProviderKeyDesk:
    """What members with the right to do so do with the organisation's keys."""

    def __init__(self, host: Host, seal: Seal, ring: KeyRing) -> None:
        self._host, self._seal, self._ring = host, seal, ring
        self.rows = KeyStore()

    async def set(self, context: Context, wanted: ProviderKeySetInput) -> KeyRow:
        """In place of an earlier one."""
        parts, tenant = read_parts(wanted, *_declared(context, wanted.provider)), context.tenant
        row = KeyRow(
            tenant_id=tenant, provider=wanted.provider, names=sorted(parts), root=self._seal.root,
            sealed=self._seal.close(tenant, wanted.provider, parts), set_at=self._host.clock.now(),
            set_by=context.principal.actor, tested_at=None, outcome=None, message=None,
        )  # fmt: skip
        async with self._host.store.write() as tx:
            before = await self.rows.find(tx, tenant, row.provider)
            await self.rows.put(tx, tenant, row)
            self._ring.tell(tx, tenant)
            act = context.act(
                "providerkey.set", row.provider, before=None if before is None else {"parts": before.names},
                after={"parts": row.names},
            )  # fmt: skip
            await context.service(Audit).record(tx, act)
        return row

    async def test(self, context: Context, provider: str) -> KeyRow:
        """The key with the outcome, which is data whatever it is."""
        tenant = context.tenant
        async with self._host.store.read() as tx:
            row = await self.rows.find(tx, tenant, provider) if could_be_id(provider) else None
        if row is None:
            raise _not_found(provider)
        try:
            parts = self._seal.open(row)
        except Sealed:
            told = "The key can no longer be opened: set it again with providerKeySet."
            raise Refused("UNREADABLE", told, "provider") from None
        if context.service(Providers).find(provider) is None:
            raise _not_found(provider)
        outcome, message = judge(await context.market.probe(provider, parts))
        tested = replace(row, tested_at=self._host.clock.now(), outcome=outcome.value, message=message)
        async with self._host.store.write() as tx:
            kept = await self.rows.note_test(
                tx, tenant, provider, sealed=row.sealed, at=self._host.clock.now(), outcome=outcome.value,
                message=message,
            )  # fmt: skip
            if not kept:
                raise Refused("NOT_FOUND", "The key was changed during the test: test it again.", "provider")
            await context.service(Audit).record(
                tx, context.act("providerkey.tested", provider, after={"outcome": outcome.value})
            )
        return tested

    async def remove(self, context: Context, provider: str) -> str:
        """Nothing of it is left."""
        async with self._host.store.write() as tx:
            if not could_be_id(provider) or not await self.rows.remove(tx, context.tenant, provider):
                raise _not_found(provider)
            self._ring.tell(tx, context.tenant)
            await context.service(Audit).record(tx, context.act("providerkey.removed", provider))
        return provider


def _declared(context: Context, name: str) -> tuple[str, Sequence[Credential]]:
    """Whose key it would be, and its parts."""
    trading = context.services.get(TradingKeys)
    brokers: Mapping[str, Collection[str]] = {} if trading is None else trading.parts()
    if name in brokers:
        return name, needed(brokers[name])
    provider = context.service(Providers).find(name)
    if provider is None or provider.status is ProviderStatus.FAILED_TO_LOAD:
        raise unknown_provider(name, [*context.market.providers(), *brokers])
    return provider.name, provider.credentials


def judge(error: UpstreamError | None) -> tuple[ProviderKeyTestOutcome, str | None]:
    """What the end of a question says of the key."""
    if error is None or error.code in _ANSWERED:
        return ProviderKeyTestOutcome.OK, None
    if error.code == FailureCode.NOT_RECORDED:
        return ProviderKeyTestOutcome.UNTRIED, error.detail
    refused = error.code in _REFUSED and not isinstance(error, Blocked)
    return (ProviderKeyTestOutcome.REFUSED if refused else ProviderKeyTestOutcome.UNREACHABLE), error.detail


def _not_found(provider: str) -> Refused:
    told = f"Your organisation has no key of its own for {provider[:60]!r}: `providerKeys {{ provider }}` lists them."
    return Refused("NOT_FOUND", told, "provider")
