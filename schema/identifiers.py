"""Securities by number instead of by ticker: `isin:US0378331005`, `figi:BBG000B9XRY4`, `cik:320193`, `cusip:037833100`,
`sedol:2046251`, with a venue if one listing is meant (`isin:US0378331005@XETR`).

An ISIN, a FIGI that begins with BBG, and a CIK as `CIK0000320193` are recognised without their scheme; of the first two
the check digit must be right. Check digits: ISO 6166 (ISIN), https://www.omg.org/spec/FIGI (FIGI), ANSI X9.6 (CUSIP),
https://www.lseg.com/en/data-indices/sedol (SEDOL).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from schema.errors import UnknownSymbol
from schema.words.companies import IdScheme

_FORMS = {
    IdScheme.ISIN: re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]\Z"),
    IdScheme.FIGI: re.compile(r"(?!BS|BM|GG|GB|GH|KY|VG)[B-DF-HJ-NP-TV-Z]{2}G[B-DF-HJ-NP-TV-Z0-9]{8}[0-9]\Z"),
    IdScheme.CUSIP: re.compile(r"[0-9A-Z]{8}[0-9]\Z"),
    IdScheme.SEDOL: re.compile(r"[0-9B-DF-HJ-NP-TV-Z]{6}[0-9]\Z"),
    IdScheme.CIK: re.compile(r"(?:CIK)?([0-9]{1,10})\Z"),
}
_SHAPES = {
    IdScheme.ISIN: "two letters, nine letters or digits, and a check digit",
    IdScheme.FIGI: "twelve consonants or digits, the third a G, the last a check digit",
    IdScheme.CUSIP: "eight letters or digits and a check digit",
    IdScheme.SEDOL: "six consonants or digits and a check digit",
    IdScheme.CIK: "one to ten digits",
}
_BARE_CIK = re.compile(r"CIK[0-9]{10}\Z")
_MIC = re.compile(r"[A-Z0-9]{4}\Z")
_SEDOL_WEIGHTS = (1, 3, 1, 7, 3, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A number of a scheme that checks; `mic` (ISO 10383) where one listing is meant."""

    scheme: IdScheme
    text: str
    mic: str = ""

    def __str__(self) -> str:
        return f"{self.scheme.lower()}:{self.text}{'@' + self.mic if self.mic else ''}"


class Identified(UnknownSymbol):
    """The text is no symbol but a security's number: providers know whose."""

    def __init__(self, written: str, identifier: Identifier) -> None:
        super().__init__(written, f"{written!r} is the {identifier.scheme} of a security: write its symbol here")
        self.identifier = identifier


def read_identifier(written: str) -> Identifier | None:
    """The number that a text is, or None for what is something else.

    UnknownSymbol where a scheme is named and what follows is none of its numbers.
    """
    head, colon, rest = written.upper().partition(":")
    if not colon:
        return _bare(written)
    scheme = IdScheme.__members__.get(head)
    if scheme not in _FORMS:
        return None
    text, at, mic = rest.partition("@")
    match = _FORMS[scheme].match(text)
    if match is None:
        raise UnknownSymbol(written, f"{written!r} is no {scheme}: write {_SHAPES[scheme]}")
    if at and not _MIC.match(mic):
        raise UnknownSymbol(written, f"{written!r} has no MIC behind '@', such as XNAS")
    digit = check_digit(scheme, text)
    if digit not in ("", text[-1]):
        raise UnknownSymbol(written, f"{written!r} is no {scheme}: its check digit is {text[-1]}, and must be {digit}")
    return Identifier(scheme=scheme, text=match[1].zfill(10) if scheme is IdScheme.CIK else text, mic=mic)


def nearly(written: str) -> str:
    """What is wrong with a text that has an identifier's form but not its check digit; empty for any other."""
    text = written.upper().partition("@")[0]
    scheme = _scheme_of(text)
    if scheme is None:
        return ""
    return f"has the form of an identifier, but as {scheme} its check digit must be {check_digit(scheme, text)}"


def check_digit(scheme: IdScheme, text: str) -> str:
    """The last character that a number of this scheme's form must have; empty where the scheme has none."""
    digit = _DIGITS.get(scheme)
    return "" if digit is None else str(-digit(text[:-1]) % 10)


def _bare(written: str) -> Identifier | None:
    text, at, mic = written.upper().partition("@")
    if at and not _MIC.match(mic):
        return None
    if _BARE_CIK.match(text):
        return Identifier(scheme=IdScheme.CIK, text=text[3:], mic=mic)
    scheme = _scheme_of(text)
    if scheme is None or check_digit(scheme, text) != text[-1]:
        return None
    return Identifier(scheme=scheme, text=text, mic=mic)


def _scheme_of(text: str) -> IdScheme | None:
    """By the form alone: BBG is no country, so that nothing has both."""
    if _FORMS[IdScheme.FIGI].match(text) and text.startswith("BBG"):
        return IdScheme.FIGI
    return IdScheme.ISIN if _FORMS[IdScheme.ISIN].match(text) else None


def _isin(body: str) -> int:
    """Letters are two digits (A is 10); from the right every other digit is doubled, and digits are summed."""
    digits = "".join(str(int(char, 36)) for char in body)
    return sum(_crossed(int(digit) * (2 - index % 2)) for index, digit in enumerate(reversed(digits)))


def _doubled(body: str) -> int:
    """FIGI and CUSIP: letters are numbers (A is 10); every second number is doubled, and digits are summed."""
    return sum(_crossed(int(char, 36) * (1 + index % 2)) for index, char in enumerate(body))


def _sedol(body: str) -> int:
    """A weighted sum; letters are numbers (A is 10)."""
    return sum(int(char, 36) * weight for char, weight in zip(body, _SEDOL_WEIGHTS, strict=True))


def _crossed(number: int) -> int:
    """The sum of a number's digits, which has at most two."""
    return number // 10 + number % 10


_DIGITS: dict[IdScheme, Callable[[str], int]] = {
    IdScheme.ISIN: _isin, IdScheme.FIGI: _doubled, IdScheme.CUSIP: _doubled, IdScheme.SEDOL: _sedol,
}  # fmt: skip
