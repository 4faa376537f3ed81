"""What an organisation prefers: who is asked first, who never, what a call may cost; it holds for that one alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.bus import LocalBus
from gateway.core.ports import Preference, Preferences
from gateway.core.upstream import RawReply, Request
from plugins.accounts.tables import audit
from plugins.preferences.plugin import erase, export
from plugins.preferences.tables import routing
from providers import Discovered, provider_in
from tests.gateway.doubles import ManualClock, Wire, reply
from tests.house import open_house
from tests.plugins.providerkeys.upstream import Live, Member, bitcoin

UPDATE = """mutation($i: RoutingPreferencesUpdateInput!) { r: routingPreferencesUpdate(input: $i) {
  routingPreferences { order deny maxCostPerCall } userErrors { field code message } } }"""
READ = "{ r: routingPreferences { order deny maxCostPerCall changedAt } }"
PINNED = '{ r: quote(symbol: "BTC/USD", route: {providers: ["coingecko"]}) { price } }'
SOURCE = '{ r: quote(symbol: "BTC/USD") { provenance { provider } } }'
ROUTING = "{ r: providers { id routing } }"
NAMES = ("bitstamp", "coingecko", "kraken")
RECORDINGS = Path(__file__).parents[3] / "providers" / "recordings"


def recorded(request: Request) -> RawReply:
    """Bitstamp's and Kraken's words for a price of bitcoin."""
    found = json.loads((RECORDINGS / request.provider / "quotes.json").read_text())
    return reply(found["cases"][0]["exchanges"][0]["body"])


@pytest.fixture
async def market(database: str, tmp_path: Path) -> AsyncIterator[Live]:
    """Three providers of one price; a call of CoinGecko costs something."""
    wire = Wire()
    wire.handlers.update({"bitstamp": recorded, "kraken": recorded, "coingecko": bitcoin({})})
    found = [provider_in(f"providers.crypto.{name}") for name in NAMES]
    discovered = Discovered(classes={cls.profile.id: cls for cls in found}, failed={})
    async with open_house(
        database, tmp_path, transport=wire, discovered=discovered, upstreams="live", provider_costs="coingecko=0.0005"
    ) as house:
        yield Live(house, wire)


async def update(member: Member, **given: Any) -> dict[str, Any]:
    """New preferences that hold."""
    payload = await member.ask(UPDATE, **given)
    assert payload["userErrors"] == []
    return dict(payload["routingPreferences"])


async def source(member: Member) -> str:
    """Who answered."""
    return str((await member.ask(SOURCE))["provenance"]["provider"])


async def test_nobody_has_preferences_to_begin_with(market: Live):
    a = await market.organisation("A")

    assert await a.ask(READ) == {"order": [], "deny": [], "maxCostPerCall": None, "changedAt": None}
    assert await source(a) == "bitstamp"


async def test_who_is_named_first_is_asked_first_for_that_organisation_alone(market: Live):
    a, b = [await market.organisation(name) for name in "AB"]
    assert [await source(each) for each in (a, b)] == ["bitstamp", "bitstamp"]

    told = await update(a, order=["coingecko"])

    assert told == {"order": ["coingecko"], "deny": [], "maxCostPerCall": None}
    assert [await source(each) for each in (a, b, a, b)] == ["coingecko", "bitstamp"] * 2


async def test_who_is_denied_is_not_asked_and_what_others_got_from_it_is_not_told(market: Live):
    a, b = [await market.organisation(name) for name in "AB"]
    assert (await b.ask(PINNED))["price"] == "1"
    sent = len(market.wire.requests)

    await update(a, deny=["bitstamp", "coingecko"])
    refused = await market.house.ask(PINNED, key=a.secret)

    assert (
        refused["errors"][0]["message"]
        == "no quotes for crypto:BTC/USD: coingecko: is on your organisation's deny list"
    )
    assert refused["errors"][0]["extensions"]["code"] == "NOT_COVERED"
    assert refused["data"] == {"r": None}
    assert len(market.wire.requests) == sent
    assert await source(a) == "kraken"
    assert (await b.ask(PINNED))["price"] == "1"


async def test_who_is_dearer_than_the_organisation_wants_is_not_asked(market: Live):
    a = await market.organisation("A")

    told = await update(a, deny=["bitstamp", "kraken"], maxCostPerCall="0.0005")
    fits = await source(a)
    await update(a, maxCostPerCall="0.0004")
    refused = await market.house.ask(SOURCE, key=a.secret)

    assert told["maxCostPerCall"] == "0.0005"
    assert fits == "coingecko"
    assert refused["data"] == {"r": None}
    assert "costs 0.0005 USD a call; your organisation pays 0.0004 at most" in refused["errors"][0]["message"]
    assert len([each for each in market.wire.requests if each.provider == "coingecko"]) == 1


async def test_a_key_of_its_own_is_the_organisations_own_affair_whatever_a_call_costs(market: Live):
    a = await market.organisation("A")
    await a.set("CG-aaaaaaaaaaaaaaaaaaaaaaaa")
    await update(a, maxCostPerCall="0")

    assert (await a.ask(PINNED))["price"] == "1"


async def test_what_is_left_out_stays_and_null_takes_away(market: Live):
    a = await market.organisation("A")
    await update(a, order=["kraken", "coingecko"], deny=["bitstamp"], maxCostPerCall="2.50")

    kept = await update(a, order=["coingecko", "kraken", "coingecko"])
    gone = await update(a, order=None, deny=[], maxCostPerCall=None)

    assert kept == {"order": ["coingecko", "kraken"], "deny": ["bitstamp"], "maxCostPerCall": "2.50"}
    assert gone == {"order": [], "deny": [], "maxCostPerCall": None}
    assert await source(a) == "bitstamp"


@pytest.mark.parametrize(
    ("given", "code", "field", "message"),
    [
        ({"order": ["krakn"]}, "PROVIDER_UNKNOWN", "order", "There is no provider 'krakn': did you mean 'kraken'?"),
        ({"deny": ["zzz"]}, "PROVIDER_UNKNOWN", "deny", "There is no provider 'zzz': `providers { id }` lists them."),
        (
            {"order": ["kraken"], "deny": ["kraken"]}, "PROVIDER_DENIED", "order",
            "kraken cannot stand in order and in deny: take it out of one.",
        ),
        ({"deny": ["kraken"] * 51}, "TOO_MANY", "deny", "At most 50 providers."),
        (
            {"maxCostPerCall": "-0.01"}, "PRICE_INVALID", "maxCostPerCall",
            "From 0 to 1000 US dollars with at most 12 decimal places; null for any price.",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_changes_nothing(market: Live, given: dict[str, Any], code: str, field: str, message: str):
    a = await market.organisation("A")

    assert await a.error(UPDATE, **given) == (code, ["input", field], message)

    assert await market.rows(routing) == []
    assert [row for row in await market.rows(audit) if row["action"] == "preferences.updated"] == []


async def test_a_change_is_in_the_audit_trail_and_no_change_is_not(market: Live):
    a = await market.organisation("A")

    await update(a, order=["kraken"], maxCostPerCall="0.5")
    await update(a, order=["kraken"])

    (line,) = [row for row in await market.rows(audit) if row["action"] == "preferences.updated"]
    assert (line["tenant_id"], line["target"]) == (a.tenant, a.tenant)
    assert line["before"] == {"order": [], "deny": [], "maxCostPerCall": None}
    assert line["after"] == {"order": ["kraken"], "deny": [], "maxCostPerCall": "0.5"}


async def test_providers_say_what_the_organisation_prefers(market: Live):
    a, b = [await market.organisation(name) for name in "AB"]
    await update(a, order=["kraken"], deny=["bitstamp"], maxCostPerCall="0")

    told = {each["id"]: each["routing"] for each in await a.ask(ROUTING)}
    others = {each["id"]: each["routing"] for each in await b.ask(ROUTING)}

    assert told == {
        "bitstamp": "never for you: it is on your organisation's deny list",
        "coingecko": "never for you: it costs 0.0005 USD a call; your organisation pays 0 at most",
        "kraken": "number 1 in your organisation's order, before all that it does not name",
    }
    assert all(routing.startswith("answers live; priority") for routing in others.values())


async def test_a_message_makes_another_process_read_anew_and_without_one_it_does_within_ten_seconds(
    database: str, tmp_path: Path
):
    clock, bus = ManualClock(), LocalBus()
    async with (
        open_house(database, tmp_path, clock=clock, bus=bus) as here,
        open_house(database, tmp_path, clock=clock, bus=bus) as there,
        open_house(database, tmp_path, clock=clock) as deaf,
    ):
        a = await Live(here, Wire()).organisation("A")
        books = [house.host.service(Preferences) for house in (here, there, deaf)]
        first = [await book.of(a.tenant) for book in books]

        await update(a, maxCostPerCall="1")
        held = [book.held(a.tenant) for book in books]
        clock.turn(9.0)

        assert first == [Preference()] * 3
        assert held == [None, None, Preference()]
        assert [await book.of(a.tenant) for book in books] == [Preference(dearest=Decimal(1))] * 3


async def test_preferences_are_exported_and_erased_with_the_organisation(market: Live):
    a, b = [await market.organisation(name) for name in "AB"]
    for each in (a, b):
        await update(each, order=["kraken"])
    await source(a)

    async with market.house.store.write() as tx:
        found = await export(market.house.host, tx, a.tenant)
        await erase(market.house.host, tx, a.tenant)
        after = await export(market.house.host, tx, a.tenant)

    assert (found["routing"]["order"], after) == (["kraken"], {"routing": None})
    assert [row["tenant_id"] for row in await market.rows(routing)] == [b.tenant]
    assert await source(a) == "bitstamp"
