"""An organisation's sets of constraints: made, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit
from gateway.core.store import Tx, new_id
from plugins.risk.constraints.rules import MOST_BOUNDS, MOST_GROUPS, Bound, Group, Rules, checked, plain, read_rules
from plugins.risk.constraints.store import ConstraintStore
from plugins.risk.constraints.types import ConstraintsInput
from plugins.risk.rows import ConstraintRow
from plugins.risk.symbols import read_symbol
from schema.idempotency import check_same, digest_of
from schema.names import BadName, could_be_id, read_name
from schema.pages import Position
from schema.words.problems import Refused

MOST_SETS = 100


class ConstraintDesk:
    """Sets are an organisation's: every member who may reads and changes them."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, ConstraintStore()

    async def page(self, context: Context, limit: int, behind: Position | None) -> list[ConstraintRow]:
        """Some of the organisation's sets, the oldest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, context.tenant, limit, behind=behind)

    async def find(self, context: Context, constraint_id: str) -> ConstraintRow | None:
        """One of the organisation's."""
        if not could_be_id(constraint_id):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, constraint_id)

    async def create(self, context: Context, name: str, given: ConstraintsInput, key: str | None) -> ConstraintRow:
        """A new one, or what the same key made."""
        digest = digest_of(key, (name, given))
        rules, now = await read_constraints(context, given), self._host.clock.now()
        row = ConstraintRow(
            tenant_id=context.tenant, id=new_id("cset"), made_by=context.principal.actor, name=_named(name),
            rules=plain(rules), idempotency_key=key, request_digest=digest, created_at=now, changed_at=now,
        )  # fmt: skip
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant)
            if key is not None and (held := await self._rows.with_key(tx, context.tenant, key)) is not None:
                check_same(held.request_digest, digest)
                return held
            if await self._rows.count(tx, context.tenant) >= MOST_SETS:
                told = f"Your organisation has {MOST_SETS} sets of constraints: delete one first."
                raise Refused("TOO_MANY_SETS", told)
            await self._check_free(tx, context, row)
            await self._rows.add(tx, context.tenant, row)
            await self._record(tx, context, "constraintset.created", row.id, after=_told(row))
        return row

    async def update(
        self, context: Context, constraint_id: str, name: str | None, given: ConstraintsInput | None
    ) -> ConstraintRow:
        """The set after the change."""
        rules = None if given is None else await read_constraints(context, given)
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant)
            held = await self._rows.find(tx, context.tenant, constraint_id) if could_be_id(constraint_id) else None
            if held is None:
                raise _unknown()
            row = replace(
                held, name=held.name if name is None else _named(name),
                rules=held.rules if rules is None else plain(rules), changed_at=self._host.clock.now(),
            )  # fmt: skip
            await self._check_free(tx, context, row)
            await self._rows.change(tx, context.tenant, constraint_id, row)
            await self._record(tx, context, "constraintset.updated", row.id, before=_told(held), after=_told(row))
        return row

    async def delete(self, context: Context, constraint_id: str) -> str:
        """The id of what is gone."""
        async with self._host.store.write() as tx:
            if not could_be_id(constraint_id) or not await self._rows.remove(tx, context.tenant, constraint_id):
                raise _unknown()
            await self._record(tx, context, "constraintset.deleted", constraint_id)
        return constraint_id

    async def _check_free(self, tx: Tx, context: Context, row: ConstraintRow) -> None:
        other = await self._rows.named(tx, context.tenant, row.name)
        if other is not None and other.id != row.id:
            raise Refused("NAME_TAKEN", f"The set {other.id} is called {row.name!r}: give another name.", "name")

    async def _record(
        self,
        tx: Tx,
        context: Context,
        action: str,
        constraint_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await self._host.service(Audit).record(tx, context.act(action, constraint_id, before=before, after=after))


async def read_constraints(context: Context, given: ConstraintsInput) -> Rules:
    """With canonical ids in the place of symbols; Refused names the field of `constraints` that cannot be."""
    try:
        return checked(await _read(context, given))
    except Refused as refused:
        raise Refused(refused.code, refused.message, "constraints", *refused.field) from None


async def _read(context: Context, given: ConstraintsInput) -> Rules:
    bounds, groups = given.bounds or (), given.groups or ()
    if len(bounds) > MOST_BOUNDS or len(groups) > MOST_GROUPS:
        told = f"Give at most {MOST_BOUNDS} bounds and {MOST_GROUPS} groups."
        raise Refused("CONSTRAINT_INVALID", told, "bounds" if len(bounds) > MOST_BOUNDS else "groups")
    read_bounds = [
        Bound(symbol=(await _ids(context, [each.symbol], "bounds", str(n)))[0], minimum=each.min, maximum=each.max)
        for n, each in enumerate(bounds)
    ]
    read_groups = [
        Group(
            name=each.name.strip(), symbols=await _ids(context, each.symbols, "groups", str(n)), minimum=each.min,
            maximum=each.max,
        )
        for n, each in enumerate(groups)
    ]  # fmt: skip
    return Rules(
        minimum=given.min_weight, maximum=given.max_weight, bounds=tuple(read_bounds), groups=tuple(read_groups),
        position=given.max_position, least_total=given.min_total, greatest_total=given.max_total, short=given.short,
        leverage=given.leverage, turnover=given.turnover, cardinality=given.cardinality,
    )  # fmt: skip


async def _ids(context: Context, symbols: Sequence[str], *field: str) -> tuple[str, ...]:
    if len(symbols) > MOST_BOUNDS:
        raise Refused("CONSTRAINT_INVALID", f"Give at most {MOST_BOUNDS} symbols.", *field)
    return tuple([str(await read_symbol(context, symbol, *field)) for symbol in symbols])


def _named(name: str) -> str:
    try:
        return read_name(name)
    except BadName as bad:
        raise Refused("NAME_INVALID", str(bad), "name") from None


def _told(row: ConstraintRow) -> dict[str, Any]:
    return {"name": row.name, "rules": plain(read_rules(row.rules))}


def _unknown() -> Refused:
    told = "Your organisation has no set of constraints with this id: `constraints { nodes { id } }` lists them."
    return Refused("NOT_FOUND", told, "id")
