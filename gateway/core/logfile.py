"""Where the log is written: a file, or stderr. Whatever stands in its way, what is logged about goes on."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import TextIO

from gateway.core.metrics import counter

RETRY_S = 1.0
"""A file that cannot be opened is tried again after so long: each try may cost what made the last one fail."""
REFUSED = counter(
    "marketgate_log_refused_lines",
    "Lines of the log that their place did not take; what the file does not take goes to stderr.",
    "place",
)


class Stderr:
    """A stream that nothing fails by: a full disk or a pipe without a reader may be at its other end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            if (stream := self._stream or sys.stderr) is not None:
                stream.write(text)
                stream.flush()
        # ValueError: it is closed.
        except (OSError, ValueError):
            REFUSED.labels("stderr").inc()
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


class LogFile:
    """Opened anew once another file, or none, is at its path: what logrotate leaves behind. For as long as it cannot be
    opened or written its lines go to stderr, which is told once."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock, self._instead = path, RLock(), Stderr()
        self._file: int | None = None
        self._id = (0, 0)
        self._torn = self._wanted = False
        self._refused = 0
        self._failure: tuple[float, OSError] | None = None
        self._open()

    def write(self, text: str) -> int:
        with self._lock:
            try:
                self._put(self._follow(), text.encode("utf-8", "backslashreplace"))
            except OSError as error:
                self._divert(text, error)
            else:
                self._recover()
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """With the next line; safe where a signal has interrupted anything."""
        self._wanted = True

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                with suppress(OSError):
                    os.close(self._file)
            self._file = None

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        found = os.fstat(opened)
        self._id, self._torn = (found.st_dev, found.st_ino), False
        return opened

    def _follow(self) -> int:
        """The file to write to."""
        if self._file is not None and not self._wanted and self._is_there():
            return self._file
        self._wanted = False
        self.close()
        if self._failure is not None and monotonic() < self._failure[0]:
            raise self._failure[1].with_traceback(None)
        try:
            opened = self._open()
        except OSError as error:
            self._failure = (monotonic() + RETRY_S, error)
            raise
        self._failure = None
        return opened

    def _is_there(self) -> bool:
        try:
            found = os.stat(self._path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._id

    def _put(self, file: int, line: bytes) -> None:
        """A line whose beginning alone found room is ended before the next one."""
        left = memoryview(b"\n" + line if self._torn else line)
        while left:
            left = left[os.write(file, left) :]
            self._torn = bool(left)

    def _divert(self, text: str, error: OSError) -> None:
        REFUSED.labels("file").inc()
        if not self._refused:
            why = error.strerror or type(error).__name__
            self._instead.write(f"MARKETGATE_LOG_FILE: {self._path} cannot be written ({why}): its lines go here\n")
        self._refused += 1
        self._instead.write(text)

    def _recover(self) -> None:
        if self._refused:
            self._instead.write(f"MARKETGATE_LOG_FILE: {self._path} is written again, after {self._refused} lines\n")
            self._refused = 0
