"""Videos through GraphQL, spoken by a fake."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk
from tests.plugins.speakers import Room, Speaker, speaker


@pytest.fixture
def alpha() -> type[Speaker]:
    one = Video(
        id="gQ_1zX-F_No", title="Waves", url="https://video.example/1", duration_ms=221_000, views=Decimal(10**11)
    )
    return speaker({VIDEOS: lambda ask: (one,)})


async def test_counts_are_exact_beyond_32_bits(alpha: type[Speaker]) -> None:
    found = await Room(alpha).data(
        '{ videos(search: "surfing", order: NEWEST) { nodes { id views durationMs live } provenance { provider } } }'
    )

    assert found == {
        "nodes": [{"id": "gQ_1zX-F_No", "views": "100000000000", "durationMs": 221_000, "live": None}],
        "provenance": {"provider": "alpha"},
    }
    assert alpha.asked == [VideosAsk(text="surfing", order=VideoOrder.NEWEST)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "search: give search, channel or id"),
        ('(id: "x", search: "y")', "id: stands alone, without search and channel"),
        (f'(channel: "{"x" * 201}")', "search: give at most 200 characters"),
    ],
)
async def test_videos_that_cannot_be_asked_for_are_refused(alpha: type[Speaker], arguments: str, told: str) -> None:
    found = await Room(alpha).error(f"{{ videos{arguments} {{ nodes {{ id }} }} }}")

    assert (found, alpha.asked) == (("BAD_USER_INPUT", told), [])
