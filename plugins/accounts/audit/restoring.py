"""Brings archived lines back into their chain: whole segments, whose lines end in what was signed, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from gateway.core.contract import Host, NotRestored, Rows, put_back
from gateway.core.store import Tx
from plugins.accounts.audit.chain import link_hash
from plugins.accounts.audit.desk import AuditDesk
from plugins.accounts.audit.rows import AuditRow, SegmentRow
from plugins.accounts.tables import audit


async def restore_lines(host: Host, tx: Tx, rows: Rows) -> int:
    """How many lines were not there; their segments count as whole again. NotRestored where a line does not fit."""
    desk = host.service(AuditDesk)
    if not await desk.directory.lock(tx):
        raise NotRestored("the audit trail is being sealed: try again")
    signer, added = desk.signer(), 0
    lines = sorted((AuditRow(**row) for row in rows), key=_place)
    for tenant, theirs in groupby(lines, attrgetter("tenant_id")):
        own = list(theirs)
        numbers = {row.sequence or 0: row for row in own}
        for segment in await desk.store.segments(tx, tenant):
            taken = [numbers[n] for n in range(segment.first_sequence, segment.last_sequence + 1) if n in numbers]
            # Another file's, or one that is back already.
            if not taken or segment.removed_at is None:
                continue
            if not signer.verifies(segment) or not _fits(segment, taken):
                shown = f"{segment.first_sequence} to {segment.last_sequence} of {tenant or 'no tenant'}"
                raise NotRestored(f"lines {shown} are not those that their segment was signed for")
            added += await put_back(tx, audit, [_values(row) for row in taken])
            await desk.store.put_segment(tx, tenant, signer.signed(replace(segment, removed_at=None)))
    return added


def _fits(segment: SegmentRow, lines: Sequence[AuditRow]) -> bool:
    """Whether these are all of its lines, as they were when it was signed."""
    if len(lines) != segment.last_sequence - segment.first_sequence + 1:
        return False
    previous = segment.first_hash
    for sequence, row in enumerate(lines, segment.first_sequence):
        previous = link_hash(previous, row, sequence)
        if previous != row.hash:
            return False
    return previous == segment.last_hash


def _values(row: AuditRow) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in AuditRow.__slots__}


def _place(row: AuditRow) -> tuple[str, int]:
    return row.tenant_id, row.sequence or 0
