"""How well an adapter is proven, computed from what its tests have read; nobody writes a grade by hand."""

from __future__ import annotations

import json
from functools import lru_cache
from inspect import getfile
from pathlib import Path

from providers import __file__ as here
from providers.contract import Provider
from providers.recording import folder_of, read_recording, recording_files
from schema.provenance import RecordedFrom
from schema.words.registry import Grade

PROOF = Path(here).with_name("proof.json")
"""Written by `python -m tests.contract.proof`: of each provider here, the captured answers that it reads exactly."""
STREAMS = "streams"
"""What stands beside them: the captured frames of its socket."""


def grade_of(cls: type[Provider]) -> Grade:
    """SILVER where captured answers are read exactly: as the proof says, or in the recordings of another package."""
    if cls.__module__.startswith("providers."):
        return Grade.SILVER if proof().get(cls.profile.id) else Grade.BRONZE
    folder = folder_of(getfile(cls), cls.profile.id)
    kinds = {read_recording(path).made for path in recording_files(folder)} if folder else set()
    return Grade.SILVER if RecordedFrom.CAPTURE in kinds else Grade.BRONZE


def proof() -> dict[str, int]:
    """Captured answers that are read exactly, by provider."""
    return {name: count for name, count in _written().items() if isinstance(count, int)}


def proof_of_streams() -> dict[str, int]:
    """Captured frames of live feeds that are read exactly, by provider."""
    found = _written()[STREAMS]
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=1)
def _written() -> dict[str, int | dict[str, int]]:
    found: dict[str, int | dict[str, int]] = json.loads(PROOF.read_text(encoding="utf-8"))
    return found
