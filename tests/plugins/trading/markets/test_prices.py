"""Prices and rates of a market of one provider, as accounts ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Gateway, build_gateway
from gateway.core.contract import Context
from gateway.core.identity import LOCAL
from gateway.core.matching.model import ExecutionModel
from gateway.core.settings import Settings
from gateway.edge.execute import RequestFacts
from plugins.trading.markets.heard import FeedKey, Heard
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import Priced, aged
from plugins.trading.markets.prices import Prices
from plugins.trading.markets.ticks import stamp_of
from providers import Discovered
from schema.errors import FailureCode, NoAnswer
from schema.provenance import Conversion, DataMode, FeedDelay
from schema.symbols import InstrumentId, parse_instrument
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk, PriceLevel
from schema.words.instruments import INSTRUMENTS, Listing
from schema.words.orders import FillSource
from schema.words.problems import Refused
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.venues import MarketState
from tests.gateway.doubles import ManualClock
from tests.plugins.speakers import speaker
from tests.plugins.trading.rowsof import MADE, NOON, D

BTC, ETH, DEAD = (parse_instrument(f"crypto:{each}") for each in ("BTC/USD", "ETH/EUR", "DEAD/USD"))
TOLD = {"crypto:BTC/USD": "100", "crypto:ETH/EUR": "50", "fx:EUR/USD": "1.1"}
TICKS = {"alpha": "0.01", "beta": "0.05"}
BY_BOOK = ExecutionModel(source=FillSource.BOOK)


def listing(tick: str) -> Listing:
    return Listing(instrument=BTC, provider_symbol="BTCUSD", tick_size=D(tick), step_size=D("0.001"))


class Market:
    """What its one provider tells, and what it was asked."""

    def __init__(self) -> None:
        self.told = dict(TOLD)
        self.asked: list[str] = []
        self.stamp = NOON
        self.clock = ManualClock(NOON)
        says: Any = {QUOTES: self._quotes, ORDER_BOOK: self._book}
        listed = {name: {INSTRUMENTS: lambda ask, tick=tick: (listing(tick),)} for name, tick in TICKS.items()}
        settings = Settings(env="development", upstreams="live")
        classes: Any = {
            "alpha": speaker(says | listed["alpha"]), "beta": speaker(listed["beta"], name="beta", priority=20),
        }  # fmt: skip
        found = Discovered(classes=classes, failed={})
        self.gateway: Gateway = build_gateway(settings, discovered=found, clock=self.clock)

    def context(self) -> Context:
        return self.gateway.context(RequestFacts(request_id="r", transport="test"), LOCAL)

    def _quotes(self, ask: QuotesAsk) -> list[Quote]:
        self.asked += [str(each) for each in ask.instruments]
        return [
            Quote(instrument=each, price=D(self.told[str(each)]), price_type=PriceType.LAST, as_of=self.stamp)
            for each in ask.instruments
            if str(each) in self.told
        ]

    def _book(self, ask: OrderBookAsk) -> OrderBook:
        levels: Any = tuple(PriceLevel(price=D(price), size=D(1)) for price in ("99", "98"))
        asks = () if ask.instrument == DEAD else (PriceLevel(price=D(103), size=D(2)),)
        return OrderBook(instrument=ask.instrument, bids=() if ask.instrument == DEAD else levels, asks=asks)


@pytest.fixture
def market() -> Market:
    return Market()


async def test_what_is_held_is_marked_in_one_ask_and_what_has_no_price_says_why(market: Market):
    prices = Prices.of(market.context())

    found = await prices.marks([str(BTC), str(ETH), str(DEAD)], {"USD", "GBP"}, "USD", BY_BOOK)
    again = await prices.marks([str(BTC)], (), "USD", ExecutionModel())

    assert {name: (mark.price, mark.currency, mark.stale, mark.open) for name, mark in found.prices.items()} == {
        "crypto:BTC/USD": (D(100), "USD", False, True), "crypto:ETH/EUR": (D(50), "EUR", False, True),
    }  # fmt: skip
    assert {name: (rate.rate, rate.provenance.provider) for name, rate in found.rates.items()} == {
        "EUR": (D("1.1"), "alpha")
    }
    assert sorted(found.failures) == ["GBP", "crypto:DEAD/USD"]
    assert found.worth(D(2), "EUR") == D("2.2")
    assert (found.worth(D(2), "GBP"), found.worth(D(0), "GBP"), found.worth(D(2), "USD")) == (None, D(0), D(2))
    assert found.modes == {DataMode.LIVE}
    assert again.prices["crypto:BTC/USD"].price == 100
    assert market.asked.count("crypto:BTC/USD") == 1


async def test_answers_of_an_operation_stand_for_two_seconds(market: Market):
    prices = Prices.of(market.context())
    first = await prices.priced(BTC, ExecutionModel())

    market.told["crypto:BTC/USD"] = "101"
    market.clock.turn(1.9)
    held = await prices.priced(BTC, ExecutionModel())
    market.clock.turn(0.2)
    new = await prices.priced(BTC, ExecutionModel())

    assert [first.price, held.price, new.price] == [100, 100, 101]


@pytest.mark.parametrize(
    ("provider", "stamped", "came", "price"),
    [
        ("alpha", 1, 1, 105), ("alpha", 0, 1, 105), ("alpha", -1, 1, 100), ("beta", -1, 1, 105), ("beta", 1, -1, 100),
        ("alpha", None, 1, 105), ("alpha", None, -1, 100),
    ],
)  # fmt: skip
async def test_a_message_that_came_after_an_answer_is_the_price(
    market: Market, provider: str, stamped: int | None, came: int, price: int
):
    context = market.context()
    answer = (await Prices.of(context).answered([BTC], ExecutionModel()))[BTC]
    assert isinstance(answer, Priced)
    as_of = None if stamped is None else NOON + timedelta(seconds=stamped)
    tick = replace(answer.tick, provider=provider, as_of=as_of, at=NOON + timedelta(seconds=came))
    own = replace(answer.provenance, provider=provider, as_of=as_of, fetched_at=tick.at)
    key = FeedKey(tenant=context.tenant, provider=None, source=FillSource.QUOTES, instrument=BTC)
    heard = replace(answer, price=D(105), tick=tick, provenance=own)
    market.gateway.host.service(Heard).begin(key, lambda _: heard)

    found = await Prices.of(context).priced(BTC, ExecutionModel())
    others = await Prices.of(context).priced(BTC, ExecutionModel(provider="alpha"))

    assert [found.price, others.price] == [D(price), D(100)]


@pytest.mark.parametrize(
    ("made", "price"),
    [
        ({"as_of": NOON - timedelta(seconds=900), "delay_seconds": 900, "delay": FeedDelay.DELAYED}, 100),
        ({"as_of": None, "fetched_at": NOON, "delay_seconds": 900, "delay": FeedDelay.DELAYED}, 100),
        ({"as_of": NOON - timedelta(seconds=50)}, 100), ({"as_of": NOON - timedelta(seconds=4)}, 105),
        ({"as_of": NOON + timedelta(seconds=6)}, 105),
    ],
)  # fmt: skip
async def test_a_message_of_another_provider_that_is_far_behind_an_answer_is_not_the_price(
    market: Market, made: dict[str, Any], price: int
):
    context = market.context()
    answer = await Prices.of(context).priced(BTC, ExecutionModel())
    own = replace(answer.provenance, provider="beta", **made)
    tick = replace(answer.tick, provider="beta", as_of=stamp_of(own), at=NOON + timedelta(seconds=1))
    key = FeedKey(tenant=context.tenant, provider=None, source=FillSource.QUOTES, instrument=BTC)
    heard = replace(answer, price=D(105), provenance=own, tick=tick)
    market.gateway.host.service(Heard).begin(key, lambda _: heard)

    found = await Prices.of(market.context()).priced(BTC, ExecutionModel())

    assert found.price == price


async def test_a_message_that_is_too_old_does_not_hide_an_answer_that_is_not(market: Market):
    context, model = market.context(), ExecutionModel(max_age_ms=1000)
    answer = await Prices.of(context).priced(BTC, model)
    tick = replace(answer.tick, provider="beta", at=NOON + timedelta(seconds=1))
    heard = replace(answer, price=D(105), tick=tick, age=timedelta(seconds=2))
    key = FeedKey(tenant=context.tenant, provider=None, source=FillSource.QUOTES, instrument=BTC)
    market.gateway.host.service(Heard).begin(key, lambda _: heard)

    by_default = await Prices.of(market.context()).priced(BTC, ExecutionModel())
    strict = await Prices.of(market.context()).priced(BTC, model)

    assert [by_default.price, strict.price] == [105, 100]


@pytest.mark.parametrize(("came", "opened"), [(-1, False), (1, True)])
async def test_whether_a_market_is_open_is_as_it_was_told_last(market: Market, came: int, opened: bool):
    context = market.context()
    found = await Prices.of(context).priced(BTC, ExecutionModel())
    before = replace(found.provenance, as_of=NOON - timedelta(seconds=3))
    answer = replace(found, provenance=before, state=MarketState.CLOSED, open=False)
    at = NOON + timedelta(seconds=came)
    own = replace(found.provenance, as_of=NOON - timedelta(seconds=2), fetched_at=at)
    heard = replace(found, provenance=own, tick=replace(found.tick, at=at))
    key = FeedKey(tenant=context.tenant, provider=None, source=FillSource.QUOTES, instrument=BTC)
    market.gateway.host.service(Heard).begin(key, lambda _: heard)

    newer = Prices.of(context).newer(BTC, answer, ExecutionModel())

    assert isinstance(newer, Priced)
    assert (newer.tick, newer.open) == (heard.tick, opened)


async def test_who_trades_asks_anew_for_a_copy_from_before_and_for_nothing_that_was_fetched_since(market: Market):
    cold = await Prices.of(market.context()).newest(BTC, ExecutionModel(), market.clock.now())
    market.told["crypto:BTC/USD"] = "101"
    market.clock.turn(1)
    now = market.clock.now()

    shown = await Prices.of(market.context()).priced(BTC, ExecutionModel())
    prices = Prices.of(market.context())
    second = await prices.newest(BTC, ExecutionModel(), now)
    again, marks = await prices.newest(BTC, ExecutionModel(), now), await prices.marks([str(BTC)], (), "USD", BY_BOOK)

    assert isinstance(cold, Priced)
    assert isinstance(second, Priced)
    assert [cold.price, shown.price, second.price] == [100, 100, 101]
    assert again is second
    assert marks.prices[str(BTC)].price == 101
    assert market.asked == [str(BTC)] * 2


async def test_a_book_is_asked_for_anew_by_who_trades(market: Market):
    first = await Prices.of(market.context()).priced(BTC, BY_BOOK)
    market.clock.turn(0.5)

    second = await Prices.of(market.context()).newest(BTC, BY_BOOK, market.clock.now())

    assert isinstance(second, Priced)
    took = second.provenance.fetched_at - first.provenance.fetched_at
    assert took == timedelta(seconds=0.5)


@pytest.mark.parametrize(("stamped", "price"), [(-1, 100), (0, 101), (1, 101)])
async def test_what_its_own_provider_had_told_before_is_not_taken_back(market: Market, stamped: int, price: int):
    await Prices.of(market.context()).priced(BTC, ExecutionModel())
    market.clock.turn(1.5)
    market.told[str(BTC)], market.stamp = "101", NOON + timedelta(seconds=stamped)

    found = await Prices.of(market.context()).newest(BTC, ExecutionModel(), market.clock.now())

    assert isinstance(found, Priced)
    assert [found.price, len(market.asked), found.told_since(market.clock.now())] == [price, 2, True]


@pytest.mark.parametrize(
    ("given", "quiet", "asked"), [({"pushed": True}, 5, 1), ({"pushed": True}, 5.1, 2), ({"pushed": False}, 0.1, 2)]
)
async def test_what_is_pushed_here_is_not_asked_for_anew_before_it_has_been_quiet_for_long(
    market: Market, given: dict[str, Any], quiet: float, asked: int
):
    context = market.context()
    first = await Prices.of(context).priced(BTC, ExecutionModel())
    market.clock.turn(1)
    told = _told(market, first, 105, **given)
    market.clock.turn(quiet)

    found = await Prices.of(market.context()).newest(BTC, ExecutionModel(), market.clock.now())

    assert isinstance(found, Priced)
    assert (found.tick, found.price) == (told.tick, told.price)
    assert found.told_since(market.clock.now())
    assert len(market.asked) == asked + (quiet > 2)


@pytest.mark.parametrize("ahead", [0, 2, 60, 3600])
async def test_a_stamp_in_the_future_makes_no_message_newer_than_its_arrival(market: Market, ahead: int):
    first = await Prices.of(market.context()).priced(BTC, ExecutionModel())
    told, key = _told(market, first, 105), FeedKey(
        tenant=LOCAL.tenant, provider=None, source=FillSource.QUOTES, instrument=BTC
    )  # fmt: skip
    own = replace(told.provenance, as_of=told.tick.at + timedelta(seconds=ahead))
    market.gateway.host.service(Heard).begin(key, lambda _: replace(told, provenance=own))
    market.clock.turn(20)
    market.told[str(BTC)], market.stamp = "151", market.clock.now()

    found = await Prices.of(market.context()).newest(BTC, ExecutionModel(), market.clock.now())

    assert isinstance(found, Priced)
    assert found.price == 151


async def test_what_is_told_later_counts_where_it_came_from_whoever_listens_here(market: Market):
    first = await Prices.of(market.context()).priced(BTC, ExecutionModel())
    nobody = NoAnswer(str(BTC), FailureCode.UPSTREAM_UNAVAILABLE, "nobody", ())
    market.clock.turn(1)
    told = _told(market, first, 106)

    prices = Prices.of(market.context())

    assert [prices.newer(BTC, each, ExecutionModel()) for each in (first, nobody)] == [told, told]


@pytest.mark.parametrize(("seconds", "price"), [(1, D(100)), (1.1, None)])
async def test_a_copy_counts_for_a_second_while_nobody_answers_anew(market: Market, seconds: float, price: Any):
    await Prices.of(market.context()).priced(BTC, ExecutionModel())
    del market.told[str(BTC)]
    market.clock.turn(seconds)

    found = await Prices.of(market.context()).newest(BTC, ExecutionModel(), market.clock.now())

    assert getattr(found, "price", None) == price
    assert isinstance(found, Priced if price else NoAnswer)


async def test_what_runs_behind_is_not_taken_for_a_copy_that_does_not(market: Market, monkeypatch: pytest.MonkeyPatch):
    prices, now = Prices.of(market.context()), market.clock.now
    first, real = await prices.priced(BTC, ExecutionModel()), prices.answered

    async def behind(
        instruments: Sequence[InstrumentId], model: ExecutionModel, *, anew: bool = False
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        found = await real(instruments, model, anew=anew)
        late = replace(first.provenance, provider="beta", delay=FeedDelay.DELAYED, delay_seconds=900, fetched_at=now())
        tick = replace(first.tick, provider="beta")
        return {BTC: replace(first, price=D(81), provenance=late, tick=tick)} if anew else found

    monkeypatch.setattr(prices, "answered", behind)
    market.clock.turn(1)
    soon = await prices.newest(BTC, ExecutionModel(), now())
    market.clock.turn(0.5)
    later = await prices.newest(BTC, ExecutionModel(), now())

    assert isinstance(soon, Priced)
    assert isinstance(later, NoAnswer)
    assert (soon.price, later.message) == (
        D(100), "alpha does not answer now, and what beta tells runs behind",
    )  # fmt: skip


async def test_many_are_asked_for_at_once_and_what_nobody_lists_is_told_by_who_asks_for_it(market: Market):
    prices, now = Prices.of(market.context()), market.clock.now()

    await prices.ask_ahead([BTC, ETH, BTC, parse_instrument("crypto:NOPE/USD")], ExecutionModel(), now)
    found = await prices.newest(BTC, ExecutionModel(), now)

    assert isinstance(found, Priced)
    assert sorted(market.asked) == [str(BTC), str(ETH), "crypto:NOPE/USD"]


def _told(market: Market, answer: Priced, price: int, **given: Any) -> Priced:
    """What a stream says now."""
    now, key = market.clock.now(), FeedKey(tenant=LOCAL.tenant, provider=None, source=FillSource.QUOTES, instrument=BTC)
    made = replace(answer.provenance, fetched_at=now, as_of=now)
    told = replace(
        answer,
        price=D(price),
        provenance=made,
        tick=replace(answer.tick, at=now, as_of=now),
        **{"pushed": True} | given,
    )
    market.gateway.host.service(Heard).begin(key, lambda _: told)
    return told


async def test_an_account_on_books_is_told_depth_and_an_empty_book_is_no_price(market: Market):
    prices = Prices.of(market.context())

    found = await prices.priced(BTC, BY_BOOK)
    with pytest.raises(Refused) as refused:
        await prices.priced(DEAD, BY_BOOK)

    assert (found.price, found.tick.bid, found.tick.ask) == (D(101), D(99), D(103))
    assert len(found.tick.bids) == 2
    assert (refused.value.code, refused.value.message) == (
        "NO_PRICE", "Nobody prices crypto:DEAD/USD now: the book of crypto:DEAD/USD is empty.",
    )  # fmt: skip


async def test_a_price_grows_old_and_its_mark_with_it(market: Market):
    market.clock.turn(61)

    found = await Prices.of(market.context()).priced(BTC, ExecutionModel())
    marks = await Prices.of(market.context()).marks([str(BTC)], (), "USD", ExecutionModel())

    assert (found.age, found.too_old(ExecutionModel())) == (timedelta(seconds=61), True)
    assert marks.prices[str(BTC)].stale


async def test_a_rate_between_currencies_may_be_an_hour_old_and_of_a_coin_as_old_as_its_price(market: Market):
    market.told["crypto:USDT/USD"] = "1"
    old = {}

    for seconds in (61, 3540, 2):
        market.clock.turn(seconds)
        found = await Prices.of(market.context()).marks([], {"EUR", "USDT"}, "USD", ExecutionModel())
        old[seconds] = set(found.old_rates)

    assert old == {61: {"USDT"}, 3540: {"USDT", "EUR"}, 2: {"USDT", "EUR"}}


async def test_symbols_are_read_and_what_is_none_says_the_way_out(market: Market):
    prices = Prices.of(market.context())

    assert await prices.find("btc-usd") == BTC
    for symbol in ("what is this", ""):
        with pytest.raises(Refused) as refused:
            await prices.find(symbol, "symbol")
        assert (refused.value.code, refused.value.field) == ("UNKNOWN_INSTRUMENT", ("symbol",))
    with pytest.raises(Refused) as index:
        await prices.spec(parse_instrument("index:SPX"), "symbol")
    assert index.value.code == "UNKNOWN_INSTRUMENT"


async def test_what_is_paid_in_money_that_nobody_names_is_refused_with_its_field(market: Market):
    with pytest.raises(Refused) as refused:
        await Prices.of(market.context()).spec(parse_instrument("crypto:NOPE/XXX"), "symbol")

    assert (refused.value.code, refused.value.field) == ("NO_PRICE", ("symbol",))


async def test_rules_are_those_of_the_provider_whose_prices_count(market: Market):
    prices = Prices.of(market.context())

    first = await prices.spec(BTC)
    pinned = await prices.spec(BTC, model=ExecutionModel(provider="beta"))
    unlisted = await prices.spec(ETH)

    assert (first.tick, first.step, first.currency) == (D("0.01"), D("0.001"), "USD")
    assert (pinned.tick, pinned.step, pinned.instrument) == (D("0.05"), D("0.001"), BTC)
    assert (unlisted.tick, unlisted.currency) == (None, "EUR")


async def test_of_many_prices_those_that_nobody_tells_are_failures(market: Market):
    found = await Prices.of(market.context()).all_priced([BTC, DEAD], ExecutionModel(provider="alpha"))

    assert isinstance(found[BTC], Priced)
    assert isinstance(found[DEAD], NoAnswer)
    with pytest.raises(Refused) as refused:
        await Prices.of(market.context()).rate("GBP", "JPY", "to")
    assert (refused.value.code, refused.value.field) == ("NO_PRICE", ("to",))


def test_rates_of_coins_grow_old_while_an_answer_is_kept_also_behind_one_of_money() -> None:
    made = replace(MADE, as_of=NOON, fetched_at=NOON)
    tether, dollar = (
        Conversion(from_currency=source, to_currency="EUR", rate=D("0.9"), provenance=made)
        for source in ("USDT", "USD")
    )
    by_tether = replace(dollar, provenance=replace(made, conversion=tether))
    marks = Marks(currency="EUR", rates={"USDT": tether, "USD": dollar, "JPY": by_tether})

    found = [aged(marks, ExecutionModel(), NOON + timedelta(seconds=each)).old_rates for each in (60, 61)]

    assert found == [frozenset(), frozenset({"USDT", "JPY"})]
