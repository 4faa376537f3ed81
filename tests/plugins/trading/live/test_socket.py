"""The subscription on a real socket: nothing of an account is told before somebody has said who asks, in time."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette

from gateway.app import make_gate
from gateway.edge.health import HealthReport
from gateway.edge.limits import EdgeSettings
from gateway.edge.routes import build_edge
from tests.gateway.edge.sockets import dialled, serving
from tests.house import House, open_house
from tests.plugins.accounts.organisations.company import found
from tests.plugins.trading.accounts.test_accounts import CREATE

LIVE = 'subscription {{ account(id: "{}") {{ snapshot standing {{ equity }} }} }}'


async def readiness() -> list[str]:
    return []


def health() -> HealthReport:
    return HealthReport(status="ok", mode="recorded", env="test", version="0.1.0", providers=[])


def edge(house: House, socket_init_s: float) -> Starlette:
    settings = EdgeSettings(development=True, introspection=True, socket_init_s=socket_init_s)
    return build_edge(
        schema=house.gateway.schema, settings=settings, context_for=house.gateway.context, readiness=readiness,
        health=health, gate=make_gate(house.gateway),
    )  # fmt: skip


async def test_an_account_is_told_of_after_connection_init_alone_which_must_come_in_time(
    sqlite_url: str, tmp_path: Path
):
    async with open_house(sqlite_url, tmp_path) as house:
        company = await found(house)
        await company.upgrade()
        made = await company.ask("ada", CREATE, name="Main", initialBalance="1000")
        document = LIVE.format(made["account"]["id"])

        async with serving(edge(house, 10)) as url:
            async with dialled(url) as peer:
                await peer.ask(document)
                early = await peer.end()
            async with dialled(url) as peer:
                await peer.say({"type": "connection_init", "payload": {"authorization": "Bearer none"}})
                wrong = await peer.end()
            async with dialled(url) as peer:
                await peer.initialise()
                await peer.ask(document)
                nobody = await peer.hear()
            async with dialled(url) as peer:
                await peer.initialise({"Authorization": f"Bearer {company.tokens['ada']}"})
                await peer.ask(document)
                told = await peer.hear()
        async with serving(edge(house, 0.05)) as url, dialled(url) as peer:
            late = await peer.end()

    assert early == (4401, "Unauthorized: send connection_init and wait for connection_ack")
    assert wrong[0] == 4401
    assert nobody["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert told["payload"]["data"]["account"] == {"snapshot": True, "standing": {"equity": "1000.00"}}
    assert late == (4408, "Connection initialisation timeout")
    assert EdgeSettings().socket_init_s == 10.0
