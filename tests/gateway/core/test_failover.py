"""One quote, several providers, the first of which fails."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.core.errand import subject_of
from gateway.core.guards.breaker import BreakerPolicy
from providers.contract import Licence, Profile, Provider, answers
from schema.errors import (
    ConnectionFailed,
    FailureCode,
    QuotaExhausted,
    Timeout,
)
from schema.provenance import Provenance
from schema.symbols import AssetClass, crypto
from schema.words.books import OrderBookAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.chains import TransactionsAsk
from schema.words.curves import YieldCurveAsk
from schema.words.defi import YieldsAsk
from schema.words.economics import EconomicCalendarAsk
from schema.words.instruments import InstrumentsAsk, SearchAsk
from schema.words.news import NewsAsk
from schema.words.quotes import QuotesAsk
from schema.words.rates import FxRatesAsk
from schema.words.videos import VideosAsk
from tests.gateway.doubles import (
    NOON,
    Handler,
    codes,
    failing,
    fallen,
    in_turn,
    priced,
    raising,
    reply,
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


@pytest.mark.parametrize(
    ("item", "subject"),
    [
        (crypto("BTC", "USD"), "crypto:BTC/USD"),
        (FxRatesAsk(base="EUR"), "EUR"),
        (MarketCapsAsk(currency="CHF"), "CHF"),
        (SearchAsk(text="apple"), "apple"),
        (InstrumentsAsk(), "all"),
        (OrderBookAsk(instrument=crypto("BTC", "USD")), "crypto:BTC/USD"),
        (NewsAsk(instruments=(crypto("BTC", "USD"), crypto("ETH", "USD"))), "crypto:BTC/USD, crypto:ETH/USD"),
        (NewsAsk(topic="business", language="en"), "business"),
        (NewsAsk(language="en"), "en"),
        (NewsAsk(), "all"),
        (VideosAsk(id="x7"), "x7"),
        (TransactionsAsk(chain="bitcoin", hash="4a5e"), "4a5e"),
        (YieldsAsk(chain="base", asset="USDC"), "USDC"),
        (YieldCurveAsk(), "US"),
        (EconomicCalendarAsk(start=date(2026, 11, 2), end=date(2026, 11, 3), countries=("DE", "FR")), "DE, FR"),
    ],
)
def test_an_error_names_what_was_asked_for_in_the_callers_words(item: object, subject: str) -> None:
    assert subject_of(item) == subject
