"""Operators pause, disable and resume providers for all processes, and move breakers by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.bus import LocalBus
from plugins.accounts.operator.switching import Switching
from plugins.accounts.tables import breaker_orders
from tests.house import House, open_house
from tests.plugins.accounts.operator.office import ERRORS, change, hired, trail

PROVIDER = "provider { id status statusReason routing capabilities { name breaker } }"
PAUSE = f"mutation($i: ProviderSwitchInput!) {{ providerPause(input: $i) {{ {PROVIDER} {ERRORS} }} }}"
DISABLE = f"mutation($i: ProviderSwitchInput!) {{ providerDisable(input: $i) {{ {PROVIDER} {ERRORS} }} }}"
RESUME = f"mutation($i: ProviderResumeInput!) {{ providerResume(input: $i) {{ {PROVIDER} {ERRORS} }} }}"
TRIP = f"mutation($i: BreakerInput!) {{ breakerTrip(input: $i) {{ {PROVIDER} {ERRORS} }} }}"
RESET = f"mutation($i: BreakerInput!) {{ breakerReset(input: $i) {{ {PROVIDER} {ERRORS} }} }}"
STATUS = "{ providers { id status statusReason } }"
PINNED = '{ quote(symbol: "crypto:BTC/USD", route: {providers: ["kraken"]}) { provenance { provider } } }'
EITHER = """{ quote(symbol: "crypto:BTC/USD", route: {providers: ["kraken", "bitstamp"]}) {
  provenance { provider fallbackFrom { provider code message } } } }"""


async def status(house: House, provider: str = "kraken") -> tuple[str, str | None]:
    found = (await house.ask(STATUS))["data"]["providers"]
    return next((each["status"], each["statusReason"]) for each in found if each["id"] == provider)


@pytest.fixture
async def far(database: str, tmp_path: Path, house: House) -> AsyncIterator[House]:
    """Another process on the same database, without a bus between them."""
    async with open_house(database, tmp_path / "far") as opened:
        yield opened


async def test_a_paused_provider_is_not_asked_and_others_answer_in_its_place(house: House):
    key_id, key = await hired(house)

    payload = await change(house, PAUSE, key, provider="kraken", reason="wrong prices")
    pinned = await house.ask(PINNED)
    either = await house.ask(EITHER)

    told = "paused by the operator: wrong prices"
    assert (payload["provider"]["status"], payload["provider"]["statusReason"]) == ("PAUSED", told)
    assert pinned["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert told in pinned["errors"][0]["message"]
    assert either["data"]["quote"]["provenance"] == {
        "provider": "bitstamp",
        "fallbackFrom": [{"provider": "kraken", "code": "UPSTREAM_UNAVAILABLE", "message": told}],
    }
    assert await trail(house, "") == [
        ("provider.paused", key_id, "kraken", {"state": "ready"}, {"state": "paused", "reason": "wrong prices"})
    ]


async def test_a_disabled_provider_is_not_routed_to_also_where_it_was_before(house: House):
    _, key = await hired(house)
    before = await house.ask(PINNED)

    payload = await change(house, DISABLE, key, provider="kraken", reason="contract ended")
    pinned = await house.ask(PINNED)

    assert before["data"]["quote"]["provenance"]["provider"] == "kraken"
    assert {name: payload["provider"][name] for name in ("status", "statusReason", "routing")} == {
        "status": "DISABLED", "statusReason": "disabled by the operator: contract ended",
        "routing": "never: it is disabled",
    }  # fmt: skip
    assert pinned["errors"][0]["extensions"]["code"] == "NOT_COVERED"
    assert "kraken: is disabled by the operator: contract ended" in pinned["errors"][0]["message"]


async def test_a_resumed_provider_answers_again_and_resuming_twice_is_one_act(house: House):
    key_id, key = await hired(house)
    await change(house, DISABLE, key, provider="kraken", reason="r")
    await change(house, PAUSE, key, provider="kraken", reason="s")
    house.clock.turn(1)

    for _ in range(2):
        payload = await change(house, RESUME, key, provider="kraken")

    assert (payload["provider"]["status"], payload["provider"]["statusReason"]) == ("READY", None)
    assert (await house.ask(PINNED))["data"]["quote"]["provenance"]["provider"] == "kraken"
    assert [line for line in await trail(house, "") if line[0] == "provider.resumed"] == [
        ("provider.resumed", key_id, "kraken", {"state": "paused", "reason": "s"}, {"state": "ready"})
    ]


async def test_another_process_reads_a_switch_within_seconds_and_finds_it_at_its_start(
    house: House, far: House, database: str, tmp_path: Path
):
    _, key = await hired(house)
    await change(house, PAUSE, key, provider="kraken", reason="r")
    await change(house, DISABLE, key, provider="okx", reason="r")
    unaware = [await status(far), await status(far, "okx")]

    await far.host.service(Switching).follow()
    aware = [await status(far), await status(far, "okx")]
    async with open_house(database, tmp_path / "late") as late:
        at_start = [await status(late), await status(late, "okx")]
    await change(house, RESUME, key, provider="kraken")
    await far.host.service(Switching).follow()

    told = [("PAUSED", "paused by the operator: r"), ("DISABLED", "disabled by the operator: r")]
    assert unaware == [("READY", None), ("READY", None)]
    assert aware == at_start == told
    assert [await status(far), await status(far, "okx")] == [("READY", None), told[1]]


async def test_over_the_bus_another_process_hears_of_a_switch_at_once(database: str, tmp_path: Path):
    bus = LocalBus()
    async with open_house(database, tmp_path, bus=bus) as near, open_house(database, tmp_path, bus=bus) as far:
        _, key = await hired(near)
        await change(near, PAUSE, key, provider="kraken", reason="r")
        await change(near, TRIP, key, provider="okx", capability="quotes", reason="r")

        assert await status(far) == ("PAUSED", "paused by the operator: r")
        assert await status(far, "okx") == ("PAUSED", "a circuit breaker is open")


async def test_another_process_reads_a_breakers_order_within_seconds_and_obeys_it_once(
    house: House, far: House, database: str, tmp_path: Path
):
    _, key = await hired(house)
    order = {"provider": "kraken", "capability": "quotes"}
    await change(house, TRIP, key, **order, reason="r")
    unaware = await status(far)

    await far.host.service(Switching).follow()
    aware = await status(far)
    async with open_house(database, tmp_path / "late") as late:
        started_later = await status(late)
    await change(far, RESET, key, **order, reason="mended")
    for each in (far, house, far):
        await each.host.service(Switching).follow()
    mended = [await status(house), await status(far)]
    house.clock.turn(3_601)
    await change(house, RESET, key, **order, reason="again")

    assert (unaware, aware) == (("READY", None), ("PAUSED", "a circuit breaker is open"))
    assert started_later == ("READY", None)
    assert mended == [("READY", None)] * 2
    async with house.store.read() as tx:
        assert await tx.values(select(breaker_orders.c.reason)) == ["again"]


async def test_a_breaker_is_opened_and_closed_by_hand_and_that_is_written_down(house: House):
    _, key = await hired(house)

    tripped = await change(house, TRIP, key, provider="kraken", capability="quotes", reason="wrong prices")
    during = await house.ask(PINNED)
    house.clock.turn(1)
    reset = await change(house, RESET, key, provider="kraken", capability="quotes", reason="mended")
    after = await house.ask(PINNED)

    def breakers(payload: Any) -> dict[str, str]:
        return {each["name"]: each["breaker"] for each in payload["provider"]["capabilities"]}

    assert (breakers(tripped)["quotes"], breakers(tripped)["candles"]) == ("OPEN", "CLOSED")
    assert "tripped by the operator: wrong prices" in during["errors"][0]["message"]
    assert breakers(reset)["quotes"] == "CLOSED"
    assert after["data"]["quote"]["provenance"]["provider"] == "kraken"
    assert [(action, target, what) for action, _, target, _, what in await trail(house, "")] == [
        ("breaker.tripped", "kraken.quotes", {"reason": "wrong prices"}),
        ("breaker.reset", "kraken.quotes", {"reason": "mended"}),
    ]


async def test_a_circuit_says_since_when_it_is_open_why_and_when_a_trial_may_pass(house: House):
    _, key = await hired(house)
    shown = "circuit { state trips openedAt reason nextTrialAt }"
    document = f"{{ providers {{ id health {{ breaker {shown} }} capabilities {{ name {shown} }} }} }}"
    await change(house, TRIP, key, provider="kraken", capability="quotes", reason="wrong prices")
    house.clock.turn(5)

    found = (await house.ask(document))["data"]["providers"]
    kraken = next(each for each in found if each["id"] == "kraken")

    tripped = {
        "state": "OPEN", "trips": 1, "openedAt": "2026-11-20T12:00:00Z",
        "reason": "tripped by the operator: wrong prices", "nextTrialAt": "2026-11-20T12:00:15Z",
    }  # fmt: skip
    whole = {"state": "CLOSED", "trips": 0, "openedAt": None, "reason": None, "nextTrialAt": None}
    circuits = {each["name"]: each["circuit"] for each in kraken["capabilities"]}
    assert (circuits["quotes"], circuits["candles"]) == (tripped, whole)
    assert kraken["health"] == {"breaker": "OPEN", "circuit": tripped}


async def test_with_redis_a_trip_counts_once_for_the_fleet_and_a_new_process_finds_it_standing(
    sqlite_url: str, redis_url: str, tmp_path: Path
):
    order = {"provider": "kraken", "capability": "quotes"}
    shown = "{ providers { id health { circuit { state reason trips } } } }"

    async def circuit(house: House) -> Any:
        found = (await house.ask(shown))["data"]["providers"]
        return next(each["health"]["circuit"] for each in found if each["id"] == "kraken")

    async def until(house: House, state: str) -> Any:
        async with asyncio.timeout(10):
            while (found := await circuit(house))["state"] != state:  # noqa: ASYNC110 - another process decides
                await asyncio.sleep(0.005)
        return found

    async with (
        open_house(sqlite_url, tmp_path, redis_url=redis_url) as near,
        open_house(sqlite_url, tmp_path / "far", redis_url=redis_url) as far,
    ):
        _, key = await hired(near)
        await change(near, TRIP, key, **order, reason="wrong prices")
        tripped = [await until(each, "OPEN") for each in (near, far)]
        async with open_house(sqlite_url, tmp_path / "late", redis_url=redis_url) as late:
            found = await until(late, "OPEN")
            await change(late, RESET, key, **order, reason="mended")
            mended = [await until(each, "CLOSED") for each in (near, far, late)]
        lines = [(action, what) for action, _, _, _, what in await trail(near, "")]

    told = {"state": "OPEN", "reason": "tripped by the operator: wrong prices", "trips": 1}
    assert tripped == [told, told]
    assert found == told
    assert [each["reason"] for each in mended] == [None] * 3
    assert lines == [("breaker.tripped", {"reason": "wrong prices"}), ("breaker.reset", {"reason": "mended"})]


@pytest.mark.parametrize(
    ("document", "given", "code", "told"),
    [
        (PAUSE, {"provider": "krakn", "reason": "r"}, "UNKNOWN_PROVIDER", "did you mean 'kraken'?"),
        (DISABLE, {"provider": "", "reason": "r"}, "UNKNOWN_PROVIDER", "`providers` lists the ids"),
        (PAUSE, {"provider": "kraken", "reason": ""}, "REASON_INVALID", "The reason is empty"),
        (RESUME, {"provider": "nobody"}, "UNKNOWN_PROVIDER", "no provider 'nobody'"),
        (
            TRIP,
            {"provider": "ecb", "capability": "candles", "reason": "r"},
            "UNKNOWN_CAPABILITY",
            "it offers economicS",
        ),
    ],
)
async def test_what_cannot_be_switched_is_told_and_nothing_happens(
    house: House, document: str, given: dict[str, str], code: str, told: str
):
    _, key = await hired(house)

    payload = await change(house, document, key, **given)

    (error,) = payload["userErrors"]
    assert (payload["provider"], error["code"]) == (None, code)
    assert told in error["message"]
    assert (await trail(house, ""), await status(house)) == ([], ("READY", None))
