"""What all sources of articles have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from providers.contract import Reply
from schema.errors import UpstreamError
from schema.words.news import NewsArticle, NewsAsk

_OPERATORS = re.compile(r"[^\w\s'.&$%-]|(?<!\w)-|\b(?:AND|OR|NOT)\b")


def arranged(ask: NewsAsk, articles: Iterable[NewsArticle]) -> tuple[NewsArticle, ...]:
    """The newest first, each once, of the time that was asked for, with an address that can be opened."""
    kept = {
        article.id: article
        for article in articles
        if (ask.start is None or article.published_at >= ask.start)
        and (ask.end is None or article.published_at < ask.end)
        and article.url.startswith(("https://", "http://"))
    }
    return tuple(sorted(kept.values(), key=lambda article: article.published_at, reverse=True))


def words_of(text: str) -> str:
    """Words alone: what upstreams take for operators would look for something else than the words."""
    return " ".join(_OPERATORS.sub(" ", text).split())


def wordless(ask: NewsAsk) -> bool:
    """A text of operators alone: nobody can look for it, and an answer to no text would be one to another question."""
    return bool(ask.text) and not words_of(ask.text)


def iso_seconds(moment: datetime) -> str:
    """`2026-11-20T12:00:00Z`, of a time in UTC."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def refusal_by_code(provider: str, reply: Reply, refusals: Mapping[str, type[UpstreamError]]) -> UpstreamError | None:
    """Of a body `{"error": {"code", …}}`: what its code means, None where it is not one of *refusals*."""
    error = reply.body.get("error")
    code = error.maybe_text("code") if error is not None and "code" in error else None
    kind = refusals.get(code or "")
    return kind(provider, f"refused: {code}") if kind else None
