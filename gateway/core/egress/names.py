"""Names into addresses by the system's own resolver, in threads that a slow name server cannot use up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any

from gateway.core.clock import Clock
from gateway.core.egress.turns import Turns

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""All addresses of a name, as text; OSError where it has none."""
LOOKUPS, SLOW_LOOKUPS, LOOKUPS_OF_DOMAIN = 128, 64, 4
"""At a time: of names that were quick last time or are new; of those that were slow, and as many again that turn out
to be; and of the names of one domain, whose owner decides how slow they are."""
SLOW_S = 2.0
KNOWN_S = 3_600.0
"""How long the addresses of a name are good enough where the resolver says nothing new."""
MOST_NAMES = 4_096


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: Sequence[str]
    until: float


class SystemNames:
    """A `Lookup`. A thread of its own for each: `getaddrinfo` cannot be cancelled, and a pool waits for it at exit.

    One look-up of a name at a time, which goes on though nobody waits for it any more. One that is slow gives up the
    turn of its domain, and from then on its name waits among the slow ones until it is quick again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns = Turns(at_once=LOOKUPS, per_host=LOOKUPS_OF_DOMAIN)
        self._slow_turns = Turns(at_once=SLOW_LOOKUPS, per_host=LOOKUPS_OF_DOMAIN)
        self._aside = 0
        self._asked: dict[str, asyncio.Task[Sequence[str]]] = {}
        self._known: dict[str, _Known] = {}
        self._slow: dict[str, bool] = {}

    async def __call__(self, name: str) -> Sequence[str]:
        """What the resolver says; what it said before where it cannot say so soon."""
        asked, known = self._asked.get(name) or self._ask(name), self._known.get(name)
        if known is None or known.until < self._clock.monotonic():
            return await asyncio.shield(asked)
        if not await self._soon(asked):
            return known.addresses
        try:
            return asked.result()
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                return known.addresses
            raise

    def _ask(self, name: str) -> asyncio.Task[Sequence[str]]:
        def ended(task: asyncio.Task[Sequence[str]]) -> None:
            del self._asked[name]
            # It may be that nobody waits for it.
            if not task.cancelled():
                task.exception()

        asked = self._asked[name] = asyncio.create_task(self._in_turn(name), name="egress.lookup")
        asked.add_done_callback(ended)
        return asked

    async def _in_turn(self, name: str) -> Sequence[str]:
        slow = name in self._slow
        turn = (self._slow_turns if slow else self._turns).of(domain_of(name), 0)
        await turn.take()
        give = turn.give
        try:
            found = _begun(name)
            if await self._soon(found):
                self._slow.pop(name, None)
            else:
                _keep(self._slow, name, True)
                if not slow and self._aside < SLOW_LOOKUPS:
                    self._aside += 1
                    turn.give()
                    give = self._back
            addresses = await found
        finally:
            give()
        _keep(self._known, name, _Known(addresses, self._clock.monotonic() + KNOWN_S))
        return addresses

    def _back(self) -> None:
        self._aside -= 1

    async def _soon(self, awaited: asyncio.Future[Any]) -> bool:
        """Whether it is done before it counts as slow."""
        patience = asyncio.create_task(self._clock.sleep(SLOW_S))
        try:
            await asyncio.wait({awaited, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
        return awaited.done()


def domain_of(name: str) -> str:
    """What one owner has, as far as the name shows it: its last two labels, three below `co.uk` and the like."""
    labels = name.split(".")
    shared = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if shared else -2 :])


def _keep(names: dict[str, Any], name: str, value: Any) -> None:
    """As the newest; the oldest goes where there are too many."""
    names.pop(name, None)
    names[name] = value
    if len(names) > MOST_NAMES:
        del names[next(iter(names))]


def _begun(name: str) -> asyncio.Future[Sequence[str]]:
    found: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
    try:
        Thread(target=_look_up, args=(name, found), name="egress-lookup", daemon=True).start()
    except RuntimeError as error:
        raise OSError("no thread could be started") from error
    return found


def _look_up(name: str, found: asyncio.Future[Sequence[str]]) -> None:
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
        if not found.done():
            found.set_exception(answer) if isinstance(answer, OSError) else found.set_result(answer)

    # The loop may be gone meanwhile.
    with suppress(RuntimeError):
        found.get_loop().call_soon_threadsafe(tell)
