"""The socket of mempool.space: prices of Bitcoin. Docs: https://mempool.space/docs/api/websocket"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from providers.feeds import Feed, Heartbeat, News, Out, Said, Topic, text
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.quotes import PriceType, Quote

INIT = text({"action": "init"})


class MempoolSpaceFeed(Feed):
    """A channel is a currency: `conversions:EUR`.

    `init` brings all that there is, prices among it; after that every connection is sent new prices, asked for or not
    (https://github.com/mempool/mempool, backend/src/api/websocket-handler.ts). Limits are not published.
    """

    address = "wss://mempool.space/api/v1/ws"
    topics_per_connection = 7
    frames_per_second = 1.0
    connections = 1
    heartbeat = Heartbeat(every=timedelta(seconds=30), text=text({"action": "ping"}))
    confirms = False

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """All currencies come at once."""
        return [INIT]

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """There is nothing to let go of."""
        return ()

    def read(self, frame: Row) -> Iterable[News]:
        """Prices; blocks, fees and transactions are passed over."""
        prices = frame.get("conversions")
        if prices is None:
            return
        for channel, topic in self.topics.items():
            for quote in parse_prices((topic.instrument,), prices):
                yield Said(channel=channel, values=(quote,), as_of=quote.as_of)


def parse_prices(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """Averages of exchanges; -1 stands for a currency that has none."""
    time = body.epoch("time")
    found = [(instrument, body.positive(instrument.quote)) for instrument in instruments]
    return [
        Quote(instrument=instrument, price=price, price_type=PriceType.INDEX, as_of=time)
        for instrument, price in found
        if price is not None
    ]
