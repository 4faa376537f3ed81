"""What no sane client sends, for every argument of every root field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ROUTE = ("RouteInput = {timeoutMs: 500}", "route")
SYMBOL, CLASS, FIRST, CURSOR = ("String!", "symbol"), ("AssetClass", "enum"), ("Int", "int"), ("Cursor", "cursor")
# Each root field: what is selected, and of each argument its type and the kind of values to try.
FIELDS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "node": ("id", {"id": ("ID!", "id")}),
    "quote": ("id price", {"symbol": SYMBOL, "assetClass": CLASS, "convertTo": ("String", "text"), "route": ROUTE}),
    "quotes": (
        "nodes { id } failures { index code symbol message }",
        {"symbols": ("[String!]!", "symbols"), "convertTo": ("String", "text"), "route": ROUTE},
    ),
    "consensus": (
        "median",
        {
            "symbol": SYMBOL, "providers": ('[String!] = ["okx"]', "texts"), "quorum": ("Int = 1", "int"),
            "maxAgeMs": FIRST,
        },
    ),
    "candles": (
        "rows { open }",
        {
            "symbol": SYMBOL, "interval": ("Interval! = D1", "enum"), "start": ("DateTime", "time"),
            "end": ("DateTime", "time"), "first": FIRST, "last": ("Int = 5", "int"), "after": CURSOR, "before": CURSOR,
            "adjustment": ("Adjustment", "enum"), "hours": ("TradingHours", "enum"), "fill": ("Fill", "enum"),
            "route": ROUTE,
        },
    ),
    "orderBook": ("id bids { price }", {"symbol": SYMBOL, "depth": ("Int", "int"), "route": ROUTE}),
    "trades": ("id", {"symbol": SYMBOL, "last": ("Int", "int"), "route": ROUTE}),
    "instrument": ("id name venue { state }", {"symbol": SYMBOL, "assetClass": CLASS}),
    "instruments": (
        "nodes { id }",
        {
            "search": ("String", "text"), "assetClass": CLASS, "type": ("InstrumentType", "enum"),
            "venue": ("String", "text"), "first": FIRST, "after": CURSOR,
        },
    ),
    "marketCaps": ("nodes { rank }", {"first": FIRST, "after": CURSOR, "currency": ("String", "text"), "route": ROUTE}),
    "fxRates": (
        "id",
        {
            "base": ("String!", "text"), "quotes": ("[String!]", "texts"), "start": ("Date", "date"),
            "end": ("Date", "date"), "route": ROUTE,
        },
    ),
    "convert": (
        "amount",
        {"amount": ("Decimal!", "decimal"), "from": ("String!", "text"), "to": ("String!", "text"), "route": ROUTE},
    ),
    "providers": ("id", {"capability": ("String", "text"), "assetClass": CLASS, "status": ("ProviderStatus", "enum")}),
}  # fmt: skip
SANE: dict[str, Any] = {
    "id": "kraken", "symbol": "crypto:BTC/USD", "text": "EUR", "symbols": ["crypto:BTC/USD"], "decimal": "1",
}  # fmt: skip

TEXTS = [
    "", " ", "\x00", "BTC\x00/USD", "\r\nX-Injected: 1", "A" * 100_000, "🚀", "crypto:🚀/USD", "crypto:BTC/USD\u202e",
    "../../../../etc/passwd", "crypto:../..", "crypto:BTC/USD@../kraken", "%2e%2e%2f", "crypto:BTC%2FUSD",
    "'; DROP TABLE x; --", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}", "equity:AAPL?x=1&y=2#z",
    "crypto:" + "A" * 31 + "/" + "B" * 31, "crypto:A&B=C/USD", "equity:A.B.C.D", "equity:^", "equity:.", "index:^GSPC",
    "fx:USD/USDT", "fx:A/B", "crypto:BTC/USD:BTC-991399", "crypto:BTC/USD:BTC-260229-1-C", "equity:AAPL-261301-1-C",
    "dex:x/" + "z" * 64, "crypto:", ":", "@", "a@b@c", "crypto:BTC/USD@@", "İ", "ß", "crypto:ß/USD", "\ud7ff", "\uffff",
    "\u0300", "\u0661\u0662\u0663", "nan", "null", "True", "-0", "1e999", "BTC" * 20, "-", "--", "/", "//", "BTC/",
    "/USD", "BTC//USD", "A" * 80, "A" * 81,
]  # fmt: skip
LATEST, LARGEST = "9999-12-31T23:59:59.999999Z", 2**31 - 1
VALUES: dict[str, list[Any]] = {
    "id": [*TEXTS, 5],
    "symbol": TEXTS,
    "text": TEXTS,
    "symbols": [TEXTS, ["x"] * 200, [""] * 201],
    "texts": [*([text] for text in TEXTS), ["EUR"] * 1000, []],
    "enum": ["NONSENSE", "", "\x00", 5],
    "int": [0, -1, LARGEST, -LARGEST - 1, LARGEST + 1, 1.5, "1", True],
    "time": [
        "0001-01-01", LATEST, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "", "\x00", "now",
        "2026-W47-5", "20261120T120000Z", 5, "2026-11-20T12:00:00", "1970-01-01",
    ],
    "date": ["0001-01-01", "9999-12-31", "2026-02-30", "", 5, "1999-01-04", "2026-W47-5", "2026-11-21", "\u0662" * 10],
    "cursor": [
        "", "\x00", "🚀", "=" * 50, "A" * 2000, "Y2FwOg", "Y2FuZGxlOg", "aW5zdHJ1bWVudHM6MCwwLDA", "Y2FwOuKFoA",
        "aW5zdHJ1bWVudHM6MCwwLDAsIA", "Y2FuZGxlOjIwMjYtMTEtMDI",
    ],
    "decimal": ["nan", "Infinity", "1e5", "9" * 60, "0." + "9" * 60, f"-{'9' * 60}.{'9' * 60}", "", 1.5, True, 10**18],
    "route": [
        *({"providers": [text]} for text in TEXTS[:12]), *({"exclude": [text]} for text in TEXTS[:12]),
        {"providers": ["okx"] * 20, "exclude": ["okx"]}, {"maxAgeMs": LARGEST}, {"staleIfErrorMs": LARGEST},
        {"timeoutMs": 1}, {"maxAgeMs": 0}, {}, {"nonsense": 1}, None, {"timeoutMs": None}, {"staleIfErrorMs": None},
    ],
}  # fmt: skip


def operation(field: str) -> str:
    """A query whose variables are the field's arguments."""
    selected, arguments = FIELDS[field]
    declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    return f"query ({declared}) {{ {field}({passed}) {{ {selected} }} }}"


def variables(field: str) -> Iterator[dict[str, Any]]:
    """The sane arguments with one at a time gone wrong."""
    arguments = FIELDS[field][1]
    sane = {name: SANE[values] for name, (_, values) in arguments.items() if values in SANE}
    for name, (_, values) in arguments.items():
        yield from ({**sane, name: value} for value in VALUES[values])
