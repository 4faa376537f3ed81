"""A gateway whose people may sign in with a provider on loopback, and their browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from gateway.app import create_app
from plugins.accounts.tables import audit, identities, memberships, one_time_tokens, organisations, sessions, users
from tests.gateway.doubles import ManualClock
from tests.house import House, open_house
from tests.plugins.accounts.oauth.identity_server import CLIENT_ID, CLIENT_SECRET, IdentityServer, serving

HOME = "http://gateway.test"


@dataclass
class Browser:
    """One person's: keeps cookies, follows one redirect at a time."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)
    home: str = HOME

    async def get(self, path: str, method: str = "GET") -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        headers = {"user-agent": "Mozilla/5.0 tests", "cookie": self.cookie}
        async with httpx.AsyncClient(transport=transport, base_url=self.home, headers=headers) as client:
            answer = await client.request(method, path)
        for line in answer.headers.get_list("set-cookie"):
            ((name, morsel),) = SimpleCookie(line).items()
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def agree(self, started: httpx.Response) -> str:
        """At the provider; the path and query that it sends the browser back with."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(started.headers["location"])
        assert answer.status_code == 302, answer.text
        back = answer.headers["location"]
        assert back.startswith(self.home)
        return back.removeprefix(self.home)

    async def sign_in(self, provider: str = "google", return_to: str = "/console", further: str = "") -> httpx.Response:
        started = await self.get(f"/oauth/{provider}/start?return_to={return_to}{further}")
        assert started.status_code == 302, started.headers
        return await self.get(await self.agree(started))


@dataclass
class Town:
    """The gateway, the provider, and what the database holds."""

    house: House
    provider: IdentityServer
    app: Any
    home: str = HOME

    def browser(self) -> Browser:
        return Browser(self.app, home=self.home)

    async def rows(self, table: Any, *columns: str) -> list[Any]:
        """The columns of all rows: plain values for one, tuples for several."""
        async with self.house.store.read() as tx:
            found = await tx.connection.execute(select(*(table.c[name] for name in columns)))
            rows = sorted(tuple(row) for row in found)
        return [row[0] for row in rows] if len(columns) == 1 else rows

    async def nobody(self) -> bool:
        """Whether nothing came of it: no person, no organisation, no session, no line of the trail."""
        tables = (users, organisations, memberships, identities, sessions, audit)
        return not any([await self.rows(table, next(iter(table.c)).name) for table in tables])

    async def open_states(self) -> int:
        return (await self.rows(one_time_tokens, "used_at")).count(None)


Settle = Callable[..., Any]


@pytest.fixture
def settle(database: str, tmp_path: Path) -> Settle:
    """`async with settle(sign_up="closed") as town`."""

    @asynccontextmanager
    async def make(**settings: Any) -> AsyncIterator[Town]:
        clock = ManualClock()
        home = settings.setdefault("public_url", HOME)
        async with serving(IdentityServer(clock)) as provider:
            client = f"client_id={CLIENT_ID},client_secret={CLIENT_SECRET}"
            given = {
                "oauth_google": f"{client},issuer={provider.url}", "oauth_github": f"{client},base={provider.url}",
                **settings,
            }  # fmt: skip
            async with open_house(database, tmp_path, clock=clock, **given) as house:
                app = create_app(house.gateway.settings, gateway=house.gateway)
                yield Town(house, provider, app, home)

    return make


@pytest.fixture
async def town(settle: Settle) -> AsyncIterator[Town]:
    async with settle() as made:
        yield made


def told(answer: httpx.Response) -> str | None:
    """Why nobody was signed in; None where somebody was."""
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert (parts.scheme, parts.netloc) == ("", "")
    return parse_qs(parts.query).get("signInError", [None])[0]
