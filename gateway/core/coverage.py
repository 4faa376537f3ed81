"""Which classes of instruments one capability of a provider covers: its own `covers`, asked about well-known ones.

A profile's classes are those of all its capabilities together. What follows here is a sample, not a proof: a
capability that covers none of the sample, and one that is not asked of instruments, keeps the profile's classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from providers.contract import Answer, Provider
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.candles import Adjustment
from schema.words.intervals import Interval

SAMPLE: dict[AssetClass, tuple[InstrumentId, ...]] = {}
for _text in (
    "crypto:BTC/USD", "crypto:BTC/USDT", "crypto:BTC/EUR", "crypto:BTC/KRW", "crypto:BTC/JPY", "crypto:ETH/BTC",
    "crypto:BTC/USDT:USDT", "crypto:BTC/USDC:USDC", "crypto:BTC/USD:BTC", "crypto:BTC/USD:USD", "crypto:BTC/JPY:JPY",
    "equity:AAPL", "equity:SPY", "equity:VOD@XLON", "equity:SAP@XETR", "fx:EUR/USD", "fx:USD/EUR", "fx:EUR/GBP",
    "fx:USD/CAD", "fx:CAD/USD", "fx:EUR/PLN", "fx:GBP/USD", "fx:USD/JPY", "fx:USD/GBP", "index:SPX", "index:DAX",
    "index:UKX", "index:VIX", "index:NDX", "commodity:XAU/USD", "commodity:XAU/PLN", "commodity:XAG/USD",
    "commodity:WTI/USD", "macro:US.CPI", "dex:solana/So11111111111111111111111111111111111111112",
    "dex:ethereum/0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
):  # fmt: skip
    _key = parse_instrument(_text)
    SAMPLE[_key.asset_class] = (*SAMPLE.get(_key.asset_class, ()), _key)
INSTRUMENTS = frozenset({"instrument", "instruments"})
KNOWN = INSTRUMENTS | {"interval", "start", "end", "at"}
"""Members of a question that are filled in here; one that needs others is not put together."""
BEGAN, ENDED = timedelta(days=10), timedelta(days=5)


def covers_class(provider: Provider, capability: str, asset_class: AssetClass, now: datetime) -> bool:
    """Whether a provider answers questions about this class with this capability, as far as the sample tells."""
    answer, classes = provider.offers.get(capability), provider.profile.asset_classes
    if answer is None or asset_class not in classes:
        return False
    needed = {field.name for field in fields(_ask_of(answer)) if _needed(field)}
    if not needed & INSTRUMENTS or not needed <= KNOWN:
        return True
    return _covered(answer, asset_class, now) or not any(_covered(answer, each, now) for each in classes)


def _covered(answer: Answer, asset_class: AssetClass, now: datetime) -> bool:
    return any(answer.covers(ask) for key in SAMPLE.get(asset_class, ()) for ask in _asks(answer, key, now))


def _asks(answer: Answer, instrument: InstrumentId, now: datetime) -> Iterator[Any]:
    """The plainest questions about an instrument; of series each length and each kind of adjustment."""
    values = {
        "instrument": (instrument,), "instruments": ((instrument,),), "start": (now - BEGAN,), "at": (now - BEGAN,),
        "end": (now - ENDED,), "interval": answer.intervals or (Interval.D1,), "adjustment": tuple(Adjustment),
    }  # fmt: skip
    names = [field.name for field in fields(_ask_of(answer)) if _needed(field) or field.name == "adjustment"]
    for chosen in product(*(values[name] for name in names)):
        yield answer.capability.ask(**dict(zip(names, chosen, strict=True)))


def _ask_of(answer: Answer) -> Any:
    return answer.capability.ask


def _needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
