"""Instrument ids: `<class>:<symbol>[:SETTLE[-YYMMDD[-STRIKE-C|P]]][@<venue>]`, and nothing looser.

`crypto:BTC/USD`, `crypto:BTC/USDT@binance`, `equity:VOD@XLON`, `fx:EUR/USD`, `index:SPX`, `macro:US.CPI`,
`dex:solana/<mint>`, `crypto:BTC/USDT:USDT` (perpetual), `crypto:BTC/USD:BTC-261225-100000-C` (option),
`equity:AAPL-261218-200-C` (listed option). Short spellings such as `BTC-USD` are resolved by
`schema.spelling`, which knows what is listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

from schema.model import choices


@choices(
    "What kind of market an instrument belongs to.",
    CRYPTO="Coins and tokens, and derivatives of them.",
    EQUITY="Shares and funds.",
    FX="Pairs of currencies.",
    INDEX="Indices.",
    COMMODITY="Metals, energy, crops.",
    MACRO="Economic series and rates.",
    DEX="Pools of decentralised exchanges.",
)
class AssetClass(StrEnum):
    """The part of an instrument id before the colon, upper-cased."""

    CRYPTO = "CRYPTO"
    EQUITY = "EQUITY"
    FX = "FX"
    INDEX = "INDEX"
    COMMODITY = "COMMODITY"
    MACRO = "MACRO"
    DEX = "DEX"


PAIRED = frozenset({AssetClass.CRYPTO, AssetClass.FX, AssetClass.COMMODITY})

_SYMBOL = r"[A-Z0-9$][A-Z0-9._$^=&+]{0,31}"
_PAIR = re.compile(rf"({_SYMBOL})/({_SYMBOL})\Z")
_SINGLE = re.compile(r"[A-Z0-9^][A-Z0-9._^=&-]{0,31}\Z")
_DEX = re.compile(r"[a-z0-9-]{1,24}/[A-Za-z0-9]{3,64}\Z")
_VENUE = re.compile(r"[A-Za-z0-9_.]{1,24}\Z")
_CONTRACT = re.compile(r"([A-Z0-9]{1,16})(?:-([0-9]{6})(?:-([0-9]{1,12}(?:\.[0-9]{1,8})?)-([CP]))?)?\Z")
_LISTED = re.compile(r"(.+)-([0-9]{6})-([0-9]{1,8}(?:\.[0-9]{1,4})?)-([CP])\Z")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class InstrumentId:
    """One instrument; `str()` is its canonical id, equality and hash are by value."""

    asset_class: AssetClass
    base: str
    quote: str = ""
    settle: str = ""
    expiry: str = ""
    strike: str = ""
    right: str = ""
    venue: str = ""
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Worked out once: instruments are keys of routes, caches and batches."""
        parts = (self.asset_class, self.base, self.quote, self.settle, self.expiry, self.strike, self.right, self.venue)
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return f"{self.asset_class.value.lower()}:{self.symbol}{'@' + self.venue if self.venue else ''}"

    @property
    def symbol(self) -> str:
        """The part between class and venue: `BTC/USDT:USDT`, `AAPL`."""
        terms = "-".join(part for part in (self.settle, self.expiry, self.strike, self.right) if part)
        if not self.quote:
            return f"{self.base}-{terms}" if terms else self.base
        return f"{self.base}/{self.quote}{':' + terms if terms else ''}"

    @property
    def is_spot(self) -> bool:
        """Neither a perpetual, a future nor an option."""
        return not (self.settle or self.expiry)

    def at(self, venue: str) -> InstrumentId:
        """The same instrument on one venue, or on any for an empty text."""
        return replace(self, venue=venue)


def crypto(base: str, quote: str, venue: str = "") -> InstrumentId:
    """A spot pair of assets."""
    return InstrumentId(asset_class=AssetClass.CRYPTO, base=base.upper(), quote=quote.upper(), venue=venue)


def fx(base: str, quote: str) -> InstrumentId:
    """A spot pair of currencies."""
    return InstrumentId(asset_class=AssetClass.FX, base=base.upper(), quote=quote.upper())


def equity(ticker: str, venue: str = "") -> InstrumentId:
    """A listed security by its ticker, on its main venue or on the named one (a MIC)."""
    return InstrumentId(asset_class=AssetClass.EQUITY, base=ticker.upper(), venue=venue)


@lru_cache(maxsize=16_384)
def parse_instrument(text: str) -> InstrumentId:
    """Read a full id; ValueError says which part is wrong."""
    kind, colon, rest = text.partition(":")
    try:
        asset_class = AssetClass(kind.upper())
    except ValueError:
        raise ValueError(f"{text[:80]!r} has no asset class: write for example 'crypto:BTC/USD'") from None
    body, at, venue = rest.partition("@")
    if at and not _VENUE.match(venue):
        raise ValueError(f"{text[:80]!r} has no valid venue after '@'")
    if not colon or not body:
        raise ValueError(f"{text[:80]!r} has no symbol after its asset class")
    if asset_class is AssetClass.DEX:
        return _dex(text, body, venue)
    if asset_class in PAIRED:
        return _pair(text, asset_class, body.upper(), venue)
    return _single(text, asset_class, body.upper(), venue)


def _dex(text: str, body: str, venue: str) -> InstrumentId:
    if not _DEX.match(body):
        raise ValueError(f"{text[:80]!r} is not dex:<chain>/<address>")
    return InstrumentId(asset_class=AssetClass.DEX, base=body, venue=venue)


def _pair(text: str, asset_class: AssetClass, body: str, venue: str) -> InstrumentId:
    pair, colon, contract = body.partition(":")
    names = _PAIR.match(pair)
    if not names:
        raise ValueError(f"{text[:80]!r} is not a pair: write base and quote with a slash, 'BTC/USD'")
    if names[1] == names[2]:
        raise ValueError(f"{text[:80]!r} is a pair of {names[1]} with itself")
    terms = _CONTRACT.match(contract) if colon else None
    if colon and not terms:
        raise ValueError(f"{text[:80]!r} is not a contract: write ':SETTLE[-YYMMDD[-STRIKE-C|P]]'")
    if terms and terms[2]:
        _check_day(text, terms[2])
    settle, expiry, strike, right = (terms[i] or "" for i in (1, 2, 3, 4)) if terms else ("",) * 4
    return InstrumentId(
        asset_class=asset_class, base=names[1], quote=names[2],
        settle=settle, expiry=expiry, strike=strike, right=right, venue=venue,
    )  # fmt: skip


def _check_day(text: str, expiry: str) -> None:
    try:
        date(2000 + int(expiry[:2]), int(expiry[2:4]), int(expiry[4:]))
    except ValueError:
        raise ValueError(f"{text[:80]!r} expires on no calendar day: write YYMMDD") from None


def _single(text: str, asset_class: AssetClass, body: str, venue: str) -> InstrumentId:
    option = _LISTED.match(body)
    base, expiry, strike, right = (option[i] for i in (1, 2, 3, 4)) if option else (body, "", "", "")
    if expiry:
        _check_day(text, expiry)
    if not _SINGLE.match(base):
        raise ValueError(f"{text[:80]!r} is not a valid {asset_class.value.lower()} symbol")
    return InstrumentId(asset_class=asset_class, base=base, expiry=expiry, strike=strike, right=right, venue=venue)
