"""Finished parts of candle series in a folder: one file each, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

VERSION = 2
LEFT_BEHIND_S = 3_600.0
"""A file that was begun so long ago was left behind by a process that is gone."""


class Shelf:
    """A folder of answers by their questions; several processes may share it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """ValueError where it is none; what killed processes left half written is taken away."""
        self._folder = Path(folder)
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(f"cache {self._folder} is a file: give a folder, or the name of a new one")
        for begun in self._folder.glob(".*.part"):
            with suppress(OSError):
                if time.time() - begun.stat().st_mtime > LEFT_BEHIND_S:
                    begun.unlink()

    def find(self, question: Mapping[str, Any]) -> Any | None:
        """The answer to a question; None where it is not kept, or, with a warning, is not as it was written."""
        path = self._path(question)
        try:
            kept = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            kept = None
        if not isinstance(kept, dict) or kept.get("sha256") != _digest(kept.get("question"), kept.get("answer")):
            warnings.warn(f"{path} was altered or damaged: fetched anew", RuntimeWarning, stacklevel=2)
            return None
        return kept["answer"] if kept["question"] == _asked(question) else None

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
                asked = _asked(question)
                kept = {"question": asked, "answer": answer, "sha256": _digest(asked, answer)}
                json.dump(kept, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _path(self, question: Mapping[str, Any]) -> Path:
        text = json.dumps(_asked(question), sort_keys=True)
        return self._folder / f"{sha256(text.encode()).hexdigest()[:40]}.json"


def _digest(question: object, answer: object) -> str:
    return sha256(json.dumps([question, answer], sort_keys=True).encode()).hexdigest()


def _asked(question: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": VERSION, **question}
