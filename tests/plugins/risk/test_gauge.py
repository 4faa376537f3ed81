"""Pure rules of limits: a breach is told once an arming, measures are exact."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import Flows, Holdings
from plugins.risk.evaluation.gauge import Act, Gauge
from plugins.risk.evaluation.valuing import Course, Valued, rebased, settled, valued, without_waiting
from plugins.risk.limits.kinds import (
    LimitKind,
    LimitRule,
    LimitState,
    Measured,
    Snapshot,
    measure,
    plain,
    read_rule,
    shard_of,
)
from schema.symbols import AssetClass, crypto, parse_instrument
from tests.plugins.risk.doubles import holdings

BTC, ETH, SHARE = crypto("BTC", "USD"), crypto("ETH", "USD"), parse_instrument("equity:AAPL")
VALUES = st.lists(st.one_of(st.none(), st.decimals(0, 2, places=3)), max_size=40)


def test_a_gauge_tells_a_breach_above_its_threshold_and_waits_for_the_hysteresis():
    gauge = Gauge(threshold=Decimal("0.5"), hysteresis_bps=1000)

    acts = [gauge.step(Decimal(value)) for value in ("0.5", "0.51", "0.6", "0.451", "0.45", "0.5", "0.51")]

    assert acts == [None, Act.BREACHED, None, None, Act.ARMED, None, Act.BREACHED]
    assert (gauge.state, gauge.arm) == (LimitState.BREACHED, 2)


@given(values=VALUES, hysteresis=st.integers(0, 9_999))
def test_breaches_and_armings_take_turns_and_each_arming_has_its_own_number(
    values: list[Decimal | None], hysteresis: int
):
    gauge, acts, arms = Gauge(threshold=Decimal(1), hysteresis_bps=hysteresis), list[Act](), list[int]()
    for value in values:
        arm, act = gauge.arm, gauge.step(value)
        if act is not None:
            acts.append(act)
        if act is Act.BREACHED:
            arms.append(arm)
            assert value is None or value > 1
        if act is Act.ARMED:
            assert value is not None
            assert value <= 1 - Decimal(hysteresis) / 10_000

    assert acts == [Act.BREACHED, Act.ARMED] * (len(acts) // 2) + [Act.BREACHED] * (len(acts) % 2)
    assert arms == list(range(1, len(arms) + 1))


@given(values=VALUES)
def test_a_gauge_that_is_made_again_from_what_was_written_goes_on_as_it_was(values: list[Decimal | None]):
    one, other = Gauge(threshold=Decimal(1)), Gauge(threshold=Decimal(1))
    for value in values:
        expected = one.step(value)
        other = Gauge(threshold=Decimal(1), state=other.state, arm=other.arm)
        assert other.step(value) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LimitRule(kind=LimitKind.SINGLE_NAME), Measured(value=Decimal("0.6"), subject="equity:AAPL")),
        (LimitRule(kind=LimitKind.CLASS_EXPOSURE, asset_class=AssetClass.CRYPTO), Measured(value=Decimal("0.8"))),
        (LimitRule(kind=LimitKind.LEVERAGE), Measured(value=Decimal("1.4"))),
        (LimitRule(kind=LimitKind.CONCENTRATION), Measured(value=Decimal("0.3469387755"), subject="equity:AAPL")),
        (LimitRule(kind=LimitKind.DRAWDOWN), Measured(value=Decimal("0.2"))),
    ],
)
def test_each_kind_is_measured_on_the_same_portfolio(rule: LimitRule, expected: Measured):
    snapshot = Snapshot(values={BTC: Decimal(40), ETH: Decimal(-40), SHARE: Decimal(60)}, cash=Decimal(40))

    assert (snapshot.value, snapshot.gross) == (Decimal(100), Decimal(140))
    assert measure(rule, snapshot, Decimal(125)) == expected
    assert read_rule(rule.kind.value, plain(rule)) == rule


def test_an_empty_portfolio_is_below_every_limit():
    nothing = Snapshot(values={}, cash=Decimal(0))

    for kind in set(LimitKind) - {LimitKind.VALUE_AT_RISK}:
        assert measure(LimitRule(kind=kind), nothing, Decimal(0)).value == 0


def test_what_cannot_be_measured_on_positions_is_refused():
    with pytest.raises(ValueError, match="VALUE_AT_RISK is not measured on positions"):
        measure(LimitRule(kind=LimitKind.VALUE_AT_RISK), Snapshot(values={}), Decimal(0))


def ready(held: Holdings) -> Valued:
    made = valued(held)
    assert isinstance(made, Valued)
    return made


def test_positions_are_valued_by_live_prices_at_the_rate_of_their_valuation():
    made = ready(holdings({str(BTC): ("2", "100"), str(ETH): ("0", "10")}, cash="10", rate="0.5"))

    assert made.snapshot({}) == Snapshot(values={BTC: Decimal(100), ETH: Decimal(0)}, cash=Decimal(10))
    assert made.snapshot({BTC: Decimal(200)}).value == Decimal(210)


def test_an_instrument_that_is_held_twice_is_worth_both():
    held = holdings({str(BTC): ("2", "100")})
    twice = replace(held, positions=held.positions * 2, value=Decimal(400))

    assert ready(twice).snapshot({BTC: Decimal(50)}).value == Decimal(200)


def test_a_position_without_a_price_leaves_the_portfolio_without_a_value():
    assert valued(holdings({str(BTC): ("2", None)})) == "no price of crypto:BTC/USD: the portfolio cannot be valued"


@given(paid=st.decimals(-90, 1_000, places=2), price=st.decimals(1, 500, places=2))
def test_what_is_paid_in_or_out_leaves_the_drawdown_as_it_is(paid: Decimal, price: Decimal):
    before = ready(holdings({str(BTC): ("1", "100")}, cash="100"))
    after = ready(holdings({str(BTC): ("1", "100")}, cash=str(Decimal(100) + paid)))
    prices, rule = {BTC: price}, LimitRule(kind=LimitKind.DRAWDOWN)
    peak = Decimal(1_000)

    moved = rebased(peak, before.marked(prices), after.marked(prices))

    one = measure(rule, before.snapshot(prices), peak).value
    other = measure(rule, after.snapshot(prices), moved).value
    assert one is not None
    assert other is not None
    assert abs(one - other) <= Decimal("0.0000000002")


def stood(units: str, price: str, cash: str, paid: str, moved: str = "0", ratio: str = "1") -> Valued:
    """A share and dollars, and what has come in so far."""
    came = Flows(cash={"USD": Decimal(paid)}, units={SHARE: Decimal(moved)}, rates={"USD": Decimal(1)})
    held = {} if units == "0" else {str(SHARE): (units, price)}
    return ready(holdings(held, cash=cash, splits={str(SHARE): ratio}, flows=came))


MOVES: list[tuple[str, Valued, int, str]] = [
    ("a deposit", stood("100", "600", "540000", "600000"), 600_000, "0"),
    ("a withdrawal", stood("100", "600", "0", "60000"), 60_000, "0"),
    ("a deposit, and a fee as high", stood("100", "600", "40000", "105000"), 105_000, "0.0476190476"),
    ("a fee", stood("100", "600", "35000", "100000"), 100_000, "0.05"),
    ("half sold at 500", stood("50", "600", "65000", "100000"), 100_000, "0.05"),
    ("all sold at 500", stood("0", "600", "90000", "100000"), 100_000, "0.1"),
    ("a dividend", stood("100", "600", "41000", "100000"), 101_000, "0"),
    ("units brought in", stood("200", "600", "40000", "100000", "100"), 160_000, "0"),
    ("all units taken out", stood("0", "600", "40000", "100000", "-100"), 40_000, "0"),
    ("a split", stood("200", "300", "40000", "100000", ratio="2"), 100_000, "0"),
    ("a split, and units taken out", stood("100", "300", "40000", "100000", "-100", "2"), 70_000, "0"),
]


@pytest.mark.parametrize(("after", "peak", "drawdown"), [pytest.param(*rest, id=name) for name, *rest in MOVES])
def test_payments_transfers_and_splits_move_a_peak_along_and_nothing_else_does(after: Valued, peak: int, drawdown: str):
    course = Course()
    course.risen(stood("100", "600", "40000", "100000"))
    course = Course(peak=course.peak, basis=Valued.read((course.basis or after).plain()))

    now = course.risen(after)

    found = measure(LimitRule(kind=LimitKind.DRAWDOWN), now.snapshot({}), course.peak or Decimal(0))
    assert (course.peak, found.value) == (Decimal(peak), Decimal(drawdown))


def test_foreign_money_that_comes_in_counts_at_the_rate_of_now_and_without_one_all_that_changed_does():
    rates = {"USD": Decimal(1), "EUR": Decimal("1.25")}

    def paid(cash: str, euros: str, **rates: Decimal) -> Valued:
        return ready(holdings({}, cash=cash, flows=Flows(cash={"EUR": Decimal(euros)}, units={}, rates=rates)))

    assert rebased(Decimal(200), paid("100", "0", **rates), paid("600", "400", **rates)) == Decimal(1_200)
    assert rebased(Decimal(200), paid("100", "0", **rates), paid("100", "-400", **rates)) == Decimal(100)
    assert rebased(Decimal(200), paid("100", "0"), paid("400", "400")) == Decimal(800)


def shares(units: str, price: str, ratio: str = "1") -> Valued:
    return ready(holdings({str(SHARE): (units, price)}, splits={str(SHARE): ratio}))


@pytest.mark.parametrize("ratio", ["4", "0.1", "0.3"])
def test_a_split_is_no_payment(ratio: str):
    before, after = shares("100", "400"), shares(str(100 * Decimal(ratio)), str(400 / Decimal(ratio)), ratio)

    assert settled(before, after, Decimal(50_000)) == after
    assert rebased(Decimal(50_000), before, after).quantize(Decimal(1)) == Decimal(50_000)


@pytest.mark.parametrize(("ratio", "later"), [("4", "100"), ("0.1", "4000")])
def test_a_split_that_is_recorded_before_its_price_moves_waits_for_it(ratio: str, later: str):
    before, units = shares("100", "400"), str(100 * Decimal(ratio))

    waits = settled(before, shares(units, "404", ratio), Decimal(40_000))
    still = settled(Valued.read(waits.plain()), shares(units, "408", ratio), Decimal(40_400))
    moved = settled(still, shares(units, later, ratio), Decimal(40_800))

    assert [each.snapshot({}).value for each in (waits, still, moved)] == [40_400, 40_800, 40_000]
    assert rebased(Decimal(40_000), before, waits) == Decimal(40_000)
    assert moved.waiting == {}


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        (LimitKind.SINGLE_NAME, "0.5"),
        (LimitKind.CLASS_EXPOSURE, "0.5"),
        (LimitKind.LEVERAGE, "1"),
        (LimitKind.CONCENTRATION, "0.5"),
        (LimitKind.DRAWDOWN, "0"),
    ],
)
def test_no_measure_moves_while_a_price_waits_for_its_split(kind: LimitKind, before: str):
    rule, course = LimitRule(kind=kind, asset_class=AssetClass.EQUITY), Course()

    def measured(units: str, price: str, ratio: str) -> Decimal | None:
        made = holdings({str(SHARE): (units, price), str(BTC): ("1", "40000")}, splits={str(SHARE): ratio})
        return measure(rule, course.risen(ready(made)).snapshot({}), course.peak or Decimal(0)).value

    seen = [measured(*each) for each in (("100", "400", "1"), ("400", "400", "4"), ("400", "100", "4"))]

    assert seen == [Decimal(before)] * 3


def test_the_value_at_risk_is_of_weights_by_prices_of_the_units_of_now():
    held = holdings({str(SHARE): ("400", "400"), str(BTC): ("1", "40000")}, cash="5", splits={str(SHARE): "4"})

    left = without_waiting(held, {SHARE: Decimal(4)})

    whole = Decimal(40_000)
    assert [(each.price, each.value) for each in left.positions] == [(Decimal(100), whole), (whole, whole)]
    assert (left.value, without_waiting(held, {})) == (Decimal(80_005), held)


def test_a_split_that_is_recorded_after_its_price_moved_counts_at_once():
    fallen = shares("100", "100")

    late = settled(fallen, shares("400", "101", "4"), Decimal(40_000))

    assert late.snapshot({}).value == Decimal(40_400)
    assert rebased(Decimal(40_000), fallen, late) == Decimal(40_000)


def test_holdings_that_are_stored_are_read_as_they_were():
    held = shares("400", "100.5", "4")

    assert Valued.read(held.plain()) == held


def test_a_portfolio_is_always_of_the_same_part():
    assert shard_of("folio_1") == shard_of("folio_1") < 16
