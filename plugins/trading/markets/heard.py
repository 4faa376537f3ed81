"""What streams tell at this moment: a copy of an answer may be some seconds old when a newer message is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schema.symbols import InstrumentId
from schema.words.orders import FillSource

if TYPE_CHECKING:
    from gateway.core.matching.model import ExecutionModel
    from plugins.trading.markets.priced import Priced


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedKey:
    """What is listened to, on whose account."""

    tenant: str
    provider: str | None
    source: FillSource
    instrument: InstrumentId


Tell = Callable[["ExecutionModel"], "Priced | None"]


class Heard:
    """Of one process: what each of its streams says now; one that is stale, broken or over says nothing."""

    def __init__(self) -> None:
        self._tells: dict[FeedKey, Tell] = {}

    def begin(self, key: FeedKey, tell: Tell) -> None:
        """A stream is listened to from now on."""
        self._tells[key] = tell

    def end(self, key: FeedKey) -> None:
        """It is not any more."""
        self._tells.pop(key, None)

    def newest(self, key: FeedKey, model: ExecutionModel) -> Priced | None:
        """Its newest message as a price."""
        tell = self._tells.get(key)
        return tell(model) if tell else None
