"""SQL of API keys, access tokens and operators' keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.store import Tx
from plugins.accounts.keys.rows import AccessTokenRow, ApiKeyRow, OperatorKeyRow
from plugins.accounts.tables import access_tokens, api_keys, operator_keys

Position = tuple[datetime, str]
"""Where a page begins: behind this time of making and id."""


class ApiKeyStore:
    """API keys of one organisation."""

    async def add(self, tx: Tx, tenant: str, row: ApiKeyRow) -> None:
        """Put it in."""
        await tx.run(api_keys.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def find(self, tx: Tx, tenant: str, key_id: str) -> ApiKeyRow | None:
        """One key, also a past one."""
        return await tx.first(select(api_keys).where(_one(tenant, key_id)), ApiKeyRow)

    async def hold(self, tx: Tx, tenant: str, key_id: str) -> ApiKeyRow | None:
        """The same, held until the end of the transaction, for who changes it."""
        return await tx.first(select(api_keys).where(_one(tenant, key_id)).with_for_update(), ApiKeyRow)

    async def page(self, tx: Tx, tenant: str, after: Position | None, most: int) -> list[ApiKeyRow]:
        """In the order of making."""
        at, id = api_keys.c.created_at, api_keys.c.id
        query = select(api_keys).where(api_keys.c.tenant_id == tenant)
        if after is not None:
            query = query.where(or_(at > after[0], and_(at == after[0], id > after[1])))
        return await tx.all(query.order_by(at, id).limit(most), ApiKeyRow)

    async def living(self, tx: Tx, tenant: str, now: datetime) -> int:
        """How many keys open something."""
        mine = and_(
            api_keys.c.tenant_id == tenant, api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
        )  # fmt: skip
        return int(await tx.value(select(func.count()).select_from(api_keys).where(mine)))

    async def change(self, tx: Tx, tenant: str, key_id: str, values: Mapping[str, Any]) -> None:
        """Set columns."""
        await tx.run(update(api_keys).where(_one(tenant, key_id)).values(**values))


class AccessTokenStore:
    """Access tokens of one organisation."""

    async def add(self, tx: Tx, tenant: str, row: AccessTokenRow) -> None:
        """Put it in."""
        await tx.run(access_tokens.insert().values(**asdict(row) | {"tenant_id": tenant}))

    async def revoke_minted(self, tx: Tx, tenant: str, key_id: str, at: datetime) -> int:
        """Those that a key has minted; how many."""
        mine = and_(
            access_tokens.c.tenant_id == tenant, access_tokens.c.parent == key_id, access_tokens.c.revoked_at.is_(None)
        )
        return await tx.run(update(access_tokens).where(mine).values(revoked_at=at))


class CredentialDirectory:
    """Before a tenant is known: a secret is found by its prefix, its uses and its spending are counted by its id."""

    async def key(self, tx: Tx, prefix: str) -> ApiKeyRow | None:
        """An API key."""
        return await tx.first(select(api_keys).where(api_keys.c.prefix == prefix), ApiKeyRow)

    async def token(self, tx: Tx, prefix: str) -> AccessTokenRow | None:
        """An access token."""
        return await tx.first(select(access_tokens).where(access_tokens.c.prefix == prefix), AccessTokenRow)

    async def operator(self, tx: Tx, prefix: str) -> OperatorKeyRow | None:
        """An operator's key."""
        return await tx.first(select(operator_keys).where(operator_keys.c.prefix == prefix), OperatorKeyRow)

    async def add_operator(self, tx: Tx, row: OperatorKeyRow) -> None:
        """Operators' keys belong to no tenant."""
        await tx.run(operator_keys.insert().values(**asdict(row)))

    async def used(self, tx: Tx, uses: Sequence[Mapping[str, Any]]) -> None:
        """Write last uses (`of`, `at`, `ip`) of API keys."""
        this = update(api_keys).where(api_keys.c.id == bindparam("of"))
        await tx.run(this.values(last_used_at=bindparam("at"), last_used_ip=bindparam("ip")), uses)

    async def used_by_operators(self, tx: Tx, uses: Sequence[Mapping[str, Any]]) -> None:
        """Write last uses (`of`, `at`) of operators' keys."""
        this = update(operator_keys).where(operator_keys.c.id == bindparam("of"))
        await tx.run(this.values(last_used_at=bindparam("at")), uses)

    async def spend(self, tx: Tx, token_id: str, points: int) -> bool:
        """Whether a token had as many points left; in one statement, so that two at once cannot both have the last."""
        left = or_(
            access_tokens.c.max_points.is_(None), access_tokens.c.spent_points + points <= access_tokens.c.max_points
        )
        this = update(access_tokens).where(access_tokens.c.id == token_id, left)
        return await tx.run(this.values(spent_points=access_tokens.c.spent_points + points)) > 0

    async def tidy(self, tx: Tx, before: datetime) -> None:
        """Remove access tokens that ended before an instant."""
        await tx.run(delete(access_tokens).where(access_tokens.c.expires_at < before))


def _one(tenant: str, key_id: str) -> ColumnElement[bool]:
    return and_(api_keys.c.tenant_id == tenant, api_keys.c.id == key_id)
