"""The chain by itself: any batches seal, and whatever is done to a sealed line is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.accounts.audit.chain import BEGINNING, SEGMENT_ROWS, Signer, sealed
from plugins.accounts.audit.judge import Judge
from plugins.accounts.audit.rows import AuditRow, SegmentRow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNER = Signer(keys=(b"newest", b"before"))
VALUES: st.SearchStrategy[Any] = st.none() | st.dictionaries(
    st.text(max_size=5), st.integers() | st.text(max_size=9) | st.lists(st.booleans(), max_size=2), max_size=3
)


def line(number: int, after: Any = None) -> AuditRow:
    return AuditRow(
        tenant_id="org_a", id=f"audit_{number:05}", at=NOON - timedelta(seconds=number % 7), action="key.created",
        actor="usr_1", actor_kind="user", target="key_1", before=None, after=after, client_ip=None, request_id="req_1",
        sequence=None, hash=None,
    )  # fmt: skip


class Trail:
    """What the database would hold."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []
        self.segments: dict[int, SegmentRow] = {}

    def seal(self, rows: Sequence[AuditRow], now: datetime = NOON, signer: Signer = SIGNER) -> None:
        last = self.segments[max(self.segments)] if self.segments else None
        links, segments = sealed(last, rows, now, signer)
        made = {link.id: link for link in links}
        self.rows += [replace(row, sequence=made[row.id].sequence, hash=made[row.id].hash) for row in rows]
        self.segments.update({segment.first_sequence: segment for segment in segments})

    def problems(self, signer: Signer = SIGNER) -> list[str]:
        judge = Judge([self.segments[first] for first in sorted(self.segments)], signer)
        for row in sorted(self.rows, key=lambda row: row.sequence or 0):
            judge.feed(row)
        return judge.problems()


def trail_of(*sizes: int) -> Trail:
    made, number = Trail(), 0
    for day, size in enumerate(sizes):
        made.seal([line(number + i) for i in range(size)], NOON + timedelta(days=day))
        number += size
    return made


@given(st.lists(st.tuples(st.lists(VALUES, max_size=6), st.integers(0, 40)), max_size=8))
def test_whatever_comes_in_whatever_batches_the_chain_is_whole_and_numbered(batches: list[tuple[list[Any], int]]):
    trail, now, count = Trail(), NOON, 0
    for values, hours in batches:
        now += timedelta(hours=hours)
        trail.seal([line(count + i, value) for i, value in enumerate(values)], now)
        count += len(values)

    assert [row.sequence for row in trail.rows] == list(range(1, count + 1))
    assert trail.problems() == []
    assert sum(s.last_sequence - s.first_sequence + 1 for s in trail.segments.values()) == count


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5), st.data(),
    st.sampled_from(["action", "actor", "target", "after", "at", "tenant_id", "client_ip", "id"]),
)  # fmt: skip
def test_a_change_of_any_field_of_any_line_is_found(sizes: list[int], data: st.DataObject, name: str):
    trail = trail_of(*sizes)
    at = data.draw(st.integers(0, len(trail.rows) - 1))
    changed: Any = {"after": {"role": "owner"}, "at": NOON + timedelta(days=9)}.get(name, "forged")

    trail.rows[at] = replace(trail.rows[at], **{name: changed})

    assert trail.problems()[0].startswith(f"line {at + 1} (")


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.data())
def test_a_removed_run_of_lines_is_found(sizes: list[int], data: st.DataObject):
    trail = trail_of(*sizes)
    first = data.draw(st.integers(0, len(trail.rows) - 1))
    length = data.draw(st.integers(1, len(trail.rows) - first))

    del trail.rows[first : first + length]

    found = " ".join(trail.problems())
    assert f"line {first + 1} was removed" in found or f"lines {first + 1} to" in found


def test_a_segment_is_closed_when_it_is_full_or_its_day_is_over():
    full = trail_of(SEGMENT_ROWS + 1)
    days = trail_of(2, 3)

    assert [(s.first_sequence, s.last_sequence) for s in full.segments.values()] == [(1, 1000), (1001, 1001)]
    assert [(s.first_sequence, s.last_sequence) for s in days.segments.values()] == [(1, 2), (3, 5)]
    assert (days.segments[1].first_hash, days.segments[3].first_hash) == (BEGINNING, days.segments[1].last_hash)


def test_a_chain_that_was_rewritten_to_its_end_does_not_end_in_what_was_signed():
    trail = trail_of(4)
    forged = Trail()
    forged.seal([replace(line(i), actor="usr_2") for i in range(4)], NOON, Signer(keys=(b"guessed",)))

    trail.rows = forged.rows
    rewritten = trail.problems()
    trail.segments = forged.segments

    assert rewritten == ["the hashes of lines 1 to 4 were rewritten: they do not end in what was signed"]
    assert trail.problems() == ["the segment of lines 1 to 4 has a broken signature"]


@pytest.mark.parametrize("name", ["last_hash", "first_hash", "signature", "newest_at", "removed_at"])
def test_any_change_of_a_segment_breaks_its_signature(name: str):
    trail = trail_of(2, 2)
    changed: Any = NOON + timedelta(days=1) if name.endswith("_at") else "f" * 64

    trail.segments[1] = replace(trail.segments[1], **{name: changed})

    assert "the segment of lines 1 to 2 has a broken signature" in trail.problems()


def test_an_inserted_line_is_found_before_between_and_behind():
    trail = trail_of(2)
    trail.rows += [replace(line(77), sequence=0, hash="x"), replace(line(78), sequence=3, hash="y")]

    assert trail.problems() == [
        "line 0 (audit_00077) was inserted: no signed segment holds it",
        "line 3 (audit_00078) was inserted: no signed segment holds it",
    ]


def test_a_removed_segment_is_found_by_those_around_it():
    trail = trail_of(2, 2, 2)
    del trail.segments[3], trail.rows[2:4]

    assert trail.problems() == ["no signed segment holds lines 3 to 4"]


def test_a_checkpoint_stands_for_lines_that_were_let_go_and_holds_none():
    trail = trail_of(2, 2)
    gone = replace(trail.segments[1], removed_at=NOON + timedelta(days=400))
    trail.segments[1] = SIGNER.signed(gone)

    with_lines = trail.problems()
    del trail.rows[:2]

    assert with_lines == [
        "line 1 (audit_00000) was inserted: no signed segment holds it",
        "line 2 (audit_00001) was inserted: no signed segment holds it",
    ]
    assert trail.problems() == []


def test_a_segment_with_a_broken_signature_is_never_extended_and_so_never_signed_anew():
    trail = trail_of(2)
    trail.segments[1] = replace(trail.segments[1], last_hash="f" * 64)

    trail.seal([line(2)], NOON + timedelta(minutes=1))

    assert sorted(trail.segments) == [1, 3]
    assert "the segment of lines 1 to 2 has a broken signature" in trail.problems()


def test_behind_a_number_that_no_segment_holds_sealing_goes_on_and_the_gap_is_told():
    trail = trail_of(2)
    links, segments = sealed(trail.segments[1], [line(5)], NOON, SIGNER, taken=4)

    trail.segments[5] = segments[0]
    trail.rows.append(replace(line(5), sequence=links[0].sequence, hash=links[0].hash))

    assert trail.problems() == ["no signed segment holds lines 3 to 4"]


def test_the_key_before_still_verifies_and_new_segments_are_signed_with_the_newest():
    trail = Trail()
    trail.seal([line(0)], NOON, Signer(keys=(b"before",)))

    (segment,) = trail.segments.values()
    assert (trail.problems(), SIGNER.is_current(segment)) == ([], False)
    assert SIGNER.is_current(SIGNER.signed(segment))
    assert trail.problems(Signer(keys=(b"another",))) == ["the segment of line 1 has a broken signature"]
