"""Search of the web through GraphQL, spoken by a fake."""

from __future__ import annotations

import pytest

from schema.words.websearch import WEB_SEARCH, SearchResult, WebSearchAsk
from tests.plugins.speakers import Room, Speaker, speaker


@pytest.fixture
def alpha() -> type[Speaker]:
    return speaker({
        WEB_SEARCH: lambda ask: tuple(
            SearchResult(title=f"{ask.text} {n}", url=f"https://example.com/{n}") for n in range(25)
        )
    })  # fmt: skip


async def test_the_best_twenty_pages_are_shown(alpha: type[Speaker]) -> None:
    query = """{ webSearch(search: " butterfly ", language: "EN", country: "us", first: 100) {
      nodes { title url snippet } pageInfo { hasNextPage } provenance { provider } } }"""

    found = await Room(alpha).data(query)

    assert found["nodes"][0] == {"title": "butterfly 0", "url": "https://example.com/0", "snippet": None}
    assert (len(found["nodes"]), found["pageInfo"]["hasNextPage"]) == (20, False)
    assert found["provenance"] == {"provider": "alpha"}
    assert alpha.asked == [WebSearchAsk(text="butterfly", language="en", country="US")]


async def test_nothing_is_no_search(alpha: type[Speaker]) -> None:
    found = await Room(alpha).error('{ webSearch(search: " ") { nodes { url } } }')

    assert (found, alpha.asked) == (("BAD_USER_INPUT", "search: give 1 to 400 characters"), [])
