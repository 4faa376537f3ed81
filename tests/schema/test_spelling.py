"""What people write for an instrument, and what it is read as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.currencies import FIATS
from schema.errors import AmbiguousInstrument, BadInput, MarketgateError, UnknownSymbol
from schema.spelling import read_symbol
from schema.symbols import AssetClass, InstrumentId, equity, parse_instrument

ASSETS = frozenset({"BTC", "ETH", "SOL", "USDT", "USDC", "TUSD", "FDUSD", "WBTC", "W", "BTT", "BT", "1INCH"})
INDEX_500 = InstrumentId(asset_class=AssetClass.INDEX, base="SPX")
LISTED = {
    "AAPL": (equity("AAPL"),),
    "BTC": (equity("BTC"),),
    "NOK": (equity("NOK"),),
    "BRK.B": (equity("BRK.B"),),
    "VOD": (equity("VOD"), equity("VOD", "XLON")),
    "VOD.L": (equity("VOD", "XLON"),),
    "HSBA": (equity("HSBA", "XLON"),),
    "TWIN": (equity("TWIN", "XLON"), equity("TWIN", "XPAR")),
    "SPX": (INDEX_500,),
    "^GSPC": (INDEX_500,),
    "7203": (equity("7203", "XTKS"),),
}


class SmallDirectory:
    """A few names of each kind."""

    def is_fiat(self, code: str) -> bool:
        return code in FIATS

    def is_asset(self, code: str) -> bool:
        return code in ASSETS

    def securities(self, ticker: str) -> tuple[InstrumentId, ...]:
        return LISTED.get(ticker, ())


DIRECTORY = SmallDirectory()


def read(text: str, asset_class: AssetClass | None = None) -> str:
    return str(read_symbol(text, DIRECTORY, asset_class))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AAPL", "equity:AAPL"),
        ("aapl", "equity:AAPL"),
        ("  AAPL\n", "equity:AAPL"),
        ("BRK.B", "equity:BRK.B"),
        ("BRK-B", "equity:BRK.B"),
        ("brk/b", "equity:BRK.B"),
        ("HEI.A", "equity:HEI.A"),
        ("VOD", "equity:VOD"),
        ("VOD.L", "equity:VOD@XLON"),
        ("VOD@XLON", "equity:VOD@XLON"),
        ("vod@xlon", "equity:VOD@XLON"),
        ("HSBA", "equity:HSBA@XLON"),
        ("7203", "equity:7203@XTKS"),
        ("7267@XTKS", "equity:7267@XTKS"),
        ("ZZZZZZ", "equity:ZZZZZZ"),
        ("AAPL-261218-200-C", "equity:AAPL-261218-200-C"),
        ("SPX", "index:SPX"),
        ("^GSPC", "index:SPX"),
        ("^OTHER", "index:^OTHER"),
        ("SOL", "crypto:SOL/USD"),
        ("USDT", "crypto:USDT/USD"),
        ("XBT", "crypto:BTC/USD"),
        ("BTC-USD", "crypto:BTC/USD"),
        ("btc/usd", "crypto:BTC/USD"),
        ("BTC_USDT", "crypto:BTC/USDT"),
        ("BTCUSDT", "crypto:BTC/USDT"),
        ("btcusd", "crypto:BTC/USD"),
        ("XBTUSD", "crypto:BTC/USD"),
        ("ETHBTC", "crypto:ETH/BTC"),
        ("BTC/EUR", "crypto:BTC/EUR"),
        ("EURUSDT", "crypto:EUR/USDT"),
        ("1INCHUSDT", "crypto:1INCH/USDT"),
        ("NEWCOINUSDT", "crypto:NEWCOIN/USDT"),
        ("NEW/COIN", "crypto:NEW/COIN"),
        ("USDTUSD", "crypto:USDT/USD"),
        ("BTC/USDT@binance", "crypto:BTC/USDT@binance"),
        ("btcusdt@BINANCE", "crypto:BTC/USDT@binance"),
        ("BTC/USDT@mexc", "crypto:BTC/USDT@mexc"),
        ("BTC/USDT:USDT", "crypto:BTC/USDT:USDT"),
        ("btc-usd:btc-261225", "crypto:BTC/USD:BTC-261225"),
        ("BTC/USD:BTC-261225-100000-C", "crypto:BTC/USD:BTC-261225-100000-C"),
        ("EURUSD", "fx:EUR/USD"),
        ("eur/usd", "fx:EUR/USD"),
        ("EUR_JPY", "fx:EUR/JPY"),
        ("EUR", "fx:EUR/USD"),
        ("XAU", "commodity:XAU/USD"),
        ("XAUUSD", "commodity:XAU/USD"),
        ("xag/eur", "commodity:XAG/EUR"),
        ("XAU/USDT", "crypto:XAU/USDT"),
        # A code that is known as it stands goes before a text taken apart.
        ("WBTC", "crypto:WBTC/USD"),
        ("TUSD", "crypto:TUSD/USD"),
        ("crypto:BTC/USDT@binance", "crypto:BTC/USDT@binance"),
        ("CRYPTO:btc/usdt@BINANCE", "crypto:BTC/USDT@binance"),
        ("equity:vod@xlon", "equity:VOD@XLON"),
        ("dex:solana/So11111111111111111111111111111111111111112",) * 2,
        ("macro:US.CPI", "macro:US.CPI"),
    ],
)
def test_a_spelling_means_one_instrument(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("BTC", ("crypto:BTC/USD", "equity:BTC")),
        ("btc", ("crypto:BTC/USD", "equity:BTC")),
        ("NOK", ("fx:NOK/USD", "equity:NOK")),
        ("TWIN", ("equity:TWIN@XLON", "equity:TWIN@XPAR")),
        ("BTTUSD", ("crypto:BT/TUSD", "crypto:BTT/USD")),
        ("NEWTUSD", ("crypto:NEW/TUSD", "crypto:NEWT/USD")),
    ],
)
def test_an_ambiguous_spelling_lists_its_candidates(text, candidates):
    with pytest.raises(AmbiguousInstrument) as caught:
        read(text)

    assert caught.value.candidates == candidates
    assert caught.value.extensions()["candidates"] == list(candidates)
    assert caught.value.message == f"{text!r} may mean {', '.join(candidates)}: write one of these, or give assetClass"


@pytest.mark.parametrize(
    ("text", "asset_class", "expected"),
    [
        ("BTC", AssetClass.CRYPTO, "crypto:BTC/USD"),
        ("BTC", AssetClass.EQUITY, "equity:BTC"),
        ("NOK", AssetClass.FX, "fx:NOK/USD"),
        ("NOK", AssetClass.EQUITY, "equity:NOK"),
        ("AAPL", AssetClass.CRYPTO, "crypto:AAPL/USD"),
        ("EURUSD", AssetClass.CRYPTO, "crypto:EUR/USD"),
        ("EURUSD", AssetClass.FX, "fx:EUR/USD"),
        ("KZTUSD", AssetClass.FX, "fx:KZT/USD"),
        ("USDKZT", AssetClass.FX, "fx:USD/KZT"),
        ("BRK-B", AssetClass.EQUITY, "equity:BRK.B"),
        ("FTSE", AssetClass.INDEX, "index:FTSE"),
        ("^GSPC", AssetClass.INDEX, "index:SPX"),
        ("US.CPI", AssetClass.MACRO, "macro:US.CPI"),
        ("GOLD", AssetClass.COMMODITY, "commodity:GOLD/USD"),
        ("solana/AbCdEf", AssetClass.DEX, "dex:solana/AbCdEf"),
        ("crypto:BTC/USD", AssetClass.CRYPTO, "crypto:BTC/USD"),
    ],
)
def test_the_asset_class_decides(text, asset_class, expected):
    assert read(text, asset_class) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the symbol is empty: write an id"),
        (" \t", "the symbol is empty: write an id"),
        ("A" * 81, "a symbol has at most 80 characters, this has 81"),
        ("BTC USD", "'BTC USD' has a character that no symbol has (U+0020)"),
        ("\uff22\uff34\uff23", "'\\\\uff22\\\\uff34\\\\uff23' has a character that no symbol has (U+FF22)"),
        ("A\x00B", "'A\\x00B' has a character that no symbol has (U+0000)"),
        ("\ud800", "'\\\\ud800' has a character that no symbol has (U+D800)"),
        ("TSCO.L", "'TSCO.L' cannot be read: write ticker and venue (its MIC) as in VOD@XLON"),
        ("LONGTICKER", "'LONGTICKER' cannot be read: write an id such as 'crypto:BTC/USD' or 'equity:AAPL'"),
        ("FOO-BAR", "'FOO-BAR' cannot be read: write an id"),
        ("USD", "'USD' cannot be read: write an id"),
        ("12345", "'12345' cannot be read: write an id"),
        ("nasdaq:AAPL", "'nasdaq:AAPL' cannot be read: write an id"),
        ("BTC/", "'BTC/' cannot be read: write an id"),
        ("@binance", "'@binance' cannot be read: write an id"),
        ("BTC/USD@", "'BTC/USD@' has no valid venue behind '@'"),
        ("BTC/USD@a b", "has a character that no symbol has (U+0020)"),
        ("BTC/USD:BTC-260230", "expires on no calendar day"),
        ("BTC/BTC", "is a pair of BTC with itself"),
        ("crypto:BTCUSDT", "'crypto:BTCUSDT' is not a pair: write base and quote with a slash"),
    ],
)
def test_what_cannot_be_read_says_the_way_out(text, why):
    with pytest.raises(UnknownSymbol) as caught:
        read(text)

    assert why in caught.value.message
    assert caught.value.code == "UNKNOWN_INSTRUMENT"


@pytest.mark.parametrize(
    ("text", "asset_class"),
    [("BTC/USD", AssetClass.EQUITY), ("BTCUSD", AssetClass.FX), ("BTC", AssetClass.DEX), ("USD", AssetClass.CRYPTO)],
)
def test_an_asset_class_that_does_not_fit_is_refused(text, asset_class):
    with pytest.raises(UnknownSymbol):
        read(text, asset_class)


def test_an_asset_class_that_contradicts_a_full_id_is_refused():
    with pytest.raises(BadInput) as caught:
        read("equity:BTC", AssetClass.CRYPTO)

    assert caught.value.field == "assetClass"
    assert caught.value.message == "assetClass: CRYPTO contradicts 'equity:BTC': leave it out"


def test_another_directory_is_asked_anew():
    class WithoutFund(SmallDirectory):
        def securities(self, ticker: str) -> tuple[InstrumentId, ...]:
            return ()

    with pytest.raises(AmbiguousInstrument):
        read("BTC")

    assert str(read_symbol("BTC", WithoutFund())) == "crypto:BTC/USD"


LIKELY = st.one_of(
    st.text(max_size=90),
    st.text(alphabet="ABTCUSDEHXR/-_:@.^0123456789 ab", max_size=30),
    st.from_regex(r"[A-Za-z]{1,8}[/_-]?[A-Za-z]{0,5}(:[A-Z]{3,4}(-[0-9]{6})?)?(@[a-zA-Z]{1,8})?", fullmatch=True),
)
CLASSES = st.none() | st.sampled_from(AssetClass)


@given(LIKELY, CLASSES)
def test_any_text_is_read_or_refused_in_words(text, asset_class):
    refusal = ""
    try:
        found = read_symbol(text, DIRECTORY, asset_class)
    except MarketgateError as error:
        refusal = error.message
    if refusal:
        assert len(refusal.encode()) < 1000
        return

    assert parse_instrument(str(found)) == found
    assert read_symbol(str(found), DIRECTORY, asset_class) == found
    assert asset_class in (None, found.asset_class)


@given(LIKELY, CLASSES)
def test_capitals_do_not_matter(text, asset_class):
    def outcome(written: str) -> str:
        try:
            found = read_symbol(written, DIRECTORY, asset_class)
        except AmbiguousInstrument as error:
            return " ".join(error.candidates)
        except MarketgateError as error:
            return error.code
        return str(found)

    # A venue in capitals is an exchange, and addresses on a chain have both.
    if text.isascii() and "@" not in text and "dex:" not in text.lower() and asset_class is not AssetClass.DEX:
        assert outcome(text.lower()) == outcome(text.upper())


@given(st.sampled_from(sorted(ASSETS)), st.sampled_from(["USDT", "USDC", "EUR", "BTC"]), st.sampled_from("/-_"))
def test_every_separator_makes_the_same_pair(base, quote, separator):
    if base == quote:
        return

    assert read(f"{base}{separator}{quote}") == f"crypto:{base}/{quote}"


@pytest.mark.parametrize("text", ["BTC-PERPETUAL", "eth_perp", "BTC/SWAP", "BTC-FUTURES@binance"])
def test_a_venues_own_name_of_a_derivative_is_never_read_as_a_spot_pair(text: str):
    with pytest.raises(UnknownSymbol, match="write a perpetual as 'crypto:BTC/USD:BTC'"):
        read(text)
