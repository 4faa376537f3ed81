"""Securities' numbers: forms, check digits, and what is wrong with a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.market.reference import FACTS
from schema.errors import UnknownSymbol
from schema.identifiers import Identified, Identifier, check_digit, read_identifier
from schema.spelling import read_symbol
from schema.symbols import AssetClass
from schema.words.companies import IdScheme
from tests.schema.test_spelling import DIRECTORY

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ"
BODIES = {
    IdScheme.ISIN: st.builds(
        "{}{}".format,
        st.text(LETTERS, min_size=2, max_size=2),
        st.text(LETTERS + DIGITS, min_size=9, max_size=9),
    ),
    IdScheme.FIGI: st.builds("BBG{}".format, st.text(CONSONANTS + DIGITS, min_size=8, max_size=8)),
    IdScheme.CUSIP: st.text(LETTERS + DIGITS, min_size=8, max_size=8),
    IdScheme.SEDOL: st.text(CONSONANTS + DIGITS, min_size=6, max_size=6),
}
CHECKED = st.sampled_from(list(BODIES)).flatmap(lambda scheme: st.tuples(st.just(scheme), BODIES[scheme]))


def read_or_refused(text: str) -> Identifier | None:
    """None for what is refused as well; anything but an UnknownSymbol breaks the test."""
    try:
        return read_identifier(text)
    except UnknownSymbol:
        return None


def whole(scheme: IdScheme, body: str) -> str:
    return body + check_digit(scheme, f"{body}0")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("isin:US0378331005", "isin:US0378331005"),
        ("ISIN:us0378331005", "isin:US0378331005"),
        ("US0378331005", "isin:US0378331005"),
        ("gb00bh4hks39", "isin:GB00BH4HKS39"),
        ("isin:US0378331005@xetr", "isin:US0378331005@XETR"),
        ("US0378331005@XETR", "isin:US0378331005@XETR"),
        ("figi:BBG000B9XRY4", "figi:BBG000B9XRY4"),
        ("bbg000b9xry4", "figi:BBG000B9XRY4"),
        ("figi:KKG000002BK9", "figi:KKG000002BK9"),
        ("cik:320193", "cik:0000320193"),
        ("cik:CIK0000320193", "cik:0000320193"),
        ("CIK0000320193", "cik:0000320193"),
        ("cusip:037833100", "cusip:037833100"),
        ("sedol:2046251", "sedol:2046251"),
    ],
)
def test_a_number_is_read_with_its_scheme_or_where_it_cannot_be_mistaken(written: str, read: str) -> None:
    assert str(read_identifier(written)) == read


@pytest.mark.parametrize(
    "written",
    ["AAPL", "BTC/USD", "equity:AAPL", "equity:US0378331005", "320193", "037833100", "2046251", "US0378331006",
     "BBG000B9XRY5", "KKG000002BK9", "CIK320193", "lei:HWUPKR0MPOU8FGXBT394", "isin", "BTC/USDT:USDT",
     "US0378331005@binance"],
)  # fmt: skip
def test_what_is_no_number_or_may_be_something_else_is_left_alone(written: str) -> None:
    assert read_identifier(written) is None


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("isin:US0378331006", "is no ISIN: its check digit is 6, and must be 5"),
        ("figi:BBG000B9XRY5", "is no FIGI: its check digit is 5, and must be 4"),
        ("cusip:037833101", "is no CUSIP: its check digit is 1, and must be 0"),
        ("sedol:2046252", "is no SEDOL: its check digit is 2, and must be 1"),
        ("isin:AAPL", "is no ISIN: write two letters, nine letters or digits, and a check digit"),
        ("figi:BBG000A9XRY4", "is no FIGI: write twelve consonants or digits, the third a G, the last a check digit"),
        ("figi:GBG000B9XRY4", "is no FIGI: write twelve consonants or digits, the third a G, the last a check digit"),
        ("cusip:03783310", "is no CUSIP: write eight letters or digits and a check digit"),
        ("sedol:A046251", "is no SEDOL: write six consonants or digits and a check digit"),
        ("cik:12345678901", "is no CIK: write one to ten digits"),
        ("cik:", "is no CIK: write one to ten digits"),
        ("isin:US0378331005@binance", "has no MIC behind '@', such as XNAS"),
    ],
)
def test_a_wrong_number_says_what_is_wrong(written: str, why: str) -> None:
    with pytest.raises(UnknownSymbol) as refused:
        read_identifier(written)

    assert refused.value.message == f"{written!r} {why}"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("US0378331006", "has the form of an identifier, but as ISIN its check digit must be 5"),
        ("BBG000B9XRY5", "has the form of an identifier, but as FIGI its check digit must be 4"),
    ],
)
def test_a_bare_number_with_a_wrong_digit_says_which_is_right(written: str, why: str) -> None:
    with pytest.raises(UnknownSymbol) as refused:
        read_symbol(written, DIRECTORY)

    assert refused.value.message == f"{written!r} {why}"
    assert not isinstance(refused.value, Identified)


def test_a_number_is_no_ticker_even_where_a_security_is_asked_for() -> None:
    with pytest.raises(Identified) as named:
        read_symbol("US0378331005", DIRECTORY, AssetClass.EQUITY)

    assert named.value.identifier == Identifier(scheme=IdScheme.ISIN, text="US0378331005")
    assert named.value.message == "'US0378331005' is the ISIN of a security: write its symbol here"


@given(CHECKED)
def test_every_number_with_its_check_digit_is_read_as_it_is(number: tuple[IdScheme, str]) -> None:
    text = whole(*number)

    assert read_identifier(f"{number[0].lower()}:{text}") == Identifier(scheme=number[0], text=text)


@given(CHECKED, st.integers(1, 9))
def test_every_other_check_digit_is_refused(number: tuple[IdScheme, str], off: int) -> None:
    scheme, body = number
    right = check_digit(scheme, f"{body}0")
    wrong = str((int(right) + off) % 10)

    with pytest.raises(UnknownSymbol, match=rf"its check digit is {wrong}, and must be {right}$"):
        read_identifier(f"{scheme}:{body}{wrong}")


@given(CHECKED, st.data())
def test_one_digit_that_is_mistyped_is_noticed(number: tuple[IdScheme, str], data: st.DataObject) -> None:
    """What these digits are for. Only digits: two letters may have the same weight."""
    scheme, body = number
    places = [index for index, char in enumerate(body) if char in DIGITS]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in DIGITS if digit != body[place]]))

    mistyped = f"{body[:place]}{other}{body[place + 1 :]}"

    assert check_digit(scheme, f"{mistyped}0") != check_digit(scheme, f"{body}0")


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_is_left_alone_or_is_refused_in_words(text: str) -> None:
    for scheme in ("", "isin:", "figi:", "cik:", "cusip:", "sedol:"):
        found = read_or_refused(scheme + text)

        assert found is None or read_identifier(str(found)) == found


def test_the_public_facts_have_numbers_that_check_and_no_number_twice() -> None:
    isins = [fact.isin for fact in FACTS.values() if fact.isin]
    figis = [fact.figi for fact in FACTS.values() if fact.figi]

    assert [text for text in isins if read_identifier(f"isin:{text}") is None] == []
    assert [text for text in figis if read_identifier(f"figi:{text}") is None] == []
    assert (len(isins), len(figis)) == (len(set(isins)), len(set(figis)))
