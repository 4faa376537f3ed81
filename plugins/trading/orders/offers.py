"""What the newest messages offer to one account: its orders share it, however many transactions they meet it in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gateway.core.matching.model import Tick
from gateway.core.matching.offers import Offered
from plugins.trading.orders.market import Market


class Offers:
    """The newest message of each instrument, with what orders have left of it."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[Tick, Offered]] = {}

    def of(self, market: Market, *, heard: bool = False) -> Offered | None:
        """What is left of a message; all, where none of the account's orders has met it; None where there is none.

        One that was asked for is the same as the newest where all that its provider says is the same, its stamp too;
        one that a stream sent, where it is that very one.
        """
        tick = market.tick
        if tick is None:
            return None
        name = str(tick.instrument)
        known = self._newest.get(name)
        if known is None or not (known[0] is tick or (not heard and _is_same(known[0], tick))):
            known = self._newest[name] = tick, Offered.of(tick, market.spec, market.model)
        return known[1]

    def keep(self, instruments: Collection[str]) -> None:
        """Those of others are not met any more."""
        self._newest = {name: each for name, each in self._newest.items() if name in instruments}


def _is_same(one: Tick, other: Tick) -> bool:
    return one.as_of is not None and replace(one, at=other.at) == other
