"""Symbols of listed options lead back to themselves, and chains are sorted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.equities._occ import expiry_in, in_order, occ_of, option_of, terms_of
from providers.row import Row
from schema.errors import Malformed
from schema.symbols import AssetClass, equity, parse_instrument
from schema.words.options import OptionContract, OptionRight

ROOTS = st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
THOUSANDTHS = st.integers(1, 99_999_999)


@given(root=ROOTS, day=DAYS, right=st.sampled_from("CP"), thousandths=THOUSANDTHS)
def test_an_option_has_one_symbol_and_the_symbol_one_option(root: str, day: date, right: str, thousandths: int):
    symbol = f"{root}{day:%y%m%d}{right}{thousandths:08}"

    instrument = option_of(Row("x", {"symbol": symbol}), "symbol", AssetClass.EQUITY)

    assert occ_of(instrument) == symbol
    assert parse_instrument(str(instrument)) == instrument
    assert terms_of(instrument)[:2] == (day, Decimal(thousandths) / 1000)


@pytest.mark.parametrize(
    "text", ["AAPL", "AAPL261218X00200000", "AAPL26121800200000", "TOOLONG261218C00200000", "aapl261218C00200000"]
)
def test_another_text_is_no_option(text: str):
    with pytest.raises(Malformed, match=r"\$\.symbol is not the symbol of an option"):
        expiry_in(Row("x", {"symbol": text}), "symbol")


def test_a_day_that_no_calendar_has_is_no_expiry():
    with pytest.raises(Malformed, match=r"\$\.symbol is not a date \(got '20260231'\)"):
        option_of(Row("x", {"symbol": "AAPL260231C00200000"}), "symbol", AssetClass.EQUITY)


@pytest.mark.parametrize("text", ["equity:AAPL-261218-200-C@XNAS", "equity:BRK.B-261218-200-C", "crypto:BTC/USD"])
def test_what_the_clearing_house_does_not_list_has_no_symbol(text: str):
    assert occ_of(parse_instrument(text)) is None


def test_a_share_is_no_option():
    assert occ_of(equity("AAPL")) is None


def test_a_chain_ascends_by_day_and_strike_with_calls_first_and_each_contract_once():
    texts = ["DEMO-270115-100-C", "DEMO-261218-100-P", "DEMO-261218-95.5-C", "DEMO-261218-100-C", "DEMO-261218-100-C"]
    contracts = [contract(f"equity:{text}") for text in texts]

    ordered = [each.instrument.symbol for each in in_order(contracts)]

    assert ordered == ["DEMO-261218-95.5-C", "DEMO-261218-100-C", "DEMO-261218-100-P", "DEMO-270115-100-C"]


def contract(text: str) -> OptionContract:
    instrument = parse_instrument(text)
    expiry, strike, right = terms_of(instrument)
    assert right is (OptionRight.CALL if text.endswith("C") else OptionRight.PUT)
    return OptionContract(instrument=instrument, expiry=expiry, strike=strike, right=right)
