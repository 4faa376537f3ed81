"""One quote, several providers, the first of which fails."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from gateway.core.errand import subject_of
from gateway.core.guards.breaker import BreakerPolicy
from providers.contract import Licence, Profile, Provider, answers, header
from schema.capability import Terms
from schema.errors import (
    BadInput,
    ConnectionFailed,
    FailureCode,
    NoAnswer,
    QuotaExhausted,
    Timeout,
    UnknownProvider,
)
from schema.provenance import DataMode, Provenance
from schema.symbols import AssetClass, crypto, parse_instrument
from schema.words.books import OrderBookAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.instruments import InstrumentsAsk, SearchAsk
from schema.words.quotes import QuotesAsk
from schema.words.rates import FxRatesAsk
from tests.gateway.doubles import (
    BTC,
    NOON,
    Handler,
    codes,
    failing,
    fallen,
    in_turn,
    late,
    priced,
    raising,
    reply,
    silent,
    venue,
    world,
)

FAULTS: dict[str, tuple[Handler, str, str, int | None]] = {
    "time-out": (raising(Timeout("alpha", "no answer in time")), "UPSTREAM_UNAVAILABLE", "no answer in time", None),
    "refused connection": (
        raising(ConnectionFailed("alpha", "connection refused")), "UPSTREAM_UNAVAILABLE", "connection refused", None,
    ),
    "500": (failing(500, "boom"), "UPSTREAM_UNAVAILABLE", 'HTTP 500: "boom"', None),
    "503 with Retry-After": (
        failing(503, "busy", retry_after="60"), "UPSTREAM_UNAVAILABLE", 'HTTP 503: "busy"', 60_000,
    ),
    "429": (failing(429, "slow"), "UPSTREAM_THROTTLED", 'HTTP 429: "slow"', None),
    "429 with Retry-After": (failing(429, "slow", retry_after="7"), "UPSTREAM_THROTTLED", 'HTTP 429: "slow"', 7_000),
    "418": (failing(418, "banned"), "UPSTREAM_THROTTLED", 'HTTP 418: "banned"', None),
    "quota": (raising(QuotaExhausted("alpha", "25 a day")), "UPSTREAM_QUOTA", "25 a day", None),
    "no JSON": (lambda r: reply(b"<html>"), "UPSTREAM_MALFORMED", "$ is not JSON (got b'<html>')", None),
    "empty body": (lambda r: reply(b""), "UPSTREAM_MALFORMED", "$ is not JSON (got b'')", None),
    "wrong type": (
        lambda r: reply({"BTC-USD": {"price": "much"}}), "UPSTREAM_MALFORMED",
        "$.BTC-USD.price is not a number (got 'much')", None,
    ),
    "redirect": (
        failing(302), "UPSTREAM_MALFORMED", "HTTP 302: a redirect, which is never followed", None,
    ),
    "401": (failing(401), "PROVIDER_MISCONFIGURED", 'HTTP 401: {"message": "no"}', None),
    "403": (failing(403), "PROVIDER_MISCONFIGURED", 'HTTP 403: {"message": "no"}', None),
    "404": (failing(404), "UNKNOWN_INSTRUMENT", 'HTTP 404: {"message": "no"}', None),
    "451": (failing(451), "NOT_COVERED", 'HTTP 451: {"message": "no"}', None),
    "left out of the answer": (lambda r: reply({}), "UNKNOWN_INSTRUMENT", "does not list crypto:BTC/USD", None),
    "an adapter that breaks": (
        raising(ZeroDivisionError("1/0")), "UPSTREAM_MALFORMED", "its answer broke the adapter", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_next_provider_answers_and_names_who_failed_and_why(fault: str) -> None:
    handler, code, message, wait = FAULTS[fault]
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers.update(alpha=handler, beta=priced("91234.123456789012345"))

    found = await w.quote()

    (failure,) = found.provenance.fallback_from
    assert str(found.value.price) == "91234.123456789012345"
    assert found.provenance.provider == "beta"
    assert found.value.provenance is found.provenance
    assert (failure.provider, failure.code, failure.message, failure.retry_after_ms) == ("alpha", code, message, wait)


async def test_a_first_answer_names_no_failure() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))

    found = await w.quote()

    assert (found.provenance.provider, found.provenance.fallback_from) == ("alpha", ())
    assert w.wire.asked("beta") == []


async def test_an_open_breaker_is_passed_without_a_call_and_named() -> None:
    w = world(venue("alpha"), venue("beta", priority=20), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = failing(404)
    w.wire.handlers["alpha"] = lambda r: reply(b"{")
    await w.quote()
    w.clock.turn(3)
    asked = len(w.wire.asked("alpha"))

    found = await w.quote()

    (failure,) = found.provenance.fallback_from
    assert (failure.code, failure.retry_after_ms) == (FailureCode.UPSTREAM_UNAVAILABLE, 12_000)
    assert failure.message == "paused by its circuit breaker after: $ is not JSON (got b'{')"
    assert len(w.wire.asked("alpha")) == asked


async def test_all_failing_is_one_error_that_lists_each_in_order() -> None:
    w = world(*(venue(name, priority=n) for n, name in enumerate(("alpha", "beta", "gamma", "delta"))))
    w.wire.handlers.update(
        alpha=failing(404), beta=failing(429, "slow", retry_after="7"), gamma=failing(500, "boom"),
        delta=lambda r: reply(b"?"),
    )  # fmt: skip

    error = await w.refused()

    assert codes(error) == [
        ("alpha", "UNKNOWN_INSTRUMENT"),
        ("beta", "UPSTREAM_THROTTLED"),
        ("gamma", "UPSTREAM_UNAVAILABLE"),
        ("delta", "UPSTREAM_MALFORMED"),
    ]
    assert error.code is FailureCode.UPSTREAM_UNAVAILABLE
    assert error.message == (
        'no quotes for crypto:BTC/USD: alpha: HTTP 404: {"message": "no"}; beta: HTTP 429: "slow"; '
        "gamma: HTTP 500: \"boom\"; delta: $ is not JSON (got b'?')"
    )
    assert error.extensions()["retryAfterMs"] == 7_000


@pytest.mark.parametrize(
    ("handlers", "code"),
    [
        ((failing(404), failing(404)), "UNKNOWN_INSTRUMENT"),
        ((failing(404), failing(429)), "UPSTREAM_THROTTLED"),
        ((failing(404), failing(401)), "PROVIDER_MISCONFIGURED"),
        ((failing(451), failing(404)), "UNKNOWN_INSTRUMENT"),
        ((failing(451), failing(451)), "NOT_COVERED"),
        ((raising(QuotaExhausted("alpha", "x")), failing(404)), "UPSTREAM_QUOTA"),
    ],
)
async def test_the_code_of_the_whole_tells_an_outage_before_an_absence(
    handlers: tuple[Handler, Handler], code: str
) -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers.update(alpha=handlers[0], beta=handlers[1])

    assert (await w.refused()).code == code


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


async def test_an_answer_keeps_the_provenance_that_others_got_without_a_failover() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = failing(500)
    pinned = await w.quote(providers=("beta",))

    fallen_back = await w.quote()

    assert fallen(fallen_back) == [("alpha", "UPSTREAM_UNAVAILABLE")]
    assert pinned.provenance.fallback_from == ()
    assert (await w.quote(providers=("beta",))).provenance.fallback_from == ()


class Ranking(Provider):
    """Two assets, each with a stamp of its own."""

    profile = Profile(
        id="ranking", name="Ranking", base_url="https://r.example", docs="", asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note=""), priority=20,
    )  # fmt: skip

    @answers(MARKET_CAPS)
    async def caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        return tuple(
            MarketCap(asset=asset, name=asset, currency="USD", price=Decimal(1), as_of=NOON.replace(minute=minute))
            for asset, minute in (("BTC", 1), ("ETH", 2), ("SOL", 2))
        )


class Broken(Ranking):
    """Fails first."""

    profile = Profile(
        id="broken", name="Broken", base_url="https://b.example", docs="", asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note=""), priority=10,
    )  # fmt: skip

    @answers(MARKET_CAPS)
    async def caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        raise Timeout("broken", "no answer in time")


async def test_items_keep_their_own_time_stamps_over_a_failover() -> None:
    w = world(Broken, Ranking)

    found = await w.data.fetch(MARKET_CAPS, MarketCapsAsk())

    made: list[Provenance] = [item.provenance for item in found.value]
    assert [provenance.as_of for provenance in made] == [NOON.replace(minute=m) for m in (1, 2, 2)]
    assert [provenance.fallback_from[0].provider for provenance in made] == ["broken"] * 3
    assert made[1] is made[2]


async def test_an_answer_that_is_no_answer_at_all_fails_over() -> None:
    async def nothing(_: QuotesAsk) -> object:
        return None

    w = world(venue("alpha", quotes=nothing), venue("beta", priority=20))

    assert fallen(await w.quote()) == [("alpha", "UPSTREAM_MALFORMED")]


async def test_a_failing_provider_is_asked_again_when_it_answers_again() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = in_turn(lambda r: reply(b"?"), priced("2"))
    await w.quote()
    w.clock.turn(2)

    assert (await w.quote()).provenance.provider == "alpha"


async def test_an_empty_batch_asks_nobody() -> None:
    w = world(venue("alpha"))

    assert await w.quotes() == {}
    assert w.wire.requests == []


async def test_a_silent_provider_leaves_half_of_the_time_for_the_next() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = silent()

    found = await w.quote(timeout=4.0)

    assert asyncio.get_running_loop().time() == pytest.approx(2.0)
    assert fallen(found) == [("alpha", "UPSTREAM_UNAVAILABLE")]
    assert found.provenance.fallback_from[0].message == "no answer within 2000 ms"


async def test_of_many_providers_the_last_has_more_than_a_moment() -> None:
    names = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
    w = world(*(venue(name, priority=n) for n, name in enumerate(names)))
    w.wire.handlers.update({name: silent() for name in names[:-1]}, zeta=late(0.2, priced("7")))

    found = await w.quote(timeout=3.0)

    assert found.provenance.provider == "zeta"
    assert asyncio.get_running_loop().time() < 3.0


async def test_no_time_is_kept_for_a_provider_that_would_refuse_at_once() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers.update(alpha=late(3.0, priced("7")), beta=failing(429, retry_after="60"))
    await w.refused(parse_instrument("crypto:ETH/USD"), providers=("beta",))

    found = await w.quote(timeout=4.0)

    assert (found.provenance.provider, fallen(found)) == ("alpha", [])


async def test_silence_of_all_ends_at_the_deadline() -> None:
    w = world(*(venue(name, priority=n) for n, name in enumerate(("alpha", "beta", "gamma"))))
    w.wire.handlers.update(alpha=silent(), beta=silent(), gamma=silent())

    error = await w.refused(timeout=4.0)

    assert asyncio.get_running_loop().time() == pytest.approx(4.0)
    assert error.code is FailureCode.DEADLINE_EXCEEDED
    assert [attempt.provider for attempt in error.attempts] == ["alpha", "beta", "gamma"]
    assert error.message == (
        "no quotes for crypto:BTC/USD: time ran out; alpha: no answer within 1333 ms; "
        "beta: no answer within 1333 ms; gamma: no answer within 1333 ms"
    )


async def test_no_time_at_all_says_so_unless_nobody_covers_it_anyway() -> None:
    some, none = world(venue("alpha")), world(venue("alpha", covers=lambda ask: False))

    assert (await some.refused(timeout=0.0)).message == (
        "no quotes for crypto:BTC/USD: time ran out before anybody was asked"
    )
    assert (await none.refused(timeout=0.0)).code is FailureCode.NOT_COVERED
    assert some.wire.requests == []


async def test_a_gateway_without_providers_says_so() -> None:
    error = await world().refused(parse_instrument("equity:AAPL"))

    assert isinstance(error, NoAnswer)
    assert error.message == "no provider offers quotes"
    assert BTC.base == "BTC"


@pytest.mark.parametrize(
    ("item", "subject"),
    [
        (crypto("BTC", "USD"), "crypto:BTC/USD"),
        (FxRatesAsk(base="EUR"), "EUR"),
        (MarketCapsAsk(currency="CHF"), "CHF"),
        (SearchAsk(text="apple"), "apple"),
        (InstrumentsAsk(), "all"),
        (OrderBookAsk(instrument=crypto("BTC", "USD")), "crypto:BTC/USD"),
    ],
)
def test_an_error_names_what_was_asked_for_in_the_callers_words(item: object, subject: str) -> None:
    assert subject_of(item) == subject
