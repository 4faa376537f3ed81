"""Names into addresses by the system's own resolver, in threads that a slow name server cannot use up."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from threading import Thread

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""All addresses of a name, as text; OSError where it has none."""
LOOKUPS, LOOKUPS_OF_DOMAIN = 64, 8
"""At a time: of all names, and of the names of one domain, whose owner decides how slow they are."""


class SystemNames:
    """A `Lookup`. A thread of its own for each: `getaddrinfo` cannot be cancelled, and a pool waits for it at exit."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(LOOKUPS)
        self._by_domain: Counter[str] = Counter()

    async def __call__(self, name: str) -> Sequence[str]:
        """OSError also where too many names of its domain are being asked for."""
        domain = ".".join(name.rsplit(".", 2)[-2:])
        if self._by_domain[domain] >= LOOKUPS_OF_DOMAIN:
            raise OSError("its name server is slow, and many of its names are being asked for")
        self._by_domain[domain] += 1
        try:
            await self._room.acquire()
        except asyncio.CancelledError:
            self._left(domain)
            raise
        found: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        # Whoever stops to wait leaves the thread behind, and it counts until it ends.
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ended.add_done_callback(lambda _: self._ended(domain))
        try:
            Thread(target=_look_up, args=(name, found, ended), name="egress-lookup", daemon=True).start()
        except RuntimeError as error:
            ended.set_result(None)
            raise OSError("no thread could be started") from error
        return await found

    def _ended(self, domain: str) -> None:
        self._room.release()
        self._left(domain)

    def _left(self, domain: str) -> None:
        self._by_domain[domain] -= 1
        if not self._by_domain[domain]:
            del self._by_domain[domain]


def _look_up(name: str, found: asyncio.Future[Sequence[str]], ended: asyncio.Future[None]) -> None:
    """In a thread."""
    answer: Sequence[str] | OSError
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        answer = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
    except OSError as error:
        answer = error
    except UnicodeError:
        answer = OSError("no name that can be asked for")

    def tell() -> None:
        ended.set_result(None)
        if not found.done():
            found.set_exception(answer) if isinstance(answer, OSError) else found.set_result(answer)

    # The loop may be gone meanwhile.
    with suppress(RuntimeError):
        found.get_loop().call_soon_threadsafe(tell)
