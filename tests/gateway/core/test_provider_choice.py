"""Who is asked: pinned, excluded, unknown, without a key, simulated; and what is said when nobody is left."""

from __future__ import annotations

import pytest

from providers.contract import header
from schema.capability import Terms
from schema.errors import (
    BadInput,
    FailureCode,
    NoAnswer,
    UnknownProvider,
)
from schema.provenance import DataMode
from schema.symbols import parse_instrument
from tests.gateway.doubles import (
    BTC,
    codes,
    failing,
    venue,
    world,
)


async def test_a_missing_key_passes_a_provider_by_and_is_told_when_nobody_answers() -> None:
    w = world(venue("alpha", credentials=(header("x-key"),)), venue("beta", priority=20))

    assert (await w.quote()).provenance.provider == "beta"
    w.wire.handlers["beta"] = failing(404)
    w.clock.turn(60)
    error = await w.refused()

    assert codes(error) == [("beta", "UNKNOWN_INSTRUMENT"), ("alpha", "PROVIDER_KEY_MISSING")]
    assert error.attempts[1].message == "needs a key: set MARKETGATE_KEY_ALPHA"
    assert w.wire.asked("alpha") == []


async def test_a_pinned_provider_without_its_key_says_so() -> None:
    w = world(venue("alpha", credentials=(header("x-key"),)), venue("beta", priority=20))

    error = await w.refused(providers=("alpha",))

    assert (error.code, codes(error)) == ("PROVIDER_KEY_MISSING", [("alpha", "PROVIDER_KEY_MISSING")])


async def test_pinned_providers_are_asked_in_the_order_given_and_nobody_else_is() -> None:
    w = world(venue("alpha"), venue("beta", priority=20), venue("gamma", priority=30))
    w.wire.handlers.update(alpha=failing(500), gamma=failing(500))

    error = await w.refused(providers=("gamma", "alpha"))

    assert codes(error) == [("gamma", "UPSTREAM_UNAVAILABLE"), ("alpha", "UPSTREAM_UNAVAILABLE")]
    assert w.wire.asked("beta") == []


async def test_excluded_providers_are_not_asked() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))

    assert (await w.quote(exclude=frozenset({"alpha"}))).provenance.provider == "beta"
    assert w.wire.asked("alpha") == []


@pytest.mark.parametrize(
    ("terms", "field"),
    [(Terms(providers=("nobody",)), "route.providers"), (Terms(exclude=frozenset({"nobody"})), "route.exclude")],
)
async def test_an_unknown_provider_is_bad_input_that_names_the_argument(terms: Terms, field: str) -> None:
    w = world(venue("alpha"))

    with pytest.raises(UnknownProvider) as caught:
        await w.quote(terms=terms)

    assert isinstance(caught.value, BadInput)
    assert caught.value.field == field
    assert caught.value.extensions()["code"] == "BAD_USER_INPUT"
    assert w.wire.requests == []


async def test_an_unknown_provider_that_is_nearly_right_gets_a_suggestion() -> None:
    with pytest.raises(UnknownProvider, match="no provider 'alpah'; did you mean 'alpha'"):
        await world(venue("alpha")).quote(providers=("alpah",))


async def test_nobody_who_covers_it_is_told_with_reasons() -> None:
    w = world(venue("alpha", covers=lambda ask: False))

    error = await w.refused()

    assert error.code is FailureCode.NOT_COVERED
    assert error.message == "no provider covers quotes for crypto:BTC/USD: alpha does not cover this quotes ask"


async def test_a_provider_both_pinned_and_excluded_leaves_nobody() -> None:
    error = await world(venue("alpha")).refused(providers=("alpha",), exclude=frozenset({"alpha"}))

    assert error.message == "no quotes for crypto:BTC/USD: alpha: is left out by exclude"
    assert (await world(venue("alpha")).refused(exclude=frozenset({"alpha"}))).message == (
        "no provider covers quotes for crypto:BTC/USD: alpha is left out by exclude"
    )


async def test_a_simulated_provider_answers_in_live_mode_only_when_pinned() -> None:
    w = world(venue("sandbox", priority=0, mode=DataMode.SIMULATED), venue("alpha"))
    w.wire.handlers["alpha"] = failing(500)

    error = await w.refused()
    pinned = await w.quote(providers=("sandbox",))

    assert codes(error) == [("alpha", "UPSTREAM_UNAVAILABLE")]
    assert pinned.provenance.mode is DataMode.SIMULATED


async def test_a_simulated_provider_comes_first_offline() -> None:
    w = world(venue("sandbox", priority=0, mode=DataMode.SIMULATED), venue("alpha"), mode=DataMode.RECORDED)

    assert (await w.quote()).provenance.provider == "sandbox"


async def test_a_gateway_without_providers_says_so() -> None:
    error = await world().refused(parse_instrument("equity:AAPL"))

    assert isinstance(error, NoAnswer)
    assert error.message == "no provider offers quotes"
    assert BTC.base == "BTC"
