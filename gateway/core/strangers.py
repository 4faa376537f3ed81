"""Plugins of other packages at work: what one of them raises at the start or at the end is named, and the rest goes on.

One of ours that raises is a defect, and stops the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import structlog

from gateway.core.contract import Host, Plugin

T = TypeVar("T")

log = structlog.get_logger(__name__)


def reason_of(error: BaseException) -> str:
    """What a log line says of it."""
    return f"{type(error).__name__}: {error}"


@contextmanager
def surviving(plugin: Plugin, step: str, of: list[Plugin] | None = None) -> Iterator[None]:
    """Go on behind a step in which a stranger's plugin failed; without it, where it is taken out *of* a list."""
    try:
        yield
    except Exception as error:
        if not plugin.origin:
            raise
        log.exception("plugin_failed", plugin=plugin.name, step=step, reason=reason_of(error))
        if of is not None:
            of.remove(plugin)


def gathered(host: Host, step: str, give: Callable[[Plugin], Callable[[Host], Sequence[T]] | None]) -> list[T]:
    """What all plugins give of one kind, such as their routes."""
    found: list[T] = []
    for plugin in host.plugins:
        made = give(plugin)
        if made is not None:
            with surviving(plugin, step):
                found += made(host)
    return found
