"""Captures of news."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.contract.captured.asks import Asking, Plan
from tests.contract.captures import Capture

HITS = "not called: one call for each story, and the search has them all"


def newest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In the order of the answer."""
    return sorted(rows, key=lambda row: row["published_at"], reverse=True)


def newsapi_articles(ask: dict[str, Any]) -> Asking:
    """By words or as headlines, in one form; an author may be an empty text."""

    def plan(capture: Capture) -> Plan:
        expected = [
            {
                "title": row["title"], "url": row["url"], "source": row["source"]["name"], "image": row["urlToImage"],
                "author": row["author"] or None, "published_at": datetime.fromisoformat(row["publishedAt"]),
            }
            for row in capture.body["articles"]
        ]  # fmt: skip
        return Plan(capability="news", ask=ask, expected=newest(expected))

    return plan


def marketaux_articles(capture: Capture) -> Plan:
    """Of three companies; an article of one of them has its sentiment."""
    tickers = capture.params["symbols"].split(",")
    expected = [
        {
            "id": row["uuid"], "title": row["title"], "url": row["url"], "summary": row["description"],
            "published_at": datetime.fromisoformat(row["published_at"]).astimezone(UTC),
            "symbols": tuple(f"equity:{entity['symbol']}" for entity in row["entities"]),
            "sentiment": row["entities"][0]["sentiment_score"] if len(row["entities"]) == 1 else None,
        }
        for row in capture.body["data"]
    ]  # fmt: skip
    ask = {"instruments": [f"equity:{ticker}" for ticker in tickers], "language": "en"}
    return Plan(capability="news", ask=ask, expected=newest(expected))


def marketaux_companies(capture: Capture) -> Plan:
    """Found by their ticker."""
    symbols = [row["symbol"] for row in capture.body["data"]]
    return Plan(capability="search", ask={"text": capture.params["search"]}, expected=symbols)


def stories(capture: Capture) -> Plan:
    """A search by relevance, in the form of the one by time."""
    expected = [
        {
            "id": row["objectID"], "title": row["title"], "url": row["url"], "author": row["author"],
            "score": row["points"], "comments": row["num_comments"],
            "published_at": datetime.fromtimestamp(int(row["created_at_i"]), UTC),
        }
        for row in capture.body["hits"]
    ]  # fmt: skip
    return Plan(capability="news", ask={"text": capture.params["query"]}, expected=newest(expected))


def posts(capture: Capture) -> Plan:
    """A post of the first version, whose members have the same names."""
    expected = [
        {
            "id": str(row["id"]), "title": row["title"], "url": row["url"], "source": row["source"]["title"],
            "score": row["votes"]["positive"] - row["votes"]["negative"],
            "published_at": datetime.fromisoformat(row["published_at"]),
        }
        for row in capture.body["results"]
    ]  # fmt: skip
    return Plan(capability="news", ask={"instruments": ["crypto:BTC/USD", "crypto:XRP/USD"]}, expected=expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("cryptopanic", "news: one post"): (posts,),
    ("hackernews", "search: redux page"): (stories,),
    ("marketaux", "news: TSLA,AMZN,MSFT"): (marketaux_articles,),
    ("marketaux", "search: tsla"): (marketaux_companies,),
    ("newsapi", "headlines: us (2026-01-01)"): (newsapi_articles({"country": "US"}),),
    ("newsapi", "news: bitcoin (2018)"): (newsapi_articles({"text": "bitcoin"}),),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("hackernews", "item: comment"): HITS,
    ("hackernews", "item: job"): HITS,
    ("hackernews", "item: story 8863"): HITS,
    ("hackernews", "top"): HITS,
    ("hackernews", "user: jl"): "not called: members are not told of",
}
