"""Whether Kraken's engine matches orders: https://docs.kraken.com/api/docs/rest-api/get-system-status"""

from __future__ import annotations

from providers.row import Row
from schema.words.sessions import MarketStatus
from schema.words.venues import MarketState

STATES = {
    "online": MarketState.REGULAR,
    "limit_only": MarketState.REGULAR,
    "post_only": MarketState.HALTED,
    "cancel_only": MarketState.HALTED,
    "maintenance": MarketState.HALTED,
}
"""The market has no hours, so that whatever stops it from matching is a halt."""


def parse_status(venue: str, body: Row) -> MarketStatus:
    """`{"result": {"status", "timestamp", …}}`; a halt has the engine's own word for a reason."""
    row = body["result"]
    told = row.text("status")
    state = STATES.get(told, MarketState.UNKNOWN)
    return MarketStatus(
        as_of=row.instant("timestamp"), venue=venue, state=state, reason=None if state is MarketState.REGULAR else told
    )
