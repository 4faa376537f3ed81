"""`marketgate provider new`: an adapter and a recording that pass the contract suite, to be filled with the truth."""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

from gateway.cli.drafts import DRAFTS, Cases
from gateway.cli.outcome import Code, say, usage
from gateway.cli.sketches import SKETCHES, cases_of, module_of
from gateway.core.clock import Clock, SystemClock

INSTANT = "%Y-%m-%dT%H:%M:%SZ"
ID = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between the folders of adapters: the instruments, and how an upstream may name them."""

    asset_class: str
    sample: str
    parameter: str
    sent: str
    symbol: str
    covers: str
    unknown: str
    currency: str | None = None


FAMILIES = {
    "crypto": Family(
        "CRYPTO", "crypto:BTC/USD", "market", "BTC-USD", 'f"{instrument.base}-{instrument.quote}"',
        'instrument.asset_class is AssetClass.CRYPTO and instrument.is_spot and instrument.venue in VENUES',
        "crypto:NOSUCH/USD",
    ),
    "fx": Family(
        "FX", "fx:EUR/USD", "pair", "EURUSD", "instrument.base + instrument.quote",
        "instrument.asset_class is AssetClass.FX and instrument.is_spot", "fx:XXX/USD",
    ),
    "equities": Family(
        "EQUITY", "equity:AAPL", "ticker", "AAPL", "instrument.base",
        "instrument.asset_class is AssetClass.EQUITY and instrument.is_spot and not instrument.venue",
        "equity:NOSUCH", "USD",
    ),
    "defi": Family(
        "DEX", "dex:solana/So11111111111111111111111111111111111111112", "token",
        "So11111111111111111111111111111111111111112", 'instrument.base.partition("/")[2]',
        'instrument.asset_class is AssetClass.DEX and instrument.base.startswith("solana/")',
        "dex:solana/NoSuchToken", "USD",
    ),
}  # fmt: skip

MODULE = Template('''"""$name: last prices. Docs: https://$host/docs"""

from __future__ import annotations

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute
from providers.row import Row
from schema.errors import UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
$venues

def covered(instrument: InstrumentId) -> bool:
    """What may be asked here; whether it is listed is for the upstream to say."""
    return $covers


class $cls(Provider):
    """One endpoint, one instrument a call."""

    profile = Profile(
        id="$id",
        name="$name",
        base_url="https://$host",
        docs="https://$host/docs",
        asset_classes=(AssetClass.$asset_class,),
        licence=Licence(note="Unknown: read the terms before anybody relies on it."),
        limits=(per_minute(60),),
    )

    @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is no batch endpoint."""
        (instrument,) = ask.instruments
        return [parse_ticker(instrument, await self.http.get("/ticker", {"$parameter": symbol_of(instrument)}))]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals have an `error` in words."""
        said = reply.body.get("error")
        return None if said is None else UnknownInstrument(self.profile.id, said.text())


def symbol_of(instrument: InstrumentId) -> str:
    """`$sent`."""
    return $symbol


def parse_ticker(instrument: InstrumentId, body: Row) -> Quote:
    """An empty side of the book is sent as 0."""
    return Quote(
        instrument=instrument,
        as_of=body.maybe_epoch("time"),
        price=body.decimal("last"),
        price_type=PriceType.LAST,$currency
        bid=body.positive("bid"),
        ask=body.positive("ask"),
    )
''')


def run(provider: str, family: str, into: Path, clock: Clock | None = None) -> Code:
    """Write both files; nothing that exists is touched."""
    if not ID.fullmatch(provider) or keyword.iskeyword(provider):
        raise usage(f"{provider!r} cannot be an id: write 2 to 40 of a-z, 0-9 and _, beginning with a letter")
    if family not in (*FAMILIES, *SKETCHES, *DRAFTS):
        known = ", ".join((*FAMILIES, *SKETCHES, *DRAFTS))
        raise usage(f"--family: {family!r} is not known: write one of {known}")
    if not (into / "contract.py").is_file():
        raise usage(f"--into: {into} is not the folder of the providers: run this in a checkout")
    day = (clock or SystemClock()).now().replace(hour=12, minute=0, second=0, microsecond=0)
    source, cases = _drafted(provider, family, day)
    module, folder = into / family / f"{provider}.py", into / "recordings" / provider
    recordings = {folder / f"{capability}.json": found for capability, found in cases.items()}
    taken = [str(path) for path in (*into.glob(f"*/{provider}.py"), *recordings) if path.exists()]
    if taken:
        raise usage(f"{provider!r} is taken: there is {' and '.join(taken)}")
    folder.mkdir(parents=True, exist_ok=True)
    module.write_text(source, encoding="utf-8")
    print(module)
    for path, found in recordings.items():
        path.write_text(json.dumps(_recording(provider, day, found), indent=2) + "\n", encoding="utf-8")
        print(path)
    say(f"written; replace what is made up, then run: marketgate provider check {module}")
    return Code.ALL


def _drafted(provider: str, family: str, day: datetime) -> tuple[str, Cases]:
    """The source, and the cases of each recording."""
    facts = _facts(provider)
    if draft := DRAFTS.get(family):
        return draft.module.substitute(facts), draft.cases(facts)
    if sketch := SKETCHES.get(family):
        return module_of(sketch, facts), {sketch.capability: cases_of(sketch)}
    return _module(provider, FAMILIES[family]), {"quotes": _quotes(FAMILIES[family], day)}


def _module(provider: str, family: Family) -> str:
    return MODULE.substitute(
        _facts(provider), asset_class=family.asset_class, parameter=family.parameter, sent=family.sent,
        symbol=family.symbol, covers=family.covers,
        venues=f'\nVENUES = ("", "{provider}")\n' if "VENUES" in family.covers else "",
        currency='\n        currency=body.text("currency"),' if family.currency else "",
    )  # fmt: skip


def _facts(provider: str) -> dict[str, str]:
    name, cls = provider.replace("_", " ").title(), "".join(map(str.title, provider.split("_")))
    return {"id": provider, "name": name, "cls": cls, "host": _host(provider)}


def _recording(provider: str, day: datetime, cases: list[dict[str, Any]]) -> dict[str, Any]:
    instant = day.strftime(INSTANT)
    origin = f"https://{_host(provider)}/docs"
    return {"made": "composed", "date": instant[:10], "instant": instant, "origin": origin, "cases": cases}


def _quotes(family: Family, day: datetime) -> list[dict[str, Any]]:
    body = {"last": "101.123456789012345678", "bid": "101.12", "ask": 0, "time": int(day.timestamp())}
    expect = {
        "instrument": family.sample, "as_of": day.strftime(INSTANT), "price": "101.123456789012345678",
        "price_type": "LAST",
        "currency": family.currency or family.sample.partition("/")[2], "bid": "101.12",
    }  # fmt: skip
    if family.currency:
        body["currency"] = family.currency
    if family.asset_class == "CRYPTO":
        expect["market_state"] = "REGULAR"
    return [
        _case("one instrument", family.sample, family, body, {"expect": [expect]}),
        _case("not listed", family.unknown, family, {"error": "no such market"}, {"error": "UNKNOWN_INSTRUMENT"}),
    ]


def _case(name: str, instrument: str, family: Family, body: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    plain = instrument.partition("/" if family.asset_class == "DEX" else ":")[2]
    sent = family.sent if instrument == family.sample else plain.replace("/", "-" if "-" in family.sent else "")
    request = {"path": "/ticker", "params": {family.parameter: sent}}
    return {
        "name": name, "ask": {"instruments": [instrument]},
        "exchanges": [{"request": request, "status": 200, "body": body}], **outcome,
    }  # fmt: skip


def _host(provider: str) -> str:
    return f"api.{provider.replace('_', '-')}.example"
