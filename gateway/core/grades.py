"""How well an adapter is proven, computed from what its tests have read; nobody writes a grade by hand.

BRONZE has recordings, SILVER reads captured answers exactly, GOLD reads captured streams too. A running process makes
GOLD of SILVER where it measures freshness (`gateway/core/freshness.py`), for as long as that holds.
"""

from __future__ import annotations

import json
from functools import lru_cache
from inspect import getfile
from pathlib import Path
from typing import Any

from providers import __file__ as here
from providers.contract import Provider
from providers.recording import folder_of, read_recording, recording_files
from schema.provenance import RecordedFrom
from schema.words.registry import Grade

PROOF = Path(here).with_name("proof.json")
"""Written by `python -m tests.contract.proof`: of each provider here, the captured answers that it reads exactly."""
STREAMS = "streams"
"""The one key of the proof that is no provider: of each one, the captured frames of its feeds that are read exactly."""


def grade_of(cls: type[Provider]) -> Grade:
    """SILVER where captured answers are read exactly: as the proof says, or in the recordings of another package."""
    if cls.__module__.startswith("providers."):
        if not proof().get(cls.profile.id):
            return Grade.BRONZE
        return Grade.GOLD if streams().get(cls.profile.id) else Grade.SILVER
    folder = folder_of(getfile(cls), cls.profile.id)
    kinds = {read_recording(path).made for path in recording_files(folder)} if folder else set()
    return Grade.SILVER if RecordedFrom.CAPTURE in kinds else Grade.BRONZE


def proof() -> dict[str, int]:
    """Captured answers that are read exactly, by provider."""
    return {name: count for name, count in _read().items() if name != STREAMS}


def streams() -> dict[str, int]:
    """Captured frames of live feeds that are read exactly, by provider."""
    found: dict[str, int] = _read().get(STREAMS, {})
    return found


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PROOF.read_text(encoding="utf-8"))
    return found
