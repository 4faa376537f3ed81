"""What the sandbox tells of some markets while clients deal: the price of now, and how far each has moved."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.simulated._markets import BY_NAME
from providers.simulated._quotes import quote
from providers.simulated.sandbox import SEED
from schema.symbols import parse_instrument

SYMBOLS: Mapping[str, Decimal] = {
    "crypto:BTC/USD": Decimal("0.00001"), "crypto:ETH/USD": Decimal("0.0001"), "crypto:SOL/USD": Decimal("0.001"),
    "crypto:LTC/USD": Decimal("0.001"), "equity:AAPL": Decimal(1),
}  # fmt: skip
"""With their steps; all are priced in dollars, on a tick of a cent. The last one closes for the night."""
CENT = Decimal("0.01")
QUOTES = (
    "query($s: [String!]!) { r: quotes(symbols: $s) { nodes { instrument { id } provenance { asOf } price bid ask } } }"
)
LAST = 3
"""So many of the newest prices are remembered."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """Of one market. A bid and an ask may be missing while it is closed."""

    bid: Decimal
    ask: Decimal
    low: Decimal
    high: Decimal
    last: deque[tuple[str, Decimal, Decimal]] = field(default_factory=lambda: deque(maxlen=LAST))
    """Instants, bids and asks."""


class Board:
    """Filled by whoever watches."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.changes = 0
        self._until = 0

    def note(self, nodes: list[dict[str, Any]]) -> None:
        """One look at all."""
        for node in nodes:
            name, at, price = node["instrument"]["id"], node["provenance"]["asOf"], Decimal(node["price"])
            bid, ask = (Decimal(node[name]) if node[name] else price for name in ("bid", "ask"))
            seen = self.seen.setdefault(name, Seen(bid=bid, ask=ask, low=bid, high=ask))
            seen.bid, seen.ask = bid, ask
            seen.low, seen.high = min(seen.low, bid, price), max(seen.high, ask, price)
            if not seen.last or seen.last[-1][0] != at:
                seen.last.append((at, bid, ask))
                self.changes += name == next(iter(SYMBOLS))

    def look(self, nodes: list[dict[str, Any]]) -> None:
        """One look at all; and at what the sandbox told since the one before, which may be long on a busy machine or
        while nobody answers: the gateway has priced orders by it."""
        self.note(nodes)
        now = max(int(datetime.fromisoformat(node["provenance"]["asOf"]).timestamp()) for node in nodes)
        for second in range(self._until + 1 if self._until else now, now):
            for name, seen in self.seen.items():
                told = quote(SEED, instrument := parse_instrument(name), BY_NAME[instrument], second)
                prices = [each for each in (told.bid, told.ask, told.price) if each is not None]
                seen.low, seen.high = min(seen.low, *prices), max(seen.high, *prices)
        self._until = now

    def near(self, symbol: str, points: int) -> str:
        """So many hundredths of a per cent above the market's middle; below zero, below it."""
        seen = self.seen[symbol]
        price = (seen.bid + seen.ask) / 2 * (10_000 + points) / 10_000
        return str(price.quantize(CENT))

    def units(self, symbol: str, money: int) -> str:
        """How much so many dollars buy, at least a step."""
        step = SYMBOLS[symbol]
        return str(max(Decimal(money) / self.seen[symbol].ask // step * step, step))

    def moved(self, symbol: str) -> Decimal:
        """Between the lowest and the highest price that was seen."""
        return self.seen[symbol].high - self.seen[symbol].low
