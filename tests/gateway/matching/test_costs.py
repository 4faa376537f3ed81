"""Slippage, commission, funding and interest, with exact figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from gateway.core.matching.fees import commission, commissions
from gateway.core.matching.funding import funding, interest, next_funding
from gateway.core.matching.margin import reserve
from gateway.core.matching.model import Fees, Slippage
from gateway.core.matching.slippage import fraction, jitter, slipped
from gateway.core.matching.venue import accept, step
from schema.words.orders import Liquidity, SlippageKind
from tests.gateway.matching.tapes import (
    BOOK,
    BUY,
    QUOTES,
    SELL,
    SPEC,
    depth,
    order,
    quote,
    resting,
    slippage,
    told,
)

CENT = D("0.01")
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER


def test_basis_points_make_a_taker_pay_more_and_get_less():
    model = slippage(SlippageKind.BASIS_POINTS, bps="5")
    now = quote(100, 101)

    bought, sold = (accept(order(side, "MARKET"), now, SPEC, model) for side in (BUY, SELL))

    assert told(bought)[1] == "1@101.06T"  # 101.0505, rounded up to the tick
    assert told(sold)[1] == "1@99.95T"
    assert bought.executions[0].reference == 101


def test_slippage_goes_never_beyond_the_limit_and_never_touches_a_maker():
    model = slippage(SlippageKind.BASIS_POINTS, bps="500")

    assert told(accept(order(BUY, "LIMIT", limit=102), quote(100, 101), SPEC, model))[1] == "1@102T"
    assert told(accept(order(SELL, "LIMIT", limit=98), quote(100, 101), SPEC, model))[1] == "1@98T"
    assert told(step(resting(BUY, "LIMIT", limit=102), quote(100, 101), SPEC, model))[1] == "1@101M"


def test_the_size_model_is_a_base_and_a_tenth_of_a_percent_for_each_unit():
    model = Slippage(kind=SlippageKind.SIZE, bps=D(2))

    assert fraction(model, D(3), None, D(0)) == D("0.0032")
    assert fraction(model, D(3), None, D(1)) == D("0.0034")
    assert fraction(model, D(3), None, D(-1)) == D("0.003")
    assert fraction(model, D(50), None, D(0)) == D("0.01")  # the cap
    assert fraction(replace(model, bps=D(0)), D("0.001"), None, D(-1)) == 0  # no better than the market


def test_the_size_model_counts_all_that_a_message_fills():
    model = replace(BOOK, slippage=Slippage(kind=SlippageKind.SIZE, jitter=D(0)))
    book = depth(asks=[(100, 1), (200, 3)])

    assert told(accept(order(BUY, "MARKET", "4"), book, SPEC, model))[1] == "1@100.4T 3@200.8T"


def test_volume_share_is_the_square_of_the_share():
    model = Slippage(kind=SlippageKind.VOLUME_SHARE, most=D(1))

    assert fraction(model, D(5), D(10), D(0)) == D("0.025")
    assert fraction(model, D(50), D(10), D(0)) == D("0.1")
    assert fraction(model, D(5), None, D(0)) == 0
    assert fraction(replace(model, most=CENT), D(5), D(10), D(0)) == CENT


def test_volume_share_looks_at_what_was_traded_and_else_at_what_is_offered():
    model = slippage(SlippageKind.VOLUME_SHARE, most="1")

    assert told(accept(order(BUY, "MARKET", "2"), quote(99, 100, 9, 4), SPEC, model))[1] == "2@102.5T"
    assert told(accept(order(BUY, "MARKET", "2"), quote(99, 100, 9, 4, traded=20), SPEC, model))[1] == "2@100.1T"
    assert told(accept(order(BUY, "MARKET", "2"), quote(99, 100), SPEC, model))[1] == "2@100T"


def test_jitter_is_the_same_for_the_same_seed_order_and_fill():
    drawn = [jitter(seed, order, number) for seed in (0, 1) for order in (7, 8) for number in (1, 2)]

    assert drawn == [jitter(seed, order, number) for seed in (0, 1) for order in (7, 8) for number in (1, 2)]
    assert len(set(drawn)) == 8
    assert all(-1 <= each <= 1 for each in drawn)
    assert jitter(0, 7, 1) == D("0.799401")


@pytest.mark.parametrize(
    ("side", "price", "part", "tick", "slid"),
    [
        (BUY, "100", "0.00012", None, "100.012"),
        (BUY, "100", "0.000123456", None, "100.0124"),
        (SELL, "0.00001234", "0.01", None, "0.000012216600"),
        (SELL, "0.01", "0.5", "0.01", "0.01"),  # never down to nothing
        (BUY, "100.005", "0.0001", "0.01", "100.02"),
        (BUY, "100.005", "0", "0.01", "100.005"),
    ],
)
def test_a_price_with_slippage_lies_on_the_tick_or_has_four_digits_more(side, price, part, tick, slid):
    assert slipped(side, D(price), D(part), tick and D(tick)) == D(slid)


def test_commission_is_a_rate_by_liquidity_a_rate_by_unit_and_a_fixed_part_with_the_first_fill():
    model = Fees(maker=D("0.0001"), taker=D("0.0004"), per_unit=D("0.005"), fixed=D(1))

    assert commission(model, D(10), D(50), D(1), TAKER, first=True) == D("1.25")
    assert commission(model, D(10), D(50), D(1), MAKER, first=False) == D("0.1")
    assert commission(model, D(10), D(50), D("0.1"), MAKER, first=False) == D("0.055")


def test_the_least_commission_counts_once_for_what_one_message_fills():
    model = Fees()

    assert commissions(model, [D("0.04")], "USD") == (D("0.04"),)
    assert commissions(model, [D("0.004")], "USD") == (CENT,)
    assert commissions(model, [D("0.001"), D("0.001"), D("0.002")], "USD") == (CENT, D(0), D(0))
    assert commissions(replace(model, least=D(1)), [D("0.2"), D("0.3")], "USD") == (D("0.7"), D("0.3"))
    assert commissions(model, [D("0.125"), D("0.135")], "USD") == (D("0.12"), D("0.14"))  # half to even
    assert commissions(model, [], "USD") == ()


@pytest.mark.parametrize(
    ("least", "currency", "paid"),
    [
        ("0.01", "USD", "0.01"),
        ("0.01", "USDT", "0.01"),
        ("0.01", "KWD", "0.010"),
        ("0.01", "JPY", "1"),
        ("0.01", "KRW", "1"),
        ("0.5", "JPY", "1"),
        ("0.001", "USD", "0.01"),
        ("0", "JPY", "0"),
        ("0.01", "BTC", "0.0000004"),
        ("0.01", "ETH", "0.0000004"),
        ("0.00001", "BTC", "0.00001"),
        ("5", "JPY", "5"),
    ],
)
def test_the_usual_least_is_a_cent_or_what_comes_next_and_not_a_hundredth_of_a_coin(least, currency, paid):
    assert commissions(Fees(least=D(least)), [D("0.0000004")], currency) == (D(paid),)


def test_what_is_priced_in_a_coin_pays_and_reserves_its_rate():
    spec = replace(SPEC, currency="BTC", tick=None, step=None)
    told = replace(quote("0.00199549", "0.00199549"), instrument=spec.instrument)
    bought = accept(order(BUY, "MARKET"), told, spec, replace(QUOTES, fees=Fees()), open=True)
    limit = order(BUY, "LIMIT", limit="0.002")

    assert [each.fee for each in bought.executions] == [D("0.0000004")]
    assert reserve(limit, D("0.002"), spec, replace(QUOTES, fees=Fees()), D(1), D(1)) == D("0.0020004")


def test_fills_carry_their_commission_in_the_currency_of_the_price():
    paying = replace(QUOTES, fees=Fees())

    assert [e.fee for e in accept(order(BUY, "MARKET", "2"), quote(99, 100), SPEC, paying).executions] == [D("0.04")]
    assert [e.fee for e in accept(order(BUY, "MARKET", "0.1"), quote(99, 100), SPEC, paying).executions] == [CENT]
    fixed = replace(paying, fees=Fees(fixed=D(1)))
    first = accept(order(BUY, "MARKET", "2"), quote(99, 100, 1, 1), SPEC, fixed)
    second = step(first.order, quote(99, 100), SPEC, fixed)
    assert [e.fee for made in (first, second) for e in made.executions] == [D("1.02"), D("0.02")]
    yen = replace(SPEC, currency="JPY")
    assert [e.fee for e in accept(order(BUY, "MARKET", "1"), quote(9, 12_500), yen, paying).executions] == [2]
    small = accept(order(BUY, "MARKET", "1"), quote(9, 100), replace(SPEC, currency="JPY"), paying)
    assert [e.fee for e in small.executions] == [1]


def test_longs_pay_a_positive_funding_rate_and_shorts_receive_it():
    assert funding(D(2), D(1), D("50000"), D("0.0001"), CENT) == -10
    assert funding(D(-2), D(1), D("50000"), D("0.0001"), CENT) == 10
    assert funding(D(2), D("0.01"), D("50000"), D("-0.0001"), CENT) == D("0.1")
    assert funding(D(1), D(1), D("123.45"), D("0.0001")) == D("-0.012345")


def test_funding_is_due_at_multiples_of_eight_hours():
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)

    assert next_funding(noon) == noon.replace(hour=16)
    assert next_funding(noon.replace(hour=16)) == noon.replace(day=3, hour=0)
    assert next_funding(noon, 1) == noon.replace(hour=13)
    assert next_funding(noon.replace(hour=21), 5) == noon.replace(day=3, hour=0)


def test_interest_is_simple_by_the_second():
    assert interest(D("-36500"), D("0.05"), timedelta(days=1), CENT) == -5
    assert interest(D("36500"), D("0.05"), timedelta(hours=12), CENT) == D("2.5")
