"""Frames: cached answers as bytes that other processes read. One that is not exactly as expected is a miss."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from gateway.core.guards.cache import Stored
from gateway.core.guards.codec import STAMP, Plan, Stamps, fingerprint, plan
from gateway.core.guards.fleettime import Times
from gateway.core.metrics import counter
from schema.capability import Capability
from schema.errors import UnknownInstrument
from schema.provenance import Provenance

MAGIC = b"MG2"
"""Grows with the layout that follows it: a flag, the form of the answer, a digest, the body."""
HEAD = len(MAGIC) + 1 + 8 + 8
COMPRESSED_FROM = 2_048
LARGEST = 8 * 2**20
"""Of a body, before compression: no reader unpacks more."""
AHEAD_S = 0.1
"""A frame that is from later than this has seen another clock than ours: Redis's was set back."""
SKEW_S = 0.1
"""Wall clocks that differ by less show moments as they are: so much is lost in measuring."""

REFUSED = counter("marketgate_cache_frames_refused", "Frames of the shared cache that were not believed.", "why")


class Refused(Exception):
    """Not a frame that this build may serve; `why` is a word for the counter."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Frames:
    """Writes and reads the frames of one capability."""

    def __init__(self, capability: Capability[Any, Any]) -> None:
        self._plan: Plan = plan(capability.answer)
        self._form = fingerprint(f"{capability.name} {capability.version} {self._plan.told}")
        value: Any = self._plan.wire
        stamp: Any = STAMP.wire
        self._body = msgspec.defstruct(
            "Body",
            [
                ("fetched", float), ("window", float), ("ahead", float), ("era", str), ("absent", str | None),
                ("stamps", list[stamp]), ("stamp", int), ("value", value | None),
            ],
            array_like=True,
        )  # fmt: skip
        self._decoder = msgspec.msgpack.Decoder(self._body)

    def write(self, address: str, stored: Stored, era: str, times: Times) -> bytes:
        """The bytes for *address*; Refused for what is too large, TypeError for what has no form."""
        stamps = Stamps()
        value = None if stored.error is not None else self._plan.pack(stored.value, stamps)
        stamp = stamps.write(stored.provenance)
        # Rather too early than too late: what is not exact must not make our copy younger than it is.
        fetched = times.fleet - times.error - (times.monotonic - stored.fetched)
        window = stored.fresh_until - stored.fetched
        absent = stored.error.detail if stored.error is not None else None
        body = msgspec.msgpack.encode([fetched, window, times.ahead, era, absent, stamps.rows, stamp, value])
        if len(body) > LARGEST:
            raise Refused("large")
        packed = zlib.compress(body, 1) if len(body) >= COMPRESSED_FROM else body
        flag = b"z" if packed is not body else b"-"
        return b"".join((MAGIC, flag, self._form, _digest(address, packed), packed))

    def read(self, address: str, frame: bytes, era: str, times: Times) -> Stored:
        """What was written, in this process's time; Refused for everything else."""
        if len(frame) < HEAD or frame[:3] != MAGIC:
            raise Refused("foreign")
        if frame[4:12] != self._form:
            raise Refused("other build")
        packed = frame[HEAD:]
        if frame[12:HEAD] != _digest(address, packed):
            raise Refused("corrupt")
        try:
            body: Any = self._decoder.decode(_unpacked(packed) if frame[3:4] == b"z" else packed)
            return self._stored(body, address, era, times)
        except (ValueError, TypeError, IndexError, OverflowError, zlib.error) as error:
            raise Refused("malformed") from error

    def _stored(self, body: Any, address: str, era: str, times: Times) -> Stored:
        if body.era != era:
            raise Refused("dropped")
        age = times.fleet + times.error - body.fetched
        if age < -AHEAD_S:
            raise Refused("ahead")
        stamps = Stamps()
        stamps.load(body.stamps)
        stamps.read[:] = _shifted(stamps.read, times.ahead - body.ahead)
        provenance = stamps.read[body.stamp]
        fetched = times.monotonic - max(age, 0.0)
        until = fetched + body.window
        if body.absent is not None:
            error = UnknownInstrument(provenance.provider, body.absent)
            return Stored(value=None, provenance=provenance, fetched=fetched, fresh_until=until, error=error)
        if body.value is None:
            raise Refused("malformed")
        value = self._plan.unpack(body.value, stamps)
        return Stored(value=value, provenance=provenance, fetched=fetched, fresh_until=until)


def _shifted(stamps: list[Provenance], seconds: float) -> list[Provenance]:
    """The moments of fetching by our wall clock, where the writer's was another one. A recording's are its own."""
    if abs(seconds) < SKEW_S:
        return stamps
    by = timedelta(seconds=seconds)
    return [
        each if each.recorded_from is not None else replace(each, fetched_at=each.fetched_at + by) for each in stamps
    ]


def _unpacked(packed: bytes) -> bytes:
    reader = zlib.decompressobj()
    body = reader.decompress(packed, LARGEST)
    if reader.unconsumed_tail or not reader.eof:
        raise Refused("large" if reader.unconsumed_tail else "malformed")
    return body


def _digest(address: str, packed: bytes) -> bytes:
    """Of the place too: bytes that stand under another key are not believed."""
    return blake2b(packed, digest_size=8, key=blake2b(address.encode()).digest()).digest()


@lru_cache(maxsize=64)
def frames_of(capability: Capability[Any, Any]) -> Frames | None:
    """None where the answer's type has no exact form on the wire: such a capability is cached in memory only."""
    try:
        return Frames(capability)
    except (TypeError, NameError):
        return None
