"""A worker process: reads tasks from its standard input, one at a time, and ends with whoever writes there."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import Any

from gateway.core.computing.wire import How, Told, pickled
from schema.errors import MarketgateError

NICENESS = 5
"""The loops that serve go first where processors are short."""


def main(memory_mb: int) -> None:
    """Answer until the input ends."""
    # Sent to all of a group: those who wait for an answer shall have it before the gateway ends.
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.SIG_IGN)
    bound(memory_mb * 2**20)
    os.nice(NICENESS)
    # What a library prints must not stand between two answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: SimpleQueue[tuple[str, tuple[Any, ...]]] = SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    while True:
        answers.write(answer(*requests.get()))
        answers.flush()


def bound(most: int) -> None:
    """The address space, so that one task never takes the machine's memory; not every system can."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _read(requests: SimpleQueue[tuple[str, tuple[Any, ...]]]) -> None:
    """In a thread of its own, so that the end of the gateway ends a task too."""
    try:
        while True:
            requests.put(pickle.load(sys.stdin.buffer))  # noqa: S301 - from the process that started this one
    except BaseException:  # noqa: BLE001 - the end of the input, or a request that was cut off: all the same
        os._exit(0)


def answer(task: str, given: tuple[Any, ...]) -> bytes:
    """What `package.module:function` makes of what is given, or what it raises."""
    try:
        return pickled(How.VALUE, _found(task)(*given))
    except MarketgateError as error:
        return _told(error)
    except MemoryError:
        return pickled(How.NO_MEMORY, None)
    except Exception:  # noqa: BLE001 - the gateway logs it
        return pickled(How.FAILED, traceback.format_exc())


def _told(error: MarketgateError) -> bytes:
    try:
        return pickled(How.REFUSED, tuple(Told.of(error)))
    except Exception:  # noqa: BLE001 - what the error holds cannot be sent
        return pickled(How.FAILED, traceback.format_exc())


def _found(task: str) -> Any:
    module, _, name = task.partition(":")
    return getattr(import_module(module), name)


if __name__ == "__main__":
    main(int(sys.argv[1]))
