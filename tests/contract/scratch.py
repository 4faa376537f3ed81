"""A scratch provider: a small adapter and its recording, which tests write to a folder and then spoil."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

MODULE = '''"""Scratch: spot prices of a venue that does not exist. Docs: https://scratch.example/docs"""

from providers.contract import Licence, Profile, Provider, Reply, answers, header
from providers.row import Row
from schema.errors import UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk


class Scratch(Provider):
    """One endpoint."""

    profile = Profile(
        id="scratch",
        name="Scratch",
        base_url="https://api.scratch.example",
        docs="https://scratch.example/docs",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="None."),
        credentials=(header("x-scratch-key"),),
    )

    @answers(QUOTES, covers=lambda ask: all(i.is_spot for i in ask.instruments), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One pair a call."""
        (instrument,) = ask.instruments
        body = await self.http.get("/ticker", {"pair": f"{instrument.base}-{instrument.quote}"})
        return [parse_ticker(instrument, body)]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A refusal comes with status 200."""
        said = reply.body.maybe_text("error") if "error" in reply.body else None
        return UnknownInstrument(self.profile.id, said) if said else None


def parse_ticker(instrument: InstrumentId, body: Row) -> Quote:
    """`{"last", "bid", "at"}`."""
    return Quote(
        instrument=instrument,
        price=body.decimal("last"),
        price_type=PriceType.LAST,
        bid=body.positive("bid"),
        as_of=body.epoch("at"),
    )
'''

RECORDING: dict[str, Any] = {
    "made": "composed",
    "date": "2026-11-20",
    "instant": "2026-11-20T12:00:00Z",
    "origin": "https://scratch.example/docs/ticker",
    "cases": [
        {
            "name": "a pair",
            "ask": {"instruments": ["crypto:BTC/USD"]},
            "exchanges": [
                {
                    "request": {"path": "/ticker", "params": {"pair": "BTC-USD"}},
                    "status": 200,
                    "body": {"last": "91234.123456789012345", "bid": 0, "at": 1795176000},
                }
            ],
            "expect": [
                {
                    "instrument": "crypto:BTC/USD",
                    "as_of": "2026-11-20T12:00:00Z",
                    "price": "91234.123456789012345",
                    "price_type": "LAST",
                    "currency": "USD",
                    "market_state": "REGULAR",
                }
            ],
        },
        {
            "name": "a pair that it does not list",
            "ask": {"instruments": ["crypto:NOPE/USD"]},
            "exchanges": [
                {"request": {"path": "/ticker", "params": {"pair": "NOPE-USD"}}, "body": {"error": "no such pair"}}
            ],
            "error": "UNKNOWN_INSTRUMENT",
        },
    ],
}


def recording() -> dict[str, Any]:
    """A copy that a test may change."""
    return copy.deepcopy(RECORDING)


def write_provider(folder: Path, module: str = MODULE, cases: Any = RECORDING, capability: str = "quotes") -> Path:
    """Write both files; the path of the module."""
    recordings = folder / "recordings" / "scratch"
    recordings.mkdir(parents=True)
    (recordings / f"{capability}.json").write_text(json.dumps(cases, indent=2))
    file = folder / "scratch.py"
    file.write_text(module)
    return file
