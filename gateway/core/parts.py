"""Replies that come in parts: server-sent events, JSON objects one after the other, or an array of them.

They are told apart by their first byte. What has come so far is cut as it comes, wherever the network has cut it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any, Protocol

from providers.contract import Part
from providers.row import Row
from schema.capability import Capability
from schema.errors import Malformed

LONGEST_LINE = 1024 * 1024
"""Bytes of a line, of the data of an event, and of an object."""
DONE = b"[DONE]"
"""What OpenAI's dialect sends behind the last event."""
_SPACE = b" \t\r\n\xef\xbb\xbf"
_MARKS = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)

Clean = Callable[[bytes], bytes]
Named = tuple[str, bytes]


class Cutter(Protocol):
    """Cuts what comes into the JSON texts of parts, each with the name of its event."""

    def feed(self, chunk: bytes) -> Iterator[Named]:
        """The parts that are whole now; Malformed where a bound is broken."""

    def end(self) -> Iterator[Named]:
        """What is left when nothing more comes; Malformed where something is missing."""


class Events:
    """Lines of server-sent events: their data, which an empty line ends. Comments and other fields are nothing."""

    def __init__(self, provider: str, clean: Clean) -> None:
        self._provider, self._clean = provider, clean
        self._rest = bytearray()
        self._name, self._size = "", 0
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[Named]:
        """See `Cutter`."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._append(line)
            whole = bytes(self._rest.removesuffix(b"\r"))
            self._rest.clear()
            yield from self._take(whole)
        self._append(rest)

    def end(self) -> Iterator[Named]:
        """The last event may lack its empty line."""
        yield from self._take(bytes(self._rest))
        yield from self._take(b"")

    def _append(self, piece: bytes) -> None:
        self._rest += piece
        if len(self._rest) > LONGEST_LINE:
            raise Malformed(self._provider, f"a line of the stream is longer than {LONGEST_LINE} bytes")

    def _take(self, line: bytes) -> Iterator[Named]:
        if not line:
            name, data = self._name, b"\n".join(self._data)
            self._name, self._size = "", 0
            self._data.clear()
            yield from [(name, data)] if data.strip() else ()
            return
        field, _, value = self._clean(line).lstrip(b"\xef\xbb\xbf").partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"data":
            self._size += len(value) + 1
            if self._size > LONGEST_LINE:
                raise Malformed(self._provider, f"an event of the stream is longer than {LONGEST_LINE} bytes")
            self._data.append(value)


class Objects:
    """JSON objects: one to a line, or over several, or the items of an array, which has to be closed."""

    def __init__(self, provider: str, clean: Clean) -> None:
        self._provider, self._clean = provider, clean
        self._rest, self._scanned, self._depth = bytearray(), 0, 0
        self._in_text = self._in_array = False

    def feed(self, chunk: bytes) -> Iterator[Named]:
        """See `Cutter`."""
        self._rest += chunk
        start, upto = 0, self._scanned
        for mark in _MARKS.finditer(self._rest, self._scanned):
            upto = mark.end()
            if not self._counted(mark[0]):
                self._between(bytes(self._rest[start : mark.start()]), mark[0])
                start = mark.start() if self._depth else mark.end()
            elif not self._depth:
                yield "", self._clean(bytes(self._rest[start : mark.end()]))
                start = mark.end()
        del self._rest[:start]
        # A backslash at the end waits for what it escapes.
        self._scanned = len(self._rest) - (upto - start < len(self._rest) and self._rest.endswith(b"\\"))
        if len(self._rest) > LONGEST_LINE:
            raise Malformed(self._provider, f"an object of the stream is longer than {LONGEST_LINE} bytes")

    def end(self) -> Iterator[Named]:
        """Nothing may be left."""
        if self._depth or self._in_array:
            raise Malformed(self._provider, "the stream ends within its JSON")
        self._between(bytes(self._rest), b"")
        yield from ()

    def _counted(self, mark: bytes) -> bool:
        """Whether *mark* stands within an object: those of its texts count for nothing."""
        if not self._depth:
            return False
        if mark == b'"':
            self._in_text = not self._in_text
        elif not self._in_text and mark in b"{[":
            self._depth += 1
        elif not self._in_text and mark in b"}]":
            self._depth -= 1
        return True

    def _between(self, gap: bytes, mark: bytes) -> None:
        """Between objects there are spaces and commas, before them an array may begin, behind them it ends."""
        expected = {b"{": True, b"[": not self._in_array, b"]": self._in_array, b"": True}
        if gap.strip(_SPACE + b",") or not expected.get(mark, False):
            shown = self._clean(gap + mark)
            raise Malformed(self._provider, f"$ is neither events nor JSON (got {shown[:60]!r})")
        if mark == b"{":
            self._depth = 1
        elif mark:
            self._in_array = mark == b"["


def cutter(provider: str, head: bytes, clean: Clean) -> Cutter:
    """What cuts a reply that begins with *head*, which is not all space."""
    form = head.lstrip(_SPACE)[:1]
    if form == b"<":
        raise Malformed(provider, f"$ is neither events nor JSON (got {clean(head)[:60]!r})")
    return Objects(provider, clean) if form in (b"{", b"[") else Events(provider, clean)


async def parts_of(provider: str, chunks: AsyncIterator[bytes], clean: Clean, most: int) -> AsyncGenerator[Part]:
    """The parts of a reply as they come, until its end or its mark of it; Malformed for what is no such stream."""
    async with aclosing(_cut(provider, chunks, clean, most)) as coming:
        async for name, data in coming:
            if data.strip() == DONE:
                return
            yield Part(event=name, body=Row.json(provider, data))


async def _cut(provider: str, chunks: AsyncIterator[bytes], clean: Clean, most: int) -> AsyncGenerator[Named]:
    cut: Cutter | None = None
    async for chunk in chunks:
        most = left_of(provider, most, chunk)
        if cut is None and chunk.strip(_SPACE):
            cut = cutter(provider, chunk, clean)
        for found in cut.feed(chunk) if cut is not None else ():
            yield found
    for found in cut.end() if cut is not None else ():
        yield found


def values_in(provider: str, body: bytes) -> list[Any]:
    """The JSON values of a whole stream."""
    cut = cutter(provider, body, bytes)
    found = [data for _, data in (*cut.feed(body), *cut.end())]
    return [Row.json(provider, data).value for data in found if data.strip() != DONE]


def left_of(provider: str, most: int, chunk: bytes) -> int:
    """How many bytes may still come behind *chunk*."""
    if len(chunk) > most:
        raise Malformed(provider, "its body is larger than anything that belongs there")
    return most - len(chunk)


async def whole(provider: str, chunks: AsyncIterator[bytes], most: int) -> bytes:
    """All of a body that turned out to be no stream."""
    body = bytearray()
    async for chunk in chunks:
        most = left_of(provider, most, chunk)
        body += chunk
    return bytes(body)


async def ended(provider: str, capability: Capability[Any, Any], answers: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
    """The answers of a streamed capability; Malformed behind them where none of them said that it is the end."""
    told = False
    async with aclosing(answers) as coming:
        async for answer in coming:
            told = told or capability.ends is None or capability.ends(answer)
            yield answer
    if not told:
        raise Malformed(provider, "the stream broke off before its end")
