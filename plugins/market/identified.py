"""Whose number is it: an ISIN, FIGI, CIK, CUSIP or SEDOL becomes the instrument that it stands for.

Public facts settle what they know; the rest is asked of providers, at most once a day. Several listings have one
number: it means the one in the country that gave it, else the only one there is. Any other choice is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from gateway.core.contract import Context
from plugins.market.reference import FACTS, Fact
from schema.errors import AmbiguousInstrument, BadInput, FailureCode, NoAnswer, UnknownSymbol
from schema.identifiers import Identified, Identifier
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.companies import IDENTIFIERS, IdentifierMapping, IdentifiersAsk, IdScheme

HOMES = {
    "GB": "XLON", "DE": "XETR", "FR": "XPAR", "NL": "XAMS", "BE": "XBRU", "PT": "XLIS", "IE": "XDUB", "CH": "XSWX",
    "IT": "XMIL", "ES": "XMAD", "AT": "XWBO", "SE": "XSTO", "FI": "XHEL", "DK": "XCSE", "NO": "XOSL", "CA": "XTSE",
    "HK": "XHKG", "SG": "XSES", "JP": "XTKS", "AU": "XASX", "NZ": "XNZE", "ZA": "XJSE", "PL": "XWAR",
    "US": "",
}  # fmt: skip
"""The main exchange of the country that an ISIN begins with, as the venue of an id: a US listing has none."""
NORTH_AMERICA = ("US", "CA")
"""Their ISINs hold a CUSIP."""
_WAY_OUT = ", or name the listing's venue behind it, such as @XNAS"


def numbers_of(facts: Iterable[Fact]) -> Mapping[tuple[IdScheme, str], Fact]:
    """Public facts by each number that they tell."""
    found: dict[tuple[IdScheme, str], Fact] = {}
    for fact in facts:
        if fact.isin is not None:
            found[IdScheme.ISIN, fact.isin] = fact
            if fact.isin.startswith(NORTH_AMERICA):
                found[IdScheme.CUSIP, fact.isin[2:11]] = fact
        if fact.figi is not None:
            found[IdScheme.FIGI, fact.figi] = fact
    return found


NUMBERS = numbers_of(FACTS.values())


async def resolve(context: Context, named: Identified, asset_class: AssetClass | None) -> InstrumentId:
    """The one instrument; AmbiguousInstrument, UnknownSymbol or NoAnswer where there is not just one."""
    identifier = named.identifier
    found = settled(identifier)
    if found is None:
        found = chosen(named.symbol, identifier, await _asked(context, named))
    if asset_class not in (None, found.asset_class):
        raise BadInput("assetClass", f"{asset_class} contradicts {named.symbol!r}, which is {found}: leave it out")
    return found


def settled(identifier: Identifier) -> InstrumentId | None:
    """By public facts alone, which are the same everywhere and cost nothing."""
    fact = NUMBERS.get((identifier.scheme, identifier.text))
    return fact.instrument if fact is not None and identifier.mic in ("", fact.mic) else None


def chosen(written: str, identifier: Identifier, mappings: Iterable[IdentifierMapping]) -> InstrumentId:
    """The instrument among the listings that a number has."""
    listings = [(parse_instrument(each.symbol), each.mic) for each in mappings if each.symbol is not None]
    if identifier.mic:
        listings = [each for each in listings if identifier.mic in (each[0].venue, each[1])]
    candidates = list(dict.fromkeys(instrument for instrument, _ in listings))
    if not candidates:
        where = f" on {identifier.mic}" if identifier.mic else ""
        raise UnknownSymbol(written, f"{written!r} is no listing{where} that has a symbol here: search for its name")
    home = HOMES.get(identifier.text[:2]) if identifier.scheme is IdScheme.ISIN else None
    at_home = [each for each in candidates if each.venue == home]
    for several in (at_home, candidates):
        if len(several) == 1:
            return several[0]
    # A company's classes of shares are listed at the same place.
    way_out = "" if identifier.scheme is IdScheme.CIK else _WAY_OUT
    raise AmbiguousInstrument(written, sorted(map(str, candidates)), way_out)


async def _asked(context: Context, named: Identified) -> tuple[IdentifierMapping, ...]:
    ask = IdentifiersAsk(scheme=named.identifier.scheme, text=named.identifier.text)
    try:
        fetched = await context.market.fetch(IDENTIFIERS, ask)
    except NoAnswer as error:
        told = f"nobody says whose number {named.symbol!r} is: {error.message}"
        raise NoAnswer(named.symbol, FailureCode(error.code), told, error.attempts) from None
    return cast("tuple[IdentifierMapping, ...]", fetched.value)
