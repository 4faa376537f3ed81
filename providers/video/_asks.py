"""Which videos a platform can be asked for, by the forms of its ids."""

from __future__ import annotations

import re

from schema.words.videos import VideoOrder, VideosAsk


def askable(ask: VideosAsk, video: re.Pattern[str], channel: re.Pattern[str]) -> bool:
    """One, or by words; a channel's have an order by relevance only where there are words."""
    if ask.id:
        return video.fullmatch(ask.id) is not None
    if not ask.channel:
        return bool(ask.text)
    return channel.fullmatch(ask.channel) is not None and (bool(ask.text) or ask.order is not VideoOrder.RELEVANCE)
