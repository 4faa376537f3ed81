"""No two instruments of securities' providers share a symbol, and what is not listed has none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.equities import _alphavantage, _listed, cboe, intrinio, openfigi, sec_edgar, stooq, tradier
from schema.symbols import InstrumentId, parse_instrument
from schema.words.companies import IdentifiersAsk, IdScheme
from schema.words.instruments import SearchAsk

INSTRUMENTS = [
    parse_instrument(text)
    for text in (
        "equity:AAPL", "equity:BRK.B", "equity:BRKB", "equity:BRK.B@XWAR", "equity:WIG@XWAR", "equity:PKN@XWAR",
        "equity:PKN", "equity:SAP@XETR", "equity:7203@XTKS", "equity:700@XHKG", "equity:EURUSD@XWAR", "index:DJI",
        "index:WIG", "index:DAX", "index:VIX", "fx:EUR/USD", "commodity:XAU/USD", "equity:AAPL-261218-200-C",
        "equity:VOD@XLON", "crypto:BTC/USD", "dex:solana/So11111111111111111111111111111111111111112",
    )
]  # fmt: skip
SPELLINGS = {
    "cboe": cboe.symbol_of, "intrinio": intrinio.symbol_of, "sec_edgar": sec_edgar.SPELLING.symbol_of,
    "stooq": stooq.symbol_of, "tradier": tradier.symbol_of,
}  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_no_two_instruments_share_a_symbol(spelled: Callable[[InstrumentId], str | None]):
    symbols = [symbol for symbol in map(spelled, INSTRUMENTS) if symbol is not None]

    assert len(symbols) >= 3
    assert len(set(symbols)) == len(symbols)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("equity:BRK.B", "brk-b.us"), ("equity:PKN@XWAR", "pkn"), ("equity:WIG@XWAR", None), ("index:WIG", "wig"),
        ("equity:EURUSD@XWAR", None), ("fx:EUR/USD", "eurusd"), ("equity:VOD@XLON", None), ("index:DAX", "^dax"),
    ],
)  # fmt: skip
def test_stooq_spells_shares_indices_and_pairs(text: str, symbol: str | None):
    assert stooq.symbol_of(parse_instrument(text)) == symbol


@pytest.mark.parametrize(
    ("text", "cik"),
    [
        ("equity:CIK0000320193@sec_edgar", "0000320193"), ("equity:CIK320193@sec_edgar", None),
        ("equity:CIK0000320193", None), ("equity:AAPL", None),
    ],
)  # fmt: skip
def test_a_filer_without_a_ticker_is_named_by_ten_digits(text: str, cik: str | None):
    assert sec_edgar.own_cik(parse_instrument(text)) == cik


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("US0378331005", IdScheme.ISIN),
        ("BBG000B9XRY4", IdScheme.FIGI),
        (" us0378331005", IdScheme.ISIN),
        ("apple", None),
        ("US03783310055", None),
    ],
)
def test_only_an_identifier_is_looked_for(text: str, scheme: IdScheme | None):
    meant = None if scheme is None else IdentifiersAsk(scheme=scheme, text=text.strip().upper())

    assert openfigi.identified(SearchAsk(text=text)) == meant


@pytest.mark.parametrize(
    ("covered", "text", "asked"),
    [
        (_alphavantage.is_exchanged, "fx:EUR/USD", True),
        (_alphavantage.is_exchanged, "fx:EUR/USD:USD", False),
        (_alphavantage.is_exchanged, "fx:EUR/USD:USD-261225", False),
        (_alphavantage.is_exchanged, "crypto:BTC/USD", True),
        (_alphavantage.is_exchanged, "fx:BTC/USD", False),
        (_alphavantage.is_exchanged, "fx:USD/BTC", False),
        (_listed.is_pair, "fx:GBP/CHF", True),
        (_listed.is_pair, "fx:GBP/CHF:CHF", False),
        (tradier.is_certain, "index:SPX", True),
        (tradier.is_certain, "equity:SPX", False),
        (tradier.is_certain, "equity:AAPL", True),
        (tradier.is_certain, "index:AAPL", False),
    ],
)
def test_what_would_be_asked_for_by_another_instruments_symbol_is_not(
    covered: Callable[[InstrumentId], bool], text: str, asked: bool
):
    assert covered(parse_instrument(text)) is asked
