"""One upstream stream of one item, as its consumer sees it: values, troubles, and an end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.core.access import Lane
from schema.capability import Capability
from schema.errors import UpstreamError
from schema.provenance import Provenance
from schema.words.live import NoticeCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New values (`Quote`, `Candle`, `Trade`, `OrderBook`…) without provenance, ascending by time.

    A `snapshot` takes the place of everything before. `as_of` is the venue's stamp, `received` our clock's.
    `provenance` is that of values that were asked for; what a feed has said gets one from the hub.
    """

    values: tuple[Any, ...]
    as_of: datetime | None
    snapshot: bool
    received: datetime
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """STALE, FRESH_AGAIN, RECONNECTING, GAP or MARKET_CLOSED: the line goes on by itself."""

    code: NoticeCode
    message: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The line is over, and this is why: the next provider's turn."""

    error: UpstreamError


Event = Update | Trouble | Ended

LOSSES = frozenset({NoticeCode.RECONNECTING, NoticeCode.GAP, NoticeCode.STALE})
"""Troubles after which something may be missing."""


class Lines(Protocol):
    """Opens lines; whether by a socket or by polling is its own affair."""

    def open(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The line of an ask of one item over *lane*. Nothing is left of it when the context ends.

        The iterator ends after `Ended`, or never; what goes wrong upstream is never raised.
        """

    async def ask(self, lane: Lane, capability: Capability[Any, Any], ask: Any) -> Any:
        """The provider's answer over HTTP, as new as it can be, without provenance; else the UpstreamError."""

    async def close(self) -> None:
        """No socket and no task is left."""
