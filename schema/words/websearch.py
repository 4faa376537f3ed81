"""Results of a search: pages of the web, or of an encyclopedia."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import strawberry

from schema.capability import Capability
from schema.checks import unique
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance


@model("A page that was found.")
class SearchResult:
    """Texts are the page's own, without mark-up; they are untrusted."""

    as_of: strawberry.Private[datetime | None] = None
    title: str = described("Its title.")
    url: str = described("Its address.")
    snippet: str | None = described("A part that fits the question.", default=None)
    source: str | None = described("Who publishes it.", default=None)
    published_at: datetime | None = described("When it was published, where it is told.", default=None)
    image: str | None = described("Address of a picture.", default=None)
    language: str | None = described("ISO 639-1 code, lower-case.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSearchAsk:
    """At most `limit` pages, best first; `language` is an ISO 639-1 code, `country` an ISO 3166 code, empty for any."""

    text: str
    language: str = ""
    country: str = ""
    limit: int = 20


def check_results(ask: WebSearchAsk, results: Sequence[SearchResult]) -> Iterator[str]:
    """Each page once, with an address."""
    yield from unique("addresses", [result.url for result in results])
    for result in results:
        if not result.url.startswith(("https://", "http://")):
            yield f"{result.url!r} is no address"


WEB_SEARCH: Capability[WebSearchAsk, tuple[SearchResult, ...]] = Capability(
    name="webSearch",
    ask=WebSearchAsk,
    answer=tuple[SearchResult, ...],
    description="Pages by words.",
    fresh_for=timedelta(minutes=10),
    revalidate_for=timedelta(minutes=50),
    keep_for=timedelta(days=1),
    check=check_results,
)
