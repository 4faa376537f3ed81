"""Whether a tenant's chain is whole: walks its lines once, in order. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.accounts.audit.chain import BEGINNING, Signer, link_hash
from plugins.accounts.audit.rows import AuditRow, SegmentRow


class Judge:
    """Feed it all sealed lines in order of their numbers, then ask for the `problems`."""

    def __init__(self, segments: Sequence[SegmentRow], signer: Signer) -> None:
        self._problems: list[str] = []
        self._segments = list(segments)
        self._at = 0
        self._expected, self._previous = 1, BEGINNING
        self._broken = False
        self._check(signer)
        self._enter()

    def _check(self, signer: Signer) -> None:
        number, last_hash = 1, BEGINNING
        for segment in self._segments:
            shown = _shown(segment.first_sequence, segment.last_sequence)
            if not signer.verifies(segment):
                self._problems.append(f"the segment of {shown} has a broken signature")
            if segment.first_sequence != number:
                self._problems.append(f"no signed segment holds {_shown(number, segment.first_sequence - 1)}")
            elif segment.first_hash != last_hash:
                self._problems.append(f"the segment of {shown} does not begin where the one before it ends")
            number, last_hash = segment.last_sequence + 1, segment.last_hash

    def feed(self, row: AuditRow) -> None:
        """The next line."""
        sequence = row.sequence or 0
        while self._at < len(self._segments) and sequence > self._segments[self._at].last_sequence:
            self._leave()
        inside = self._at < len(self._segments) and self._segments[self._at].first_sequence <= sequence
        if not inside or self._segments[self._at].removed_at is not None:
            self._problems.append(f"line {sequence} ({row.id}) was inserted: no signed segment holds it")
            return
        if sequence > self._expected:
            self._problems.append(f"{_were(self._expected, sequence - 1)} removed")
            self._broken = True
        elif link_hash(self._previous, row, sequence) != row.hash:
            self._problems.append(f"line {sequence} ({row.id}) was changed, or the line before it: its hash differs")
            self._broken = True
        self._expected, self._previous = sequence + 1, row.hash or ""

    def problems(self) -> list[str]:
        """Everything that is not as it was sealed; empty for a whole chain."""
        while self._at < len(self._segments):
            self._leave()
        return self._problems

    def _enter(self) -> None:
        if self._at < len(self._segments):
            segment = self._segments[self._at]
            self._expected, self._previous, self._broken = segment.first_sequence, segment.first_hash, False

    def _leave(self) -> None:
        segment = self._segments[self._at]
        if segment.removed_at is None:
            if self._expected <= segment.last_sequence:
                self._problems.append(f"{_were(self._expected, segment.last_sequence)} removed")
            elif not self._broken and self._previous != segment.last_hash:
                shown = _shown(segment.first_sequence, segment.last_sequence)
                self._problems.append(f"the hashes of {shown} were rewritten: they do not end in what was signed")
        self._at += 1
        self._enter()


def _shown(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _were(first: int, last: int) -> str:
    return f"{_shown(first, last)} {'was' if first == last else 'were'}"
