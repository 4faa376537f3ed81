"""Persisted documents between processes: the text that one was sent the others find in Redis by its hash.

Redis is believed nothing: a text is hashed again when it comes back, and read as if its caller had sent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from gateway.core.metrics import counter
from gateway.edge.documents import DocumentReader, digest_of
from gateway.edge.errors import Refused
from gateway.edge.operation import OperationRequest, PreparedOperation, digest_in, persisted_in

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from gateway.core.link import RedisLink

PREFIX = "marketgate:{documents}:"
INDEX = f"{PREFIX}index"
LASTS_S = 86_400
"""How long a text is there after it was sent with its hash."""
LARGEST = 32_768
"""Bytes of a text that is shared."""
MOST = 2_000
"""Texts that are held; those that were sent longest ago go first."""
MOST_WAITING = 32
"""Texts on their way to Redis; what comes on top is not shared."""

READS = counter("marketgate_persisted_documents", "Documents asked of Redis by their hash, by what came.", "outcome")

SAVE = """
local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
local over = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if over > 0 then
  for _, digest in ipairs(redis.call('ZRANGE', KEYS[2], 0, over - 1)) do redis.call('DEL', ARGV[5] .. digest) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, over - 1)
end
return 1
"""


class SharedDocuments:
    """One per process that has Redis. Without an answer from it each process knows what it was sent itself."""

    def __init__(self, link: RedisLink, most: int = MOST) -> None:
        self._link, self._most = link, most
        self._sending: set[asyncio.Task[None]] = set()

    async def recalled(self, request: OperationRequest, reader: DocumentReader) -> OperationRequest:
        """With its text, where only its hash was sent, it is not known here and another process was sent it."""
        if request.query is not None:
            return request
        digest = digest_in(request.document_id) or persisted_in(request.extensions)
        if digest is None or reader.knows(digest):
            return request
        text = await self._find(digest)
        return request if text is None else replace(request, query=text)

    def share(self, prepared: PreparedOperation) -> None:
        """Write what was sent with its hash, once; nobody waits for that."""
        document, text = prepared.document, prepared.request.query
        if text is None or SharedDocuments in document.notes or persisted_in(prepared.request.extensions) is None:
            return
        sent = text.encode()
        if len(sent) > LARGEST or len(self._sending) >= MOST_WAITING or not self._link.available:
            return
        document.notes[SharedDocuments] = True
        task = asyncio.get_running_loop().create_task(self._save(document.hash, sent), name="documents.share")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def settle(self) -> None:
        """Until what waits is written."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def _find(self, digest: str) -> str | None:
        away: Any = False
        found: Any = await self._link.ask(lambda redis: redis.get(PREFIX + digest), otherwise=away)
        outcome, text = _read(found, digest)
        READS.labels(outcome).inc()
        return text

    async def _save(self, digest: str, text: bytes) -> None:
        def save(redis: Redis) -> Awaitable[Any]:
            return redis.eval(SAVE, 2, PREFIX + digest, INDEX, digest, text, LASTS_S, self._most, PREFIX)

        await self._link.ask(save, otherwise=None)


def _read(found: bytes | Literal[False] | None, digest: str) -> tuple[str, str | None]:
    """What came, and the text if it is the one that was asked for."""
    if not isinstance(found, bytes):
        return ("unknown" if found is None else "away"), None
    try:
        text = found.decode()
        return ("found", text) if digest_of(text) == digest else ("spoiled", None)
    except (UnicodeDecodeError, Refused):
        return "spoiled", None
