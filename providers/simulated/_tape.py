"""What can be seen of one market at one second: the trades, the best prices and the resting orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, pairwise

from providers.simulated._markets import Market
from providers.simulated._noise import key_of, mixed
from providers.simulated._track import Track
from schema.words.books import PriceLevel
from schema.words.trades import Side, Trade

PATIENCE = 16  # seconds for which a resting order keeps its size
FILLS = 4  # more than the fills of one order: trade ids are counted in these


class Tape:
    """Each trading second one order is executed, in one to three fills, at the price of that second."""

    def __init__(self, seed: int, market: Market, track: Track) -> None:
        self.market, self.track, self.tick, self.step = market, track, market.tick, market.step
        self.keys = {name: key_of(seed, name, market.symbol) for name in ("fills", "spread", *Side)}

    def side(self, second: int) -> Side:
        """The taker buys where the price has risen; where it has not moved, chance decides."""
        moved = self.track.price(second) - self.track.price(self.market.calendar.latest(second - 1))
        if not moved:
            moved = mixed(self.keys["fills"], second) % 2
        return Side.BUY if moved > 0 else Side.SELL

    def fills(self, second: int) -> list[int]:
        """The sizes in steps, which together are the volume of the second."""
        volume, draw = self.track.volume(second, second), mixed(self.keys["fills"], second)
        cuts = sorted((draw >> shift) % 1024 * volume // 1024 for shift in (8, 20)[: draw % 3])
        return [end - start for start, end in pairwise((0, *cuts, volume)) if end > start]

    def trades(self, second: int) -> list[Trade]:
        """The fills of a second, in the order of their ids."""
        moment, side = datetime.fromtimestamp(second, UTC), self.side(second)
        price = self.track.price(second) * self.tick
        return [
            Trade(id=str(second * FILLS + part), time=moment, price=price, size=size * self.step, side=side)
            for part, size in enumerate(self.fills(second))
        ]

    def spread(self, second: int) -> int:
        """Ask minus bid, in ticks."""
        wide = 0.5 + mixed(self.keys["spread"], second // PATIENCE) / 2**64
        return max(1, round(self.track.price(second) * self.market.spread * wide / 1e5))

    def best(self, second: int) -> tuple[int, int]:
        """Bid and ask in ticks: the last taker has met one of them."""
        price, spread = self.track.price(second), self.spread(second)
        return (price - spread, price) if self.side(second) is Side.BUY else (price, price + spread)

    def resting(self, side: Side, price: int, second: int) -> Decimal:
        """The size that rests at a price, for some seconds about."""
        usual = max(2, self.market.hourly_steps // 600)
        return (1 + mixed(self.keys[side] ^ price, second // PATIENCE) % usual) * self.step

    def levels(self, side: Side, second: int, depth: int) -> tuple[PriceLevel, ...]:
        """The best levels of a side, from the best price outwards."""
        return tuple(
            PriceLevel(price=price * self.tick, size=self.resting(side, price, second))
            for price in islice(self._prices(side, second), depth)
        )

    def _prices(self, side: Side, second: int) -> Iterator[int]:
        """One level in every cell of a fixed grid, so that the book moves with the price and keeps its orders."""
        bid, ask = self.best(second)
        best, outwards = (bid, -1) if side is Side.BUY else (ask, 1)
        # A power of two: a width that followed the price exactly would move all orders with every tick.
        width = 1 << int(best * self.market.spread / 1e5).bit_length()
        yield best
        cell = best // width
        while cell > 0:
            price = cell * width + mixed(self.keys[side], cell) % width
            if (price - best) * outwards > 0:
                yield price
            cell += outwards
