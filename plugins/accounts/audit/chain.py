"""The chain: each sealed line carries the hash of the one before it, runs of lines are signed. No I/O."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from plugins.accounts.audit.rows import AuditRow, SegmentRow

BEGINNING = "0" * 64
"""The hash before the first line."""
SEGMENT_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What sealing gives to a line."""

    id: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """HMAC-SHA256 by the newest key; all keys verify."""

    keys: Sequence[bytes]

    def signed(self, segment: SegmentRow) -> SegmentRow:
        """The same with its signature."""
        return replace(segment, signature=_signature(self.keys[0], segment))

    def verifies(self, segment: SegmentRow) -> bool:
        """Whether the signature is ours."""
        return any(hmac.compare_digest(_signature(key, segment), segment.signature) for key in self.keys)

    def is_current(self, segment: SegmentRow) -> bool:
        """Whether it is signed with the newest key."""
        return hmac.compare_digest(_signature(self.keys[0], segment), segment.signature)


def link_hash(previous: str, row: AuditRow, sequence: int) -> str:
    """SHA-256 of the hash before, and of the line with its number as canonical JSON."""
    line = {
        "tenant": row.tenant_id, "id": row.id, "at": _instant(row.at), "action": row.action, "actor": row.actor,
        "actorKind": row.actor_kind, "target": row.target, "before": row.before, "after": row.after,
        "clientIp": row.client_ip, "requestId": row.request_id, "sequence": sequence,
    }  # fmt: skip
    return hashlib.sha256(previous.encode() + _canonical(line)).hexdigest()


def sealed(
    last: SegmentRow | None, rows: Sequence[AuditRow], now: datetime, signer: Signer, taken: int = 0
) -> tuple[list[Link], list[SegmentRow]]:
    """Lines of one tenant, in the order given, behind its last segment: their links, and the segments to write.

    *taken* is the highest number that any line has: where it is not that of the last segment, somebody tampered with
    the trail. What comes is sealed behind it even so, and the gap stays for all to see.
    """
    links: list[Link] = []
    segments: list[SegmentRow] = []
    sequence, previous = (last.last_sequence, last.last_hash) if last is not None else (0, BEGINNING)
    current = None
    if last is not None and _is_open(last, now) and taken <= sequence and signer.verifies(last):
        # A segment that somebody tampered with is left as it is: to extend it would sign it anew.
        current = last
    sequence = max(sequence, taken)
    for row in rows:
        before, sequence = previous, sequence + 1
        previous = link_hash(before, row, sequence)
        links.append(Link(id=row.id, sequence=sequence, hash=previous))
        if current is not None and _is_open(current, now):
            newest = max(current.newest_at, row.at)
            current = replace(current, last_sequence=sequence, last_hash=previous, newest_at=newest)
        else:
            segments += [current] if current is not None else []
            current = SegmentRow(
                tenant_id=row.tenant_id, first_sequence=sequence, last_sequence=sequence, first_hash=before,
                last_hash=previous, opened_at=now, newest_at=row.at, removed_at=None, signature="",
            )  # fmt: skip
    segments += [current] if current is not None and rows else []
    return links, [signer.signed(segment) for segment in segments]


def _is_open(segment: SegmentRow, now: datetime) -> bool:
    """A segment takes further lines until it is full, or its day is over."""
    length = segment.last_sequence - segment.first_sequence + 1
    same_day = segment.opened_at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return segment.removed_at is None and length < SEGMENT_ROWS and same_day


def _signature(key: bytes, segment: SegmentRow) -> str:
    covered = {
        "tenant": segment.tenant_id, "first": segment.first_sequence, "last": segment.last_sequence,
        "firstHash": segment.first_hash, "lastHash": segment.last_hash, "opened": _instant(segment.opened_at),
        "newest": _instant(segment.newest_at),
        "removed": None if segment.removed_at is None else _instant(segment.removed_at),
    }  # fmt: skip
    return hmac.new(key, _canonical(covered), hashlib.sha256).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
