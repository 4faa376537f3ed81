"""When a market that is closed opens again."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from schema.scalars import datetime_text
from schema.symbols import InstrumentId
from schema.words.problems import Refused
from schema.words.venues import TradingHours

LOOK_AHEAD = timedelta(days=14)
"""The next session is never further away."""


class Shut(Refused):
    """An instrument can be traded, and not now: its market is closed."""

    def __init__(self, instrument: InstrumentId, message: str, *field: str) -> None:
        super().__init__("MARKET_CLOSED", message, *field)
        self.instrument = instrument


async def opening_of(context: Context, instrument: InstrumentId, model: ExecutionModel) -> datetime | None:
    """By its calendar; None where it has none, or is open by it: it is halted then, nobody knows for how long."""
    now, calendars = context.host.clock.now(), context.host.calendars
    hours = TradingHours.EXTENDED if model.extended_hours else TradingHours.REGULAR
    sessions = await calendars.sessions(instrument, now.date() - timedelta(days=1), (now + LOOK_AHEAD).date(), hours)
    following = next((each for each in sessions or () if each.closes > now), None)
    return following.opens if following is not None and following.opens > now else None


async def timed(context: Context, shut: Shut, model: ExecutionModel) -> Refused:
    """The same for good, of a refusal that ends with the opening: with its time, where that is known."""
    opens, told = await opening_of(context, shut.instrument, model), shut.message
    if opens is not None:
        told = f"{told.removesuffix('.')}, at {datetime_text(opens)}."
    return Refused(shut.code, told, *shut.field)
