"""Organisations whose servers hold keys, asked as a client would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select

from gateway.core.identity import TENANT_SCOPES, Scope
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from tests.house import House

_ERRORS = "userErrors { field code message }"
KEY = "id name prefix scopes origins networks createdAt createdBy expiresAt lastUsedAt lastUsedIp status"
CREATE = f"mutation($i: ApiKeyCreateInput!) {{ r: apiKeyCreate(input: $i) {{ apiKey {{ {KEY} }} secret {_ERRORS} }} }}"
UPDATE = f"mutation($i: ApiKeyUpdateInput!) {{ r: apiKeyUpdate(input: $i) {{ apiKey {{ {KEY} }} {_ERRORS} }} }}"
ROTATE = f"""mutation($i: ApiKeyRotateInput!) {{ r: apiKeyRotate(input: $i) {{
  apiKey {{ {KEY} }} secret previous {{ {KEY} }} {_ERRORS} }} }}"""
REVOKE = f"mutation($i: ApiKeyRevokeInput!) {{ r: apiKeyRevoke(input: $i) {{ apiKey {{ {KEY} }} {_ERRORS} }} }}"
MINT = (
    f"mutation($i: AccessTokenCreateInput!) {{ r: accessTokenCreate(input: $i) {{ accessToken expiresAt {_ERRORS} }} }}"
)
LIST = f"""query($first: Int, $after: Cursor) {{ r: apiKeys(first: $first, after: $after) {{
  nodes {{ {KEY} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
QUOTE = '{ quote(symbol: "BTC/USD") { price } }'
EVERYTHING = frozenset(TENANT_SCOPES)


@dataclass(frozen=True, slots=True)
class Holder:
    """A tenant with one key, which it asks with."""

    house: House
    tenant: str
    id: str
    secret: str

    async def ask(self, document: str, **given: Any) -> Any:
        """The payload of the one field, asked with another key where `by` says so; errors fail the test."""
        by = given.pop("by", self.secret)
        body = await self.house.ask(document, {"i": given} if "$i:" in document else given, key=by)
        assert "errors" not in body, body
        return body["data"]["r"]

    async def refused(self, document: str, **given: Any) -> tuple[str, list[str] | None, str]:
        """Code, field and message of the one user error."""
        payload = await self.ask(document, **given)
        (error,) = payload.pop("userErrors")
        assert all(value is None for value in payload.values()), payload
        return error["code"], error["field"], error["message"]

    async def code_of(self, secret: str | None, *, token: bool = False, **facts: Any) -> str | None:
        """The code that a market question by a credential ends in; None for an answer."""
        shown = "token" if token else "key"
        body = await self.house.ask(QUOTE, **{shown: secret, **facts})
        return body["errors"][0]["extensions"]["code"] if "errors" in body else None

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """Everything in a table."""
        async with self.house.store.read() as tx:
            result = await tx.connection.execute(select(table))
            return [dict(row) for row in result.mappings()]


async def holder(house: House, name: str = "Acme", scopes: frozenset[Scope] = EVERYTHING) -> Holder:
    """A new organisation with a key that has these scopes."""
    async with house.store.write() as tx:
        tenant = await house.host.service(OrganisationDesk).create(tx, name, None, plan="unlimited")
        row, secret = await house.host.service(KeyDesk).create(
            tx, tenant, name="first", scopes=[scope.value for scope in scopes], created_by="bootstrap"
        )
    return Holder(house, tenant, row.id, secret)
