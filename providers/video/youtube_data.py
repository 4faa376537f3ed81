"""YouTube Data API v3. Docs: https://developers.google.com/youtube/v3/docs

A search costs 100 units of a day's 10,000 and tells neither length nor counts; a call for the details of all its hits
costs one more. Titles are escaped in a search, and not in details. Refusals are told by a reason.
"""

from __future__ import annotations

import re
from dataclasses import replace

from providers.contract import Licence, Profile, Provider, Reply, answers, header, per_day
from providers.markup import without_markup
from providers.row import Row
from providers.video._languages import two_letters
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk

WATCH = "https://www.youtube.com/watch?v="
ORDERS = {VideoOrder.RELEVANCE: "relevance", VideoOrder.NEWEST: "date", VideoOrder.VIEWS: "viewCount"}
DETAILS = "snippet,contentDetails,statistics"
MOST = 50
SEARCH_UNITS = 100
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}")
_LENGTH = re.compile(r"P(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?")
# https://developers.google.com/youtube/v3/docs/errors
REFUSALS: dict[str, type[UpstreamError]] = {
    "accessNotConfigured": Unauthorized, "API_KEY_INVALID": Unauthorized, "channelNotFound": UnknownInstrument,
    "dailyLimitExceeded": QuotaExhausted, "forbidden": Unauthorized, "ipRefererBlocked": Unauthorized,
    "keyExpired": Unauthorized, "keyInvalid": Unauthorized, "quotaExceeded": QuotaExhausted,
    "rateLimitExceeded": Throttled, "userRateLimitExceeded": Throttled, "videoNotFound": UnknownInstrument,
}  # fmt: skip


def covered(ask: VideosAsk) -> bool:
    """Ids of YouTube's own forms."""
    if ask.id:
        return _ID.fullmatch(ask.id) is not None
    return bool(ask.text or ask.channel) and (not ask.channel or _CHANNEL.fullmatch(ask.channel) is not None)


class YouTubeData(Provider):
    """By words, of a channel, or one."""

    profile = Profile(
        id="youtube_data",
        name="YouTube",
        base_url="https://www.googleapis.com/youtube/v3",
        docs="https://developers.google.com/youtube/v3/docs",
        asset_classes=(),
        licence=Licence(note="YouTube API Services terms; data are refreshed or deleted after 30 days."),
        credentials=(header("X-Goog-Api-Key", sign_up="https://console.cloud.google.com/apis/credentials"),),
        limits=(per_day(10_000, "units"),),
        priority=20,
    )

    @answers(VIDEOS, covers=covered, weight=lambda ask: 1 if ask.id else SEARCH_UNITS + 1)
    async def videos(self, ask: VideosAsk) -> tuple[Video, ...]:
        """Hits with their details, in the order that was asked for."""
        if ask.id:
            found = await self._details([ask.id])
            if not found:
                raise UnknownInstrument(self.profile.id, f"there is no video {ask.id}")
            return tuple(found.values())
        wanted = {"part": "snippet", "type": "video", "order": ORDERS[ask.order]}
        wanted |= {"maxResults": str(min(ask.limit, MOST))}
        wanted |= {"q": ask.text} if ask.text else {}
        wanted |= {"channelId": ask.channel} if ask.channel else {}
        hits = parse_hits(await self.http.get("/search", wanted))
        details = await self._details(list(hits)) if hits else {}
        return tuple(details.get(each, hit) for each, hit in hits.items())

    async def _details(self, ids: list[str]) -> dict[str, Video]:
        body = await self.http.get("/videos", {"part": DETAILS, "id": ",".join(ids), "maxResults": MOST})
        return {row.text("id"): parse_details(row) for row in body["items"]}

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"code", "errors": [{"reason"}], "status", "details": [{"reason"}]}}`; details are newer."""
        error = reply.body.get("error")
        if error is None:
            return None
        told = [*(error.get("errors") or ()), *(error.get("details") or ())]
        reasons = [row.maybe_text("reason") for row in told if "reason" in row]
        if error.maybe_text("status") == "PERMISSION_DENIED":
            reasons.append("forbidden")
        known = next((reason for reason in reasons if reason in REFUSALS), None)
        if known is not None:
            return REFUSALS[known](self.profile.id, f"refused: {known}")
        return NotCovered(self.profile.id, "an invalid request") if reply.status == 400 else None


def parse_hits(body: Row) -> dict[str, Video]:
    """`{"items": [{"id": {"videoId"}, "snippet"}]}`; channels and lists have other ids, and are left out."""
    rows = [(row["id"].maybe_text("videoId"), row["snippet"]) for row in body["items"]]
    found = {}
    for each, row in rows:
        if each is not None:
            plain = parse_snippet(each, row)
            title, about = without_markup(plain.title) or each, without_markup(plain.description)
            found[each] = replace(plain, title=title, description=about)
    return found


def parse_snippet(number: str, row: Row) -> Video:
    """`{"title", "description", "channelTitle", "channelId", "publishedAt", "thumbnails", "liveBroadcastContent"}`."""
    broadcast, stills = row.maybe_text("liveBroadcastContent"), row.get("thumbnails")
    still = (stills.get("high") or stills.get("default")) if stills else None
    return Video(
        id=number,
        title=row.text("title"),
        url=WATCH + number,
        description=row.maybe_text("description"),
        channel=row.maybe_text("channelTitle"),
        channel_id=row.maybe_text("channelId"),
        published_at=row.maybe_instant("publishedAt"),
        image=still.maybe_text("url") if still else None,
        language=two_letters(row.maybe_text("defaultAudioLanguage") or row.maybe_text("defaultLanguage")),
        live=None if broadcast is None else broadcast == "live",
    )


def parse_details(item: Row) -> Video:
    """`{"id", "snippet", "contentDetails": {"duration"}, "statistics": {"viewCount"}}`; channels may hide counts."""
    counts, content = item.get("statistics"), item.get("contentDetails")
    return replace(
        parse_snippet(item.text("id"), item["snippet"]),
        duration_ms=length_of(content.maybe_text("duration")) if content else None,
        views=counts.maybe("viewCount") if counts else None,
        likes=counts.maybe("likeCount") if counts else None,
        comments=counts.maybe("commentCount") if counts else None,
    )


def length_of(text: str | None) -> int | None:
    """`PT1H2M3S` in milliseconds; a broadcast has the length zero while it lasts."""
    found = _LENGTH.fullmatch(text or "")
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 or None
