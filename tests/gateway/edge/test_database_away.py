"""What callers are told while the database is away: try again, never that the gateway has a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app import create_app
from gateway.core.store import database_url
from tests.gateway.edge.sockets import dialled, serving
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import settle, sign_in

AWAY = "postgresql://nobody@127.0.0.1:1/none"
LISTS = "{ watchlists { nodes { id } } }"
CREATE = 'mutation { watchlistCreate(input: {name: "a", symbols: []}) { watchlist { id } userErrors { code } } }'


async def lose(house: House) -> str:
    """Nobody reaches the database any more; where it is."""
    kept = house.store.url.render_as_string(hide_password=False)
    await house.store.close()
    house.store.url = database_url(AWAY)
    return kept


@pytest.mark.parametrize("document", [LISTS, CREATE])
async def test_an_operation_is_told_to_try_again_and_works_when_the_database_is_back(
    sqlite_url: str, tmp_path: Path, document: str
):
    async with open_house(sqlite_url, tmp_path) as house:
        ada = await settle(house, "ada@example.com")
        session = (await sign_in(house, ada)).access_token
        assert "errors" not in await house.ask(LISTS, token=session)

        kept = await lose(house)
        (error,) = (await house.ask(document, token=session))["errors"]
        await house.store.close()
        house.store.url = database_url(kept)
        back = await house.ask(document, token=session)

        assert (error["extensions"]["code"], error["extensions"]["retryAfterMs"]) == ("DATABASE_UNAVAILABLE", 1000)
        assert "errors" not in back


async def test_who_cannot_be_recognised_meanwhile_gets_503_and_a_socket_that_may_be_opened_again(
    sqlite_url: str, tmp_path: Path
):
    async with open_house(sqlite_url, tmp_path) as house:
        session = (await sign_in(house, await settle(house))).access_token
        await lose(house)

        answer = await house.ask(LISTS, token=session)
        async with serving(create_app(house.gateway.settings, gateway=house.gateway)) as url, dialled(url) as peer:
            await peer.say({"type": "connection_init", "payload": {"Authorization": f"Bearer {session}"}})
            closed = await peer.end()

        assert (answer["errors"][0]["extensions"]["code"], house.results[-1].status) == ("DATABASE_UNAVAILABLE", 503)
        assert house.results[-1].headers["Retry-After"] == "1"
        assert closed[0] == 1013
        assert closed[1].startswith("DATABASE_UNAVAILABLE: The database cannot be reached")
