"""First drafts of adapters whose upstream answers a text with a list: articles, pages, videos."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What differs between them: the words, what is covered, the fields, and a row as it is sent and as it is read."""

    subject: str
    words: str
    constant: str
    capability: str
    method: str
    ask: str
    answer: str
    covers: str
    fields: tuple[tuple[str, str], ...]
    sent: dict[str, Any]
    read: dict[str, Any]


SKETCHES = {
    "news": Sketch(
        subject="news by words", words="news", constant="NEWS", capability="news", method="news", ask="NewsAsk",
        answer="NewsArticle",
        covers="not (ask.instruments or ask.topic or ask.language or ask.country or ask.start or ask.end)",
        fields=(
            ("id", 'row.label("id")'), ("title", 'row.text("title")'), ("url", 'row.text("link")'),
            ("published_at", 'row.instant("published")'), ("summary", 'row.maybe_text("summary")'),
        ),
        sent={
            "id": 7, "title": "Copper falls", "link": "https://ledger.example/copper",
            "published": "2026-11-20T09:30:00Z", "summary": "",
        },
        read={
            "id": "7", "title": "Copper falls", "url": "https://ledger.example/copper",
            "published_at": "2026-11-20T09:30:00Z",
        },
    ),
    "search": Sketch(
        subject="pages by words", words="websearch", constant="WEB_SEARCH", capability="webSearch", method="web_search",
        ask="WebSearchAsk", answer="SearchResult", covers="not (ask.language or ask.country)",
        fields=(("title", 'row.text("title")'), ("url", 'row.text("link")'), ("snippet", 'row.maybe_text("part")')),
        sent={"title": "Copper", "link": "https://ledger.example/copper", "part": "What it costs."},
        read={"title": "Copper", "url": "https://ledger.example/copper", "snippet": "What it costs."},
    ),
    "video": Sketch(
        subject="videos by words", words="videos", constant="VIDEOS", capability="videos", method="videos",
        ask="VideosAsk", answer="Video",
        covers="bool(ask.text) and not (ask.channel or ask.id) and ask.order.value == \"RELEVANCE\"",
        fields=(
            ("id", 'row.label("id")'), ("title", 'row.text("title")'), ("url", 'row.text("link")'),
            ("views", 'row.maybe("views")'),
        ),
        sent={"id": 7, "title": "Copper", "link": "https://tube.example/7", "views": 12},
        read={"id": "7", "title": "Copper", "url": "https://tube.example/7", "views": "12"},
    ),
}  # fmt: skip

MODULE = Template('''"""$name: $subject. Docs: https://$host/docs"""

from __future__ import annotations

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute
from providers.row import Row
from schema.errors import NotCovered, UpstreamError
from schema.words.$words import $constant, $answer, $ask


def covered(ask: $ask) -> bool:
    """What the upstream can filter by: nothing else may be asked of it."""
    return $covers


class $cls(Provider):
    """One endpoint."""

    profile = Profile(
        id="$id",
        name="$name",
        base_url="https://$host",
        docs="https://$host/docs",
        asset_classes=(),
        licence=Licence(note="Unknown: read the terms before anybody relies on it."),
        limits=(per_minute(60),),
    )

    @answers($constant, covers=covered)
    async def $method(self, ask: $ask) -> tuple[$answer, ...]:
        """Words are the only filter."""
        return parse_rows(await self.http.get("/find", {"text": ask.text}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals have an `error` in words."""
        said = reply.body.get("error")
        return None if said is None else NotCovered(self.profile.id, said.text())


def parse_rows(body: Row) -> tuple[$answer, ...]:
    """A list under `found`."""
    return tuple([parse_row(row) for row in body["found"]])


def parse_row(row: Row) -> $answer:
    """Texts that are missing are sent empty."""
    return $answer(
$fields
    )
''')


def module_of(sketch: Sketch, facts: dict[str, str]) -> str:
    """The adapter; *facts* are its id, name, class and host."""
    fields = "\n".join(f"        {name}={value}," for name, value in sketch.fields)
    return MODULE.substitute(
        facts, subject=sketch.subject, words=sketch.words, constant=sketch.constant, answer=sketch.answer,
        ask=sketch.ask, covers=sketch.covers, method=sketch.method, fields=fields,
    )  # fmt: skip


def cases_of(sketch: Sketch) -> list[dict[str, Any]]:
    """An answer, an empty one, and a refusal."""

    def case(name: str, body: dict[str, Any], **outcome: Any) -> dict[str, Any]:
        request = {"path": "/find", "params": {"text": "copper"}}
        exchanges = [{"request": request, "status": 200, "body": body}]
        return {"name": name, "ask": {"text": "copper"}, "exchanges": exchanges, **outcome}

    return [
        case("one is found", {"found": [sketch.sent]}, expect=[sketch.read]),
        case("nothing is found", {"found": []}, expect=[]),
        case("it is refused", {"error": "not offered"}, error="NOT_COVERED"),
    ]
