"""News out of Yahoo's search, which finds articles as it finds symbols."""

from __future__ import annotations

from collections.abc import Iterator

from providers.equities._yahoo import instrument_of, symbol_of
from providers.markup import without_markup
from providers.news._articles import arranged, words_of
from providers.row import Row
from schema.words.news import NewsArticle, NewsAsk


def reported(ask: NewsAsk) -> bool:
    """By words, or about one instrument; the search takes neither times nor anything else."""
    if ask.topic or ask.language or ask.country or ask.start is not None or ask.end is not None:
        return False
    if ask.instruments:
        return not ask.text and len(ask.instruments) == 1 and symbol_of(ask.instruments[0]) is not None
    return bool(words_of(ask.text))


def query_of(ask: NewsAsk) -> str:
    """What to look for."""
    return symbol_of(ask.instruments[0]) or "" if ask.instruments else words_of(ask.text)


def parse_news(ask: NewsAsk, body: Row) -> tuple[NewsArticle, ...]:
    """Of those that are found for a symbol the ones that name it: the others are about something near it."""
    wanted = instrument_of(query_of(ask)) if ask.instruments else None
    found = (article for article in articles(body) if wanted is None or str(wanted) in article.symbols)
    return arranged(ask, found)[: ask.limit]


def articles(body: Row) -> Iterator[NewsArticle]:
    """`{"news": [{"uuid", "title", "publisher", "link", "providerPublishTime", "relatedTickers": […]}]}`."""
    for row in body["news"]:
        tickers = (instrument_of(ticker.text()) for ticker in row.get("relatedTickers") or ())
        yield NewsArticle(
            id=row.text("uuid"),
            title=without_markup(row.text("title")) or row.text("link"),
            url=row.text("link"),
            published_at=row.epoch("providerPublishTime"),
            source=row.maybe_text("publisher"),
            symbols=tuple(str(ticker) for ticker in tickers if ticker is not None),
        )
