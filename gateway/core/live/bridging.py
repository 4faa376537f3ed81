"""Between the last that one provider's stream has told and the first of the next one's: candles are looked up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.core.callfacts import CallFacts
from gateway.core.clock import Clock
from gateway.core.lines.grid import candles_at, ending, opening
from gateway.core.live.channel import Channel
from gateway.core.live.messages import Message
from gateway.core.stamping import Stamper
from schema.errors import NotCovered, UpstreamError
from schema.words.candles import CANDLES
from schema.words.trades import TRADES

if TYPE_CHECKING:
    from gateway.core.live.leader import Upstream
    from gateway.core.live.seeding import Ask

OTHERS = "trades of {} since its last one are not told: those of {} are others"
LACKING = "candles from {:%Y-%m-%d %H:%M:%S} to {:%Y-%m-%d %H:%M:%S} UTC are not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """From one channel to another one of the same question, which has begun."""

    old: Channel
    new: Channel
    upstream: Upstream
    ask: Ask
    clock: Clock

    def lost(self) -> str | None:
        """What cannot be found, for trades of another venue are other trades; None where nothing is lost by that."""
        if self.upstream.capability is not TRADES or not self.old.state:
            return None
        return OTHERS.format(self.old.key.provider, self.new.key.provider)

    async def candles(self) -> Message | str | None:
        """Those between the two as a message of the new channel; a text where they are not known; None: none lack."""
        if self.upstream.capability is not CANDLES or not self.old.state:
            return None
        interval, now = self.upstream.ask.interval, self.clock.now()
        last: datetime = self.old.state[-1].open_time
        until = self._first() or opening(interval, now)
        if until <= ending(interval, last):
            return None
        source = self.upstream.source
        lane = self.upstream.lane if source is None else source.candles
        found = NotCovered(self.new.key.provider, "offers no candles over HTTP")
        if lane is not None:
            found = await self.ask(lane, CANDLES, replace(self.upstream.ask, start=last, end=until))
        if isinstance(found, UpstreamError):
            return f"{LACKING.format(ending(interval, last), until)}: {found.message}"
        until = self._first() or until
        bars = [bar for bar in candles_at(found, interval, now) if last <= bar.open_time < until]
        if not bars:
            return LACKING.format(ending(interval, last), until)
        facts = CallFacts(capability=CANDLES.name)
        values, provenance = Stamper(self.clock).stamp(self.upstream.lane, CANDLES, tuple(bars), facts)
        return Message(position=self.new.position, values=values, provenance=provenance)

    def _first(self) -> datetime | None:
        """Open time of the first candle that the new channel shows."""
        return self.new.state[0].open_time if self.new.state else None
