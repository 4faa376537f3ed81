"""Securities' numbers in the place of symbols: public facts first, then providers; never a guess among several."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from plugins.market.identified import chosen, settled
from schema.errors import AmbiguousInstrument, KeyMissing, UnknownInstrument, UnknownSymbol
from schema.identifiers import Identifier, read_identifier
from schema.symbols import equity
from schema.words.companies import COMPANY_PROFILE, IDENTIFIERS, CompanyProfile, IdentifierMapping, IdScheme
from schema.words.news import NEWS
from schema.words.quotes import QUOTES, PriceType, Quote
from tests.plugins.speakers import NOON, Room, Speaker, speaker

SHOPIFY = "CA82509L1076"
CAYMAN = "KYG017191142"


def mapping(symbol: str | None, mic: str | None = None) -> IdentifierMapping:
    return IdentifierMapping(symbol=symbol, mic=mic)


LISTED = {
    (IdScheme.ISIN, SHOPIFY): (
        mapping("equity:SHOP"), mapping("equity:SHOP", "XNYS"), mapping("equity:SHOP@XTSE", "XTSE"),
    ),
    (IdScheme.ISIN, CAYMAN): (mapping("equity:9988@XHKG", "XHKG"), mapping("equity:AHLA@XETR", "XETR"), mapping(None)),
    (IdScheme.ISIN, "US0378331005"): (mapping("equity:AAPL"), mapping("equity:APC@XETR", "XETR")),
    (IdScheme.CIK, "0001652044"): (mapping("equity:GOOGL"), mapping("equity:GOOG")),
    (IdScheme.CIK, "0000789019"): (mapping("equity:MSFT"),),
    (IdScheme.CUSIP, "594918104"): (mapping("equity:MSFT"),),
    (IdScheme.ISIN, "XS0000000009"): (mapping(None),),
}  # fmt: skip


def number(text: str) -> Identifier:
    found = read_identifier(text)
    assert found is not None
    return found


def mapped(ask: Any) -> tuple[IdentifierMapping, ...]:
    try:
        return LISTED[ask.scheme, ask.text]
    except KeyError:
        raise UnknownInstrument("alpha", f"finds no {ask.scheme} {ask.text}") from None


def quoted(ask: Any) -> list[Quote]:
    return [
        Quote(instrument=each, price=Decimal(len(each.base)), currency="USD", price_type=PriceType.LAST, as_of=NOON)
        for each in ask.instruments
    ]


@pytest.fixture
def alpha() -> type[Speaker]:
    return speaker({
        IDENTIFIERS: mapped, QUOTES: quoted, NEWS: lambda ask: (),
        COMPANY_PROFILE: lambda ask: CompanyProfile(instrument=ask.instrument, name=str(ask.instrument)),
    })  # fmt: skip


@pytest.fixture
def room(alpha: type[Speaker]) -> Room:
    alpha.asked.clear()
    return Room(alpha)


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        ("isin:US0378331005", "equity:AAPL"),
        ("isin:US0378331005@XNAS", "equity:AAPL"),
        ("figi:BBG000B9XRY4", "equity:AAPL"),
        ("cusip:037833100", "equity:AAPL"),
        ("isin:GB00BH4HKS39", "equity:VOD@XLON"),
        ("isin:US92857W3088", "equity:VOD"),
        ("isin:US78378X1072", "index:SPX"),
        ("isin:US0378331005@XETR", "None"),
        ("isin:CA82509L1076", "None"),
        ("cik:320193", "None"),
    ],
)
def test_public_facts_settle_what_they_know(text: str, instrument: str) -> None:
    assert str(settled(number(text))) == instrument


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        (f"isin:{SHOPIFY}", "equity:SHOP@XTSE"),
        (f"isin:{SHOPIFY}@XNYS", "equity:SHOP"),
        (f"isin:{CAYMAN}@XETR", "equity:AHLA@XETR"),
        ("cik:789019", "equity:MSFT"),
        ("isin:US0378331005", "equity:AAPL"),
    ],
)
def test_a_number_means_the_listing_at_home_the_named_one_or_the_only_one(text: str, instrument: str) -> None:
    meant = number(text)

    assert str(chosen(text, meant, LISTED[meant.scheme, meant.text])) == instrument


@pytest.mark.parametrize(
    ("text", "candidates", "way_out"),
    [
        (
            f"isin:{CAYMAN}",
            ("equity:9988@XHKG", "equity:AHLA@XETR"),
            ", or name the listing's venue behind it, such as @XNAS",
        ),
        ("cik:1652044", ("equity:GOOG", "equity:GOOGL"), ""),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_several_listings_are_never_chosen_from_in_whatever_order(
    text: str, candidates: Sequence[str], way_out: str, turn: int
) -> None:
    meant = number(text)

    with pytest.raises(AmbiguousInstrument) as refused:
        chosen(text, meant, LISTED[meant.scheme, meant.text][::turn])

    assert refused.value.candidates == candidates
    assert refused.value.message == f"{text!r} may mean {', '.join(candidates)}: write one of these{way_out}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("isin:XS0000000009", "is no listing that has a symbol here: search for its name"),
        ("isin:US0378331005@XLON", "is no listing on XLON that has a symbol here: search for its name"),
    ],
)
def test_a_number_without_a_symbol_is_unknown(text: str, why: str) -> None:
    meant = number(text)

    with pytest.raises(UnknownSymbol) as refused:
        chosen(text, meant, LISTED[meant.scheme, meant.text])

    assert refused.value.message == f"{text!r} {why}"


async def test_a_quote_says_the_instrument_that_its_number_means(room: Room, alpha: type[Speaker]) -> None:
    quote = "query ($s: String!) { quote(symbol: $s) { id price instrument { id } } }"

    fact = await room.data(quote, s="US0378331005")
    told = await room.data(quote, s="cusip:594918104")
    asked = await room.data(quote, s="cik:789019")
    again = await room.data(quote, s="CIK0000789019")

    assert fact == {"id": fact["id"], "price": "4", "instrument": {"id": "equity:AAPL"}}
    assert told["instrument"] == asked["instrument"] == again["instrument"] == {"id": "equity:MSFT"}
    assert [(ask.scheme, ask.text) for ask in alpha.asked if hasattr(ask, "scheme")] == [("CIK", "0000789019")]


async def test_a_plain_symbol_asks_nobody_whose_it_is(room: Room, alpha: type[Speaker]) -> None:
    await room.data('{ quotes(symbols: ["AAPL", "equity:US0378331005"]) { nodes { instrument { id } } } }')

    assert [type(ask).__name__ for ask in alpha.asked] == ["QuotesAsk"]


async def test_a_batch_reads_each_number_and_says_by_index_what_is_wrong(room: Room, alpha: type[Speaker]) -> None:
    batch = """query ($s: [String!]!) { quotes(symbols: $s) { nodes { instrument { id } }
      failures { index symbol code message candidates { id } attempts { provider code } } } }"""
    symbols = [
        "isin:US0378331005", "BTC/USD", f"isin:{CAYMAN}", "cik:5", "isin:US0378331006", "AAPL", f"isin:{SHOPIFY}",
    ]  # fmt: skip

    found = await room.data(batch, s=symbols)
    again = await room.data("query ($s: [String!]!) { quotes(symbols: $s) { failures { index } } }", s=symbols)

    ids = [node and node["instrument"]["id"] for node in found["nodes"]]
    ambiguous, unknown, wrong = found["failures"]
    assert ids == ["equity:AAPL", "crypto:BTC/USD", None, None, None, "equity:AAPL", "equity:SHOP@XTSE"]
    assert (ambiguous["index"], ambiguous["code"]) == (2, "AMBIGUOUS_INSTRUMENT")
    assert ambiguous["candidates"] == [{"id": "equity:9988@XHKG"}, {"id": "equity:AHLA@XETR"}]
    assert (unknown["index"], unknown["symbol"], unknown["code"]) == (3, "cik:5", "UNKNOWN_INSTRUMENT")
    assert unknown["attempts"] == [{"provider": "alpha", "code": "UNKNOWN_INSTRUMENT"}]
    assert (wrong["index"], wrong["code"]) == (4, "UNKNOWN_INSTRUMENT")
    assert wrong["message"] == "'isin:US0378331006' is no ISIN: its check digit is 6, and must be 5"
    assert again == {"failures": [{"index": 2}, {"index": 3}, {"index": 4}]}
    assert len([ask for ask in alpha.asked if hasattr(ask, "scheme")]) == 3


async def test_a_field_whose_number_is_ambiguous_says_so_with_the_candidates(room: Room) -> None:
    body = await room.ask('{ companyProfile(symbol: "cik:1652044") { name } }')

    (error,) = body["errors"]
    assert error["path"] == ["companyProfile"]
    assert error["extensions"] == error["extensions"] | {
        "code": "AMBIGUOUS_INSTRUMENT", "symbol": "cik:1652044", "candidates": ["equity:GOOG", "equity:GOOGL"],
    }  # fmt: skip


async def test_a_class_that_the_number_is_not_of_is_refused(room: Room) -> None:
    told = await room.error('{ quote(symbol: "US0378331005", assetClass: INDEX) { price } }')

    assert told == (
        "BAD_USER_INPUT",
        "assetClass: INDEX contradicts 'US0378331005', which is equity:AAPL: leave it out",
    )


async def test_other_fields_and_plugins_read_numbers_too(room: Room, alpha: type[Speaker]) -> None:
    profile = await room.data('{ companyProfile(symbol: "cik:789019") { name } }')
    await room.data('{ news(symbols: ["cik:789019", "equity:MSFT"]) { nodes { id } } }')

    assert profile == {"name": "equity:MSFT"}
    assert alpha.asked[-1].instruments == (equity("MSFT"),)


async def test_nobody_who_could_say_is_told_apart_from_a_number_that_is_unknown() -> None:
    def keyless(ask: Any) -> Any:
        raise KeyMissing("alpha", "needs a key")

    body = await Room(speaker({IDENTIFIERS: keyless})).ask('{ quote(symbol: "cik:789019") { price } }')

    (error,) = body["errors"]
    assert error["extensions"]["code"] == "PROVIDER_KEY_MISSING"
    assert error["extensions"]["symbol"] == "cik:789019"
    assert error["message"].startswith("nobody says whose number 'cik:789019' is: ")
