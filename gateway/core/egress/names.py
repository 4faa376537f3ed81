"""Names into addresses by the system's own resolver, in threads that a slow name server cannot use up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from threading import Thread

from gateway.core.egress.turns import Turns

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""All addresses of a name, as text; OSError where it has none."""
LOOKUPS, LOOKUPS_OF_DOMAIN = 256, 4
"""At a time: of all names, and of the names of one domain, whose owner decides how slow they are."""


class SystemNames:
    """A `Lookup`. A thread of its own for each: `getaddrinfo` cannot be cancelled, and a pool waits for it at exit."""

    def __init__(self) -> None:
        self._turns = Turns(at_once=LOOKUPS, per_host=LOOKUPS_OF_DOMAIN)

    async def __call__(self, name: str) -> Sequence[str]:
        """Waits for its turn among the names of its domain."""
        turn = self._turns.of(".".join(name.rsplit(".", 2)[-2:]), 0)
        await turn.take()
        found: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        # Whoever stops to wait leaves the thread behind, and it has its turn until it ends.
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ended.add_done_callback(lambda _: turn.give())
        try:
            Thread(target=_look_up, args=(name, found, ended), name="egress-lookup", daemon=True).start()
        except RuntimeError as error:
            ended.set_result(None)
            raise OSError("no thread could be started") from error
        return await found


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
