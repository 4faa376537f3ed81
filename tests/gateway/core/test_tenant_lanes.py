"""Tenants' own provider keys: used for that tenant alone, never shared through cache, flight or refusal."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import structlog

from gateway.core.access import MOST_OWN
from gateway.core.account import NOBODY, Account, Reach
from gateway.core.fetchlog import FetchLog
from gateway.core.upstream import RawReply, Request
from providers.contract import header, query
from schema.capability import DEFAULT_TERMS, Terms
from schema.provenance import CacheStatus
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.registry import BreakerState
from tests.gateway.doubles import (
    BTC,
    ETH,
    NOON,
    Handler,
    World,
    codes,
    failing,
    late,
    price_of,
    priced,
    reply,
    venue,
    world,
)

KEYED = (header("x-key"),)
OPTIONAL = (header("x-key", required=False),)


def account(tenant: str, **keys: str) -> Account:
    """A tenant with one-part keys of its own."""
    own = {provider: {"key": value} for provider, value in keys.items()}
    return Account(tenant=tenant, keys=own, reach=Reach(frozenset(keys)))


def by_key(**handlers: Handler) -> Handler:
    """Answers by the key that was sent; `none` without one."""

    def handler(request: Request) -> Any:
        return handlers[request.headers.get("x-key", "none")](request)

    return handler


def sent_keys(w: World, provider: str = "alpha") -> list[str | None]:
    return [request.headers.get("x-key") for request in w.wire.requests if request.provider == provider]


A, B = account("org_a", alpha="aaaa-key"), account("org_b", alpha="bbbb-key")
PLAIN = account("org_c")


async def test_each_tenants_key_is_sent_for_that_tenant_alone() -> None:
    w = world(venue("alpha", credentials=OPTIONAL), keys={"alpha": {"key": "platform"}})

    for each in (A, B, PLAIN, NOBODY):
        await w.quote(account=each)

    assert sent_keys(w) == ["aaaa-key", "bbbb-key", "platform"]


async def test_own_keys_make_a_provider_answer_that_the_platform_has_no_key_for() -> None:
    w = world(venue("alpha", credentials=KEYED))

    with_key = await w.quote(account=A)
    without = await w.refused(account=PLAIN)

    assert with_key.provenance.provider == "alpha"
    assert codes(without) == [("alpha", "PROVIDER_KEY_MISSING")]
    assert sent_keys(w) == ["aaaa-key"]


async def test_own_keys_come_first_but_after_what_the_caller_pins() -> None:
    w = world(venue("alpha", priority=90, credentials=KEYED), venue("beta", priority=10))

    own = await w.quote(account=A)
    pinned = await w.quote(ETH, account=A, providers=("beta", "alpha"))
    others = await w.quote(account=PLAIN)

    assert [each.provenance.provider for each in (own, pinned, others)] == ["alpha", "beta", "beta"]


async def test_own_keys_stay_first_when_their_provider_is_slow() -> None:
    w = world(venue("alpha", credentials=KEYED), venue("beta", priority=20))
    w.wire.handlers["alpha"] = late(1.1, priced("1"))
    await w.quote(account=A)
    holder = w.registry.own.access("org_a", "alpha")
    assert holder is not None
    for _ in range(30):
        w.pipeline.health.succeeded(holder.holder, 4_000, "quotes")

    found = await w.quote(ETH, account=A)

    assert found.provenance.provider == "alpha"


async def test_answers_of_own_keys_are_cached_for_their_tenant_only() -> None:
    w = world(venue("alpha", credentials=OPTIONAL))
    w.wire.handlers["alpha"] = by_key(**{"aaaa-key": priced("1"), "bbbb-key": priced("2"), "none": priced("3")})

    prices = [price_of(await w.quote(account=each)) for each in (A, A, B, B, PLAIN, NOBODY, A)]

    assert prices == [1, 1, 2, 2, 3, 3, 1]
    assert sent_keys(w) == ["aaaa-key", "bbbb-key", None]


async def test_what_is_fetched_on_the_platforms_key_is_shared_by_tenants_without_own_ones() -> None:
    w = world(venue("alpha"))
    log = FetchLog()
    await w.quote(account=PLAIN)

    found = await w.quote(account=account("org_d"), log=log)

    assert log.status(found.provenance) is CacheStatus.HIT
    assert len(w.wire.requests) == 1


async def test_one_flight_never_carries_two_tenants_keys() -> None:
    w = world(venue("alpha", credentials=OPTIONAL))
    w.wire.handlers["alpha"] = late(
        0.5, by_key(**{"aaaa-key": priced("1"), "bbbb-key": priced("2"), "none": priced("3")})
    )
    asking = (A, B, PLAIN, A, B, account("org_d"))

    found = await asyncio.gather(*(w.quote(account=each) for each in asking))

    assert [price_of(each) for each in found] == [1, 2, 3, 1, 2, 3]
    assert sent_keys(w) == ["aaaa-key", "bbbb-key", None]


async def test_what_one_tenants_key_does_not_list_another_tenants_key_may() -> None:
    w = world(venue("alpha", credentials=KEYED))
    nothing = priced("1", without=frozenset({"BTC-USD"}))
    w.wire.handlers["alpha"] = by_key(**{"aaaa-key": nothing, "bbbb-key": priced("2")})
    first = await w.refused(account=A)

    again = await w.refused(account=A)
    other = await w.quote(account=B)

    assert codes(first) == codes(again) == [("alpha", "UNKNOWN_INSTRUMENT")]
    assert price_of(other) == 2
    assert sent_keys(w) == ["aaaa-key", "bbbb-key"]


async def test_a_refused_key_holds_back_its_tenant_alone() -> None:
    w = world(venue("alpha", credentials=OPTIONAL))
    w.wire.handlers["alpha"] = by_key(**{"aaaa-key": failing(401), "bbbb-key": priced("2"), "none": priced("3")})
    refused = await w.refused(account=A)

    held = await w.refused(ETH, account=A)
    others = [price_of(await w.quote(ETH, account=each)) for each in (B, PLAIN)]

    assert codes(refused) == codes(held) == [("alpha", "PROVIDER_MISCONFIGURED")]
    assert held.attempts[0].message.startswith("held back after:")
    assert others == [2, 3]
    assert sent_keys(w) == ["aaaa-key", "bbbb-key", None]


async def test_a_refused_platform_key_holds_back_no_tenant_with_an_own_one() -> None:
    w = world(venue("alpha", credentials=OPTIONAL), keys={"alpha": {"key": "platform"}})
    w.wire.handlers["alpha"] = by_key(**{"aaaa-key": priced("1"), "platform": failing(401)})

    await w.refused()

    assert price_of(await w.quote(account=A)) == 1


async def test_a_key_that_breaks_its_upstream_opens_no_breaker_of_others() -> None:
    w = world(venue("alpha", credentials=OPTIONAL))
    w.wire.handlers["alpha"] = by_key(**{"aaaa-key": failing(500), "none": priced("3")})
    for _ in range(6):
        await w.refused(account=A)

    shut = await w.refused(account=A)

    assert "circuit breaker" in shut.attempts[0].message
    assert w.breaker("alpha").state is BreakerState.CLOSED
    assert price_of(await w.quote(account=PLAIN)) == 3


async def test_an_own_key_goes_nowhere_while_the_platforms_breaker_is_open() -> None:
    w = world(venue("alpha", credentials=OPTIONAL))
    w.wire.handlers["alpha"] = failing(503)
    while w.breaker("alpha").state is not BreakerState.OPEN:
        await w.refused()
    before = len(w.wire.requests)

    error = await w.refused(account=A)

    assert codes(error) == [("alpha", "UPSTREAM_UNAVAILABLE")]
    assert len(w.wire.requests) == before


async def test_answers_that_a_licence_lets_nobody_share_stay_with_their_tenant() -> None:
    w = world(venue("alpha", shareable=False))
    tenants = (account("org_1"), account("org_2"), account("org_1"), NOBODY, NOBODY)

    found = await asyncio.gather(*(w.quote(account=each) for each in tenants))
    again = [await w.quote(account=each) for each in tenants]

    assert len(w.wire.requests) == 3
    assert [one.provenance is two.provenance for one, two in zip(found, again, strict=True)] == [True] * 5
    assert len({id(each.provenance) for each in found}) == 3


async def test_a_refusal_of_an_unshareable_provider_stays_with_its_tenant_too() -> None:
    w = world(venue("alpha", shareable=False))
    w.wire.handlers["alpha"] = priced("1", without=frozenset({"BTC-USD"}))
    await w.refused(account=account("org_1"))

    await w.refused(account=account("org_1"))
    await w.refused(account=account("org_2"))

    assert len(w.wire.requests) == 2


async def test_a_stale_copy_of_another_tenant_never_stands_in() -> None:
    w = world(venue("alpha", credentials=KEYED))
    await w.quote(account=A)
    w.wire.handlers["alpha"] = failing(503)
    w.clock.turn(60)
    patient = timedelta(hours=1)

    own = await w.quote(account=A, stale_if_error=patient)
    other = await w.refused(account=B, stale_if_error=patient)

    assert price_of(own) == 1
    assert codes(other) == [("alpha", "UPSTREAM_UNAVAILABLE")]


async def test_a_batch_of_a_tenant_with_an_own_key_travels_as_one_call() -> None:
    w = world(venue("alpha", credentials=KEYED), venue("beta", priority=1))

    found = await w.data.fetch_many(QUOTES, QuotesAsk(instruments=(BTC, ETH)), DEFAULT_TERMS, None, A)

    assert [each.provenance.provider for each in found.values()] == ["alpha", "alpha"]  # type: ignore[union-attr]
    assert w.wire.asked("alpha") == [["BTC-USD", "ETH-USD"]]


async def test_a_consensus_of_a_tenant_asks_with_its_own_key() -> None:
    w = world(venue("alpha", credentials=KEYED), venue("beta"))

    found = await w.data.consensus(BTC, DEFAULT_TERMS, 2, NOON, FetchLog(), A)

    assert sorted(source.provider for source in found.sources) == ["alpha", "beta"]
    assert sent_keys(w) == ["aaaa-key"]


async def test_a_changed_key_is_used_at_once_and_the_old_ones_refusal_is_forgotten() -> None:
    w = world(venue("alpha", credentials=KEYED))
    w.wire.handlers["alpha"] = by_key(**{"aaaa-key": failing(401), "new-key!": priced("5")})
    await w.refused(account=A)

    found = await w.quote(account=account("org_a", alpha="new-key!"))

    assert price_of(found) == 5
    assert sent_keys(w) == ["aaaa-key", "new-key!"]


async def test_lanes_of_tenants_are_bounded_and_go_when_their_keys_change() -> None:
    w = world(venue("alpha", credentials=KEYED))
    for number in range(MOST_OWN + 5):
        w.registry.route(QUOTES, QuotesAsk(instruments=(BTC,)), Terms(), account(f"org_{number}", alpha="some-key"))
    newest = f"org_{MOST_OWN + 4}"

    held = [w.registry.own.access(tenant, "alpha") is not None for tenant in ("org_0", newest)]
    w.data.forget(newest)

    assert held == [False, True]
    assert len(w.registry.own._lines) == MOST_OWN - 1


@pytest.mark.parametrize("place", [header("x-key"), query("key")])
async def test_no_error_shows_a_tenants_key(place: Any) -> None:
    w = world(venue("alpha", credentials=(place,)))
    secret = "s3cret/of+tenant"

    def echo(request: Request) -> RawReply:
        return reply({"message": f"bad key {secret}"}, 403)

    w.wire.handlers["alpha"] = echo

    error = await w.refused(account=account("org_a", alpha=secret))

    assert error.attempts[0].message == 'HTTP 403: {"message": "bad key ***"}'


async def test_no_log_shows_a_tenants_key() -> None:
    async def broken(_: QuotesAsk) -> Any:
        raise KeyError("s3cret-of-tenant")

    w = world(venue("alpha", credentials=KEYED, quotes=broken))

    with structlog.testing.capture_logs() as logs:
        await w.refused(account=account("org_a", alpha="s3cret-of-tenant"))

    (line,) = [line for line in logs if line["event"] == "adapter_defect"]
    assert "KeyError" in line["exception"]
    assert "s3cret-of-tenant" not in str(logs)


def test_an_account_does_not_print_its_keys() -> None:
    assert "aaaa-key" not in repr(A)
