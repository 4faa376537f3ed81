"""Channels: what an endpoint's events are about, in the spelling that events have."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.core.contract import Context
from gateway.core.ports import Desk, Providers
from plugins.webhooks.rules import MOST_CHANNELS
from schema.errors import AmbiguousInstrument, MarketgateError
from schema.words.intervals import Interval
from schema.words.problems import Refused

NEWS = "news"
"""The channel of all news; `news:<topic>` is that of a topic."""
_LONGEST_TOPIC = 60
_KEPT = re.compile(r"[a-z]+_[0-9a-z]{20}")
"""Ids of what plugins keep: endpoints, alerts."""


async def read_channels(context: Context, given: Sequence[str]) -> list[str]:
    """Canonical ids, each once, in their order; the refusal names the one that means nothing."""
    if len(given) > MOST_CHANNELS:
        told = f"{len(given)} channels at once: give at most {MOST_CHANNELS}."
        raise Refused("CHANNEL_INVALID", told, "channels")
    return list(dict.fromkeys([await _read(context, text, index) for index, text in enumerate(given)]))


async def _read(context: Context, text: str, index: int) -> str:
    if text == NEWS or text.startswith(f"{NEWS}:"):
        return _news(text, index)
    if _KEPT.fullmatch(text) or context.service(Providers).find(text) is not None:
        return text
    symbol, hash, interval = text.partition("#")
    if hash and interval not in Interval.__members__:
        told = f"{interval[:20]!r} is no interval: write a channel such as 'crypto:BTC/USD#M1'."
        raise Refused("CHANNEL_INVALID", told, "channels", str(index))
    try:
        found = await context.service(Desk).find(context, symbol)
    except AmbiguousInstrument as error:
        told = f"{error.symbol!r} may mean {', '.join(error.candidates)}: write one of these."
        raise Refused("CHANNEL_INVALID", told, "channels", str(index)) from None
    except MarketgateError as error:
        raise Refused("CHANNEL_INVALID", f"{error.message}.", "channels", str(index)) from None
    return f"{found}{hash}{interval}"


def _news(text: str, index: int) -> str:
    """As articles are produced for: topics are lower case."""
    topic = text[len(NEWS) + 1 :].strip().lower()
    if text != NEWS and not (0 < len(topic) <= _LONGEST_TOPIC and topic.isprintable()):
        told = f"A topic of news has 1 to {_LONGEST_TOPIC} characters: write a channel such as 'news:etf'."
        raise Refused("CHANNEL_INVALID", told, "channels", str(index))
    return f"{NEWS}:{topic}" if topic else NEWS
