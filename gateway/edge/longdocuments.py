"""Long documents wait for the one thread that reads them: tenants' before nobody's, and few of each payer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.edge.errors import Refused

if TYPE_CHECKING:
    from gateway.edge.documents import Document

MOST_WAITING = 64
"""Of all, with the one that is being read; 16 ms for a thousand tokens were measured."""
MOST_OF_A_PAYER = 4
MOST_OF_NOBODY = 16
"""Of all callers without a credential together."""


class Payer(NamedTuple):
    """Who a document is read for."""

    name: str
    """The tenant, the key's owner or the address."""
    nobody: bool
    """Without a credential."""


@dataclass(slots=True, eq=False, kw_only=True)
class _Waiting:
    """A document that somebody waits for."""

    payer: Payer
    work: Callable[[], Document]
    result: asyncio.Future[Document]
    waiters: int = 0
    nobody: bool = field(init=False)
    """Whether only callers without a credential wait for it."""

    def __post_init__(self) -> None:
        self.nobody = self.payer.nobody


class LongDocuments:
    """One thread, one document after the other; one that nobody waits for any more is not read."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "documents")
        self._waiting: dict[Hashable, _Waiting] = {}
        self._begun: Hashable = None
        """What is being read, by its key: it counts among the waiting."""

    async def read(
        self, key: Hashable, work: Callable[[], Document], payer: Payer, timeout_s: float
    ) -> Document:  # fmt: skip
        """What *work* answers in its turn, done once for all who wait for the same *key*; raises Refused."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._check(payer)
            result = asyncio.get_running_loop().create_future()
            waiting = self._waiting[key] = _Waiting(payer=payer, work=work, result=result)
            self._go_on()
        waiting.nobody = waiting.nobody and payer.nobody
        waiting.waiters += 1
        try:
            async with asyncio.timeout(timeout_s):
                # Shielded: others may wait for the same.
                return await asyncio.shield(waiting.result)
        except TimeoutError:
            raise _too_many() from None
        except Refused as refused:
            raise refused.again() from None
        finally:
            waiting.waiters -= 1
            if not waiting.waiters and self._begun != key and self._waiting.get(key) is waiting:
                del self._waiting[key]

    def _check(self, payer: Payer) -> None:
        waiting = self._waiting.values()
        mine = sum(each.payer == payer for each in waiting)
        nobodys = sum(each.payer.nobody for each in waiting) if payer.nobody else 0
        if len(waiting) >= MOST_WAITING or mine >= MOST_OF_A_PAYER or nobodys >= MOST_OF_NOBODY:
            raise _too_many()

    def _go_on(self) -> None:
        """The first of tenants, else the first of all."""
        if self._begun is not None or not self._waiting:
            return
        key, waiting = min(self._waiting.items(), key=lambda each: each[1].nobody)
        self._begun = key
        reading = asyncio.get_running_loop().run_in_executor(self._thread, waiting.work)
        reading.add_done_callback(lambda done: self._end(key, done))

    def _end(self, key: Hashable, done: asyncio.Future[Document]) -> None:
        result, self._begun = self._waiting.pop(key).result, None
        if done.cancelled():
            result.cancel()
        elif (fault := done.exception()) is not None:
            result.set_exception(fault)
            # Looked at: there may be nobody left to do so.
            result.exception()
        else:
            result.set_result(done.result())
        self._go_on()


def _too_many() -> Refused:
    told = "Too many long documents wait to be read: try again after retryAfterMs."
    return Refused("OVERLOADED", told, status=503, details={"retryAfterMs": 1_000}, headers={"Retry-After": "1"})
