"""News of Alpha Vantage, with the mood of each article: https://www.alphavantage.co/documentation/#news-sentiment

Times are UTC. Several tickers would mean articles that name all of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from providers.equities._alphavantage import COINS, instrument_of, symbol_of
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.news import NewsArticle, NewsAsk

MOST = 1000
COIN = "CRYPTO:"
ROUNDED_UP = timedelta(seconds=59)
TOPICS = {
    "crypto": "blockchain", "technology": "technology", "earnings": "earnings", "ipo": "ipo",
    "merger": "mergers_and_acquisitions", "finance": "finance", "retail": "retail_wholesale",
    "manufacturing": "manufacturing", "real estate": "real_estate", "energy": "energy_transportation",
}  # fmt: skip


def ticker_of(instrument: InstrumentId) -> str | None:
    """A share of the US, or a coin; None for anything else."""
    if instrument.asset_class is AssetClass.CRYPTO:
        return f"{COIN}{instrument.base}" if instrument.is_spot and instrument.base in COINS else None
    return None if instrument.venue else symbol_of(instrument)


def reported(ask: NewsAsk) -> bool:
    """About one instrument, of one topic, or both."""
    if ask.text or ask.language or ask.country or (ask.topic and ask.topic not in TOPICS):
        return False
    return len(ask.instruments) <= 1 and all(ticker_of(each) is not None for each in ask.instruments)


def params_of(ask: NewsAsk) -> dict[str, str | int]:
    """The newest; ranges are told in minutes, of which the last one is begun."""
    params: dict[str, str | int] = {"function": "NEWS_SENTIMENT", "sort": "LATEST", "limit": min(ask.limit, MOST)}
    params |= {"tickers": ticker_of(ask.instruments[0]) or ""} if ask.instruments else {}
    params |= {"topics": TOPICS[ask.topic]} if ask.topic else {}
    params |= {"time_from": written(ask.start)} if ask.start else {}
    return params | {"time_to": written(ask.end + ROUNDED_UP)} if ask.end else params


def written(moment: datetime) -> str:
    """`20261120T1200`."""
    return f"{moment:%Y%m%dT%H%M}"


def parse_news(ask: NewsAsk, body: Row) -> tuple[NewsArticle, ...]:
    """`{"feed": [{"title", "url", "time_published", "ticker_sentiment": […], …}]}`, or words where there is nothing."""
    if "Information" in body:
        return ()
    return arranged(ask, (parse_article(row) for row in body["feed"]))[: ask.limit]


def parse_article(row: Row) -> NewsArticle:
    """Its address is its identity."""
    about = (symbol_in(each.text("ticker")) for each in row.get("ticker_sentiment") or ())
    authors = [each.text() for each in row.get("authors") or ()]
    return NewsArticle(
        id=row.text("url"),
        title=without_markup(row.text("title")) or row.text("url"),
        url=row.text("url"),
        published_at=row.instant("time_published"),
        summary=without_markup(row.maybe_text("summary")),
        source=row.maybe_text("source"),
        author=", ".join(authors) or None,
        image=row.maybe_text("banner_image"),
        symbols=tuple(dict.fromkeys(symbol for symbol in about if symbol is not None)),
        topics=tuple(each.text("topic") for each in row.get("topics") or ()),
        sentiment=row.maybe("overall_sentiment_score"),
    )


def symbol_in(ticker: str) -> str | None:
    """`IBM`, `CRYPTO:BTC` as a pair with the dollar; currencies are left out."""
    if ticker.startswith(COIN):
        coin = ticker.removeprefix(COIN)
        return str(crypto(coin, "USD")) if coin in COINS else None
    share = None if ":" in ticker else instrument_of(ticker)
    return None if share is None else str(share)
