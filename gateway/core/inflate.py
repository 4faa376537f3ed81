"""Decoding of bodies within a bound: a small body that would become a huge one never fills the memory."""

from __future__ import annotations

import zlib
from typing import Any, Protocol


class Unreadable(Exception):
    """The body is not what its headers say, or too large; the message says which."""


class _Coding(Protocol):
    def decode(self, data: bytes, room: int) -> bytes:
        """At least one byte more than *room* where that much is there, at most a little more."""

    @property
    def complete(self) -> bool:
        """Whether the coded stream came to its end."""


class Inflater:
    """Takes a body chunk by chunk as it was sent, gives it back as it was meant."""

    def __init__(self, encoding: str, most: int) -> None:
        self._name, self._most, self._size = encoding.strip().lower(), most, 0
        self._parts: list[bytes] = []
        self._coding = _coding(self._name)
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Unreadable where the bound or the encoding is broken."""
        if not data:
            return
        self._begun = True
        if self._coding is not None:
            try:
                data = self._coding.decode(data, self._most - self._size + 1)
            except Exception as error:  # zlib and brotli have an error class each
                raise Unreadable(f"the body is not {self._name} as its headers say") from error
        self._size += len(data)
        if self._size > self._most:
            raise Unreadable(f"the body is larger than {self._most} bytes")
        self._parts.append(data)

    def finish(self) -> bytes:
        """The whole body."""
        if self._coding is not None and self._begun and not self._coding.complete:
            raise Unreadable(f"the {self._name} body ends too early")
        return b"".join(self._parts)


def _coding(name: str) -> _Coding | None:
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(name == "deflate")
    if name == "br":
        return _Brotli()
    raise Unreadable(f"the body is in an encoding that was not asked for: {name[:40]}")


class _Zlib:
    """gzip, in as many members as come, and deflate with or without its header."""

    def __init__(self, deflate: bool) -> None:
        self._deflate, self.complete = deflate, False
        self._stream: Any = None

    def decode(self, data: bytes, room: int) -> bytes:
        found: list[bytes] = []
        while data and room > 0:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(data[0]))
                self.complete = False
            found.append(self._stream.decompress(data, room))
            room -= len(found[-1])
            data = self._stream.unconsumed_tail
            if self._stream.eof:
                data, self._stream, self.complete = self._stream.unused_data.lstrip(b"\0"), None, True
        return b"".join(found)

    def _window(self, first: int) -> int:
        if not self._deflate:
            return 16 + zlib.MAX_WBITS
        return zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS


class _Brotli:
    def __init__(self) -> None:
        import brotli  # loaded with the first reply that needs it

        self._stream = brotli.Decompressor()

    def decode(self, data: bytes, room: int) -> bytes:
        found = [self._stream.process(data, output_buffer_limit=room)]
        room -= len(found[0])
        while room > 0 and not self._stream.can_accept_more_data():
            found.append(self._stream.process(b"", output_buffer_limit=room))
            room -= len(found[-1])
        return b"".join(found)

    @property
    def complete(self) -> bool:
        return bool(self._stream.is_finished())
