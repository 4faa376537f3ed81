"""Stored events outlive releases: what an older or a newer one wrote is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import strawberry

from gateway.core.outbox.forms import Unreadable, read, written
from schema.events import Event, event
from schema.model import described, model
from schema.provenance import DataMode, Provenance
from schema.symbols import InstrumentId
from tests.gateway.doubles import BTC, NOON
from tests.gateway.outbox.positional import positional

MADE = Provenance(provider="alpha", mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON)


@model("A line as the release before knew it.")
class OldLine:
    """Of these tests alone."""

    instrument: InstrumentId = described("Which.")
    provenance: Provenance = described("Whence.")


@model("A line as this release knows it.")
class Line:
    """One field more, in the middle."""

    instrument: InstrumentId = described("Which.")
    price: Decimal | None = described("What it costs.", default=None)
    provenance: Provenance = described("Whence.")


@event("shelf.counted", "A shelf was counted.")
class OldCount(Event):
    """As the release before knew it."""

    lines: tuple[OldLine, ...] = described("What stands there.")


@event("shelf.counted", "A shelf was counted.")
class Count(Event):
    """Fields more, each with a default."""

    lines: tuple[Line, ...] = described("What stands there.")
    line: Line | None = described("What stands in front.", default=None)
    counted_at: datetime | None = described("When.", default=None)
    by: str = described("Who.", default="nobody")


@event("shelf.counted", "A shelf was counted.")
class OtherCount(Event):
    """A field more without a default."""

    by: str = described("Who.")


OLD = OldCount(
    id=strawberry.ID("evt_1"), occurred_at=NOON, sequence="7", lines=(OldLine(instrument=BTC, provenance=MADE),) * 2
)
NEW = Count(
    id=strawberry.ID("evt_1"), occurred_at=NOON, sequence="7", lines=(Line(instrument=BTC, provenance=MADE),) * 2
)


def test_an_event_is_written_by_the_names_of_its_fields_and_read_exactly():
    told = Count(
        id=strawberry.ID("evt_1"), occurred_at=NOON, sequence="7", mode=DataMode.SIMULATED, lines=(),
        line=Line(instrument=BTC, price=Decimal("0.10"), provenance=MADE), counted_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip

    stored = json.loads(written(told))

    assert list(stored) == ["id", "occurred_at", "sequence", "mode", "lines", "line", "counted_at", "by"]
    assert (stored["line"]["price"], stored["line"]["provenance"]["provider"]) == ("0.10", "alpha")
    back = read(Count, written(told))
    assert isinstance(back, Count)
    assert back == told
    assert str(back.line.price) == "0.10"  # type: ignore[union-attr]
    assert hash(back.line.instrument) == hash(BTC)  # type: ignore[union-attr]


def test_what_an_older_release_wrote_has_the_defaults_of_what_it_did_not_know():
    assert read(Count, written(OLD)) == NEW


def test_of_what_a_newer_release_wrote_the_unknown_is_passed_over():
    assert read(OldCount, written(NEW)) == OLD


@pytest.mark.parametrize("each", [OLD, NEW], ids=["few fields", "many"])
def test_what_was_written_in_the_order_of_fields_is_read(each: Event):
    assert read(type(each), positional(each)) == each


def test_a_field_that_was_not_yet_there_has_its_default_in_the_order_of_fields_too():
    (envelope, stamps) = json.loads(positional(NEW))

    for known in (7, 6, 5):
        assert read(Count, json.dumps([envelope[:known], stamps])) == NEW
    assert read(Count, json.dumps([[*envelope, "what a newer release knows"], stamps])) == NEW


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (written(OLD), "shelf.counted: Object missing required field `by`"),
        (positional(OLD), "shelf.counted: Expected `str`, got `array` - at `$.by`"),
        ("[[]]", "shelf.counted: _named() missing 1 required positional argument: 'stamps'"),
        ("{", "shelf.counted: Input data was truncated"),
    ],
    ids=["a field that has no default", "of another form", "nothing", "cut"],
)
def test_what_cannot_be_read_says_why(text: str, reason: str):
    with pytest.raises(Unreadable) as told:
        read(OtherCount, text)

    assert str(told.value) == reason
