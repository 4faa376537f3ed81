"""Replies that come in parts: server-sent events, lines of JSON, or a JSON array, told apart by their first byte."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from providers.contract import Part
from providers.row import Row
from schema.capability import Capability
from schema.errors import Malformed

LONGEST_LINE = 1024 * 1024
"""Bytes of a line, and of the data of an event."""
DONE = b"[DONE]"
"""What OpenAI's dialect sends behind the last event."""
_SPACE = b" \t\r\n\xef\xbb\xbf"

Clean = Callable[[bytes], bytes]


class Lines:
    """Cuts a stream of chunks into lines, within bounds."""

    def __init__(self, provider: str, most: int) -> None:
        self._provider, self._most, self._size = provider, most, 0
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that are whole now, without their ends; Malformed where a bound is broken."""
        self._size += len(chunk)
        if self._size > self._most:
            raise Malformed(self._provider, f"the stream is larger than {self._most} bytes")
        self._rest += chunk
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if max(map(len, lines), default=0) > LONGEST_LINE or len(rest) > LONGEST_LINE:
            raise Malformed(self._provider, f"a line of the stream is longer than {LONGEST_LINE} bytes")
        return [bytes(line.removesuffix(b"\r")) for line in lines]

    def end(self) -> bytes:
        """What stands behind the last line end."""
        return bytes(self._rest)


class Events:
    """Joins lines to server-sent events: their names and their data."""

    def __init__(self, provider: str) -> None:
        self._provider, self._name = provider, ""
        self._data: list[bytes] = []
        self._size = 0

    def take(self, line: bytes) -> tuple[str, bytes] | None:
        """The event that an empty line ends; comments and other fields are nothing."""
        if not line:
            return self.end()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._name = value.decode("utf-8", "replace")
        elif name == b"data":
            self._size += len(value) + 1
            if self._size > LONGEST_LINE:
                raise Malformed(self._provider, f"an event of the stream is longer than {LONGEST_LINE} bytes")
            self._data.append(value)
        return None

    def end(self) -> tuple[str, bytes] | None:
        """The event that is there so far; None where it has no data."""
        name, data = self._name, b"\n".join(self._data)
        self._name, self._size = "", 0
        self._data.clear()
        return (name, data) if data.strip() else None


async def parts_of(provider: str, chunks: AsyncIterator[bytes], clean: Clean, most: int) -> AsyncGenerator[Part]:
    """The parts of a reply as they come, until its end or its mark of it; Malformed for what is no such stream."""
    lines, events = Lines(provider, most), Events(provider)
    form = b""
    async with aclosing(_lines_of(lines, chunks)) as coming:
        async for line in coming:
            form = form or line.lstrip(_SPACE)[:1]
            if form in (b"[", b"{"):
                found: list[tuple[str, bytes]] = [("", clean(line))] if line.strip() else []
            elif form == b"<":
                raise Malformed(provider, f"$ is neither events nor JSON (got {clean(line)[:60]!r})")
            else:
                event = events.take(clean(line).lstrip(b"\xef\xbb\xbf"))
                found = [event] if event else []
            if form == b"[":
                async for each in _array(provider, line, coming, clean):
                    yield each
                return
            for name, data in found:
                if data.strip() == DONE:
                    return
                yield Part(event=name, body=Row.json(provider, data))
    if (last := events.end()) is not None and last[1].strip() != DONE:
        yield Part(event=last[0], body=Row.json(provider, last[1]))


async def _lines_of(lines: Lines, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    async for chunk in chunks:
        for line in lines.feed(chunk):
            yield line
    if rest := lines.end():
        yield rest


async def _array(provider: str, first: bytes, coming: AsyncIterator[bytes], clean: Clean) -> AsyncIterator[Part]:
    """A JSON array is read to its end, and given out item by item."""
    body = b"\n".join([first, *[line async for line in coming]])
    for item in Row.json(provider, clean(body)):
        yield Part(event="", body=item)


async def ended(provider: str, capability: Capability[Any, Any], answers: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
    """The answers of a streamed capability; Malformed behind them where none of them said that it is the end."""
    told = False
    async with aclosing(answers) as coming:
        async for answer in coming:
            told = told or capability.ends is None or capability.ends(answer)
            yield answer
    if not told:
        raise Malformed(provider, "the stream broke off before its end")
