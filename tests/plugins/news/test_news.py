"""News through GraphQL, spoken by fakes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from schema.errors import Throttled
from schema.symbols import parse_instrument
from schema.words.news import NEWS, NewsArticle, NewsAsk
from tests.plugins.speakers import NOON, Room, Speaker, speaker


def article(number: int, source: str = "Wire") -> NewsArticle:
    return NewsArticle(
        id=f"a{number}", title=f"Title {number}", url=f"https://news.example/{number}", source=source,
        published_at=NOON - timedelta(hours=number), symbols=("equity:AAPL",), sentiment=Decimal("0.5"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def alpha() -> type[Speaker]:
    return speaker({NEWS: lambda ask: tuple(article(n, "Wire" if n % 2 else "Post") for n in range(120))})


@pytest.fixture(scope="module")
def room(alpha: type[Speaker]) -> Room:
    return Room(alpha)


async def test_pages_of_news_come_from_one_answer_newest_first(room: Room, alpha: type[Speaker]) -> None:
    query = """query($a: Cursor) {
      news(search: "rates", symbols: ["AAPL", "BTC/USD"], language: "EN", first: 2, after: $a) {
      nodes { id publishedAt symbols sentiment provenance { asOf provider } } pageInfo { endCursor }
      provenance { provider asOf } } }"""

    first = await room.data(query)
    second = await room.data(query, a=first["pageInfo"]["endCursor"])

    assert [node["id"] for node in (*first["nodes"], *second["nodes"])] == ["a0", "a1", "a2", "a3"]
    assert first["nodes"][0] == {
        "id": "a0", "publishedAt": "2026-11-20T12:00:00Z", "symbols": ["equity:AAPL"], "sentiment": "0.5",
        "provenance": {"asOf": None, "provider": "alpha"},
    }  # fmt: skip
    assert first["provenance"] == {"provider": "alpha", "asOf": "2026-11-20T12:00:00Z"}
    instruments = (parse_instrument("crypto:BTC/USD"), parse_instrument("equity:AAPL"))
    assert alpha.asked == [NewsAsk(text="rates", instruments=instruments, language="en")]


async def test_no_more_than_a_hundred_articles_are_shown_and_a_source_may_be_chosen(room: Room) -> None:
    found = await room.data('{ news(source: "Post", first: 100) { nodes { source } pageInfo { hasNextPage } } }')

    assert found == {"nodes": [{"source": "Post"}] * 50, "pageInfo": {"hasNextPage": False}}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (f'search: "{"x" * 201}"', "search: has 201 characters: at most 200"),
        ('language: "eng"', "language: 'eng' is no code of two letters"),
        ('start: "2026-01-02T00:00:00Z", end: "2026-01-01T00:00:00Z"', "end: must be after start"),
        ("symbols: [" + '"AAPL", ' * 21 + "]", "symbols: give at most 20"),
    ],
)
async def test_news_that_cannot_be_asked_for_are_refused(room: Room, arguments: str, told: str) -> None:
    assert await room.error(f"{{ news({arguments}) {{ nodes {{ id }} }} }}") == ("BAD_USER_INPUT", told)


async def test_who_cannot_filter_by_what_is_asked_for_is_not_asked_and_who_is_throttled_is_named() -> None:
    def throttled(_: NewsAsk) -> tuple[NewsArticle, ...]:
        raise Throttled("beta", "slow down")

    plain = speaker({NEWS: lambda ask: ()}, covers=lambda ask: not ask.topic)
    beta = speaker({NEWS: throttled}, name="beta", priority=20)
    gamma = speaker({NEWS: lambda ask: (article(1),)}, name="gamma", priority=30)

    found = await Room(plain, beta, gamma).data(
        '{ news(topic: "Crypto") { nodes { id } provenance { provider fallbackFrom { provider code } } } }'
    )

    assert found == {
        "nodes": [{"id": "a1"}],
        "provenance": {"provider": "gamma", "fallbackFrom": [{"provider": "beta", "code": "UPSTREAM_THROTTLED"}]},
    }
    assert plain.asked == []
    assert [ask.topic for ask in gamma.asked] == ["crypto"]
