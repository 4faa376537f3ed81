"""Whether the US market trades now, as Finnhub and Polygon tell it."""

from __future__ import annotations

from providers.row import Row
from schema.words.sessions import MarketStatus
from schema.words.venues import MarketState

US_VENUES = frozenset({"XNYS", "XNAS", "XASE", "ARCX", "BATS"})
"""They keep the same hours and holidays."""
SESSIONS = {"pre-market": MarketState.PRE, "regular": MarketState.REGULAR, "post-market": MarketState.POST}
POLYGON_VENUES = {"XNYS": "nyse", "XNAS": "nasdaq"}


def parse_finnhub(venue: str, body: Row) -> MarketStatus:
    """`{"exchange", "holiday", "isOpen", "session", "t", "timezone"}`; without a session nothing trades."""
    session, open_ = body.maybe_text("session"), body["isOpen"].flag()
    state = MarketState.CLOSED if session is None else SESSIONS.get(session, MarketState.UNKNOWN)
    # Open without a session, or a regular one that is not open: it does not say which of the two holds.
    if open_ != (state is MarketState.REGULAR) and state in (MarketState.REGULAR, MarketState.CLOSED):
        state = MarketState.UNKNOWN
    return MarketStatus(as_of=body.epoch("t"), venue=venue, state=state, reason=body.maybe_text("holiday") or None)


def parse_polygon(venue: str, body: Row) -> MarketStatus:
    """`{"exchanges": {"nyse", "nasdaq", "otc"}, "earlyHours", "afterHours", "serverTime"}`."""
    told = body["exchanges"].text(POLYGON_VENUES[venue])
    early, late = body["earlyHours"].flag(), body["afterHours"].flag()
    if told == "extended-hours" and early != late:
        state = MarketState.PRE if early else MarketState.POST
    else:
        state = {"open": MarketState.REGULAR, "closed": MarketState.CLOSED}.get(told, MarketState.UNKNOWN)
    return MarketStatus(as_of=body.instant("serverTime"), venue=venue, state=state)
