"""A live gateway whose upstreams are a wire of our own: what is sent with which key can be seen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from gateway.core.identity import TENANT_SCOPES
from gateway.core.upstream import RawReply, Request
from providers import Discovered, provider_in
from tests.gateway.doubles import Wire, reply
from tests.house import House, open_house

_ERRORS = "userErrors { field code message }"
_KEY = "provider parts setAt setBy lastTestedAt lastTest lastTestMessage"
SET = f"mutation($i: ProviderKeySetInput!) {{ r: providerKeySet(input: $i) {{ providerKey {{ {_KEY} }} {_ERRORS} }} }}"
TEST = (
    f"mutation($i: ProviderKeyTestInput!) {{ r: providerKeyTest(input: $i) {{ providerKey {{ {_KEY} }} {_ERRORS} }} }}"
)
REMOVE = f"mutation($i: ProviderKeyRemoveInput!) {{ r: providerKeyRemove(input: $i) {{ provider {_ERRORS} }} }}"
LIST = f"{{ r: providerKeys {{ {_KEY} }} }}"
QUOTE = '{ r: quote(symbol: "BTC/USD") { price provenance { provider cacheStatus } } }'
CREDENTIALS = "{ r: providers { id status statusReason routing credentials { name source } } }"
COINGECKO = "x-cg-demo-api-key"


@dataclass(frozen=True, slots=True)
class Live:
    """A house and its wire."""

    house: House
    wire: Wire

    async def organisation(self, name: str) -> Member:
        """A new one with a key that may do everything in it."""
        from plugins.accounts.keys.desk import KeyDesk
        from plugins.accounts.organisations.desk import OrganisationDesk

        async with self.house.store.write() as tx:
            tenant = await self.house.host.service(OrganisationDesk).create(tx, name, None, plan="unlimited")
            _, secret = await self.house.host.service(KeyDesk).create(
                tx, tenant, name="all", scopes=[scope.value for scope in TENANT_SCOPES], created_by="bootstrap"
            )
        return Member(self, tenant, secret)

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """Everything in a table."""
        async with self.house.store.read() as tx:
            result = await tx.connection.execute(select(table))
            return [dict(row) for row in result.mappings()]

    @property
    def keys_sent(self) -> list[str | None]:
        """To CoinGecko, in order."""
        return [request.headers.get(COINGECKO) for request in self.wire.requests if request.provider == "coingecko"]


@dataclass(frozen=True, slots=True)
class Member:
    """Asks for one organisation."""

    live: Live
    tenant: str
    secret: str

    async def ask(self, document: str, **given: Any) -> Any:
        """The payload of the one field."""
        body = await self.live.house.ask(document, {"i": given} if given else {}, key=self.secret)
        assert "errors" not in body, body
        return body["data"]["r"]

    async def set(self, key: str, provider: str = "coingecko") -> None:
        """A key of its own."""
        payload = await self.ask(SET, provider=provider, key=key)
        assert payload["userErrors"] == []

    async def error(self, document: str, **given: Any) -> tuple[str, list[str], str]:
        """Code, field and message of the one user error."""
        payload = await self.ask(document, **given)
        (error,) = payload.pop("userErrors")
        assert set(payload.values()) == {None}
        return error["code"], error["field"], error["message"]

    async def price(self) -> str:
        """Of bitcoin."""
        return str((await self.ask(QUOTE))["price"])


def bitcoin(prices: Mapping[str | None, str], refused: frozenset[str] = frozenset()) -> Any:
    """CoinGecko with a price for each key, so that an answer tells whose it is."""

    def handler(request: Request) -> RawReply:
        key = request.headers.get(COINGECKO)
        if key in refused:
            return reply({"message": f"wrong key {key}"}, 403)
        price = json.loads(prices.get(key, "1"))
        return reply({"bitcoin": {"usd": price, "last_updated_at": 1795176000}})

    return handler


@asynccontextmanager
async def live(database: str, folder: Path, **settings: Any) -> AsyncIterator[Live]:
    """CoinGecko takes a key and needs none, Alpha Vantage needs one."""
    wire = Wire()
    wire.handlers["coingecko"] = bitcoin({})
    found = [provider_in(f"providers.{name}") for name in ("crypto.coingecko", "equities.alphavantage")]
    discovered = Discovered(classes={cls.profile.id: cls for cls in found}, failed={})
    async with open_house(
        database, folder, transport=wire, discovered=discovered, upstreams="live", **settings
    ) as house:
        yield Live(house, wire)
