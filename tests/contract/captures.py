"""Real captured payloads beside the checkout: where they lie, what each was an answer to, how to serve it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.core.check.replay import Departure
from gateway.core.upstream import RawReply, Request
from providers.recording import decoded, wire

FOLDER = Path(__file__).parents[2].parent / "shared" / "recordings"
OTHERS = {"alt/gemini": "google_gemini", "alt/finnhub_news": "finnhub"}
"""Files whose name is not the provider's id."""
ALIASES = {
    ("anthropic", "/v1/messages/count_tokens"): "/v1/messages",
    ("kucoin", "/api/v1/symbols"): "/api/v2/symbols",
    ("kucoin", "/api/v3/market/orderbook/level2"): "/api/v1/market/orderbook/level2_20",
    ("currencylayer", "/api/live"): "/live",
    ("fixer", "/api/latest"): "/fixer/latest",
    ("fmp", "/api/v3/quote/AAPL"): "/stable/quote",
    ("marketstack", "/v1/eod"): "/v2/eod",
    ("marketstack", "/v1/splits"): "/v2/splits",
    ("marketstack", "/v1/tickers"): "/v2/tickerslist",
    ("nbp", "/api/exchangerates/tables/A/2026-03-01/2026-03-05"): "/api/exchangerates/tables/A",
}
"""Answers that the provider gives in the same form under another path, or another host's."""
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
            yield Capture(
                provider=provider, name=f"{provider}-{section}[{number}]-{row['call']}", call=row["call"],
                url=row["request"]["url"], status=row.get("status", 200), body=row["response"],
                expected=row.get("expected"),
            )  # fmt: skip


class Captured:
    """Serves one capture for its path, whatever the parameters; a further call gets the nearest other capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture, self.used = capture, 0

    async def send(self, request: Request) -> RawReply:
        """The captured reply."""
        path = urlsplit(request.url).path.rstrip("/")
        if path == self.capture.path:
            self.used += 1
            return _reply(self.capture)
        for other in captures_of(self.capture.provider):
            if other.status == 200 and _differs_in_symbol(path, other.path):
                return _reply(other)
        raise Departure(f"calls {path}, captured is {self.capture.path}")

    async def close(self) -> None:
        """Nothing is open."""


def _reply(capture: Capture) -> RawReply:
    return RawReply(status=capture.status, headers={}, content=capture.content)


def _differs_in_symbol(path: str, other: str) -> bool:
    ours, theirs = path.split("/"), other.split("/")
    return len(ours) == len(theirs) and sum(a != b for a, b in zip(ours, theirs, strict=True)) == 1
