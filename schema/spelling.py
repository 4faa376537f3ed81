"""Reads what people write for an instrument: `AAPL`, `BRK-B`, `BTC-USD`, `btc/usd`, `BTCUSDT`, `EURUSD`, or a full id.

A security's number (`schema.identifiers`) is not read here but raised as Identified. The rules, first to last:

1. A text that begins with an asset class is a full id (`crypto:BTC/USDT@binance`); it needs no directory.
2. A separator (`/ - _`) makes a pair, with a contract if one follows (`BTC/USDT:USDT`); a single letter behind it that
   is no currency is a share class (`BRK-B`); four parts are a listed option (`AAPL-261218-200-C`).
3. A whole code goes before a text taken apart: an asset, currency or metal alone is its US dollar pair, a listed
   ticker is that security; a code that is both is ambiguous.
4. A text that ends with a known quote currency is a pair if what precedes is known too, else if it is too long for a
   ticker and the currency is an everyday one; several such splits are ambiguous.
5. One to six letters are a ticker; providers will say whether it is listed.

A pair of two fiat currencies is FX, a metal in a fiat currency is a commodity, every other pair is crypto.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache
from typing import NoReturn, Protocol

from schema.currencies import FIATS, STABLES
from schema.errors import AmbiguousInstrument, BadInput, UnknownSymbol
from schema.identifiers import Identified, nearly, read_identifier
from schema.symbols import PAIRED, AssetClass, InstrumentId, crypto, equity, fx, parse_instrument

LONGEST = 80
METALS = frozenset({"XAU", "XAG", "XPT", "XPD"})
EVERYDAY = STABLES | {"USD", "EUR", "GBP", "BTC", "ETH"}
"""Quote currencies that are recognised behind a base that nobody knows."""
QUOTES = FIATS | EVERYDAY | {"BNB", "SOL", "TRX", "XRP"}
RENAMED = {"XBT": "BTC"}
DOLLAR = "USD"

_PAIR = re.compile(r"([A-Z0-9$]{1,20})[/_-]([A-Z0-9$]{1,20})(:[A-Z0-9.-]{1,40})?\Z")
_OPTION = re.compile(r"[A-Z]{1,6}(\.[A-Z])?-\d{6}-\d{1,8}(\.\d{1,4})?-[CP]\Z")
_SHARE_CLASS = re.compile(r"([A-Z]{1,5})[./-]([A-EK])\Z")
_INDEX = re.compile(r"\^[A-Z0-9.]{1,20}\Z")
_TICKER = re.compile(r"[A-Z]{1,6}\Z")
_LISTED = re.compile(r"[A-Z0-9][A-Z0-9.&]{0,11}\Z")
_CODE = re.compile(r"[A-Z0-9$]{1,20}\Z")
_VENUE = re.compile(r"[A-Za-z0-9_.]{1,24}\Z")
_TICKER_LONGEST = 5
_WAY_OUT = "write an id such as 'crypto:BTC/USD' or 'equity:AAPL', or a short form such as AAPL, BTC-USD, EURUSD"


class Directory(Hashable, Protocol):
    """What is known by name.

    A directory never changes, so that a spelling means tomorrow what it means today: one that learns is another object.
    """

    def is_fiat(self, code: str) -> bool:
        """A currency of ISO 4217."""

    def is_asset(self, code: str) -> bool:
        """A crypto asset."""

    def securities(self, ticker: str) -> tuple[InstrumentId, ...]:
        """Securities and indices that have this ticker, or are written so elsewhere (`VOD.L`, `^GSPC`)."""


DERIVATIVES = tuple(f"{sign}{word}" for sign in "-_/" for word in ("PERPETUAL", "PERP", "SWAP", "FUTURES"))
"""How venues end the names of what is not a spot pair; a plain pair is never answered from one."""


def read_symbol(text: str, directory: Directory, asset_class: AssetClass | None = None) -> InstrumentId:
    """The instrument that a text means; UnknownSymbol or AmbiguousInstrument say the way out.

    Identified, which is an UnknownSymbol, is raised where the text is a number that only providers know.
    """
    return _read(text, directory, asset_class)


@lru_cache(maxsize=16_384)
def _read(text: str, directory: Directory, asset_class: AssetClass | None) -> InstrumentId:
    written = text.strip()
    _check(text, written)
    head, colon, _ = written.partition(":")
    if colon and head.upper() in AssetClass.__members__:
        return _full(written, asset_class)
    identifier = read_identifier(written)
    if identifier is not None:
        raise Identified(written, identifier)
    body, at, venue = written.partition("@")
    if at and not _VENUE.match(venue):
        _fail(written, f"has no valid venue behind '@': {_WAY_OUT}")
    if body.upper().endswith(DERIVATIVES):
        _fail(written, "is a venue's own spelling of a derivative: write a perpetual as 'crypto:BTC/USD:BTC'")
    found = _Spelling(written, body.upper(), venue, directory, asset_class).read()
    placed = list(dict.fromkeys(_placed(each.at(venue) if venue else each) for each in found))
    if len(placed) > 1:
        raise AmbiguousInstrument(written, [str(each) for each in placed])
    # What is read must be an id that reads as itself.
    return _parsed(written, str(placed[0]))


def _check(text: str, written: str) -> None:
    if not written:
        raise UnknownSymbol("", f"the symbol is empty: {_WAY_OUT}")
    shown = written[:LONGEST].encode("ascii", "backslashreplace").decode()
    if len(text) > LONGEST:
        raise UnknownSymbol(shown, f"a symbol has at most {LONGEST} characters, this has {len(text)}")
    odd = next((char for char in written if not "!" <= char <= "~"), None)
    if odd is not None:
        raise UnknownSymbol(shown, f"{shown!r} has a character that no symbol has (U+{ord(odd):04X}): {_WAY_OUT}")


def _full(written: str, asset_class: AssetClass | None) -> InstrumentId:
    instrument = _parsed(written, written)
    if asset_class not in (None, instrument.asset_class):
        raise BadInput("assetClass", f"{asset_class} contradicts {written!r}: leave it out")
    return _placed(instrument)


def _placed(instrument: InstrumentId) -> InstrumentId:
    """Venues as they are written: a MIC in capitals, a provider's id in small letters."""
    venue = instrument.venue
    if not venue:
        return instrument
    mic = not instrument.quote and instrument.asset_class is not AssetClass.DEX and len(venue) == 4
    return instrument.at(venue.upper() if mic else venue.lower())


def _parsed(written: str, text: str) -> InstrumentId:
    """A full id that was written or made of a short form; UnknownSymbol where it is none."""
    try:
        return parse_instrument(text)
    except ValueError as error:
        raise UnknownSymbol(written, str(error)) from None


def _fail(written: str, why: str) -> NoReturn:
    raise UnknownSymbol(written, f"{written!r} {why}")


class _Spelling:
    """One short form on its way: `body` is in capitals, without its venue."""

    def __init__(
        self, written: str, body: str, venue: str, directory: Directory, asset_class: AssetClass | None
    ) -> None:
        self.written, self.body, self.venue = written, body, venue
        self.directory = directory
        # A venue in capitals is a MIC, where securities are listed and pairs are not.
        self.asset_class = AssetClass.EQUITY if asset_class is None and self._on_exchange(venue, body) else asset_class

    @staticmethod
    def _on_exchange(venue: str, body: str) -> bool:
        return len(venue) == 4 and venue.isupper() and not any(char in "/-_^" for char in body)

    def read(self) -> list[InstrumentId]:
        """Everything that the text may mean, at least one."""
        found = self._option() or self._whole() or self._pair() or self._share_class() or self._split() or self._rest()
        if not found and (told := nearly(self.written)):
            _fail(self.written, told)
        if not found and "." in self.body:
            _fail(self.written, "cannot be read: write ticker and venue (its MIC) as in VOD@XLON, or search for it")
        if not found:
            asked = f" as {self.asset_class}" if self.asset_class else ""
            _fail(self.written, f"cannot be read{asked}: {_WAY_OUT}")
        return found

    def _wants(self, *classes: AssetClass) -> bool:
        return self.asset_class is None or self.asset_class in classes

    def _option(self) -> list[InstrumentId]:
        if self._wants(AssetClass.EQUITY) and _OPTION.match(self.body):
            return [_parsed(self.written, f"equity:{self.body}")]
        return []

    def _whole(self) -> list[InstrumentId]:
        """A code or a ticker that is known as it stands."""
        code = RENAMED.get(self.body, self.body)
        found: list[InstrumentId] = []
        if self._wants(AssetClass.CRYPTO) and self.directory.is_asset(code):
            found.append(crypto(code, DOLLAR))
        if self._wants(AssetClass.FX) and self.directory.is_fiat(code) and code != DOLLAR:
            found.append(fx(code, DOLLAR))
        if self._wants(AssetClass.COMMODITY) and code in METALS:
            found.append(_commodity(code, DOLLAR))
        return found + self._securities()

    def _securities(self) -> list[InstrumentId]:
        listed = [each for each in self.directory.securities(self.body) if self._wants(each.asset_class)]
        if self.venue and listed:
            return [listed[0].at("")]
        # Without a venue a ticker is the main listing; only where there is none may it be one abroad.
        return [each for each in listed if not each.venue] or listed

    def _pair(self) -> list[InstrumentId]:
        match = _PAIR.match(self.body)
        if match is None or not self._wants(*PAIRED):
            return []
        base, quote = (RENAMED.get(side, side) for side in match.group(1, 2))
        # A slash is a pair whatever stands round it, but for a share class such as BRK/B.
        sure = self._known(base) or self._known(quote) or (len(quote) > 1 and "/" in self.body)
        return [self._paired(base, quote, match[3] or "")] if sure else []

    def _share_class(self) -> list[InstrumentId]:
        match = _SHARE_CLASS.match(self.body)
        if match is None or not self._wants(AssetClass.EQUITY):
            return []
        ticker = f"{match[1]}.{match[2]}"
        return [each for each in self.directory.securities(ticker) if not each.venue] or [equity(ticker)]

    def _split(self) -> list[InstrumentId]:
        """A pair without a separator: every split of two known sides, else every likely one."""
        code = self.body
        if not self._wants(*PAIRED) or not _CODE.match(code):
            return []
        quotes = FIATS if self.asset_class is AssetClass.FX else QUOTES
        cuts = [(code[:cut], code[cut:]) for cut in range(1, len(code)) if code[cut:] in quotes]
        sides = [(RENAMED.get(base, base), quote) for base, quote in cuts]
        # Nobody quotes the dollar in an asset: USDTUSD is a dollar price.
        sides = [side for side in sides if side[0] != side[1] and (side[0] != DOLLAR or side[1] in FIATS)]
        known = [side for side in sides if self._known(side[0])]
        likely = [side for side in sides if side[1] in EVERYDAY and len(code) > _TICKER_LONGEST]
        return [self._paired(base, quote) for base, quote in known or likely]

    def _rest(self) -> list[InstrumentId]:
        """What nobody knows is taken by its form, and by the class that the caller says."""
        wanted, body = self.asset_class, self.body
        if self._wants(AssetClass.INDEX) and _INDEX.match(body):
            return [InstrumentId(asset_class=AssetClass.INDEX, base=body)]
        if wanted is None or wanted is AssetClass.EQUITY:
            form = _LISTED if wanted or self.venue else _TICKER
            return [equity(body)] if form.match(body) and (wanted or body != DOLLAR) else []
        if wanted is AssetClass.FX and re.fullmatch("[A-Z]{6}", body):
            return [fx(body[:3], body[3:])]
        if wanted in PAIRED:
            return [self._paired(body, DOLLAR)] if _CODE.match(body) and body != DOLLAR else []
        bare = self.written.partition("@")[0]
        return [_parsed(self.written, f"{wanted.lower()}:{bare}")]

    def _known(self, code: str) -> bool:
        return self.directory.is_fiat(code) or self.directory.is_asset(code) or code in METALS

    def _paired(self, base: str, quote: str, contract: str = "") -> InstrumentId:
        chosen = self.asset_class or self._class_of(base, quote, contract)
        if chosen is AssetClass.FX and (self._no_currency(base) or self._no_currency(quote)):
            _fail(self.written, "is no pair of currencies: leave assetClass out, or write crypto:BASE/QUOTE")
        plain = InstrumentId(asset_class=chosen, base=base, quote=quote)
        return _parsed(self.written, f"{plain}{contract}")

    def _no_currency(self, code: str) -> bool:
        return len(code) != 3 or (self.directory.is_asset(code) and not self.directory.is_fiat(code))

    def _class_of(self, base: str, quote: str, contract: str) -> AssetClass:
        if contract or not self.directory.is_fiat(quote):
            return AssetClass.CRYPTO
        if base in METALS:
            return AssetClass.COMMODITY
        return AssetClass.FX if self.directory.is_fiat(base) else AssetClass.CRYPTO


def _commodity(base: str, quote: str) -> InstrumentId:
    return InstrumentId(asset_class=AssetClass.COMMODITY, base=base, quote=quote)
