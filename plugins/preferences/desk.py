"""Preferences: read and changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import strawberry

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Providers
from plugins.preferences import rules
from plugins.preferences.book import PreferenceBook
from plugins.preferences.store import PreferenceRow, PreferenceStore
from plugins.preferences.words import RoutingPreferencesUpdateInput


class PreferenceDesk:
    """What members with the right to do so decide for the organisation."""

    def __init__(self, host: Host, book: PreferenceBook) -> None:
        self._host, self._book = host, book
        self.rows = PreferenceStore()

    async def update(self, context: Context, wanted: RoutingPreferencesUpdateInput) -> PreferenceRow | None:
        """What is left out stays; nothing is written where nothing changes."""
        tenant = context.tenant
        async with self._host.store.write() as tx:
            before = await self.rows.find(tx, tenant)
            now = before or self._blank(context)
            after = replace(now, **self._changes(context, now, wanted))
            if after == now:
                return before
            after = replace(after, changed_at=self._host.clock.now(), changed_by=context.principal.actor)
            await self.rows.put(tx, tenant, after)
            self._book.tell(tx, tenant)
            act = context.act("preferences.updated", tenant, before=_shown(now), after=_shown(after))
            await context.service(Audit).record(tx, act)
        return after

    def _blank(self, context: Context) -> PreferenceRow:
        return PreferenceRow(
            tenant_id=context.tenant, order=[], denied=[], dearest=None, changed_at=self._host.clock.now(),
            changed_by=context.principal.actor,
        )  # fmt: skip

    def _changes(self, context: Context, now: PreferenceRow, wanted: RoutingPreferencesUpdateInput) -> dict[str, Any]:
        # Whoever is named already may have gone since.
        known = {each.id for each in context.service(Providers).all()} | {*now.order, *now.denied}
        made: dict[str, Any] = {}
        if wanted.order is not strawberry.UNSET:
            made["order"] = rules.check_names(wanted.order or (), "order", known)
        if wanted.deny is not strawberry.UNSET:
            made["denied"] = sorted(rules.check_names(wanted.deny or (), "deny", known))
        if wanted.max_cost_per_call is not strawberry.UNSET:
            made["dearest"] = rules.check_price(wanted.max_cost_per_call)
        rules.check_apart(made.get("order", now.order), made.get("denied", now.denied))
        return made


def _shown(row: PreferenceRow) -> dict[str, Any]:
    dearest = None if row.dearest is None else format(row.dearest, "f")
    return {"order": row.order, "deny": row.denied, "maxCostPerCall": dearest}
