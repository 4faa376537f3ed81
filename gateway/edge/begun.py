"""Coroutines that are run at once, in the task that will wait for them: most have nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, cast

Begun = tuple[bool, Any]
"""Whether something is still waited for, with an awaitable of the rest; else with what came of it."""


def begin(work: Coroutine[Any, Any, Any]) -> Begun:
    """Run it until it has ended or waits for the first time; what it raises until then is raised here."""
    try:
        waited = work.send(None)
    except StopIteration as ended:
        return False, ended.value
    return True, _rest_of(work, waited)


@coroutine
def _rest_of(begun: Coroutine[Any, Any, Any], waited: Any) -> Generator[Any, Any, Any]:
    """The rest of a coroutine that was begun in this task and waits for something."""
    while True:
        try:
            sent = yield waited
        except GeneratorExit:
            begun.close()
            raise
        except BaseException as thrown:  # noqa: BLE001 - cancellation among them: it is the coroutine's to answer
            step, value = cast("Callable[[Any], Any]", begun.throw), cast(Any, thrown)
        else:
            step, value = begun.send, sent
        try:
            waited = step(value)
        except StopIteration as ended:
            return ended.value
