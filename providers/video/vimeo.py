"""Vimeo. Docs: https://developer.vimeo.com/api/reference/videos

Answers hold hundreds of members: only those that are read are asked for, which the limits reward. An id is the last
part of a `uri`; a creator may hide the number of plays.
"""

from __future__ import annotations

import re
from decimal import Decimal

from providers.contract import Licence, Profile, Provider, Reply, answers, header, per_minute
from providers.row import Row
from providers.video._asks import askable
from providers.video._languages import two_letters
from schema.errors import Throttled, UpstreamError
from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk

FIELDS = (
    "uri,name,description,link,duration,created_time,release_time,language,stats.plays,pictures.sizes,user.uri,"
    "user.name,metadata.connections.likes.total,metadata.connections.comments.total"
)
ORDERS = {VideoOrder.RELEVANCE: "relevant", VideoOrder.NEWEST: "date", VideoOrder.VIEWS: "plays"}
MOST = 100
_ID = re.compile(r"[0-9]{1,12}")
_CHANNEL = re.compile(r"[A-Za-z0-9_]{1,64}")


class Vimeo(Provider):
    """By words, of a member, or one."""

    profile = Profile(
        id="vimeo",
        name="Vimeo",
        base_url="https://api.vimeo.com",
        docs="https://developer.vimeo.com/api/reference/videos",
        asset_classes=(),
        licence=Licence(note="Vimeo API terms; videos stay their creators'.", attribution="Vimeo"),
        credentials=(header("Authorization", template="bearer {}", sign_up="https://developer.vimeo.com/apps"),),
        headers={"Accept": "application/vnd.vimeo.*+json;version=3.4"},
        limits=(per_minute(50),),
        priority=40,
    )

    @answers(VIDEOS, covers=lambda ask: askable(ask, _ID, _CHANNEL))
    async def videos(self, ask: VideosAsk) -> tuple[Video, ...]:
        """In the order that was asked for."""
        if ask.id:
            return (parse_video(await self.http.get(f"/videos/{ask.id}", {"fields": FIELDS})),)
        path = f"/users/{ask.channel}/videos" if ask.channel else "/videos"
        wanted = {"query": ask.text} if ask.text else {}
        wanted |= {"sort": ORDERS[ask.order]}
        wanted |= {} if ask.order is VideoOrder.RELEVANCE else {"direction": "desc"}
        body = await self.http.get(path, {**wanted, "per_page": min(ask.limit, MOST), "fields": FIELDS})
        return tuple(parse_video(row) for row in body["data"])

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error", "error_code"}`: what is not told by the status is haste without a waiting time."""
        if reply.status == 429 and "error_code" in reply.body:
            return Throttled(self.profile.id, "too many requests a minute", retry_after=60)
        return None


def parse_video(row: Row) -> Video:
    """`{"uri": "/videos/29433509", "name", "link", "duration", "pictures": {"sizes": [{"width", "link"}]}, "user"}`."""
    user, plays = row.get("user"), row.get("stats")
    return Video(
        id=last_of(row.text("uri")),
        title=row.text("name"),
        url=row.text("link"),
        description=row.maybe_text("description"),
        channel=user.maybe_text("name") if user else None,
        channel_id=last_of(user.text("uri")) if user else None,
        published_at=row.maybe_instant("release_time") or row.maybe_instant("created_time"),
        duration_ms=None if not row.maybe("duration") else row.integer("duration") * 1000,
        views=plays.maybe("plays") if plays else None,
        likes=total_of(row, "likes"),
        comments=total_of(row, "comments"),
        image=still_of(row.get("pictures")),
        language=two_letters(row.maybe_text("language")),
    )


def last_of(uri: str) -> str:
    """`/videos/29433509:2fe8` is the video 29433509, by a link that is not public."""
    return uri.rpartition("/")[2].partition(":")[0]


def total_of(row: Row, name: str) -> Decimal | None:
    """`metadata.connections.likes.total`, where a creator shows it."""
    for key in ("metadata", "connections", name):
        inner = row.get(key)
        if inner is None:
            return None
        row = inner
    return row.maybe("total")


def still_of(pictures: Row | None) -> str | None:
    """The widest."""
    sizes = [(size.integer("width"), size.text("link")) for size in pictures["sizes"]] if pictures else []
    return max(sizes, default=(0, None))[1]
