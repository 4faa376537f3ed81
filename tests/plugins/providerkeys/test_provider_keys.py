"""A tenant's own provider keys: set, tested, removed, never readable again, used for that tenant alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.core.ports import ProviderKeys
from gateway.core.store import Tx
from plugins.accounts.tables import audit
from plugins.providerkeys.plugin import erase, export
from plugins.providerkeys.seal import Seal
from plugins.providerkeys.tables import keys
from schema.errors import ConnectionFailed
from tests.gateway.doubles import ROOT_SECRET, raising
from tests.house import open_house
from tests.plugins.providerkeys.upstream import (
    CREDENTIALS,
    LIST,
    QUOTE,
    REMOVE,
    SET,
    TEST,
    Live,
    Member,
    bitcoin,
    live,
)

A_KEY, B_KEY = "CG-aaaaaaaaaaaaaaaaaaaaaaaa", "CG-bbbbbbbbbbbbbbbbbbbbbbbb"


@pytest.fixture
async def market(database: str, tmp_path: Path) -> AsyncIterator[Live]:
    """On either database."""
    async with live(database, tmp_path) as opened:
        yield opened


async def test_a_key_is_used_for_its_organisation_alone_and_nothing_it_brought_is_shared(market: Live) -> None:
    a, b, c = [await market.organisation(name) for name in "ABC"]
    market.wire.handlers["coingecko"] = bitcoin({A_KEY: "10", B_KEY: "20", None: "30"})
    await a.set(A_KEY)
    await b.set(B_KEY)

    prices = [await each.price() for each in (a, b, c, a, b, c)]
    together = await asyncio.gather(*(each.price() for each in (a, b, c)))

    assert prices == ["10", "20", "30"] * 2
    assert together == ["10", "20", "30"]
    assert market.keys_sent == [A_KEY, B_KEY, None]


async def test_a_key_opens_a_provider_that_the_platform_has_no_key_for(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    market.wire.handlers["alphavantage"] = raising(ConnectionFailed("alphavantage", "not there"))
    await a.set("AVKEY1234567", "alphavantage")
    document = '{ r: quote(symbol: "equity:AAPL", route: {providers: ["alphavantage"]}) { price } }'

    found = [await market.house.ask(document, key=each.secret) for each in (a, b)]

    assert [each["errors"][0]["extensions"]["code"] for each in found] == [
        "UPSTREAM_UNAVAILABLE", "PROVIDER_KEY_MISSING",
    ]  # fmt: skip
    assert {dict(request.secret_params)["apikey"] for request in market.wire.requests} == {"AVKEY1234567"}


async def test_a_key_is_listed_by_the_names_of_its_parts_and_stands_nowhere_else(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    await a.set(A_KEY)
    await a.price()

    listed = await a.ask(LIST)

    (line,) = [row for row in await market.rows(audit) if row["action"] == "providerkey.set"]
    async with market.house.store.read() as tx:
        exported = await export(market.house.host, tx, a.tenant)
    everything = json.dumps([listed, await market.rows(keys), await market.rows(audit), exported], default=str)
    assert listed == [{
        "provider": "coingecko", "parts": ["key"], "setAt": "2026-11-20T12:00:00Z", "setBy": line["actor"],
        "lastTestedAt": None, "lastTest": None, "lastTestMessage": None,
    }]  # fmt: skip
    assert await b.ask(LIST) == []
    assert (line["target"], line["after"]) == ("coingecko", {"parts": ["key"]})
    assert exported["keys"][0]["names"] == ["key"]
    assert A_KEY not in everything


async def test_another_key_takes_the_place_of_the_first_at_once(market: Live) -> None:
    a = await market.organisation("A")
    market.wire.handlers["coingecko"] = bitcoin({A_KEY: "10", B_KEY: "20"})
    await a.set(A_KEY)
    before = await a.price()

    await a.set(B_KEY)

    assert (before, await a.price()) == ("10", "20")
    assert len(await market.rows(keys)) == 1


async def test_a_removed_key_is_gone_and_the_platforms_way_is_used_again(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    market.wire.handlers["coingecko"] = bitcoin({A_KEY: "10", None: "30"})
    await a.set(A_KEY)
    await a.price()

    others = await b.error(REMOVE, provider="coingecko")
    gone = await a.ask(REMOVE, provider="coingecko")
    again = await a.error(REMOVE, provider="coingecko")

    assert others == again
    assert again[:2] == ("NOT_FOUND", ["input", "provider"])
    assert gone == {"provider": "coingecko", "userErrors": []}
    assert await market.rows(keys) == []
    assert await a.price() == "30"


@pytest.mark.parametrize(
    ("given", "code", "field", "told"),
    [
        ({"provider": "coingeko"}, "PROVIDER_UNKNOWN", "provider", "did you mean 'coingecko'?"),
        ({"provider": "nobody"}, "PROVIDER_UNKNOWN", "provider", "`providers { id }` lists them"),
        ({"key": None}, "NOTHING_GIVEN", "key", "Give the value as key"),
        ({"parts": [{"name": "key", "value": "x"}]}, "PART_TWICE", "parts", "not both"),
        ({"key": None, "parts": [{"name": "kee", "value": "x"}]}, "PART_UNKNOWN", "parts", "did you mean 'key'?"),
        ({"key": None, "parts": [{"name": "key", "value": "x"}] * 2}, "PART_TWICE", "parts", "given twice"),
        ({"key": " "}, "VALUE_INVALID", "key", "printable ASCII"),
        ({"key": "schlüssel"}, "VALUE_INVALID", "key", "printable ASCII"),
        ({"key": "one\r\nX-Evil: two"}, "VALUE_INVALID", "key", "printable ASCII"),
        ({"key": "x" * 4097}, "VALUE_INVALID", "key", "printable ASCII"),
    ],
)
async def test_what_is_no_key_of_a_provider_is_refused_with_the_way_out(
    sqlite_url: str, tmp_path: Path, given: dict[str, Any], code: str, field: str, told: str
) -> None:
    async with live(sqlite_url, tmp_path) as market:
        a = await market.organisation("A")

        found = await a.error(SET, **{"provider": "coingecko", "key": A_KEY, **given})

        assert found[:2] == (code, ["input", field])
        assert told in found[2]
        assert "schl" not in found[2]
        assert await market.rows(keys) == []


async def test_a_provider_that_takes_no_key_gets_none(sqlite_url: str, tmp_path: Path) -> None:
    async with open_house(sqlite_url, tmp_path) as house:
        from tests.gateway.doubles import Wire

        a = await Live(house, Wire()).organisation("A")

        found = await a.error(SET, provider="sandbox", key="x")

    assert found[0] == "NO_KEY_TAKEN"


async def test_a_test_asks_one_real_question_with_the_key(market: Live) -> None:
    a = await market.organisation("A")
    await a.set(A_KEY)
    await a.price()

    tested = await a.ask(TEST, provider="coingecko")

    assert market.keys_sent == [A_KEY, A_KEY]
    assert tested["providerKey"]["lastTest"] == "OK"
    assert (await a.ask(LIST))[0]["lastTestedAt"] == "2026-11-20T12:00:00Z"


async def test_a_refused_key_is_told_as_data_without_showing_it_and_tried_anew_each_time(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    market.wire.handlers["coingecko"] = bitcoin({}, refused=frozenset({A_KEY}))
    await a.set(A_KEY)

    refused = (await a.ask(TEST, provider="coingecko"))["providerKey"]
    market.wire.handlers["coingecko"] = bitcoin({})
    better = (await a.ask(TEST, provider="coingecko"))["providerKey"]

    assert refused["lastTest"] == "REFUSED"
    assert refused["lastTestMessage"] == 'HTTP 403: {"message": "wrong key ***"}'
    assert (better["lastTest"], better["lastTestMessage"]) == ("OK", None)
    assert (await b.error(TEST, provider="coingecko"))[0] == "NOT_FOUND"


async def test_an_upstream_that_is_away_says_nothing_of_the_key(market: Live) -> None:
    a = await market.organisation("A")
    await a.set(A_KEY)
    market.wire.handlers["coingecko"] = raising(ConnectionFailed("coingecko", "refused the connection"))

    tested = (await a.ask(TEST, provider="coingecko"))["providerKey"]

    assert (tested["lastTest"], tested["lastTestMessage"]) == ("UNREACHABLE", "refused the connection")


async def test_the_offline_market_cannot_try_a_key_and_says_so(sqlite_url: str, tmp_path: Path) -> None:
    async with open_house(sqlite_url, tmp_path) as house:
        from tests.gateway.doubles import Wire

        a = await Live(house, Wire()).organisation("A")
        await a.set(A_KEY)

        tested = (await a.ask(TEST, provider="coingecko"))["providerKey"]

    assert tested["lastTest"] == "UNTRIED"
    assert tested["lastTestMessage"] == "this gateway serves recordings and asks nobody"


async def test_providers_show_whose_key_is_used_and_how_it_fares(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    await a.set("AVKEY1234567", "alphavantage")
    await a.set(A_KEY)
    market.wire.handlers["coingecko"] = bitcoin({}, refused=frozenset({A_KEY}))
    pinned = QUOTE.replace('"BTC/USD"', '"BTC/USD", route: {providers: ["coingecko"]}')
    await market.house.ask(pinned, key=a.secret)

    mine, others = [await shown(each) for each in (a, b)]

    assert mine["alphavantage"] == ("READY", "TENANT")
    assert mine["coingecko"] == ("KEY_INVALID", "TENANT")
    assert others["alphavantage"] == ("KEY_MISSING", "NONE")
    assert others["coingecko"] == ("READY", "NONE")


async def shown(member: Member) -> dict[str, tuple[str, str]]:
    """Status and the source of the one credential of each provider."""
    listed = await member.ask(CREDENTIALS)
    return {each["id"]: (each["status"], each["credentials"][0]["source"]) for each in listed}


async def test_a_row_that_was_moved_to_another_organisation_does_not_open(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    market.wire.handlers["coingecko"] = bitcoin({A_KEY: "10", None: "30"})
    await a.set(A_KEY)
    async with market.house.store.write() as tx:
        await tx.run(update(keys).values(tenant_id=b.tenant))

    price = await b.price()
    code, _, told = await b.error(TEST, provider="coingecko")

    assert price == "30"
    assert (code, told) == ("UNREADABLE", "The key can no longer be opened: set it again with providerKeySet.")
    assert A_KEY not in market.keys_sent


async def test_keys_are_sealed_anew_with_a_new_root_secret(sqlite_url: str, tmp_path: Path) -> None:
    new_root = "another root secret for tests, of thirty-two bytes or more"
    async with live(sqlite_url, tmp_path) as market:
        a = await market.organisation("A")
        await a.set(A_KEY)
        (old,) = await market.rows(keys)

    async with live(sqlite_url, tmp_path, secret_key=new_root, secret_key_previous=ROOT_SECRET) as market:
        await market.house.host.service(Seal).renew()
        (new,) = await market.rows(keys)
        await market.house.host.service(Seal).renew()
        (same,) = await market.rows(keys)
    async with live(sqlite_url, tmp_path, secret_key=new_root) as market:
        opened = await market.house.host.service(ProviderKeys).of(a.tenant)

    assert old["sealed"] != new["sealed"]
    assert same == new
    assert opened == {"coingecko": {"key": A_KEY}}


async def test_a_row_that_nothing_opens_is_passed_over_when_others_are_sealed_anew(
    sqlite_url: str, tmp_path: Path
) -> None:
    new_root = "another root secret for tests, of thirty-two bytes or more"
    async with live(sqlite_url, tmp_path) as market:
        a, b = [await market.organisation(name) for name in "AB"]
        await a.set(A_KEY)
        await b.set(B_KEY)
        async with market.house.store.write() as tx:
            await tx.run(update(keys).where(keys.c.tenant_id == a.tenant).values(sealed="nonsense"))

    async with live(sqlite_url, tmp_path, secret_key=new_root, secret_key_previous=ROOT_SECRET) as market:
        seal = market.house.host.service(Seal)
        await seal.renew()
        renewed = {row["tenant_id"]: row["root"] == seal.root for row in await market.rows(keys)}

    assert renewed == {a.tenant: False, b.tenant: True}


async def test_what_is_held_in_memory_is_dropped_by_a_message_and_after_ten_seconds(market: Live) -> None:
    a = await market.organisation("A")
    ring = market.house.host.service(ProviderKeys)
    await a.set(A_KEY)
    unread = ring.held(a.tenant)
    read = await ring.of(a.tenant)
    async with market.house.store.write() as tx:  # another process, whose message is lost
        await tx.run(keys.delete())

    still = ring.held(a.tenant)
    market.house.clock.turn(10)
    later = await ring.of(a.tenant)

    assert unread is None
    assert read == still == {"coingecko": {"key": A_KEY}}
    assert later == {}


async def test_what_is_read_while_a_change_is_told_is_not_held(market: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    a = await market.organisation("A")
    ring: Any = market.house.host.service(ProviderKeys)
    read = ring._read

    async def slow(tx: Tx, tenant: str) -> Any:
        found = await read(tx, tenant)
        await market.house.host.bus.publish("providerkeys.changed", {"tenant": tenant})
        return found

    monkeypatch.setattr(ring, "_read", slow)

    await ring.of(a.tenant)

    assert ring.held(a.tenant) is None


async def test_erasure_leaves_nothing_of_the_organisation_and_all_of_the_others(market: Live) -> None:
    a, b = [await market.organisation(name) for name in "AB"]
    await a.set(A_KEY)
    await b.set(B_KEY)

    async with market.house.store.write() as tx:
        await erase(market.house.host, tx, a.tenant)

    assert [row["tenant_id"] for row in await market.rows(keys)] == [b.tenant]
    assert await market.house.host.service(ProviderKeys).of(a.tenant) == {}
