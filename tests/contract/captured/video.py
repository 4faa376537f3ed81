"""Captures of videos."""

from __future__ import annotations

import html
from datetime import datetime
from typing import Any

from tests.contract.captured.asks import Asking, Plan, refused
from tests.contract.captures import Capture


def snippet(row: dict[str, Any]) -> dict[str, Any]:
    """What hits and details have in common."""
    return {
        "description": html.unescape(row["description"]) or None, "channel": row["channelTitle"],
        "channel_id": row["channelId"], "published_at": datetime.fromisoformat(row["publishedAt"]),
        "image": row["thumbnails"]["high"]["url"],
    }  # fmt: skip


def youtube_hits(capture: Capture) -> Plan:
    """Hits whose details nobody has; channels are no videos."""
    expected = [
        {"id": row["id"]["videoId"], "title": html.unescape(row["snippet"]["title"])} | snippet(row["snippet"])
        for row in capture.body["items"]
        if "videoId" in row["id"]
    ]
    return Plan(capability="videos", ask={"text": "surfing"}, expected=expected)


def youtube_video(capture: Capture) -> Plan:
    """One by its id, without length and counts."""
    (item,) = capture.body["items"]
    expected = {"id": item["id"], "title": item["snippet"]["title"], "language": "en", "views": None}
    return Plan(capability="videos", ask={"id": item["id"]}, expected=[expected | snippet(item["snippet"])])


def vimeo_videos(capture: Capture) -> Plan:
    """Rows of a channel's programme, in the form of a search."""
    expected = [
        {
            "id": row["uri"].removeprefix("/videos/"), "title": row["name"], "url": row["link"],
            "description": row["description"], "duration_ms": row["duration"] * 1000, "views": row["stats"]["plays"],
            "published_at": datetime.fromisoformat(row["release_time"]), "channel": row["user"]["name"],
            "image": max(row["pictures"]["sizes"], key=lambda size: int(size["width"]))["link"],
        }
        for row in capture.body["data"]
    ]  # fmt: skip
    return Plan(capability="videos", ask={"text": "cinema"}, expected=expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("vimeo", "videos: list (2 rows of programmed cinema)"): (vimeo_videos,),
    ("youtube_data", "error: key invalid"): (refused("videos", {"text": "surfing"}, "PROVIDER_MISCONFIGURED"),),
    ("youtube_data", "search: channels"): (youtube_hits,),
    ("youtube_data", "search: surfing p1"): (youtube_hits,),
    ("youtube_data", "videos: one"): (youtube_video,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("vimeo", "album"): "not called: collections of videos are not offered",
}
