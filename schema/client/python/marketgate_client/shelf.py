"""Finished parts of candle series in a folder: one file each, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

VERSION = 1


class Shelf:
    """A folder of answers by their questions; several processes may share it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def find(self, question: Mapping[str, Any]) -> Any | None:
        """The answer to a question; None where it is not kept, or what stands in its place cannot be read."""
        try:
            kept = json.loads(self._path(question).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(kept, dict) or kept.get("question") != _asked(question):
            return None
        return kept.get("answer")

    def keep(self, question: Mapping[str, Any], answer: object) -> None:
        """Whoever looks finds the whole file or none, also where this process is killed meanwhile.

        A folder in the file's place is somebody's, and stays: then nothing is kept.
        """
        path = self._path(question)
        if path.is_dir():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"question": _asked(question), "answer": answer}, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _path(self, question: Mapping[str, Any]) -> Path:
        text = json.dumps(_asked(question), sort_keys=True)
        return self._folder / f"{sha256(text.encode()).hexdigest()[:40]}.json"


def _asked(question: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": VERSION, **question}
