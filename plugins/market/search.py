"""Ranking of instruments for a text, and pages that do not shift: pure."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from plugins.market.reference import GROUPS, NAMES, Fact
from schema.errors import BadInput
from schema.paging import make_cursor, read_cursor
from schema.scalars import Cursor
from schema.symbols import AssetClass, InstrumentId
from schema.words.instruments import InstrumentType, Listing, type_of

LONGEST_TEXT = 100
KIND = "instruments"
UNRANKED = 999_999
UNKNOWN_PLACE = 10_000
_QUOTES = {code: place for place, code in enumerate(["USD", "USDT", "USDC", "EUR", "GBP", "BTC", "ETH", "JPY"])}
_STEP = 10
_OTHER_QUOTE = 50
_KINDS = len(GROUPS)
_JOINTS = re.compile(r"[\s/_.:^=-]+")
_APOSTROPHES = re.compile("['\u2019]")
_PUNCTUATION = re.compile(r"[^\w&]+")
_BETWEEN = "\x1f"


class Match(IntEnum):
    """How well an instrument fits a text, best first."""

    EXACT = 0
    BASE = 1
    PREFIX = 2
    NAME = 3
    NAME_PREFIX = 4
    WORD_PREFIX = 5
    PART = 6
    FOUND_ELSEWHERE = 7


class Place(NamedTuple):
    """Where an instrument stands in a result: the whole order, so that a cursor can hold it."""

    match: int
    weight: int
    rank: int
    id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search text: `code` without separators, `name` without punctuation."""

    code: str
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """What a provider calls an instrument, letter by letter."""

    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One instrument of one list; `codes` are all its identifiers, folded, `symbol` is the list's own, if it has one.

    The first `head` characters of `name` are about the instrument itself, the others about a pair's quote currency.
    """

    key: InstrumentId
    id: str
    type: InstrumentType
    mic: str
    symbol: str
    base: str
    codes: tuple[str, ...]
    name: str
    head: int
    weight: int
    rank: int

    def place(self, match: int, venue: str = "") -> Place:
        """Its place in a result, under its id on *venue*."""
        return Place(match, self.weight, self.rank, f"{self.id}@{venue}" if venue else self.id)


def fold(text: str) -> str:
    """Without accents, in small letters."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def fold_code(text: str) -> str:
    """`BTC-USD` and `btc/usd` are one code."""
    return _JOINTS.sub("", text.casefold() if text.isascii() else fold(text))


def fold_name(text: str) -> str:
    """`McDonald's` is one word, `Coca-Cola` two."""
    bare = _APOSTROPHES.sub("", text.casefold() if text.isascii() else fold(text))
    return _PUNCTUATION.sub(" ", bare).strip()


def wanted(text: str | None) -> Wanted | None:
    """What a caller looks for; None for everything."""
    if text is None or not text.strip():
        return None
    check_text("search", text)
    name = fold_name(text)
    return Wanted(fold_code(text), name, tuple(name.split()))


def called(symbol: str) -> Called:
    """A provider's own symbol; BadInput for what is none."""
    check_text("providerSymbol", symbol)
    if not symbol.strip():
        raise BadInput("providerSymbol", "is empty")
    return Called(symbol.strip())


def check_text(field: str, text: str) -> None:
    """BadInput where a text is too long to be looked for, or is none."""
    if len(text) > LONGEST_TEXT:
        raise BadInput(field, f"has {len(text)} characters: at most {LONGEST_TEXT}")
    if not text.strip().isprintable():
        raise BadInput(field, "has control characters")


def weigh(key: InstrumentId) -> int:
    """Well-known first: by the security or the base asset, then by the quote currency; kinds take turns."""
    known = _WEIGHTS.get(key)
    if known is not None:
        return known
    place = _BASES.get(key.base, UNKNOWN_PLACE) if key.quote else UNKNOWN_PLACE
    if key.quote:
        place += _STEP * _QUOTES.get(key.quote, _OTHER_QUOTE)
    return place * _KINDS + (0 if key.is_spot else 1)


def kind_of(listing: Listing) -> InstrumentType:
    """A list's word for what is traded, but SPOT, which is also its silence."""
    key = listing.instrument
    silent = listing.type is InstrumentType.SPOT and (key.asset_class is not AssetClass.CRYPTO or not key.is_spot)
    return type_of(key) if silent else listing.type


def row_of(listing: Listing, fact: Fact | None, name: str | None) -> Row:
    """A provider's listing, with what is publicly known about it."""
    codes = [listing.provider_symbol, listing.isin or "", listing.figi or ""]
    kind = fact.type if fact else kind_of(listing)
    mic = fact.mic if fact else listing.instrument.venue
    said = fact.name if fact else listing.name or name
    return _row(listing.instrument, kind, mic, codes, said, listing.rank, listing.provider_symbol)


def row_of_fact(fact: Fact) -> Row:
    """A publicly known instrument."""
    codes = [*fact.spellings, fact.isin or "", fact.figi or ""]
    return _row(fact.instrument, fact.type, fact.mic, codes, fact.name, None)


def _row(
    key: InstrumentId, kind: InstrumentType, mic: str, codes: Sequence[str], name: str | None, rank: int | None,
    called: str = "",
) -> Row:  # fmt: skip
    id, symbol = str(key), key.symbol
    spelled = [symbol, id, *codes]
    if key.quote == "USD" and key.is_spot:
        spelled.append(key.base)
    weight = weigh(key)
    # The rank of a list may change from hour to hour: it orders only what has no fixed weight.
    order = 0 if weight < UNKNOWN_PLACE * _KINDS else UNRANKED if rank is None else min(rank, UNRANKED)
    folded = fold_name(name) if name else ""
    head = fold_name(NAMES.get(key.base, "")) if key.quote else ""
    return Row(
        key=key, id=id, type=kind, mic=mic, symbol=called, base=fold_code(key.base) if key.quote else "",
        codes=tuple(dict.fromkeys(fold_code(text) for text in spelled if text)),
        name=folded, head=len(head) or len(folded), weight=weight, rank=order,
    )  # fmt: skip


class Index:
    """Rows by the list's own symbols, and in one long text with a line for each.

    In the text most of them are passed over at the speed of `str.find`. Several rows may have one symbol: a venue may
    call a pair and its perpetual alike.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        lines = [_BETWEEN.join((*row.codes, row.name)) for row in self.rows]
        self._text = "\n".join(lines)
        starts, at = [], 0
        for line in lines:
            starts.append(at)
            at += len(line) + 1
        self._starts = starts
        self._called: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.symbol:
                self._called.setdefault(row.symbol, []).append(row)

    def search(self, text: Wanted | Called | None) -> Iterator[tuple[Row, int]]:
        """Rows that fit, and how well."""
        if not isinstance(text, Wanted):
            found = self.rows if text is None else self._called.get(text.symbol, ())
            yield from ((row, Match.EXACT) for row in found)
            return
        for row in self._candidates(text):
            match = grade(row, text)
            if match is not None:
                yield row, match

    def _candidates(self, text: Wanted) -> list[Row]:
        needles = {text.code, text.name, max(text.words, key=len, default="")} - {""}
        lines = {line for needle in needles for line in self._lines(needle)}
        return [self.rows[line] for line in sorted(lines)]

    def _lines(self, needle: str) -> Iterator[int]:
        at = self._text.find(needle)
        while at >= 0:
            line = bisect_right(self._starts, at) - 1
            yield line
            if line + 1 == len(self._starts):
                return
            at = self._text.find(needle, self._starts[line + 1])


def grade(row: Row, text: Wanted) -> int | None:
    """Exact symbol, then prefix, then name, then any part; None where nothing fits."""
    code, name = text.code, text.name
    if code:
        if code in row.codes:
            return Match.EXACT
        if code == row.base:
            return Match.BASE
        if row.codes[0].startswith(code):
            return Match.PREFIX
    if name and row.name:
        if row.name == name:
            return Match.NAME
        if row.name.startswith(name):
            return Match.NAME_PREFIX
        if 0 <= row.name.find(f" {name}") < row.head:
            return Match.WORD_PREFIX
        if name in row.name:
            return Match.PART
    if code and any(code in each for each in row.codes):
        return Match.PART
    if len(text.words) > 1 and all(_within(row, word) for word in text.words):
        return Match.PART
    return None


def _within(row: Row, word: str) -> bool:
    return word in row.name or any(word in code for code in row.codes)


def cursor_of(place: Place) -> Cursor:
    """A cursor holds the place itself: what is loaded later slips in before or behind it, and moves no page."""
    return make_cursor(KIND, ",".join(str(part) for part in place))


def place_of(cursor: str) -> Place:
    """The place in a cursor; BadInput for any other text."""
    parts = read_cursor(KIND, cursor).split(",", 3)
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts[:3]):
        raise BadInput("after", "is not a cursor of this list; give back what `pageInfo` or an edge gave")
    match, weight, rank = (int(part) for part in parts[:3])
    return Place(match, weight, rank, parts[3])


_WEIGHTS = {
    fact.instrument: place * _KINDS + kind for kind, group in enumerate(GROUPS) for place, fact in enumerate(group)
}
_BASES = {fact.instrument.base: place for place, fact in enumerate(GROUPS[0])}
