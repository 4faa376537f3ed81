"""The shapes of events' pages and streams."""

from __future__ import annotations

from schema.events import EventFace
from schema.model import described, model
from schema.paging import PageInfo
from schema.scalars import Cursor
from schema.words.live import StreamNotice

DELIVERY = "The body of the event's delivery to an endpoint, byte for byte: JSON."


@model("A type of event: what webhooks, pages and streams of events may tell.")
class EventTypeInfo:
    """One line of the catalogue."""

    name: str = described("Such as `apikey.created`; filters take it, `apikey.*` or `*`.")
    version: int = described("New fields leave it as it is; a type whose fields go or change gets a new name.")
    description: str = described("What it tells.")
    market_wide: bool = described(
        "Whether it is of the markets: told only to who asks for its subjects by an endpoint's channels."
    )
    graphql_type: str = described("Its type in this schema.")
    json_schema: str = described("JSON Schema (2020-12) of a delivery's `data`.")
    sample: str = described("A delivery's `data` as it could be: JSON.")


@model("An event and its place in the log.")
class EventEdge:
    """Relay's edge."""

    node: EventFace = described("The event.")
    cursor: Cursor = described("Give it back as `after`, here or to the subscription `events`.")
    delivery: str = described(DELIVERY)


@model("A page of the organisation's events, the oldest first.")
class EventConnection:
    """Events are kept for 30 days."""

    nodes: list[EventFace] = described("The events.")
    edges: list[EventEdge] = described("The events with their cursors.")
    page_info: PageInfo = described("Where the page stands.")


@model("What the organisation's log has got.")
class EventUpdate:
    """The first message comes at once and has no event: its cursor is where the stream begins."""

    cursor: Cursor = described("Give the last one back as `after` to go on behind it: none missing, none twice.")
    event: EventFace | None = described("The event; null in the first message.", default=None)
    delivery: str | None = described(DELIVERY, default=None)
    notices: list[StreamNotice] = described("News about the stream itself.")
