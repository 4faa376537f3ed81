"""Pages of one list are of one provider, whoever answers meanwhile."""

from __future__ import annotations

import pytest

from schema.errors import Overloaded
from schema.paging import make_cursor
from schema.words.news import NEWS, NewsArticle, NewsAsk
from tests.plugins.speakers import NOON, Room, Speaker, speaker

PAGE = """query($a: Cursor, $r: RouteInput = {maxAgeMs: 0}) { news(first: 2, after: $a, route: $r) {
  nodes { id } pageInfo { endCursor hasNextPage } provenance { provider } } }"""
LEFT_OUT = "after: goes on in the list of a provider that is not to be asked: begin anew without it"


class Wires:
    """Two providers with lists of their own; those in `silent` fail."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.alpha, self.beta = self._named("alpha", 10), self._named("beta", 20)
        self.room = Room(self.alpha, self.beta)

    def _named(self, name: str, priority: int) -> type[Speaker]:
        def say(ask: NewsAsk) -> tuple[NewsArticle, ...]:
            if name in self.silent:
                raise Overloaded(name, "HTTP 503")
            ids = [f"{name}{number}" for number in range(3)]
            return tuple(
                NewsArticle(id=id, title=id, url=f"https://news.example/{id}", source="Wire", published_at=NOON)
                for id in ids
            )

        return speaker({NEWS: say}, name=name, priority=priority)


async def test_a_list_goes_on_with_the_provider_that_began_it_though_the_first_is_back() -> None:
    wires = Wires()
    wires.silent.add("alpha")
    first = await wires.room.data(PAGE)
    wires.silent.clear()
    wires.room.clock.turn(60)

    second = await wires.room.data(PAGE, a=first["pageInfo"]["endCursor"])

    assert [node["id"] for node in (*first["nodes"], *second["nodes"])] == ["beta0", "beta1", "beta2"]
    assert second["provenance"] == {"provider": "beta"}
    assert not second["pageInfo"]["hasNextPage"]


async def test_where_that_provider_fails_nobody_else_is_asked_and_the_error_says_to_begin_anew() -> None:
    wires = Wires()
    first = await wires.room.data(PAGE)
    wires.silent.add("alpha")
    wires.room.clock.turn(60)

    code, told = await wires.room.error(PAGE, a=first["pageInfo"]["endCursor"])

    assert code == "UPSTREAM_UNAVAILABLE"
    assert told.startswith("alpha does not go on with its list; begin anew without `after`: ")
    assert wires.beta.asked == []


@pytest.mark.parametrize("route", [{"providers": ["beta"]}, {"exclude": ["alpha"]}])
async def test_a_route_that_leaves_that_provider_out_is_refused_before_anybody_is_asked(route: object) -> None:
    wires = Wires()
    first = await wires.room.data(PAGE)

    assert await wires.room.error(PAGE, a=first["pageInfo"]["endCursor"], r=route) == ("BAD_USER_INPUT", LEFT_OUT)
    assert (len(wires.alpha.asked), wires.beta.asked) == (1, [])


@pytest.mark.parametrize(
    ("position", "told"),
    [
        ("1@nobody", LEFT_OUT),
        ("1", "after: goes on in another provider's list than the one that answered: begin anew without it"),
    ],
)
async def test_a_cursor_of_nobodys_list_is_refused(position: str, told: str) -> None:
    assert await Wires().room.error(PAGE, a=make_cursor("news", position)) == ("BAD_USER_INPUT", told)
