"""Which instruments might be mistaken for each other, and what an adapter sends and answers for each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from typing import Any
from urllib.parse import unquote

from gateway.core.check.replay import Departure, Script, answer_of, connect
from gateway.core.upstream import RawReply, Request
from providers.contract import Answer, Provider
from providers.recording import FOLDER, Case, ask_of, plain, read_recording
from schema.errors import UpstreamError
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from tests.contract.suite import PROVIDERS

AMERICAN = frozenset({"XNAS", "XNYS", "ARCX", "XASE", "BATS"})
"""An id without a venue is a security's listing in the US, whichever exchange that is on."""
ABROAD = ("", "XLON", "XETR", "XFRA", "XWAR", "XTKS", "XHKG", "XPAR", "XASX", "XNYS", "elsewhere")
NAMES = frozenset({"instrument", "currency", "settle", "underlying", "symbol"})
"""Members of an answer that repeat what was asked."""
BY_CATEGORY = {"bybit": "a perpetual has the symbol of its pair; which one is meant stands in a category beside it"}
"""Providers with one name for two things, that tell them apart in another place."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """One capability of a provider that is asked of instruments, and what is recorded of it."""

    cls: type[Provider]
    offer: Answer
    cases: tuple[Case, ...]
    asks: tuple[Any, ...]

    @property
    def id(self) -> str:
        """The provider's."""
        return self.cls.profile.id

    def covers(self, ask: Any, instrument: InstrumentId) -> bool:
        """Whether the core would put this question about another instrument to the adapter."""
        return self.offer.covers(put(ask, instrument))


def asks_of_instruments(offer: Answer) -> bool:
    """Whether a capability cannot be asked without an instrument."""
    every = fields(offer.capability.ask)
    return any(field.name in ("instrument", "instruments") and field.default is MISSING for field in every)


@cache
def subjects() -> tuple[Subject, ...]:
    """All that have a recorded answer."""
    return tuple(
        subject
        for cls in PROVIDERS.values()
        for offer in cls.offers.values()
        if asks_of_instruments(offer) and (subject := _subject(cls, offer)).cases
    )


def _subject(cls: type[Provider], offer: Answer) -> Subject:
    file = FOLDER / cls.profile.id / f"{offer.capability.name}.json"
    answered = read_recording(file).answered if file.exists() else ()
    return Subject(
        cls=cls, offer=offer, cases=answered, asks=tuple(ask_of(offer.capability, case.ask) for case in answered)
    )


def instrument_in(ask: Any) -> InstrumentId:
    """The instrument of an ask, or the first of several."""
    found: InstrumentId = ask.instrument if hasattr(ask, "instrument") else ask.instruments[0]
    return found


def put(ask: Any, instrument: InstrumentId) -> Any:
    """The same question about another instrument."""
    if hasattr(ask, "instrument"):
        return replace(ask, instrument=instrument)
    return replace(ask, instruments=(instrument,))


def same(one: InstrumentId, other: InstrumentId, provider: str) -> bool:
    """Whether two ids mean one thing to a provider: it is a venue itself, and the US exchanges need not be named."""
    return _bare(one, provider) == _bare(other, provider)


def _bare(instrument: InstrumentId, provider: str) -> InstrumentId:
    listed = instrument.asset_class in (AssetClass.EQUITY, AssetClass.INDEX) and instrument.venue in AMERICAN
    return instrument.at("") if listed or instrument.venue == provider else instrument


@cache
def lookalikes(instrument: InstrumentId) -> tuple[InstrumentId, ...]:
    """Well-formed ids whose wire symbols are near: letters parted elsewhere, other classes, contracts and venues."""
    found: dict[InstrumentId, None] = {}
    for text in _pairs(instrument) if instrument.quote else _singles(instrument):
        try:
            found[parse_instrument(text)] = None
        except ValueError:
            continue
    found.pop(instrument, None)
    return tuple(found)


def _pairs(instrument: InstrumentId) -> Iterator[str]:
    base, quote, venue = instrument.base, instrument.quote, f"@{instrument.venue}" if instrument.venue else ""
    terms = instrument.symbol.partition(":")[2]
    sides = (
        (base, quote), (quote, base), (base + quote[0], quote[1:]), (base[:-1], base[-1] + quote), (base, "USD"),
        (base + quote, "USD"), (base, "USDT"), (base, "USDC"), (base, "EUR"), (base + "T", quote), (base, quote + "T"),
        (f"1000{base}", quote), (f"K{base}", quote), (f"X{base}", f"Z{quote}"), (f"{base}.{quote}", quote),
        (f"{base}_{quote}", quote), (f"{base}$", quote), ("XBT", quote), ("BTC", quote), (f"T{base}", quote),
    )  # fmt: skip
    for kind in ("crypto", "fx", "commodity"):
        for one, other in sides:
            contracts = {terms, "", other, one, f"{other}-261225", f"{other}-261225-100-C", f"{other}-261225-100-P"}
            for contract in sorted(contracts):
                for place in dict.fromkeys((venue, "", "@elsewhere")):
                    yield f"{kind}:{one}/{other}{':' if contract else ''}{contract}{place}"
    yield from (f"equity:{base}{quote}", f"index:{base}{quote}", f"equity:{base}", f"index:{base}")


def _singles(instrument: InstrumentId) -> Iterator[str]:
    base = instrument.base
    if instrument.asset_class is AssetClass.DEX:
        chain, address = base.split("/")
        others = (address.swapcase(), address[:-1] + ("1" if address[-1] != "1" else "2"), address[1:])
        yield from (f"dex:{chain}/{other}" for other in others)
        yield from (f"dex:{other}/{address}" for other in ("ethereum", "solana", "base", "bsc", "polygon", "tron"))
        return
    spelled = (
        base, base.replace(".", ""), base.replace(".", "-"), f"{base}.A", f"{base}.L", f"{base}-L", f"^{base}",
        f"{base}US", f"{base}.US", f"{base}.DE", f"{base}=X", f"{base}-USD", f"{base[:1]}.{base[1:]}", base[:-1],
        base.removeprefix("^"),
    )  # fmt: skip
    for kind in ("equity", "index", "macro"):
        for name in spelled:
            for venue in ABROAD:
                for terms in ("", "-261218-200-C"):
                    yield f"{kind}:{name}{terms}{'@' if venue else ''}{venue}"
    if instrument.expiry:
        day, strike, right = instrument.expiry, instrument.strike, instrument.right
        other = "P" if right == "C" else "C"
        contracts = (f"{day}-{strike}-{other}", f"{day}-{strike}0-{right}", f"270115-{strike}-{right}")
        yield from (f"equity:{base}-{contract}" for contract in contracts)
        yield f"equity:{base}W-{day}-{strike}-{right}"
    yield f"crypto:{base}/USD"


class _Listening:
    """Takes down the first request, and answers nothing."""

    def __init__(self) -> None:
        self.sent = ""

    async def send(self, request: Request) -> RawReply:
        told = (request.method, request.host, request.path, *(f"{name}={value}" for name, value in request.params))
        self.sent = unquote("\n".join((*told, (request.body or b"").decode())))
        raise Departure(self.sent)

    async def close(self) -> None:
        """Nothing is open."""


def request_of(subject: Subject, ask: Any) -> str:
    """The first request that an ask leads to; empty for none."""
    wire = _Listening()
    provider = connect(subject.cls, wire, subject.cases[0].now)
    asyncio.run(_outcome(subject, provider, ask))
    return wire.sent


def recorded_answer(subject: Subject, case: Case, ask: Any) -> Any:
    """What comes of an ask over the replies of a case, without the names; None where they do not answer it."""
    return asyncio.run(_outcome(subject, connect(subject.cls, Script(case), case.now), ask))


async def _outcome(subject: Subject, provider: Provider, ask: Any) -> Any:
    try:
        found = await answer_of(subject.cls, subject.offer, getattr(provider, subject.offer.method)(ask))
    except (UpstreamError, Departure):
        return None
    return _nameless(plain(found))


def _nameless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nameless(part) for name, part in value.items() if name not in NAMES}
    return [_nameless(part) for part in value] if isinstance(value, list | tuple) else value
