"""One admission on every path: what an operation costs is charged alike, and refused alike, however it comes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from gateway.app import create_app
from tests.gateway.edge.shop import open_shop, points
from tests.gateway.edge.sockets import dialled, serving

DEAR = "{ dear }"
KEY = {"x-api-key": "member"}


async def post(url: str, document: str = DEAR) -> str | None:
    async with httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client:
        return code_of((await client.post("/graphql", json={"query": document})).json())


async def get(url: str, document: str = DEAR) -> str | None:
    async with httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client:
        return code_of((await client.get("/graphql", params={"query": document})).json())


async def batch(url: str, document: str = DEAR) -> str | None:
    async with httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client:
        return code_of((await client.post("/graphql", json=[{"query": document}])).json()[0])


async def socket(url: str, document: str = DEAR) -> str | None:
    async with dialled(f"{url.replace('http', 'ws')}/graphql", headers=KEY) as peer:
        await peer.initialise()
        await peer.ask(document)
        answer = await peer.hear()
    return code_of(answer["payload"] if answer["type"] == "next" else {"errors": answer["payload"]})


def code_of(answer: dict[str, object]) -> str | None:
    """The code of the first error; None for an answer."""
    found = json.loads(json.dumps(answer)).get("errors")
    return found[0]["extensions"]["code"] if found else None


@pytest.mark.parametrize("ask", [post, get, batch, socket])
async def test_every_path_charges_the_price_and_executes_nothing_beyond_the_points(
    ask: Callable[[str], Awaitable[str | None]], tmp_path
):
    shop = open_shop(tmp_path)
    async with serving(create_app(shop.gateway.settings, gateway=shop.gateway)) as url:
        base = f"http://{url.split('/')[2]}"
        seen = []
        for _ in range(3):
            seen.append((await ask(base), await points(shop), len(shop.doings.done)))

    assert seen == [(None, 50, 1), (None, 0, 2), ("RATE_LIMITED", 0, 2)]
    assert [spent.points for spent in shop.accounts.spent] == [50, 50]


async def test_every_path_charges_for_reading_what_cannot_be_executed(tmp_path):
    shop = open_shop(tmp_path)
    async with serving(create_app(shop.gateway.settings, gateway=shop.gateway)) as url:
        base = f"http://{url.split('/')[2]}"
        seen = [(await ask(base, "{ nothing }"), await points(shop)) for ask in (post, get, batch, socket)]

    assert seen == [("GRAPHQL_VALIDATION_FAILED", left) for left in (99, 98, 97, 96)]


async def test_the_paths_share_one_allowance(tmp_path):
    shop = open_shop(tmp_path)
    async with serving(create_app(shop.gateway.settings, gateway=shop.gateway)) as url:
        base = f"http://{url.split('/')[2]}"
        seen = [await ask(base) for ask in (post, socket, get, batch)]

    assert seen == [None, None, "RATE_LIMITED", "RATE_LIMITED"]
    assert shop.doings.done == ["plain", "plain"]
