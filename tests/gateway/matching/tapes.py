"""Orders and messages in a line each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from gateway.core.matching.model import Bar, ExecutionModel, Fees, Level, Slippage, Spec, Tick, Working
from schema.symbols import AssetClass, InstrumentId
from schema.words.orders import FillSource, OrderStatus, OrderType, SlippageKind, TimeInForce
from schema.words.trades import Side

BTC = InstrumentId(asset_class=AssetClass.CRYPTO, base="BTC", quote="USD")
START = datetime(2026, 11, 2, 12, tzinfo=UTC)
SPEC = Spec(instrument=BTC, currency="USD", tick=D("0.01"), step=D("0.001"))
FREE = Fees(maker=D(0), taker=D(0), least=D(0))
QUOTES = ExecutionModel(fees=FREE)
BOOK = replace(QUOTES, source=FillSource.BOOK)
BARS = replace(QUOTES, source=FillSource.BARS)
BUY, SELL = Side.BUY, Side.SELL
NONE, BASIS_POINTS = SlippageKind.NONE, SlippageKind.BASIS_POINTS


def at(seconds):
    return START + timedelta(seconds=seconds)


def number(value):
    return None if value is None else D(str(value))


def order(side, kind, quantity="1", *, limit=None, stop=None, tif="GTC", name="o1", seconds=0, **more):
    fields = {key: number(value) if key.startswith("trail") else value for key, value in more.items()}
    status = fields.pop("status", OrderStatus.NEW)
    return Working(
        id=name, instrument=BTC, side=side, type=OrderType(kind), time_in_force=TimeInForce(tif),
        quantity=D(quantity), accepted_at=at(seconds), limit_price=number(limit), stop_price=number(stop),
        status=status, **fields,
    )  # fmt: skip


def resting(side, kind, quantity="1", **more):
    """An order that met the market before."""
    return order(side, kind, quantity, status=OrderStatus.ACCEPTED, **more)


def quote(bid=None, ask=None, bid_size=None, ask_size=None, *, last=None, traded=None, seconds=0, as_of=None):
    return Tick(
        instrument=BTC, at=at(seconds), bid=number(bid), ask=number(ask), last=number(last),
        bid_size=number(bid_size), ask_size=number(ask_size), traded=number(traded), as_of=as_of,
    )  # fmt: skip


def depth(bids=(), asks=(), seconds=0):
    return Tick(instrument=BTC, at=at(seconds), bids=levels(bids), asks=levels(asks))


def levels(pairs):
    return tuple(Level(price=D(str(price)), size=D(str(size))) for price, size in pairs)


def bar(start, open_, high, low, close, volume=None, length=60):
    """From `start` seconds on; it reaches us when it ends."""
    candle = Bar(
        start=at(start), end=at(start + length), open=D(str(open_)), high=D(str(high)), low=D(str(low)),
        close=D(str(close)), volume=number(volume),
    )  # fmt: skip
    return Tick(instrument=BTC, at=at(start + length), bar=candle)


def slippage(kind, **fields):
    return replace(QUOTES, slippage=Slippage(kind=kind, **{name: D(value) for name, value in fields.items()}))


def told(step):
    """Status, fills as text, and why it ended."""
    fills = " ".join(f"{each.quantity}@{each.price}{each.liquidity.value[0]}" for each in step.executions)
    return step.order.status.value, fills, step.reason
