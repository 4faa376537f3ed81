"""Real captured payloads beside the checkout: where they lie, what each was an answer to, how to serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.core.check.faults import as_recorded
from gateway.core.check.replay import KEY, Departure
from gateway.core.upstream import RawReply, Request
from providers.recording import FOLDER as RECORDINGS
from providers.recording import decoded, read_recording, recording_files, wire

FOLDER = Path(__file__).parents[2].parent / "shared" / "recordings"
OTHERS = {"alt/gemini": "google_gemini", "alt/finnhub_news": "finnhub"}
"""Files whose name is not the provider's id."""
ALIASES = {
    ("anthropic", "/v1/messages/count_tokens"): "/v1/messages",
    ("binance", "/api/v3/trades"): "/api/v3/aggTrades",
    ("bitfinex", "/v2/conf/pub:list:pair:exchange"): "/v2/conf/pub:list:pair:exchange,pub:list:pair:futures",
    ("bitstamp", "/api/v2/trading-pairs-info"): "/api/v2/markets",
    ("coincap", "/v2/assets/bitcoin"): "/v3/assets/bitcoin",
    ("coincap", "/v2/assets/bitcoin/history"): "/v3/assets/bitcoin/history",
    ("coinmarketcap", "/test"): "/v3/cryptocurrency/quotes/latest",
    ("coinmarketcap", "/v1/cryptocurrency/listings/latest"): "/v3/cryptocurrency/listings/latest",
    ("kucoin", "/api/v1/symbols"): "/api/v2/symbols",
    ("kucoin", "/api/v3/market/orderbook/level2"): "/api/v1/market/orderbook/level2_20",
    ("bls", "/publicAPI/v2/timeseries/data"): "/publicAPI/v2/timeseries/data/APU0000701111",
    ("cryptopanic", "/api/v1/posts"): "/api/developer/v2/posts",
    ("currencylayer", "/api/live"): "/live",
    ("defillama", "/123totallyrealapikey123/coins/prices/current/coingecko:ethereum"): (
        "/prices/current/coingecko:ethereum"
    ),
    ("etherscan", "/api"): "/v2/api",
    ("fixer", "/api/latest"): "/fixer/latest",
    ("fmp", "/api/v3/quote/AAPL"): "/stable/quote",
    ("geckoterminal", "/api/v2/networks/eth/pools/{pool}/ohlcv/minute"): (
        "/api/v2/networks/eth/pools/0x5f97e72e16d9a6ffec6c70589c61ee224494ccda/ohlcv/minute"
    ),
    ("hackernews", "/api/v1/search"): "/api/v1/search_by_date",
    ("imf", "/external/sdmx/3.0/structure/dataflow/all/not_a_real_database/+"): (
        "/external/sdmx/3.0/data/dataflow/IMF.RES/NO_FLOW/+/DEU.X.A"
    ),
    ("marketstack", "/v1/eod"): "/v2/eod",
    ("marketstack", "/v1/splits"): "/v2/splits",
    ("marketstack", "/v1/tickers"): "/v2/tickerslist",
    ("nbp", "/api/exchangerates/tables/A/2026-03-01/2026-03-05"): "/api/exchangerates/tables/A",
    ("oanda", "/v3/instruments/DE30_EUR/candles"): "/v3/instruments/EUR_USD/candles",
    **{
        ("oanda", f"/v3/accounts/{{accountID}}/{name}"): f"/v3/accounts/{KEY}/{name}"
        for name in ("pricing", "instruments")
    },
    ("thegraph", "/api/REDACTED/subgraphs/id/5XqPmWe6gjyrJtFn9cLy237i4cWw2j9HcUJEXsP5qGtH"): (
        "/api/subgraphs/id/5zvR82QoaXYFyDEKLZ9t6v9adgnptxYpKpSbxtgVENFV"
    ),
    ("vimeo", "/programmed/cinema"): "/videos",
    ("worldbank", "/v2/countries/US/indicators/NY.GNP.PCAP.CD"): "/v2/country/US/indicator/NY.GNP.PCAP.CD",
}
"""Answers that the provider gives in the same form under another path, or another host's."""
FURTHER = {
    (
        "geckoterminal",
        "/api/v2/networks/eth/tokens/0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2/pools",
    ): "/api/v2/networks/eth/pools",
}
"""Further calls of an adapter that a capture of the same form answers, by its path."""
ENVELOPES: dict[tuple[str, str], Callable[[Any], Any]] = dict.fromkeys(
    (("coinmarketcap", "quote: BTC row (listings/quotes v1 row)"), ("coinmarketcap", "search: map row")),
    lambda row: {"status": {"error_code": 0, "error_message": None}, "data": [row]},
) | {("cryptopanic", "news: one post"): lambda rows: {"results": rows}}
"""What a collector has taken off, put on again."""
FILES: dict[str, list[Path]] = {}
for _file in sorted(FOLDER.glob("*/*.json")):
    _name = _file.relative_to(FOLDER).with_suffix("").as_posix()
    FILES.setdefault(OTHERS.get(_name, _file.stem), []).append(_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One captured exchange; `expected` is what its collector computed from it, where anybody did."""

    provider: str
    name: str
    call: str
    url: str
    status: int
    body: Any
    expected: Any

    @property
    def path(self) -> str:
        """The URL's path without a trailing slash."""
        path = urlsplit(self.url).path.rstrip("/")
        return ALIASES.get((self.provider, path), path)

    @property
    def params(self) -> dict[str, str]:
        """The URL's parameters."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def content(self) -> bytes:
        """The body as it came: texts raw, JSON with its own digits."""
        return self.body.encode() if isinstance(self.body, str) else wire(self.body)


def captures_of(provider: str) -> list[Capture]:
    """All captures of a provider; none where the folder is not there."""
    return [capture for file in FILES.get(provider, ()) for capture in _read(provider, decoded(file.read_bytes()))]


def _read(provider: str, corpus: Any) -> Iterator[Capture]:
    for section in ("recordings", "doc_samples"):
        for number, row in enumerate(corpus.get(section, ())):
            whole = ENVELOPES.get((provider, row["call"]), lambda body: body)
            yield Capture(
                provider=provider, name=f"{provider}-{section}[{number}]-{row['call']}", call=row["call"],
                url=row["request"]["url"], status=row.get("status", 200), body=whole(row["response"]),
                expected=row.get("expected"),
            )  # fmt: skip


class Captured:
    """Serves one capture for its path, whatever the parameters.

    A further call gets the nearest other capture, or what the repository's own recordings have for its path.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture, self.used = capture, 0

    async def send(self, request: Request) -> RawReply:
        """The captured reply."""
        path = urlsplit(request.url).path.rstrip("/")
        if path == self.capture.path:
            self.used += 1
            return _reply(self.capture)
        standing_in = FURTHER.get((self.capture.provider, path), path)
        others = [other for other in captures_of(self.capture.provider) if other.status == 200]
        for other in sorted(others, key=lambda other: other.path != standing_in):
            if other.path == standing_in or _differs_in_symbol(path, other.path):
                return _reply(other)
        for file in recording_files(RECORDINGS / self.capture.provider):
            for exchange in (each for case in read_recording(file).answered for each in case.exchanges):
                if exchange.path == request.path:
                    return as_recorded(exchange)
        raise Departure(f"calls {path}, captured is {self.capture.path}")

    async def close(self) -> None:
        """Nothing is open."""


def _reply(capture: Capture) -> RawReply:
    return RawReply(status=capture.status, headers={}, content=capture.content)


def _differs_in_symbol(path: str, other: str) -> bool:
    ours, theirs = path.split("/"), other.split("/")
    return len(ours) == len(theirs) and sum(a != b for a, b in zip(ours, theirs, strict=True)) == 1
