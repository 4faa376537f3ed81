"""A small gateway with scripted answers: the page's own behaviour is tested against it, whatever the real one says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sin
from pathlib import Path
from typing import Any

import uvicorn
from graphql import GraphQLError, build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parents[3] / "gateway" / "edge" / "static"
# As strict as the gateway's own: a page that needs more must fail here.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
SDL = """
scalar Decimal
scalar DateTime
enum Interval { M1 M5 M15 H1 H4 D1 W1 }
type ProviderFailure { provider: String! code: String! message: String! }
type Provenance {
  provider: String! mode: String! asOf: DateTime ageMs: Int! cacheStatus: String! fallbackFrom: [ProviderFailure!]!
}
type Venue { name: String! }
type Instrument {
  id: ID! symbol: String! name: String assetClass: String! type: String! venue: Venue quote: Quote
}
type PageInfo { hasNextPage: Boolean! endCursor: String }
type InstrumentConnection { nodes: [Instrument!]! pageInfo: PageInfo! }
type Quote {
  id: ID! instrument: Instrument! price: Decimal! currency: String! changePercent: Decimal bid: Decimal ask: Decimal
  marketState: String! provenance: Provenance!
}
type Failure { index: Int! symbol: String! code: String! message: String! }
type QuoteBatch { nodes: [Quote]! failures: [Failure!]! }
type Columns {
  openTime: [DateTime!]! open: [Decimal!]! high: [Decimal!]! low: [Decimal!]! close: [Decimal!]!
  volume: [Decimal]! closed: [Boolean!]!
}
type Gap { start: DateTime! end: DateTime! missing: Int! }
type CandleSeries { currency: String! columns: Columns! gaps: [Gap!]! provenance: [Provenance!]! }
type Source { provider: String! quote: Quote deviationBps: Decimal outlier: Boolean! excluded: ProviderFailure }
type Consensus {
  median: Decimal! low: Decimal! high: Decimal! rangeBps: Decimal! currency: String!
  asked: Int! used: Int! sources: [Source!]!
}
type User { email: String! }
type Viewer { user: User }
type Query {
  viewer: Viewer
  quote(symbol: String!): Quote
  quotes(symbols: [String!]!): QuoteBatch!
  candles(symbol: String!, interval: Interval!, last: Int!): CandleSeries
  consensus(symbol: String!): Consensus
  instruments(search: String, first: Int): InstrumentConnection!
}
"""
LISTED = {
    "crypto:BTC/USD": ("Bitcoin", "91234.123456789012345"),
    "crypto:ETH/USD": ("Ether", "3120.55"),
    "crypto:SOL/USD": ("Solana", "142.07"),
    "equity:AAPL": ("Apple Inc.", "271.49"),
    "equity:MSFT": ("Microsoft Corporation", "478.03"),
    "fx:EUR/USD": ("Euro in US dollars", "1.15342"),
    "fx:USD/JPY": ("US dollar in Japanese yen", "156.881"),
}
PROVIDERS = [
    {"id": "sandbox", "name": "Sandbox", "status": "READY", "reason": None},
    {"id": "kraken", "name": "Kraken", "status": "READY", "reason": None},
    {"id": "okx", "name": "OKX", "status": "DEGRADED", "reason": "quotes: 60 % of the last 20 calls failed"},
    {
        "id": "alphavantage",
        "name": "Alpha Vantage",
        "status": "KEY_MISSING",
        "reason": "set MARKETGATE_KEY_ALPHAVANTAGE",
    },
]
STEPS = {"M1": 60, "M5": 300, "M15": 900, "H1": 3600, "H4": 14400, "D1": 86400, "W1": 604800}


class Script:
    """What the stub answers; a test changes it while the page looks."""

    def __init__(self) -> None:
        self.mode = "recorded"
        self.env = "development"
        self.status = 200
        self.cost = {"requested": 8, "actual": 7, "remaining": 53, "resetsAt": "2026-01-01T00:00:00Z"}
        self.prices = {identity: price for identity, (_, price) in LISTED.items()}


class Root:
    """The query fields over a script."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def quote(self, _info: Any, symbol: str) -> Any:
        identity = next((i for i in LISTED if symbol in {i, i.partition(":")[2]}), None)
        if identity is None:
            raise GraphQLError(f"{symbol} is in no recording", extensions={"code": "NOT_RECORDED"})
        price = self._script.prices[identity]
        recorded = identity == "equity:MSFT"
        return {
            "id": f"quote:{identity}",
            "instrument": instrument(identity),
            "price": price,
            "currency": "JPY" if "JPY" in identity else "USD",
            "changePercent": "-0.42" if identity.startswith("fx") else "1.25",
            "bid": f"{price[:-1]}1",
            "ask": f"{price[:-1]}9",
            "marketState": "CLOSED" if recorded else "REGULAR",
            "provenance": origin("yahoo", "RECORDED", 2**31 - 1) if recorded else origin(),
        }

    def quotes(self, info: Any, symbols: list[str]) -> Any:
        nodes: list[Any] = []
        failures = []
        for index, symbol in enumerate(symbols):
            try:
                nodes.append(self.quote(info, symbol))
            except GraphQLError as error:
                nodes.append(None)
                failures.append({"index": index, "symbol": symbol, "code": "NOT_RECORDED", "message": error.message})
        return {"nodes": nodes, "failures": failures}

    def candles(self, info: Any, symbol: str, interval: str, last: int) -> Any:
        quote = self.quote(info, symbol)
        base, step = float(quote["price"]), timedelta(seconds=STEPS[interval])
        start = datetime(2026, 11, 20, 12, tzinfo=UTC) - last * step
        path = [base * (1 + sin(i / 9) / 60 + sin(i / 3.1) / 150 + (i - last) / last / 20) for i in range(last + 1)]
        pairs = list(pairwise(path))
        columns: dict[str, list[Any]] = {
            "openTime": [f"{start + i * step:%Y-%m-%dT%H:%M:%SZ}" for i in range(last)],
            "open": [f"{before:.2f}" for before, _ in pairs],
            "high": [f"{max(pair) * 1.002:.2f}" for pair in pairs],
            "low": [f"{min(pair) * 0.998:.2f}" for pair in pairs],
            "close": [f"{after:.2f}" for _, after in pairs],
            "volume": [str(40 + i * 37 % 61) for i in range(last)],
            "closed": [i < last - 1 for i in range(last)],
        }
        gap = {"start": columns["openTime"][3], "end": columns["openTime"][5], "missing": 2}
        return {"currency": quote["currency"], "columns": columns, "gaps": [gap], "provenance": [origin()]}

    def consensus(self, info: Any, symbol: str) -> Any:
        quote = self.quote(info, symbol)
        if "crypto" not in quote["id"]:
            raise GraphQLError(f"{symbol}: 1 of 2 sources", extensions={"code": "QUORUM_NOT_MET"})
        votes = {"kraken": "-0.4", "coinbaseexchange": "0", "bitstamp": "0.9", "okx": "84.2"}
        sources: list[dict[str, Any]] = [
            {
                "provider": provider,
                "quote": {**quote, "provenance": origin(provider, "RECORDED", 5_000_000)},
                "deviationBps": deviation,
                "outlier": provider == "okx",
            }
            for provider, deviation in votes.items()
        ]
        late = {"provider": "bybit", "code": "DATA_STALE", "message": "older than maxAgeMs"}
        sources.append({"provider": "bybit", "outlier": False, "excluded": late})
        price = quote["price"]
        figures = {"median": price, "low": price, "high": price, "rangeBps": "1.3", "currency": "USD"}
        return figures | {"asked": 5, "used": 4, "sources": sources}

    def instruments(self, info: Any, search: str = "", first: int = 20) -> Any:
        found = [i for i, (name, _) in LISTED.items() if search.lower() in f"{i} {name}".lower()]
        nodes = [{**instrument(i), "quote": self.quote(info, i)} for i in found[:first]]
        return {"nodes": nodes, "pageInfo": {"hasNextPage": len(found) > first}}


def instrument(identity: str) -> dict[str, Any]:
    kind, _, symbol = identity.partition(":")
    name = LISTED[identity][0]
    return {"id": identity, "symbol": symbol, "name": name, "assetClass": kind.upper(), "type": "SPOT"}


def origin(provider: str = "sandbox", mode: str = "SIMULATED", age: int = 400) -> dict[str, Any]:
    stamp = {"asOf": "2026-09-01T12:00:00Z", "ageMs": age, "cacheStatus": "MISS"}
    return {"provider": provider, "mode": mode, "fallbackFrom": [], **stamp}


def stub_app(script: Script) -> Starlette:
    """The routes that the pages use."""
    schema = build_schema(SDL)

    async def graphql(request: Request) -> Response:
        if script.status != 200:
            return Response("upstream connect error", script.status)
        body = await request.json()
        variables, name = body.get("variables"), body.get("operationName")
        result = graphql_sync(schema, body["query"], Root(script), variable_values=variables, operation_name=name)
        answer = {**result.formatted, "extensions": {"cost": script.cost}}
        return JSONResponse(answer, media_type="application/graphql-response+json")

    async def health(_request: Request) -> Response:
        if script.status != 200:
            return Response("upstream connect error", script.status)
        report = {"status": "ok", "mode": script.mode, "env": script.env, "version": "0.1.0"}
        return JSONResponse(report | {"providers": PROVIDERS})

    def page(name: str) -> Any:
        async def endpoint(_request: Request) -> Response:
            return FileResponse(STATIC / name, headers={"content-security-policy": CONTENT_SECURITY_POLICY})

        return endpoint

    return Starlette(
        routes=[
            Route("/", page("index.html")),
            Route("/console", page("console.html")),
            Route("/health", health),
            Route("/graphql", graphql, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )


@contextmanager
def serve(script: Script) -> Iterator[str]:
    """The stub on a port of its own, and its address."""
    server = uvicorn.Server(uvicorn.Config(stub_app(script), port=0, log_level="error", ws="none", lifespan="off"))
    listening = server.config.bind_socket()
    # From here on connections wait for the thread instead of being refused.
    listening.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
