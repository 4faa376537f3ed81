"""What holds for every tape: random orders against random quotes, books and bars."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.matching.chances import limit_of
from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.model import ExecutionModel, Fees, Slippage, Working
from gateway.core.matching.positions import apply
from gateway.core.matching.rounding import fits, total_of
from gateway.core.matching.rules import check_form
from gateway.core.matching.venue import accept, match
from gateway.core.quant.lots import LotMethod
from schema.words.orders import FillSource, Liquidity, OrderType, SlippageKind, TimeInForce
from tests.gateway.matching.tapes import BUY, SELL, SPEC, at, bar, depth, order, quote

PRICES = st.integers(9_000, 11_000).map(lambda cents: D(cents) / 100)
SIZES = st.integers(1, 4_000).map(lambda milli: D(milli) / 1_000)


@st.composite
def orders(draw, name):
    kind, side = draw(st.sampled_from(OrderType)), draw(st.sampled_from([BUY, SELL]))
    tif = draw(st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD]))
    fields = {
        "limit": draw(PRICES) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        "stop": draw(PRICES) if kind.value.startswith(("STOP", "MARKET_IF")) else None,
        "trail_amount": draw(st.integers(1, 5)) if kind is OrderType.TRAILING_STOP else None,
        "expires_at": at(draw(st.integers(60, 600))) if tif is TimeInForce.GTD else None,
        "post_only": kind is OrderType.LIMIT and tif is TimeInForce.GTC and draw(st.booleans()),
        "reduce_only": draw(st.booleans()),
        "group": draw(st.sampled_from([None, None, "g"])),
    }
    return order(side, kind, str(draw(SIZES)), tif=tif, name=name, seconds=draw(st.integers(0, 300)), **fields)


@st.composite
def messages(draw, source, second):
    spread = draw(st.integers(0, 50))
    middle = draw(PRICES)
    bid, ask = middle, middle + D(spread) / 100
    if source is FillSource.BARS:
        low, high = middle - D(draw(st.integers(0, 300))) / 100, middle + D(draw(st.integers(0, 300))) / 100
        inside = st.integers(0, 100).map(lambda share: (low + (high - low) * share / 100).quantize(D("0.01")))
        return bar(second, draw(inside), high, low, draw(inside), draw(st.one_of(st.none(), SIZES)))
    if source is FillSource.BOOK:
        sizes = draw(st.lists(SIZES, min_size=4, max_size=4))
        bids = [(bid - n, size) for n, size in enumerate(sizes[:2])]
        return depth(bids, [(ask + n, size) for n, size in enumerate(sizes[2:])], second)
    sized = st.one_of(st.none(), SIZES)
    return draw(
        st.one_of(
            st.just(quote(bid, ask, draw(sized), draw(sized), seconds=second)),
            st.just(quote(last=middle, traded=draw(sized), seconds=second)),
            st.just(quote(bid, seconds=second)),
        )
    )


@st.composite
def stories(draw):
    source = draw(st.sampled_from(FillSource))
    model = ExecutionModel(
        source=source,
        participation=draw(st.sampled_from([D(1), D("0.37")])),
        slippage=Slippage(kind=draw(st.sampled_from(SlippageKind)), bps=D(3)),
        fees=Fees(),
        latency_ms=draw(st.sampled_from([0, 40_000])),
        seed=draw(st.integers(0, 9)),
    )
    placed = [draw(orders(f"o{number}")) for number in range(draw(st.integers(1, 5)))]
    return model, placed, [draw(messages(source, second)) for second in range(0, 600, 60)]


def played(story):
    """Each message's steps, every order accepted before the first message that follows it."""
    model, placed, tape = story
    open_, held, told = {}, D(0), []
    waiting = sorted(placed, key=lambda each: (each.accepted_at, each.id))
    for tick in tape:
        while waiting and waiting[0].accepted_at <= tick.at:
            made = accept(waiting.pop(0), None, SPEC, model)
            open_[made.order.id] = made.order
        steps = match(open_.values(), tick, SPEC, model, held=held)
        for made in steps:
            sign = 1 if made.order.side is BUY else -1
            held += sign * total_of(each.quantity for each in made.executions)
        open_.update({made.order.id: made.order for made in steps})
        told.append((tick, steps))
    return told


def keeps_to_its_terms(story):
    """No order is filled beyond its quantity or its limit, and none leaves a terminal state."""
    _, placed, _ = story
    filled, ended = dict.fromkeys((each.id for each in placed), D(0)), dict[str, Working]()
    for each in placed:
        assert check_form(each, at(-1)) == ()
    for tick, steps in played(story):
        for made in steps:
            now = made.order
            if now.id in ended:
                assert (now, made.executions, made.changed) == (ended[now.id], (), False)
            for number, each in enumerate(made.executions, now.fills - len(made.executions) + 1):
                assert each.number == number
                assert each.quantity > 0
                assert tick.at >= now.accepted_at
                assert tick.bar is None or tick.bar.low <= each.reference <= tick.bar.high
                assert tick.bar is None or tick.bar.start >= now.accepted_at
                assert (each.price - each.reference) * (1 if now.side is BUY else -1) >= 0
                assert each.liquidity is Liquidity.TAKER or each.price == each.reference
                limit = limit_of(now)
                assert limit is None or (each.price <= limit if now.side is BUY else each.price >= limit)
                assert now.expires_at is None or tick.at <= now.expires_at
            filled[now.id] += total_of(each.quantity for each in made.executions)
            assert filled[now.id] == now.filled <= now.quantity
            assert fits(now.left, SPEC.step)
            assert made.reason is None or now.status in TERMINAL
            if now.status in TERMINAL:
                ended[now.id] = now


@settings(max_examples=80, deadline=None, derandomize=True)
@given(stories())
def test_orders_keep_to_their_terms_messages_to_what_they_offer_and_money_is_conserved(story):
    keeps_to_its_terms(story)
    gives_no_more_than_it_offers(story)
    closes_and_conserves(story)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(stories())
def test_the_same_tape_and_seed_fill_the_same_way_in_whatever_order_the_orders_are_given(story):
    model, placed, tape = story

    assert played(story) == played((model, placed[::-1], tape))


def gives_no_more_than_it_offers(story):
    """And to one order of a group."""
    model, _, _ = story
    for tick, steps in played(story):
        groups = [made.order.group for made in steps if made.executions and made.order.group]
        assert len(groups) <= 1
        for side, size in offered(tick):
            taken = [
                total_of(each.quantity for each in made.executions) for made in steps if side in (None, made.order.side)
            ]
            assert size is None or (total_of(taken) <= size and max(taken, default=D(0)) <= size * model.participation)


def offered(tick):
    """How much is there, by side; None stands for both."""
    if tick.bar is not None:
        return [(None, tick.bar.volume)]
    if tick.asks or tick.bids:
        sums = [total_of(each.size for each in side) for side in (tick.asks, tick.bids)]
        return list(zip((BUY, SELL), sums, strict=True))
    if tick.bid is None and tick.ask is None:
        return [(None, tick.traded)]
    return [(BUY, tick.ask_size), (SELL, tick.bid_size)]


def closes_and_conserves(story):
    """No reduce-only order makes a position larger; cash and cost are what was realised."""
    position, cash, realised = None, D(0), D(0)
    for _, steps in played(story):
        for made in steps:
            for each in made.executions:
                before = position.quantity if position else D(0)
                applied = apply(
                    position, made.order.side, each.quantity, each.price, each.at, LotMethod.FIFO, quantum=D("0.01")
                )
                position, cash, realised = applied.position, cash + applied.cash, realised + applied.realised
                after = position.quantity if position else D(0)
                assert not made.order.reduce_only or (abs(after) < abs(before) and after * before >= 0)
    assert cash + (position.cost if position else 0) == realised


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_decides_the_jitter(seed):
    model = ExecutionModel(slippage=Slippage(kind=SlippageKind.SIZE, per_unit=D("0.001")), seed=seed)
    spec = replace(SPEC, tick=None)

    made = accept(order(BUY, "MARKET"), quote(99, 100), spec, model)

    assert str(made.executions[0].price) == {0: "100.1159", 1: "100.1022"}[seed]
