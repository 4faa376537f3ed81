"""The bridge to ccxt: against a stand-in, and against the package itself where it is installed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

from gateway.app import build_gateway
from gateway.core.bridges.asked import with_bridges
from gateway.core.bridges.ccxt import provider_of
from gateway.core.settings import Settings, SettingsError, load_settings
from gateway.core.upstream import RawReply, Request
from providers import Discovered
from providers.contract import Provider, per_minute
from schema.capability import Capability, Terms
from schema.errors import NoAnswer
from schema.symbols import crypto
from schema.words.books import ORDER_BOOK, OrderBookAsk, PriceLevel
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import Interval
from schema.words.trades import TRADES, Side, Trade, TradesAsk
from tests.gateway.bridges import fakeccxt
from tests.gateway.doubles import NOON, World, reply, world

PACKAGE = "ccxt.async_support"
PAIR = crypto("BTC", "MXN")
BOOKS = (
    b'{"success": true, "payload": [{"book": "btc_mxn", "minimum_amount": "0.00005", "maximum_amount": "500", '
    b'"minimum_value": "5", "tick_size": 0.01, "fees": {"flat_rate": {"maker": "0.5", "taker": "0.65"}}}]}'
)
TICKER = (
    b'{"success": true, "payload": {"book": "btc_mxn", "last": 91234.123456789012345, "bid": "91234.1", "ask": "0", '
    b'"high": "92000", "low": "90000", "volume": 6.16176186, "created_at": "2026-11-20T11:59:58+00:00"}}'
)
DEEP = "2.500000000000000001"
BOOK = {
    "success": True,
    "payload": {
        "updated_at": "2026-11-20T11:59:58+00:00", "sequence": "27214",
        "bids": [{"price": "9.5", "amount": "1"}, {"price": "10", "amount": DEEP}, {"price": "8", "amount": "0"}],
        "asks": [{"price": "11", "amount": "3"}, {"price": "100", "amount": "4"}],
    },
}  # fmt: skip
DEALS = {
    "success": True,
    "payload": [
        {"book": "btc_mxn", "created_at": "2026-11-20T11:59:59+00:00", "amount": "0.00022363", "maker_side": "buy",
         "price": "5545.01", "tid": 55845},
        {"book": "btc_mxn", "created_at": "2026-11-20T11:59:58+00:00", "amount": "1", "maker_side": "sell",
         "price": "5545.02", "tid": 55844},
    ],
}  # fmt: skip
BARS = (
    b'{"success": true, "payload": [{"bucket_start_time": 1795168800000, "first_rate": 44958.600000000000001, '
    b'"last_rate": "44979.88", "min_rate": "44957.33", "max_rate": "44979.89", "volume": "0.00082814"}]}'
)
ANSWERS: dict[str, Any] = {
    "available_books": BOOKS, "ticker": TICKER, "order_book": BOOK, "trades": DEALS, "ohlc": BARS,
}  # fmt: skip


@pytest.fixture(params=["stand-in", "package"])
def bitso(request: pytest.FixtureRequest) -> type[Provider]:
    if request.param == "package":
        pytest.importorskip("ccxt", reason="ccxt is an extra: make extras")
        return provider_of(import_module(PACKAGE).bitso)
    return provider_of(fakeccxt.bitso)


@pytest.fixture
def w(bitso: type[Provider]) -> World:
    made = world(bitso)
    made.wire.handlers["ccxt_bitso"] = answering()
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, fakeccxt)


def answering(**changed: Any) -> Any:
    def handler(request: Request) -> RawReply:
        found = {**ANSWERS, **changed}[request.path.rpartition("/")[2]]
        return found if isinstance(found, RawReply) else reply(found)

    return handler


async def asked(w: World, capability: Capability[Any, Any], ask: Any) -> Any:
    return (await w.data.fetch(capability, ask, Terms(providers=("ccxt_bitso",)))).value


def test_a_bridged_exchange_is_marked_in_its_id_its_name_and_its_origin(bitso: type[Provider]) -> None:
    assert bitso.profile.id == "ccxt_bitso"
    assert bitso.profile.name == "Bitso (via ccxt)"
    assert bitso.profile.base_url == "https://bitso.com"
    assert bitso.profile.limits == (per_minute(30),)
    assert sorted(bitso.offers) == ["candles", "instruments", "orderBook", "quotes", "trades"]
    assert bitso.offers["candles"].max_rows == 300
    assert Interval.D1 in bitso.offers["candles"].intervals
    assert Interval.W1 not in bitso.offers["candles"].intervals


async def test_a_quote_goes_through_our_port_and_stays_exact(w: World) -> None:
    found = await w.quote(PAIR)

    assert found.value.price == Decimal("91234.123456789012345")
    assert (found.value.bid, found.value.ask) == (Decimal("91234.1"), None)
    assert found.value.volume == Decimal("6.16176186")
    assert found.value.as_of == NOON - timedelta(seconds=2)
    assert found.provenance.provider == "ccxt_bitso"
    paths = [(request.path, request.params) for request in w.wire.requests]
    assert paths == [("/api/v3/available_books", ()), ("/api/v3/ticker", (("book", "btc_mxn"),))]


async def test_the_markets_are_fetched_once_for_all_asks(w: World) -> None:
    await w.quote(PAIR)
    await asked(w, TRADES, TradesAsk(instrument=PAIR))

    assert [request.path.rpartition("/")[2] for request in w.wire.requests] == ["available_books", "ticker", "trades"]


async def test_a_book_is_sorted_as_numbers(w: World) -> None:
    book = await asked(w, ORDER_BOOK, OrderBookAsk(instrument=PAIR))

    assert book.bids == (
        PriceLevel(price=Decimal(10), size=Decimal(DEEP)), PriceLevel(price=Decimal("9.5"), size=Decimal(1)),
    )  # fmt: skip
    assert [level.price for level in book.asks] == [Decimal(11), Decimal(100)]


async def test_trades_ascend_and_have_the_takers_side(w: World) -> None:
    first, last = await asked(w, TRADES, TradesAsk(instrument=PAIR))

    assert first.side is Side.BUY
    assert last == Trade(
        id="55845", time=NOON - timedelta(seconds=1), price=Decimal("5545.01"), size=Decimal("0.00022363"),
        side=Side.SELL, provenance=last.provenance,
    )  # fmt: skip


async def test_candles_begin_where_they_are_asked_to(w: World) -> None:
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    ask = CandlesAsk(instrument=PAIR, interval=Interval.H1, start=start, end=start + timedelta(hours=1))

    bars = await asked(w, CANDLES, ask)

    assert bars.open_time == (start,)
    assert (bars.open, bars.high, bars.low, bars.close, bars.volume) == (
        (Decimal("44958.600000000000001"),), (Decimal("44979.89"),), (Decimal("44957.33"),), (Decimal("44979.88"),),
        (Decimal("0.00082814"),),
    )  # fmt: skip
    assert dict(w.wire.requests[-1].params)["start"] == "1795168800000"


async def test_the_list_of_markets_has_their_rules(w: World) -> None:
    assert await asked(w, INSTRUMENTS, InstrumentsAsk()) == (
        Listing(
            instrument=PAIR, provider_symbol="btc_mxn", tick_size=Decimal("0.01"), min_size=Decimal("0.00005"),
            max_size=Decimal(500), min_notional=Decimal(5),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply({"success": False, "error": {"code": "9999", "message": "closed"}}), "NOT_COVERED"),
        (reply({"success": False}, 429, {"retry-after": "7"}), "UPSTREAM_THROTTLED"),
        (reply(b"<html>", 503), "UPSTREAM_UNAVAILABLE"),
        (reply(b"{"), "UPSTREAM_MALFORMED"),
        (reply({"success": True, "payload": {"last": "x"}}), "UPSTREAM_MALFORMED"),
    ],
)
async def test_refusals_are_told_apart(w: World, answer: RawReply, code: str) -> None:
    w.wire.handlers["ccxt_bitso"] = answering(ticker=answer)

    refused = await w.refused(PAIR)

    assert [attempt.code for attempt in refused.attempts] == [code]


async def test_a_pair_that_is_not_listed_is_unknown_and_not_asked_for(w: World) -> None:
    with pytest.raises(NoAnswer) as refused:
        await w.quote(crypto("BTC", "XYZ"))

    assert [attempt.code for attempt in refused.value.attempts] == ["UNKNOWN_INSTRUMENT"]
    assert [request.path for request in w.wire.requests] == ["/api/v3/available_books"]


@pytest.mark.usefixtures("installed")
def test_an_exchange_is_loaded_where_it_is_asked_for_and_nowhere_else() -> None:
    asked = load_settings({"MARKETGATE_CCXT": "bitso", "MARKETGATE_PROVIDERS": "kraken"}, None).settings

    listed = {str(each.id): each.origin for each in build_gateway(asked).inventory.all()}
    plain = with_bridges(Settings(), Discovered(classes={}, failed={}))

    assert listed == {"ccxt_bitso": "tests.gateway.bridges.fakeccxt", "kraken": "builtin"}
    assert plain.classes == {}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        ("bitsoo", "MARKETGATE_CCXT: ccxt has no exchange 'bitsoo'; did you mean bitso?"),
        ("kraken", "MARKETGATE_CCXT: there is an adapter of kraken here, which is better proven: leave 'kraken' out"),
        ("huobi", "MARKETGATE_CCXT: there is an adapter of htx here, which is better proven: leave 'huobi' out"),
        ("BaseError", "MARKETGATE_CCXT: ccxt has no exchange 'BaseError'"),
    ],
)
def test_an_exchange_that_cannot_be_bridged_stops_the_start(exchange: str, told: str) -> None:
    with pytest.raises(SettingsError) as stopped:
        build_gateway(Settings(ccxt=(exchange,)))

    assert str(stopped.value) == told


def test_a_missing_package_stops_the_start_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)

    with pytest.raises(SettingsError, match=r"pip install 'marketgate\[ccxt\]'"):
        build_gateway(Settings(ccxt=("bitso",)))
