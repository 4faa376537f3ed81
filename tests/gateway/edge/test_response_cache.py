"""Answers kept as bytes: which, for whom, and for how long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import strawberry

from gateway.core.contract import Ctx, Plugin
from gateway.core.identity import Scope
from gateway.core.ports import Switchboard
from providers.contract import header
from schema.facts import Shared, facts
from tests.gateway.doubles import Handler, failing, in_turn, priced, venue
from tests.gateway.edge.stall import FIELD, QUOTE, Stall, member, open_stall

A, B = member("org_a"), member("org_b")
PLAIN = {"a": A, "b": B}
OWN = (header("x-alpha", required=False),)
ALPHA, BETA = venue("alpha"), venue("beta", priority=20)


@pytest.fixture
def stall(tmp_path) -> Stall:
    return open_stall(tmp_path, ALPHA, BETA, callers=PLAIN)


def held(gate: asyncio.Event, then: Handler) -> Handler:
    """Answers once the gate is open."""

    async def handler(request):
        await gate.wait()
        return then(request)

    return handler


async def settle() -> None:
    """Let everybody come as far as they can."""
    for _ in range(100):
        await asyncio.sleep(0)


def provider_of(answer) -> str:
    return str(answer.json()["data"]["quote"]["provenance"]["provider"])


async def test_tenants_of_one_policy_share_an_answer_and_each_is_told_its_own_rest(stall):
    stall.gate.left = {"org_a": 50, "org_b": 9}

    first, second = await stall.ask(key="a"), await stall.ask(key="b")

    assert first.json()["data"] == second.json()["data"]
    assert [each.json()["extensions"]["cost"]["remaining"] for each in (first, second)] == [49, 8]
    assert [each.headers["ratelimit"] for each in (first, second)] == ['"points";r=49;t=60', '"points";r=8;t=60']
    assert (stall.calls, stall.kept) == (1, 1)
    assert stall.gate.released == [("org_a", False), ("org_b", False)]


async def test_a_tenant_whose_plan_lacks_a_provider_gets_nothing_that_another_got_from_it(tmp_path):
    denied = member("org_b", providers=frozenset({"beta"}))
    stall = open_stall(tmp_path, ALPHA, BETA, callers={"a": A, "b": denied})
    stall.wire.handlers |= {"alpha": priced("111"), "beta": priced("222")}

    answers = [await stall.ask(key=key) for key in ("a", "b", "a", "b")]

    assert [provider_of(each) for each in answers] == ["alpha", "beta", "alpha", "beta"]
    assert (stall.calls, stall.kept) == (2, 2)


async def test_nor_does_it_while_the_other_is_still_waiting_for_it(tmp_path):
    denied = member("org_b", providers=frozenset({"beta"}))
    stall = open_stall(tmp_path, ALPHA, BETA, callers={"a": A, "b": denied})
    gate = asyncio.Event()
    stall.wire.handlers |= {"alpha": held(gate, priced("111")), "beta": priced("222")}
    waiting = asyncio.create_task(stall.ask(key="a"))
    await settle()

    answer = await stall.ask(key="b")

    assert (provider_of(answer), waiting.done()) == ("beta", False)
    gate.set()
    assert provider_of(await waiting) == "alpha"


@pytest.mark.parametrize("changed", [{"history_days": 30}, {"providers": frozenset({"alpha", "beta"})}])
async def test_another_policy_is_another_answer(changed, tmp_path):
    stall = open_stall(tmp_path, ALPHA, BETA, callers={"a": A, "b": member("org_b", **changed)})

    await stall.ask(key="a")
    await stall.ask(key="b")

    assert stall.kept == 2


async def test_a_tenant_with_a_key_of_its_own_neither_reads_nor_writes_what_all_share(tmp_path):
    alpha = venue("alpha", credentials=OWN)
    stall = open_stall(tmp_path, alpha, callers=PLAIN)
    stall.keys.kept["org_b"] = {"alpha": {"key": "own"}}
    stall.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"), priced("3"))

    prices = [await stall.price(key) for key in ("b", "a", "b", "a")]

    assert prices == ["1", "2", "1", "2"]
    assert [request.headers.get("x-alpha") for request in stall.wire.requests] == ["own", None]
    assert stall.kept == 2


async def test_new_provider_keys_end_what_was_kept_for_their_tenant(tmp_path):
    alpha = venue("alpha", credentials=OWN)
    stall = open_stall(tmp_path, alpha, callers=PLAIN)
    stall.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"))
    assert [await stall.price("b"), await stall.price("b")] == ["1", "1"]

    stall.keys.kept["org_b"] = {"alpha": {"key": "own"}}
    stall.gateway.data.forget("org_b")

    assert await stall.price("b") == "2"
    assert stall.wire.requests[-1].headers["x-alpha"] == "own"


async def test_what_a_licence_lets_nobody_share_is_kept_for_each_tenant_by_itself(tmp_path):
    stall = open_stall(tmp_path, venue("alpha", shareable=False), callers=PLAIN)
    stall.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"), priced("3"))

    prices = [await stall.price(key) for key in ("a", "b", "a", "b", None)]

    assert prices == ["1", "2", "1", "2", "3"]
    assert stall.kept == 2


async def test_what_a_licence_lets_nobody_store_is_not_kept(tmp_path):
    stall = open_stall(tmp_path, venue("alpha", cacheable=False), callers=PLAIN)

    await stall.ask()
    await stall.ask()

    assert (stall.calls, stall.kept) == (2, 0)


@pytest.mark.parametrize(
    "document",
    [
        '{ quote(symbol: "crypto:BTC/USD") { price provenance { cacheStatus ageMs } } }',
        '{ quote(symbol: "crypto:BTC/USD") { provenance { ...P } } } fragment P on Provenance { cacheStatus ageMs }',
        '{ q: quote(symbol: "crypto:BTC/USD") { price } quote(symbol: "crypto:BTC/USD") '
        "{ provenance { cacheStatus ageMs stale @skip(if: true) } } }",
    ],
)
async def test_an_operation_that_selects_what_belongs_to_the_read_is_executed_and_tells_the_truth(document, stall):
    first = (await stall.ask(document)).json()
    stall.clock.turn(1)

    second = await stall.ask(document)

    told = [each["data"]["quote"]["provenance"] for each in (first, second.json())]
    assert told == [{"cacheStatus": "MISS", "ageMs": 0}, {"cacheStatus": "HIT", "ageMs": 1000}]
    assert (stall.kept, second.headers["cache-control"]) == (0, "no-store")


async def test_an_answer_lives_as_long_as_its_shortest_part(tmp_path):
    stall = open_stall(
        tmp_path, venue("alpha", covers=lambda ask: ask.instruments[0].base == "BTC", fresh_for=timedelta(seconds=9)),
        venue("beta", fresh_for=timedelta(seconds=3)), callers=PLAIN,
    )  # fmt: skip
    both = '{ a: quote(symbol: "crypto:BTC/USD") { price } b: quote(symbol: "crypto:ETH/USD") { price } }'
    await stall.ask(both)
    stall.clock.turn(2.9)
    await stall.ask(both)
    assert stall.calls == 2

    stall.clock.turn(0.1)
    await stall.ask(both)

    assert [request.provider for request in stall.wire.requests] == ["alpha", "beta", "beta"]


async def test_nothing_is_served_longer_than_a_minute(tmp_path):
    stall = open_stall(tmp_path, venue("alpha", fresh_for=timedelta(hours=1)), callers=PLAIN)
    ages = []
    for passed in (0, 59.5, 0.5):
        stall.clock.turn(passed)
        ages.append((await stall.ask()).headers["age"])

    assert ages == ["0", "59", "0"]


async def test_an_age_limit_counts_until_the_value_is_older(tmp_path):
    stall = open_stall(tmp_path, venue("alpha", fresh_for=timedelta(seconds=30)), callers=PLAIN)
    young = '{ quote(symbol: "crypto:BTC/USD", route: {maxAgeMs: 5000}) { price } }'
    await stall.ask(young)
    stall.clock.turn(4.9)
    assert (await stall.ask(young)).headers["age"] == "4"

    stall.clock.turn(0.2)
    await stall.ask(young)

    assert stall.calls == 2


async def test_errors_old_copies_and_answers_after_a_failure_are_not_kept(stall):
    stall.wire.handlers |= {"alpha": failing(500), "beta": priced("2")}
    fell_over = await stall.ask()
    stall.wire.handlers["beta"] = failing(500)
    stall.clock.turn(3)
    old = await stall.ask(QUOTE.replace('USD")', 'USD", route: {staleIfErrorMs: 60000})'))
    failed = await stall.ask('{ quote(symbol: "crypto:ETH/USD") { price } }')

    assert provider_of(fell_over) == provider_of(old) == "beta"
    assert "errors" in failed.json()
    assert stall.kept == 0


async def test_a_symbol_that_nobody_lists_is_kept_for_seconds_only(stall):
    batch = '{ quotes(symbols: ["crypto:BTC/USD", "crypto:ZZZ/USD"]) { nodes { price } failures { code } } }'
    for name in ("alpha", "beta"):
        stall.wire.handlers[name] = priced("1", without=frozenset({"ZZZ-USD"}))

    first = await stall.ask(batch)

    assert first.json()["data"]["quotes"]["failures"] == [{"code": "UNKNOWN_INSTRUMENT"}]
    assert stall.kept == 1


async def test_a_default_and_the_same_value_given_are_one_question(stall):
    await stall.ask(FIELD)
    await stall.ask(FIELD, variables={"s": "crypto:BTC/USD"})
    assert stall.kept == 1

    await stall.ask(FIELD, variables={"s": "crypto:ETH/USD"})

    assert stall.kept == 2


async def test_many_who_ask_at_once_cost_one_execution(stall):
    gate = asyncio.Event()
    stall.wire.handlers["alpha"] = held(gate, priced("5"))
    asked = [asyncio.create_task(stall.ask(key=key)) for key in ("a", "b") * 10]
    await settle()

    gate.set()
    answers = await asyncio.gather(*asked)

    assert {each.headers["etag"] for each in answers} == {answers[0].headers["etag"]}
    assert (stall.calls, stall.kept) == (1, 1)
    assert len({each.json()["extensions"]["cost"]["remaining"] for each in answers}) == 10


@pytest.mark.parametrize("state", ["disabled", "paused"])
async def test_a_provider_that_the_operator_stops_ends_what_was_kept(state, stall):
    await stall.ask()

    await stall.gateway.host.service(Switchboard).apply("alpha", state, None)

    assert stall.kept == 0
    assert provider_of(await stall.ask()) == ("beta" if state == "disabled" else "alpha")


async def test_an_answer_that_was_under_way_when_all_was_dropped_is_not_kept(stall):
    gate = asyncio.Event()
    stall.wire.handlers["alpha"] = held(gate, priced("1"))
    asked = asyncio.create_task(stall.ask())
    await settle()

    await stall.gateway.host.service(Switchboard).apply("alpha", "disabled", None)

    gate.set()
    assert (await asked).json()["data"]["quote"]["price"] == "1"
    assert stall.kept == 0


async def resolve_note(info: Ctx) -> str:
    return info.context.tenant


@strawberry.type
class NoteQuery:
    note: str = strawberry.field(
        resolver=resolve_note, metadata=facts(needs=Scope.MARKET_READ, shared=Shared.TENANT, fresh_for=30)
    )
    unsaid: str = strawberry.field(resolver=resolve_note, metadata=facts(needs=Scope.MARKET_READ))
    endless: str = strawberry.field(
        resolver=resolve_note, metadata=facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC)
    )


@strawberry.type
class NoteMutation:
    note: str = strawberry.field(resolver=resolve_note, metadata=facts(needs=Scope.MARKET_READ))


NOTES = Plugin(name="notes", query=NoteQuery, mutation=NoteMutation)


async def test_a_tenants_mutation_drops_what_is_kept_for_it_alone(tmp_path):
    stall = open_stall(tmp_path, ALPHA, callers=PLAIN, more=(NOTES,))
    for key in ("a", "b"):
        assert (await stall.ask("{ note }", key)).json()["data"] == {"note": f"org_{key}"}
    await stall.ask()
    assert stall.kept == 3

    await stall.ask("mutation { note }", "a")

    assert stall.kept == 2
    assert (await stall.ask("{ note }", "b")).headers["age"] == "0"


async def test_what_its_author_says_nothing_of_and_what_fetches_nothing_is_not_kept(tmp_path):
    stall = open_stall(tmp_path, ALPHA, callers=PLAIN, more=(NOTES,))

    for document in ("{ unsaid }", "{ endless }", "{ __typename }", "{ note unsaid }"):
        await stall.ask(document)

    assert stall.kept == 0


async def test_the_room_is_bounded_and_the_least_used_answer_goes_first(tmp_path):
    stall = open_stall(tmp_path, venue("alpha", fresh_for=timedelta(minutes=1)), callers=PLAIN)
    responses = stall.gateway.responses
    assert responses is not None
    responses._most = 8_000
    for number in range(12):
        await stall.ask(f'{{ quote(symbol: "crypto:A{number}/USD") {{ price }} }}')
        await stall.ask('{ quote(symbol: "crypto:A0/USD") { price } }')

    assert responses.held_bytes <= 8_000
    assert 8 <= stall.kept <= 12
    assert (await stall.ask('{ quote(symbol: "crypto:A0/USD") { price } }')).headers["etag"]
    assert stall.calls == 12


async def test_without_room_nothing_is_kept(tmp_path):
    stall = open_stall(tmp_path, ALPHA, callers=PLAIN, response_cache_mb=0)

    answer = await stall.ask()

    assert stall.gateway.responses is None
    assert "etag" not in answer.headers
