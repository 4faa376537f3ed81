"""One upstream request for many callers; batches by item; callers with different patience."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.access import CONCURRENT
from providers.contract import Reply
from schema.capability import DEFAULT_TERMS
from schema.errors import FailureCode, NotCovered, NotRecorded, UpstreamError
from schema.provenance import CacheStatus
from schema.words.quotes import QUOTES, QuotesAsk
from tests.gateway.doubles import (
    BTC,
    ETH,
    SOL,
    Handler,
    codes,
    failing,
    fallen,
    late,
    pairs,
    price_of,
    priced,
    reply,
    silent,
    venue,
    world,
)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_thousand_identical_cold_asks_make_one_request() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(0.1, priced("7"))

    found = await asyncio.gather(*(w.logged() for _ in range(1000)))

    statuses = [log.status(answer.provenance) for answer, log in found]
    assert len(w.wire.requests) == 1
    assert {price_of(answer) for answer, _ in found} == {7}
    assert (statuses.count(CacheStatus.MISS), statuses.count(CacheStatus.COALESCED)) == (1, 999)


async def test_an_item_of_a_batch_is_a_hit_by_itself() -> None:
    w = world(venue("alpha"))
    await w.quotes(BTC, ETH)

    _, log = found = await w.logged(BTC)

    assert log.status(found[0].provenance) is CacheStatus.HIT
    assert w.wire.asked("alpha") == [["BTC-USD", "ETH-USD"]]


async def test_a_batch_asks_only_for_what_is_not_held() -> None:
    w = world(venue("alpha"))
    await w.quote(BTC)

    await w.quotes(ETH, BTC, SOL)

    assert w.wire.asked("alpha") == [["BTC-USD"], ["ETH-USD", "SOL-USD"]]


async def test_two_batches_at_once_ask_for_their_common_item_once() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(0.1, priced("7"))

    one, other = await asyncio.gather(w.quotes(BTC, ETH), w.quotes(ETH, SOL))

    assert w.wire.asked("alpha") == [["BTC-USD", "ETH-USD"], ["SOL-USD"]]
    assert list(one) == [BTC, ETH]
    assert list(other) == [ETH, SOL]


async def test_a_batch_is_filled_by_the_next_providers_and_keeps_its_order() -> None:
    asked = pairs(50)
    first = frozenset({"A3-USD", "A17-USD", "A49-USD"})
    w = world(*(venue(name, priority=n) for n, name in enumerate(("alpha", "beta", "gamma"))))
    w.wire.handlers.update(
        alpha=priced("1", without=first),
        beta=priced("2", without=first - {"A17-USD"}),
        gamma=priced("3", without=first),
    )

    found = await w.quotes(*asked)

    assert list(found) == list(asked)
    assert [len(symbols) for symbols in w.wire.asked("alpha")] == [50]
    assert w.wire.asked("beta") == [["A3-USD", "A17-USD", "A49-USD"]]
    assert w.wire.asked("gamma") == [["A3-USD", "A49-USD"]]
    assert price_of(found[asked[17]]) == 2
    assert codes(found[asked[3]]) == [(name, "UNKNOWN_INSTRUMENT") for name in ("alpha", "beta", "gamma")]  # type: ignore[arg-type]
    assert sum(price_of(found[item]) for item in asked if item not in (asked[3], asked[49])) == 47 + 2


async def test_an_item_asked_for_twice_travels_once() -> None:
    w = world(venue("alpha"))

    assert list(await w.quotes(BTC, ETH, BTC)) == [BTC, ETH]
    assert w.wire.asked("alpha") == [["BTC-USD", "ETH-USD"]]


async def test_each_item_is_asked_of_those_that_cover_it() -> None:
    w = world(
        venue("alpha", covers=lambda ask: ask.instruments[0] != ETH),
        venue("beta", covers=lambda ask: True, priority=20),
    )

    await w.quotes(BTC, ETH)

    assert (w.wire.asked("alpha"), w.wire.asked("beta")) == ([["BTC-USD"]], [["ETH-USD"]])


async def test_batches_are_cut_to_what_the_provider_takes() -> None:
    w = world(venue("alpha", max_batch=20))

    await w.quotes(*pairs(50))

    assert [len(symbols) for symbols in w.wire.asked("alpha")] == [20, 20, 10]


async def test_single_item_providers_are_asked_at_once_but_not_too_often() -> None:
    w = world(venue("alpha", max_batch=1))
    w.wire.handlers["alpha"] = late(0.1, priced("7"))

    await w.quotes(*pairs(200))

    assert len(w.wire.requests) == 200
    assert w.wire.most_open == CONCURRENT == 64
    assert now() == pytest.approx(0.4)


def refusing(*culprits: str) -> Handler:
    """Refuses the whole batch when a culprit is in it, as some venues do."""

    def handler(request: Any) -> Any:
        symbols = dict(request.params)["symbols"].split(",")
        bad = [symbol for symbol in symbols if symbol in culprits]
        return reply({"error": "invalid symbol"}, 400) if bad else priced("7")(request)

    return handler


async def test_a_refused_batch_is_halved_until_the_culprit_is_alone() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = refusing("A5-USD")

    found = await w.quotes(*pairs(8))

    assert [len(symbols) for symbols in w.wire.asked("alpha")] == [8, 4, 4, 2, 2, 1, 1]
    assert [item.base for item, answer in found.items() if not isinstance(answer, Exception)] == [
        "A0", "A1", "A2", "A3", "A4", "A6", "A7",
    ]  # fmt: skip
    assert codes(found[pairs(8)[5]]) == [("alpha", "UNKNOWN_INSTRUMENT")]  # type: ignore[arg-type]


async def test_a_provider_that_refuses_everything_is_not_hammered() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = failing(400, "no")

    found = await w.quotes(*pairs(200))

    assert all(fallen(answer) == [("alpha", "NOT_COVERED")] for answer in found.values())  # type: ignore[arg-type]
    assert len(w.wire.asked("alpha")) <= 3


async def test_a_refusal_of_everybody_here_is_not_asked_for_twice() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = failing(451, "not from here")

    await w.quotes(*pairs(200))
    await w.quotes(*pairs(200))

    assert len(w.wire.asked("alpha")) == 1


async def test_the_recordings_are_searched_to_the_last_item() -> None:
    w = world(venue("alpha"))

    def recorded(request: Any) -> Any:
        if dict(request.params)["symbols"] != "A150-USD":
            raise NotRecorded("alpha", "only A150 is")
        return priced("7")(request)

    w.wire.handlers["alpha"] = recorded

    found = await w.quotes(*pairs(200))

    assert [item.base for item, answer in found.items() if not isinstance(answer, Exception)] == ["A150"]


async def test_what_was_refused_only_in_company_is_not_remembered_as_unknown() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = refusing(*(f"A{n}-USD" for n in range(199)))
    await w.quotes(*pairs(200))
    w.wire.requests.clear()

    found = await w.quotes(pairs(200)[199])

    assert price_of(found[pairs(200)[199]]) == 7


async def test_halving_shares_the_time_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", 1.0)
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(0.6, refusing("A0-USD"))

    await w.quotes(*pairs(4), timeout=1.0)
    await asyncio.sleep(10)

    assert [len(symbols) for symbols in w.wire.asked("alpha")] == [4, 2, 2]
    assert w.wire.open == 0


async def test_a_patient_follower_gets_its_answer_from_an_impatient_callers_request() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(4.0, priced("7"))

    hasty = asyncio.create_task(w.refused(timeout=0.1))
    await asyncio.sleep(0.05)
    patient = await w.quote(timeout=5.0)

    assert (await hasty).code is FailureCode.DEADLINE_EXCEEDED
    assert price_of(patient) == 7
    assert len(w.wire.requests) == 1


@pytest.mark.parametrize(("begun", "requests"), [(0.1, 1), (0.2, 2)])
async def test_who_asks_for_what_is_now_joins_no_call_that_began_long_ago(begun: float, requests: int) -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(1.0, priced("7"))
    first = asyncio.create_task(w.quote())
    await asyncio.sleep(begun)

    await w.quote(max_age=timedelta(0))
    await first

    assert len(w.wire.requests) == requests


async def test_followers_never_make_a_silent_request_last_longer_than_their_own_patience() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = silent()

    async def caller(after: float) -> None:
        await asyncio.sleep(after)
        await w.refused(timeout=5.0)

    await asyncio.gather(*(caller(n * 0.5) for n in range(9)))

    assert len(w.wire.requests) == 1
    assert now() == pytest.approx(5.0)


async def test_the_answer_that_came_too_late_for_its_caller_serves_the_next() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(1.0, priced("7"))
    await w.refused(timeout=0.1)
    await asyncio.sleep(1.5)

    found, log = await w.logged()

    assert price_of(found) == 7
    assert log.status(found.provenance) is CacheStatus.HIT
    assert len(w.wire.requests) == 1


async def test_a_cancelled_caller_takes_nobody_along() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(1.0, priced("7"))
    leaver = asyncio.create_task(w.quote())
    await asyncio.sleep(0.1)
    stayer = asyncio.create_task(w.quote())
    await asyncio.sleep(0.1)

    leaver.cancel()
    with suppress(asyncio.CancelledError):
        await leaver

    assert price_of(await stayer) == 7
    assert len(w.wire.requests) == 1


async def test_cancelled_callers_do_not_count_against_the_provider() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(1.0, priced("7"))
    for item in pairs(10):
        caller = asyncio.create_task(w.quote(item))
        await asyncio.sleep(0.01)
        caller.cancel()
    await asyncio.sleep(2)

    assert w.breaker("alpha").state.value == "CLOSED"
    assert w.pipeline.health.of("alpha").error_rate == 0.0


async def test_nothing_is_left_of_a_finished_flight() -> None:
    w = world(venue("alpha"))
    for item in pairs(20):
        await w.quote(item)
    await asyncio.sleep(0)

    assert w.pipeline._flights == {}
    assert len(asyncio.all_tasks()) == 1


class Odd(NotCovered):
    """An error of a third party with a constructor of its own."""

    def __init__(self, secret: str) -> None:
        UpstreamError.__init__(self, "alpha", f"odd {secret}")


async def test_an_error_that_cannot_be_remade_still_fails_over_and_shows_no_secret() -> None:
    async def odd(_: QuotesAsk) -> object:
        raise Odd("hunter22")

    w = world(venue("alpha", quotes=odd), venue("beta", priority=20), keys={"alpha": {"key": "hunter22"}})

    (failure,) = (await w.quote()).provenance.fallback_from

    assert (failure.code, failure.message) == (FailureCode.NOT_COVERED, "odd ***")


async def test_a_defect_of_the_core_reaches_the_callers_and_no_unretrieved_error_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = late(1.0, priced("7"))
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    monkeypatch.setattr(w.pipeline, "scrubbed", lambda *_: 1 / 0)
    w.wire.handlers["alpha"] = late(1.0, failing(404))
    caller = asyncio.create_task(w.quote())
    await asyncio.sleep(0.1)
    caller.cancel()
    with suppress(asyncio.CancelledError):
        await caller

    await asyncio.sleep(2)
    gc.collect()

    assert told == []
    assert w.pipeline._flights == {}


async def test_an_explanation_that_breaks_falls_to_the_adapters_account(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    provider = w.registry.providers["alpha"]

    def explain(_: Reply) -> UpstreamError | None:
        raise KeyError("code")

    monkeypatch.setattr(provider.http, "explain", explain)

    assert fallen(await w.quote()) == [("alpha", "UPSTREAM_MALFORMED")]


async def test_asks_are_keys_by_value_and_terms_are_no_part_of_them() -> None:
    w = world(venue("alpha"))
    await w.data.fetch(QUOTES, QuotesAsk(instruments=(BTC,)), DEFAULT_TERMS)

    await w.data.fetch(QUOTES, QuotesAsk(instruments=(BTC.at(""),)), DEFAULT_TERMS)
    await w.quote(timeout=1.0, providers=("alpha",))

    assert len(w.wire.requests) == 1
