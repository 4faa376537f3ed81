"""What a development server made opens nothing in a production that was given its database."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from gateway.core.identity import OperatorRole
from plugins.accounts.bootstrap import welcome
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.sessions.links import sign_in_link
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import settle
from tests.plugins.accounts.sessions.test_links import URL, visiting

QUOTE = '{ quote(symbol: "BTC/USD") { price } }'


async def code_of(house: House, key: str) -> str | None:
    body = await house.ask(QUOTE, key=key)
    return str(body["errors"][0]["extensions"]["code"]) if "errors" in body else None


async def operator_key(house: House) -> str:
    async with house.store.write() as tx:
        _, text = await house.host.service(KeyDesk).create_operator(
            tx, name="root", role=OperatorRole.OPERATOR, networks=[]
        )
    return text


async def test_production_takes_no_credential_of_development(database: str, tmp_path: Path):
    async with open_house(database, tmp_path) as house:
        started, operator = dict(await welcome(house.host, URL)), await operator_key(house)
        here = [await code_of(house, key) for key in (started["API key"], operator)]

    async with open_house(database, tmp_path, env="production", upstreams="recorded") as house:
        there = [await code_of(house, key) for key in (started["API key"], operator)]
        async with visiting(house) as client:
            link = await client.get(started["Signed in"])

    assert (here, there) == ([None, None], ["UNAUTHENTICATED", "UNAUTHENTICATED"])
    assert (link.status_code, link.headers.get_list("set-cookie")) == (410, [])


async def test_development_takes_no_credential_of_production(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, env="production", upstreams="recorded") as house:
        person, operator = await settle(house), await operator_key(house)
        async with house.store.write() as tx:
            link = await sign_in_link(house.host, tx, person.id, person.tenant)
        here = await code_of(house, operator)

    async with open_house(database, tmp_path) as house:
        there = await code_of(house, operator)
        async with visiting(house) as client:
            answer = await client.get(link)

    assert (here, there) == (None, "UNAUTHENTICATED")
    assert answer.status_code == 410


async def test_production_with_a_development_account_says_so_at_its_start(database: str, tmp_path: Path):
    async with open_house(database, tmp_path) as house:
        await welcome(house.host, URL)

    with capture_logs() as logs:
        async with open_house(database, tmp_path, env="production", upstreams="recorded"):
            pass

    (told,) = [line for line in logs if line["event"] == "development_account_in_production"]
    assert (told["log_level"], told["user"]) == ("warning", "dev@marketgate.test")
    assert [name.partition(" (")[0] for name in told["organisations"]] == ["Development"]


async def test_production_of_its_own_says_nothing_of_development(database: str, tmp_path: Path):
    with capture_logs() as logs:
        async with open_house(database, tmp_path, env="production", upstreams="recorded"):
            pass

    assert [line for line in logs if line["event"] == "development_account_in_production"] == []
