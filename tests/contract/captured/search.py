"""Captures of searches: pages, and the news beside them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

from tests.contract.captured.asks import Asking, Plan
from tests.contract.captures import Capture

MARKS = re.compile(r"</?strong>")


def pages(capture: Capture, expected: list[dict[str, Any]]) -> Plan:
    """The pages of a search with the words of its URL."""
    text = capture.params.get("srsearch") or capture.params["q"]
    return Plan(capability="webSearch", ask={"text": text, "limit": 20}, expected=expected)


def wikipedia_hits(capture: Capture) -> Plan:
    """Titles alone."""
    rows = capture.body["query"]["search"]
    wiki = "https://en.wikipedia.org/wiki/"
    return pages(capture, [{"title": row["title"], "url": wiki + row["title"].replace(" ", "_")} for row in rows])


def brave_pages(capture: Capture) -> Plan:
    """Texts with marks and entities, times without a zone."""
    return pages(
        capture,
        [
            {
                "title": html.unescape(row["title"]), "url": row["url"], "snippet": unmarked(row["description"]),
                "source": row["profile"]["name"], "language": row["language"],
                "published_at": moment(row["page_age"]) if "page_age" in row else None,
            }
            for row in capture.body["web"]["results"]
        ],
    )  # fmt: skip


def brave_news(capture: Capture) -> Plan:
    """In order of time."""
    expected = [
        {
            "title": html.unescape(row["title"]), "url": row["url"], "summary": unmarked(row["description"]),
            "published_at": moment(row["page_age"]),
            "source": row["meta_url"]["hostname"],
        }
        for row in capture.body["results"]
    ]  # fmt: skip
    expected.sort(key=lambda row: row["published_at"], reverse=True)
    return Plan(capability="news", ask={"text": capture.params["q"]}, expected=expected)


def moment(text: str) -> datetime:
    """Without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def unmarked(text: str) -> str:
    """As a reader sees it."""
    return " ".join(html.unescape(MARKS.sub("", text)).split())


def instant_answer(capture: Capture) -> Plan:
    """A category: its name, and where it is told of."""
    body = capture.body
    expected = {"title": body["Heading"], "url": body["AbstractURL"], "source": "Wikipedia", "snippet": None}
    return pages(capture, [expected])


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("brave_search", "news: hello world"): (brave_news,),
    ("brave_search", "search: hello world"): (brave_pages,),
    ("duckduckgo", "search: simpsons characters"): (instant_answer,),
    ("wikipedia", "search: Celtuce"): (wikipedia_hits,),
    ("wikipedia", "search: butteryfly (suggestion)"): (wikipedia_hits,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("wikipedia", "extract: Celtuce"): "not called: a search has a part of the text with it",
}
