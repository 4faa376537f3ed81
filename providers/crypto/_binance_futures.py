"""Binance's perpetuals that settle in USDT or USDC: which there are, where they are asked for, what that weighs."""

from __future__ import annotations

from providers.crypto._joined import wire_symbol
from providers.crypto._perpetual import is_linear_of
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.books import OrderBookAsk
from schema.words.derivatives import FundingRate
from schema.words.quotes import QuotesAsk

DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
# By levels asked for: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
SPOT_BOOKS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Order-Book
BOOKS = ((50, 2), (100, 5), (500, 10), (1000, 20))
ONE, ALL, PAIRS = 1, 40, 2


def perpetual(instrument: InstrumentId) -> bool:
    """A perpetual that settles in USDT or USDC."""
    return is_linear_of("binance", instrument, ("USDC", "USDT"))


def place_of(instrument: InstrumentId) -> tuple[str, str]:
    """The root of a path and its host; sizes and volumes are in coins in both."""
    return ("/fapi/v1", "futures") if instrument.settle else ("/api/v3", "")


def depth_of(levels: int) -> int:
    """The next of the depths that books of perpetuals have."""
    return next((depth for depth in DEPTHS if levels <= depth), DEPTHS[-1])


def quote_weight(ask: QuotesAsk) -> int:
    """Of the pairs in a batch, and of its perpetuals: there one costs little, and all of them much."""
    perpetuals = {wire_symbol(instrument) for instrument in ask.instruments if instrument.settle}
    pairs = PAIRS if any(not instrument.settle for instrument in ask.instruments) else 0
    return pairs + (ALL if len(perpetuals) > 1 else ONE * len(perpetuals))


def book_weight(ask: OrderBookAsk) -> int:
    """It grows with the depth."""
    weights = BOOKS if ask.instrument.settle else SPOT_BOOKS
    return next((weight for levels, weight in weights if ask.depth <= levels), weights[-1][1])


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """`lastFundingRate` is that of the running interval, not of the last one."""
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch("time", "ms"),
        rate=row.decimal("lastFundingRate"),
        time=row.epoch("nextFundingTime", "ms"),
        settled=False,
        mark_price=row.positive("markPrice"),
        index_price=row.positive("indexPrice"),
    )
