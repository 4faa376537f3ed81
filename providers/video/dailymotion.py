"""Dailymotion: public data. Docs: https://developers.dailymotion.com/v0/reference/api-video

Only the fields that are asked for come back; members of the owner have a point in their names. Errors are objects with
a `type`.
"""

from __future__ import annotations

import re

from providers.contract import Licence, Profile, Provider, Reply, answers
from providers.markup import without_markup
from providers.row import Row
from providers.video._asks import askable
from providers.video._languages import two_letters
from schema.errors import NotCovered, Throttled, UnknownInstrument, UpstreamError
from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk

FIELDS = (
    "id,title,description,url,duration,created_time,views_total,likes_total,owner.id,owner.screenname,"
    "thumbnail_720_url,language,mode,onair"
)
ORDERS = {VideoOrder.RELEVANCE: "relevance", VideoOrder.NEWEST: "recent", VideoOrder.VIEWS: "visited"}
MOST = 100
_ID = re.compile(r"[a-zA-Z0-9]{2,24}")
_CHANNEL = re.compile(r"[A-Za-z0-9_-]{1,64}")
REFUSALS: dict[str, type[UpstreamError]] = {
    "access_forbidden": NotCovered, "invalid_parameter": NotCovered, "not_found": UnknownInstrument,
    "rate_limit_exceeded": Throttled,
}  # fmt: skip


class Dailymotion(Provider):
    """By words, of a member, or one."""

    profile = Profile(
        id="dailymotion",
        name="Dailymotion",
        base_url="https://api.dailymotion.com",
        docs="https://developers.dailymotion.com/v0/reference/api-video",
        asset_classes=(),
        licence=Licence(note="Dailymotion API terms; videos stay their owners'.", attribution="Dailymotion"),
        priority=50,
    )

    @answers(VIDEOS, covers=lambda ask: askable(ask, _ID, _CHANNEL))
    async def videos(self, ask: VideosAsk) -> tuple[Video, ...]:
        """In the order that was asked for."""
        if ask.id:
            return (parse_video(await self.http.get(f"/video/{ask.id}", {"fields": FIELDS})),)
        path = f"/user/{ask.channel}/videos" if ask.channel else "/videos"
        wanted = {"search": ask.text} if ask.text else {}
        wanted |= {"sort": ORDERS[ask.order], "fields": FIELDS}
        body = await self.http.get(path, {**wanted, "limit": min(ask.limit, MOST)})
        return tuple(parse_video(row) for row in body["list"])

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"code", "message", "type"}}`."""
        error = reply.body.get("error")
        if error is None or "type" not in error:
            return None
        kind = error.text("type")
        return REFUSALS[kind](self.profile.id, f"refused: {kind}") if kind in REFUSALS else None


def parse_video(row: Row) -> Video:
    """A broadcast has the mode `live` and the length zero."""
    return Video(
        id=row.text("id"),
        title=row.text("title"),
        url=row.text("url"),
        description=without_markup(row.maybe_text("description")),
        channel=row.maybe_text("owner.screenname"),
        channel_id=row.maybe_text("owner.id"),
        published_at=row.maybe_epoch("created_time"),
        duration_ms=row.integer("duration") * 1000 if row.maybe("duration") else None,
        views=row.maybe("views_total"),
        likes=row.maybe("likes_total"),
        image=row.maybe_text("thumbnail_720_url"),
        language=two_letters(row.maybe_text("language")),
        live=None if row.maybe_text("mode") is None else row.text("mode") == "live" and bool(row.get("onair")),
    )
