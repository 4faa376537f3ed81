"""Live fields that are made of several streams, or of none: consensus, the providers' condition, news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from providers import Discovered
from providers.contract import Provider
from schema.errors import Overloaded, UnknownInstrument
from schema.words.live import NoticeCode
from schema.words.news import NEWS, NewsArticle
from schema.words.quotes import QUOTES
from tests.gateway.doubles import ManualClock
from tests.gateway.edge.floors import Floor, opened
from tests.gateway.edge.sockets import Peer
from tests.plugins.speakers import NOON, speaker

CONSENSUS = """subscription($quorum: Int, $providers: [String!]) {
  consensus(symbol: "BTC/USD", quorum: $quorum, providers: $providers, everyMs: 0) { cursor
    consensus { median low high asked used outliers { provider } sources { provider excluded { code } } }
    notices { code symbol provider message } } }"""
HEALTH = "subscription { providerHealth { cursor snapshot providers { id status breaker errorRate p95Ms } } }"
NEWS_OF = "subscription($after: Cursor) { news(after: $after) { cursor snapshot articles { id } notices { code } } }"


class Hurried(ManualClock):
    """Whoever sleeps wakes at once, and it is as late as they wanted it to be."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.002)
        self.turn(seconds)


class Papers:
    """What the news provider answers."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.refusal: Exception | None = None

    def say(self, ask: object) -> tuple[NewsArticle, ...]:
        if self.refusal is not None:
            raise self.refusal
        return tuple(article(number) for number in sorted(self.numbers, reverse=True))


def article(number: int) -> NewsArticle:
    published = NOON + timedelta(minutes=number)
    return NewsArticle(id=f"a{number}", title=f"{number}", url=f"https://n.example/{number}", published_at=published)


@pytest.fixture
def papers() -> Papers:
    return Papers()


@pytest.fixture
async def exchange(settings_and_key, papers) -> AsyncIterator[Floor]:
    """Three providers in the live world; nobody sleeps."""
    made, key = settings_and_key
    names = ("alpha", "beta", "gamma")
    classes: dict[str, type[Provider]] = {
        name: speaker({QUOTES: lambda _: None, NEWS: papers.say} if name == "alpha" else {QUOTES: lambda _: None},
                      name=name, priority=10 + at)
        for at, name in enumerate(names)
    }  # fmt: skip
    found = Discovered(classes=classes, failed={})
    async with opened(
        made.model_copy(update={"upstreams": "live"}), key, discovered=found, clock=Hurried(datetime.now(UTC))
    ) as floor:
        yield floor


async def heard(peer: Peer, operation: str = "1") -> dict[str, Any]:
    """The root field of an operation's next message."""
    message = await peer.hear()
    while message.get("id") != operation:
        message = await peer.hear()
    assert message["type"] == "next", message
    (found,) = message["payload"]["data"].values()
    return dict(found)


async def until(peer: Peer, condition: Any) -> dict[str, Any]:
    found = await heard(peer)
    while not condition(found):
        found = await heard(peer)
    return found


def agreed(update: dict[str, Any]) -> tuple[str, int] | None:
    found = update["consensus"]
    return None if found is None else (found["median"], found["used"])


async def test_a_consensus_is_made_anew_whenever_a_source_has_spoken_and_names_outliers(exchange: Floor) -> None:
    for name, price in (("alpha", "100"), ("beta", "101"), ("gamma", "102")):
        exchange.lines.price(name, price)
    async with exchange.dial() as peer:
        await peer.ask(CONSENSUS)
        first = await heard(peer)
        exchange.lines.price("gamma", "200")
        second = await heard(peer)
        exchange.lines.price("gamma", "102")
        third = await heard(peer)

    assert sorted(exchange.lines.opened) == ["alpha", "beta", "gamma"]
    assert (agreed(first), first["consensus"]["asked"], first["notices"]) == (("101", 3), 3, [])
    assert (agreed(second), second["consensus"]["outliers"]) == (("100.5", 2), [{"provider": "gamma"}])
    assert agreed(third) == ("101", 3)
    assert len({first["cursor"], second["cursor"], third["cursor"]}) == 3


async def test_below_the_quorum_a_consensus_is_null_and_a_notice_says_why(exchange: Floor) -> None:
    exchange.lines.price("alpha", "100")
    exchange.lines.price("beta", "101")
    async with exchange.dial() as peer:
        await peer.ask(CONSENSUS, variables={"quorum": 2, "providers": ["alpha", "beta"]})
        first = await heard(peer)
        exchange.lines.trouble("beta", NoticeCode.STALE, "nothing for 30 s")
        second = await heard(peer)
        exchange.lines.price("beta", "102")
        third = await heard(peer)

    assert agreed(first) == ("100.5", 2)
    assert second["consensus"] is None
    assert second["notices"] == [
        {"code": "STALE", "symbol": "BTC/USD", "provider": "beta", "message": "nothing for 30 s"},
        {
            "code": "STALE", "symbol": "BTC/USD", "provider": None,
            "message": "1 usable of the 2 sources that quorum asks for crypto:BTC/USD: beta: nothing for 30 s",
        },
    ]  # fmt: skip
    assert (agreed(third), third["notices"]) == (("101", 2), [])


async def test_a_source_whose_stream_has_ended_counts_no_more_and_the_others_go_on(exchange: Floor) -> None:
    for name, price in (("alpha", "100"), ("beta", "101"), ("gamma", "102")):
        exchange.lines.price(name, price)
    async with exchange.dial() as peer:
        await peer.ask(CONSENSUS)
        await heard(peer)
        exchange.lines.end("gamma", UnknownInstrument("gamma", "no such pair"))
        second = await heard(peer)

    assert agreed(second) == ("100.5", 2)
    assert second["consensus"]["sources"][2] == {"provider": "gamma", "excluded": {"code": "DATA_STALE"}}


async def test_who_joins_a_consensus_later_gets_all_of_it_and_who_comes_back_too(exchange: Floor) -> None:
    for name, price in (("alpha", "100"), ("beta", "101"), ("gamma", "102")):
        exchange.lines.price(name, price)
    async with exchange.dial() as first, exchange.dial() as second:
        await first.ask(CONSENSUS)
        begun = await heard(first)
        await second.ask(CONSENSUS)
        joined = await heard(second)
        assert len(exchange.executor.broadcasts) == 1
        await second.ask(CONSENSUS, "2", extensions={"after": begun["cursor"]}, variables={"quorum": 3})
        back = await heard(second, "2")

    assert agreed(begun) == agreed(joined) == agreed(back) == ("101", 3)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"quorum": 0}, "quorum: must be 1 to 20, not 0"),
        ({"providers": ["nobody"]}, "providers: "),
        ({"providers": ["alpha"] * 21}, "providers: names 21: at most 20"),
    ],
)
async def test_a_consensus_that_cannot_be_is_an_error_of_its_operation_alone(exchange, variables, told) -> None:
    async with exchange.dial() as peer:
        await peer.ask(CONSENSUS, variables=variables)
        refused = await peer.hear()

    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")
    assert refused["payload"][0]["message"].startswith(told)


async def test_a_provider_is_told_again_when_its_condition_changes_and_the_others_are_not(exchange: Floor) -> None:
    async with exchange.dial() as peer, exchange.dial() as later:
        await peer.ask(HEALTH)
        first = await heard(peer)
        exchange.gateway.host.data.pipeline.health.failed("beta", Overloaded("beta", "busy"))
        second = await heard(peer)
        await later.ask(HEALTH)
        joined = await heard(later)
        await later.ask(HEALTH, "2", extensions={"after": first["cursor"]})
        missed = await heard(later, "2")
        assert len(exchange.executor.broadcasts) == 1

    ready = {"status": "READY", "breaker": "CLOSED", "errorRate": 0.0, "p95Ms": None}
    degraded = {"id": "beta", "status": "DEGRADED", "breaker": "CLOSED", "errorRate": 1.0, "p95Ms": None}
    assert (first["snapshot"], first["providers"]) == (
        True, [{"id": name, **ready} for name in ("alpha", "beta", "gamma")],
    )  # fmt: skip
    assert (second["snapshot"], second["providers"]) == (False, [degraded])
    assert (joined["snapshot"], joined["providers"][1], len(joined["providers"])) == (True, degraded, 3)
    assert (missed["snapshot"], missed["providers"]) == (False, [degraded])


def ids(update: dict[str, Any]) -> list[str]:
    return [each["id"] for each in update["articles"]]


async def test_news_begin_with_the_newest_twenty_and_then_each_article_comes_once(exchange, papers) -> None:
    papers.numbers = list(range(25))
    async with exchange.dial() as peer, exchange.dial() as later:
        await peer.ask(NEWS_OF)
        first = await heard(peer)
        papers.numbers.append(25)
        second = await heard(peer)
        papers.numbers.remove(25)
        papers.numbers.append(26)
        third = await heard(peer)
        papers.numbers += [25, 27]
        fourth = await heard(peer)
        await later.ask(NEWS_OF, variables={"after": first["cursor"]})
        missed = await heard(later)

    assert (first["snapshot"], ids(first)) == (True, [f"a{number}" for number in range(24, 4, -1)])
    assert [ids(each) for each in (second, third, fourth)] == [["a25"], ["a26"], ["a27"]]
    assert (missed["snapshot"], ids(missed)) == (False, ["a27", "a26", "a25"])


async def test_the_example_of_news_in_the_docs_shows_a_newcomer_articles(floor) -> None:
    docs = (Path(__file__).parents[3] / "docs/live.md").read_text()
    (example,) = [block for block in docs.split("```graphql\n") if block.startswith("subscription { news ")]
    async with floor.dial() as peer:
        await peer.ask(example.partition("```")[0])
        first = await heard(peer)

    assert (first["snapshot"], ids(first), first["notices"]) == (True, ["24004", "24003"], [])


async def test_news_that_cannot_be_had_are_a_notice_once_and_another_when_they_can_again(exchange, papers) -> None:
    papers.numbers = [1]
    async with exchange.dial() as peer:
        await peer.ask(NEWS_OF)
        await heard(peer)
        papers.refusal = Overloaded("alpha", "busy")
        second = await heard(peer)
        papers.refusal = None
        papers.numbers = [1, 2]
        third = await heard(peer)

    assert (ids(second), second["notices"]) == ([], [{"code": "STALE"}])
    assert (ids(third), third["notices"]) == (["a2"], [{"code": "FRESH_AGAIN"}])


async def test_who_joins_while_news_cannot_be_had_is_told_so_too_and_not_once_they_can_again(exchange, papers) -> None:
    papers.numbers = [1]
    async with exchange.dial() as peer, exchange.dial() as later, exchange.dial() as last:
        await peer.ask(NEWS_OF)
        await heard(peer)
        papers.refusal = Overloaded("alpha", "busy")
        await heard(peer)
        await later.ask(NEWS_OF)
        joined = await heard(later)
        papers.refusal = None
        again = [await heard(each) for each in (peer, later)]
        await last.ask(NEWS_OF)
        then = await heard(last)

    assert (joined["snapshot"], ids(joined), joined["notices"]) == (True, ["a1"], [{"code": "STALE"}])
    assert [each["notices"] for each in again] == [[{"code": "FRESH_AGAIN"}]] * 2
    assert (then["snapshot"], ids(then), then["notices"]) == (True, ["a1"], [])


@pytest.mark.parametrize("after", ["nonsense", "eA"])
async def test_news_behind_a_cursor_that_is_none_are_refused(exchange, papers, after) -> None:
    async with exchange.dial() as peer:
        await peer.ask(NEWS_OF, extensions={"after": after})
        refused = await peer.hear()

    assert (refused["type"], refused["payload"][0]["message"]) == (
        "error", "after: is no cursor: give back the `cursor` of the last message as it came",
    )  # fmt: skip


async def test_news_whose_first_question_nobody_answers_are_an_error(exchange, papers) -> None:
    papers.refusal = Overloaded("alpha", "busy")
    async with exchange.dial() as peer:
        await peer.ask(NEWS_OF)
        refused = await peer.hear()

    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UPSTREAM_UNAVAILABLE")
