"""Videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import not_negative, unique
from schema.model import choices, described, model
from schema.provenance import UNSTAMPED, Provenance


@choices(
    "Which videos come first.",
    RELEVANCE="The platform's own order.",
    NEWEST="The newest.",
    VIEWS="The most viewed.",
)
class VideoOrder(StrEnum):
    """RELEVANCE is the platform's own order."""

    RELEVANCE = "RELEVANCE"
    NEWEST = "NEWEST"
    VIEWS = "VIEWS"


@model("A video.")
class Video:
    """Counts are exact texts: they outgrow 32 bits."""

    as_of: strawberry.Private[datetime | None] = None
    id: str = described("The platform's id.")
    title: str = described("Its title.")
    url: str = described("Where it can be watched.")
    description: str | None = described("What its author says of it; untrusted.", default=None)
    channel: str | None = described("Who published it, in words.", default=None)
    channel_id: str | None = described("The platform's id of the publisher.", default=None)
    published_at: datetime | None = described("When it was published.", default=None)
    duration_ms: int | None = described("How long it is; null while it is live.", default=None)
    views: Decimal | None = described("How often it was watched.", default=None)
    likes: Decimal | None = described("How many like it.", default=None)
    comments: Decimal | None = described("How many comments it has.", default=None)
    image: str | None = described("Address of its still.", default=None)
    language: str | None = described("ISO 639-1 code, lower-case.", default=None)
    live: bool | None = described("Whether it is being broadcast now.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideosAsk:
    """At most `limit` videos by words, of a channel (by its id), or one by its id."""

    text: str = ""
    channel: str = ""
    id: str = ""
    order: VideoOrder = VideoOrder.RELEVANCE
    limit: int = 50


def check_videos(ask: VideosAsk, videos: Sequence[Video]) -> Iterator[str]:
    """Each once."""
    yield from unique("ids", [video.id for video in videos])
    for video in videos:
        path = f"{video.id}: "
        yield from not_negative(path, duration_ms=video.duration_ms, views=video.views, likes=video.likes)
        if not video.url.startswith("https://"):
            yield f"{path}{video.url!r} is no address"


VIDEOS: Capability[VideosAsk, tuple[Video, ...]] = Capability(
    name="videos",
    ask=VideosAsk,
    answer=tuple[Video, ...],
    description="Videos by words, channel or id.",
    fresh_for=timedelta(minutes=10),
    revalidate_for=timedelta(minutes=50),
    keep_for=timedelta(days=1),
    check=check_videos,
)
