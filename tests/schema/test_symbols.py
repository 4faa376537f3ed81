"""Instrument ids: printing and parsing are inverse, and nothing looser is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.symbols import PAIRED, AssetClass, InstrumentId, crypto, equity, fx, parse_instrument

CODES = st.from_regex(r"[A-Z0-9$][A-Z0-9._$^=&+]{0,31}", fullmatch=True)
VENUES = st.just("") | st.from_regex(r"[A-Za-z0-9_.]{1,24}", fullmatch=True)
DAYS = st.dates().filter(lambda day: 2000 <= day.year < 2100).map(lambda day: f"{day:%y%m%d}")
STRIKES = st.from_regex(r"[0-9]{1,8}(\.[0-9]{1,4})?", fullmatch=True)
RIGHTS = st.sampled_from("CP")
SETTLED = st.tuples(
    st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True),
    st.just(("", "", "")) | st.tuples(DAYS, st.just(""), st.just("")) | st.tuples(DAYS, STRIKES, RIGHTS),
)
PAIRS = st.builds(
    lambda kind, sides, contract, venue: InstrumentId(
        asset_class=kind, base=sides[0], quote=sides[1], settle=contract[0], expiry=contract[1][0],
        strike=contract[1][1], right=contract[1][2], venue=venue,
    ),
    st.sampled_from(sorted(PAIRED)),
    st.tuples(CODES, CODES).filter(lambda sides: sides[0] != sides[1]),
    st.just(("", ("", "", ""))) | SETTLED,
    VENUES,
)  # fmt: skip
SINGLES = st.builds(
    lambda kind, base, option, venue: InstrumentId(
        asset_class=kind, base=base, expiry=option[0], strike=option[1], right=option[2], venue=venue
    ),
    st.sampled_from([AssetClass.EQUITY, AssetClass.INDEX, AssetClass.MACRO]),
    st.from_regex(r"[A-Z0-9^][A-Z0-9._^=&]{0,31}", fullmatch=True),
    st.just(("", "", "")) | st.tuples(DAYS, STRIKES, RIGHTS),
    VENUES,
)
TOKENS = st.builds(
    lambda base, venue: InstrumentId(asset_class=AssetClass.DEX, base=base, venue=venue),
    st.from_regex(r"[a-z0-9-]{1,24}/[A-Za-z0-9]{3,64}", fullmatch=True),
    VENUES,
)


@given(PAIRS | SINGLES | TOKENS)
def test_what_is_printed_is_parsed_again(instrument):
    assert parse_instrument(str(instrument)) == instrument


@given(st.text(max_size=60) | st.from_regex(r"[a-z]{2,9}:[A-Z0-9/:@.-]{0,40}", fullmatch=True))
def test_any_text_is_an_id_or_a_value_error(text):
    try:
        found = parse_instrument(text)
    except ValueError:
        return

    assert parse_instrument(str(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("crypto:BTC/USD", crypto("BTC", "USD")),
        ("crypto:btc/usdt@binance", crypto("BTC", "USDT", "binance")),
        ("fx:EUR/USD", fx("EUR", "USD")),
        ("EQUITY:VOD@XLON", equity("VOD", "XLON")),
        ("index:SPX", InstrumentId(asset_class=AssetClass.INDEX, base="SPX")),
        ("macro:US.CPI", InstrumentId(asset_class=AssetClass.MACRO, base="US.CPI")),
        ("dex:solana/AbC", InstrumentId(asset_class=AssetClass.DEX, base="solana/AbC")),
        (
            "crypto:BTC/USDT:USDT",
            InstrumentId(asset_class=AssetClass.CRYPTO, base="BTC", quote="USDT", settle="USDT"),
        ),
        (
            "crypto:BTC/USD:BTC-261225-100000-C@deribit",
            InstrumentId(
                asset_class=AssetClass.CRYPTO, base="BTC", quote="USD", settle="BTC", expiry="261225",
                strike="100000", right="C", venue="deribit",
            ),
        ),
        (
            "equity:AAPL-261218-200-C",
            InstrumentId(asset_class=AssetClass.EQUITY, base="AAPL", expiry="261218", strike="200", right="C"),
        ),
    ],
)  # fmt: skip
def test_each_kind_of_id_is_read(text, expected):
    assert parse_instrument(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("AAPL", "'AAPL' has no asset class: write for example 'crypto:BTC/USD'"),
        ("stock:AAPL", "'stock:AAPL' has no asset class: write for example 'crypto:BTC/USD'"),
        ("crypto:", "'crypto:' has no symbol after its asset class"),
        ("crypto:BTC", "'crypto:BTC' is not a pair: write base and quote with a slash, 'BTC/USD'"),
        ("crypto:BTC/BTC", "'crypto:BTC/BTC' is a pair of BTC with itself"),
        ("crypto:BTC/USD@", "'crypto:BTC/USD@' has no valid venue after '@'"),
        ("crypto:BTC/USD:", "'crypto:BTC/USD:' is not a contract: write ':SETTLE[-YYMMDD[-STRIKE-C|P]]'"),
        ("crypto:BTC/USD:BTC-261332", "'crypto:BTC/USD:BTC-261332' expires on no calendar day: write YYMMDD"),
        ("equity:AAPL-261332-200-C", "'equity:AAPL-261332-200-C' expires on no calendar day: write YYMMDD"),
        ("equity:A B", "'equity:A B' is not a valid equity symbol"),
        ("dex:So111", "'dex:So111' is not dex:<chain>/<address>"),
    ],
)
def test_what_is_no_id_says_which_part_is_wrong(text, why):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        parse_instrument(text)

    assert str(caught.value) == why


def test_a_derivative_is_not_spot():
    assert parse_instrument("crypto:BTC/USDT").is_spot
    assert not parse_instrument("crypto:BTC/USDT:USDT").is_spot
    assert not parse_instrument("equity:AAPL-261218-200-C").is_spot
