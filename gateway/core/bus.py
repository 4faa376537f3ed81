"""Short messages between processes: delivered at most once, soon, to whoever listens. Nothing may depend on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

Message = Mapping[str, Any]
Handler = Callable[[Message], None]

log = structlog.get_logger(__name__)


class Bus(Protocol):
    """Topics with handlers. A handler must not wait; work goes into a task of its own."""

    @property
    def connected(self) -> bool:
        """Whether other processes are heard now; always true where there are none."""

    @property
    def lost(self) -> int:
        """How many of this process's messages did not leave it."""

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """Call *handler* with every message of a topic, this process's own included; the answer ends it."""

    def on_gap(self, handler: Callable[[], None]) -> Callable[[], None]:
        """Call *handler* when messages may have been missed: drop what they would have dropped."""

    async def publish(self, topic: str, message: Message) -> None:
        """Here at once, to the others as soon as the network lets it; never raises for their sake."""

    async def start(self) -> None:
        """Begin to listen."""

    async def close(self) -> None:
        """Stop listening."""


class LocalBus:
    """The bus of a process that is alone."""

    connected = True
    lost = 0

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """See `Bus`."""
        self._handlers.setdefault(topic, []).append(handler)
        return lambda: self._handlers[topic].remove(handler)

    def on_gap(self, handler: Callable[[], None]) -> Callable[[], None]:
        """There are no gaps in one process."""
        return lambda: None

    async def publish(self, topic: str, message: Message) -> None:
        """See `Bus`."""
        self.deliver(topic, message)

    def deliver(self, topic: str, message: Message) -> None:
        """To everybody in this process: a handler that breaks stops neither the others nor who publishes."""
        for handler in tuple(self._handlers.get(topic, ())):
            try:
                handler(message)
            except Exception:
                log.exception("bus_handler_failed", topic=topic)

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""
