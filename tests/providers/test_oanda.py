"""OANDA: pairs in the direction in which they are traded, ranges that end in the future, closed markets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.contract import Reply
from providers.fx.oanda import Oanda, is_listed, parse_candles, parse_price
from providers.recording import wire
from providers.row import Row
from schema.errors import NotCovered, Unauthorized, UnknownInstrument
from schema.symbols import fx, parse_instrument
from schema.words.candles import CandlesAsk
from schema.words.intervals import Interval
from schema.words.venues import MarketState

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)
EURO = fx("EUR", "USD")


class Upstream:
    """Keeps what was asked last."""

    async def get(self, path, params=None, *, host=""):
        self.path, self.params = path, dict(params or {})
        return row({"candles": []})


class Clock:
    def now(self):
        return NOW


def row(value: Any) -> Row:
    return Row.json("oanda", wire(value))


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("fx:EUR/USD", True),
        ("fx:EUR/USD@oanda", True),
        ("fx:USD/EUR", False),
        ("fx:EUR/USD@binance", False),
        ("commodity:XAU/USD", True),
        ("commodity:XPT/EUR", False),
        ("fx:XAU/USD", False),
        ("crypto:EUR/USD", False),
        ("index:DE30", False),
    ],
)
def test_only_pairs_in_their_traded_direction_are_listed(text, listed):
    assert is_listed(parse_instrument(text)) is listed


@pytest.mark.parametrize(
    ("start", "end", "bounds"),
    [
        (NOW - 3 * DAY, NOW - DAY, {"to": "2026-11-19T12:30:00Z"}),
        (NOW - 3 * DAY, NOW, {"to": "2026-11-20T12:30:00Z"}),
        (NOW - 3 * DAY, NOW + DAY, {"count": 4}),
        (NOW - timedelta(hours=1), NOW + DAY, {"count": 1}),
    ],
)
async def test_a_range_that_ends_in_the_future_is_counted_from_its_start(start, end, bounds):
    upstream = Upstream()
    ask = CandlesAsk(instrument=EURO, interval=Interval.D1, start=start, end=end)

    await Oanda(upstream, Clock()).candles(ask)  # type: ignore[arg-type]

    assert {name: upstream.params.get(name) for name in ("to", "count") if name in upstream.params} == bounds
    assert (upstream.params["dailyAlignment"], upstream.params["alignmentTimezone"]) == (0, "UTC")


def test_candles_say_themselves_which_of_them_is_closed():
    middle = {"o": "1.1", "h": "1.3", "l": "1.0", "c": "1.2"}
    rows = [
        {"time": "2026-11-20T12:00:00.000000000Z", "complete": False, "volume": 3, "mid": middle},
        {"time": "2026-11-20T11:00:00.000000000Z", "complete": True, "volume": 9, "mid": middle},
    ]

    bars = parse_candles(row({"candles": rows}))

    assert [moment.hour for moment in bars.open_time] == [11, 12]
    assert (bars.closed, bars.volume) == ((True, False), None)


def test_an_empty_side_is_what_a_position_would_be_closed_at():
    body = {
        "status": "non-tradeable", "time": "2026-11-21T12:00:00.000000000Z", "bids": [],
        "asks": [{"price": "1.1622", "liquidity": 5}], "closeoutBid": "1.1602", "closeoutAsk": "1.1632",
    }  # fmt: skip

    quote = parse_price(EURO, row(body))

    assert (quote.price, quote.bid, quote.bid_size) == (Decimal("1.1612"), Decimal("1.1602"), None)
    assert (quote.ask, quote.ask_size, quote.market_state) == (Decimal("1.1622"), Decimal(5), MarketState.CLOSED)


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "Invalid value specified for 'accountID'", Unauthorized),
        (400, "Invalid value specified for 'instrument'", UnknownInstrument),
        (400, "Maximum value for 'count' exceeded", None),
        (401, "Insufficient authorization to perform request.", None),
        (200, "something", NotCovered),
    ],
)
def test_a_refusal_is_read_by_its_words(status, said, kind):
    provider = Oanda(Upstream(), Clock())  # type: ignore[arg-type]

    meant = provider.explain(Reply(status=status, headers={}, body=row({"errorMessage": said})))

    assert (None if meant is None else type(meant)) is kind
