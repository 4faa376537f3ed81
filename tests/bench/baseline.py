"""What the gateway is measured against: a bare Starlette route and plain Strawberry resolvers, with the same data.

Strawberry is served twice: as it comes, and at its best with its parser and validation caches and orjson.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from tests.bench.upstream import FIRST, SYMBOLS


@strawberry.type
class Instrument:
    """Plain."""

    symbol: str


@strawberry.type
class Provenance:
    """Plain."""

    provider: str
    age_ms: int


@strawberry.type
class Quote:
    """Plain."""

    price: Decimal
    currency: str
    bid: Decimal
    ask: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    instrument: Instrument
    provenance: Provenance


@strawberry.type
class QuoteBatch:
    """Plain."""

    nodes: list[Quote]


@strawberry.type
class Candle:
    """Plain."""

    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@strawberry.type
class Columns:
    """Plain."""

    open_time: list[datetime]
    open: list[Decimal]
    high: list[Decimal]
    low: list[Decimal]
    close: list[Decimal]
    volume: list[Decimal]


@strawberry.type
class Series:
    """Plain."""

    rows: list[Candle]
    columns: Columns


def quote_of(name: str) -> Quote:
    """The values that the local upstream sends."""
    return Quote(
        price=Decimal("6705.82000000"), currency="USDT", open=Decimal("6872.64000000"),
        bid=Decimal("6705.88000000"), ask=Decimal("6706.21000000"),
        high=Decimal("6933.00000000"), low=Decimal("6680.10000000"), volume=Decimal("57857.49485700"),
        instrument=Instrument(symbol=name), provenance=Provenance(provider="binance", age_ms=100),
    )  # fmt: skip


ONE = quote_of("C00/USDT")
MANY = [quote_of(f"{name[:-4]}/USDT") for name in SYMBOLS]
ROWS = [
    Candle(
        open_time=datetime.fromtimestamp(FIRST / 1000, UTC) + timedelta(hours=n), open=Decimal(f"{6733.55 + n:.8f}"),
        high=Decimal(f"{6737.79 + n:.8f}"), low=Decimal(f"{6726.61 + n:.8f}"), close=Decimal(f"{6727.14 + n:.8f}"),
        volume=Decimal("121.20139100"),
    )
    for n in range(500)
]  # fmt: skip
COLUMNS = Columns(
    **{name: [getattr(row, name) for row in ROWS] for name in ("open_time", "open", "high", "low", "close", "volume")}
)


async def quote(symbol: str) -> Quote:
    """Plain resolver."""
    return ONE


async def quotes(symbols: list[str]) -> QuoteBatch:
    """Plain resolver."""
    return QuoteBatch(nodes=MANY)


async def candles(symbol: str) -> Series:
    """Plain resolver."""
    return Series(rows=ROWS, columns=COLUMNS)


@strawberry.type
class Query:
    """Plain."""

    quote: Quote = strawberry.field(resolver=quote)
    quotes: QuoteBatch = strawberry.field(resolver=quotes)
    candles: Series = strawberry.field(resolver=candles)


def plain(value: object) -> object:
    """For orjson."""
    return str(value) if isinstance(value, Decimal) else vars(value)


BODIES = {"quote": ONE, "list100": MANY, "rows500": ROWS, "columns500": COLUMNS}


async def bare(request: Request) -> Response:
    """Encodes the same data at each request, without a gateway."""
    return Response(orjson.dumps(BODIES[request.path_params["name"]], default=plain), media_type="application/json")


class Tuned(GraphQL[None, None]):
    """With the faster encoder."""

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


tuned = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])
app = Starlette(
    routes=[
        Route("/json/{name}", bare),
        Route("/graphql", GraphQL[None, None](strawberry.Schema(Query))),
        Route("/tuned", Tuned(tuned)),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False, http="httptools", loop="uvloop")
