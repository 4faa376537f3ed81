"""What accounts amount to: arithmetic with exact figures."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from plugins.trading.positions.standing import money, percent, standing
from schema.provenance import DataMode
from tests.plugins.trading.rowsof import D, account, cash, mark, marks, position

BTC, ETH, PERP = "crypto:BTC/USD", "crypto:ETH/EUR", "crypto:BTC/USD:USD"


def test_a_cash_account_is_worth_its_money_and_what_it_holds_in_its_own_currency():
    rows = [position(BTC, "2", "180"), position(ETH, "3", "240", currency="EUR")]
    told = marks({BTC: mark("100"), ETH: mark("70", "EUR")}, {"EUR": "1.1"})

    found = standing(account(), [cash("500", held="50"), cash("10", "EUR")], {"USD": D(20)}, rows, told)

    assert found.cash == D("511.0")
    # 511 + 2 x 100 + 3 x 70 x 1.1
    assert found.equity == D("942.0")
    assert found.unrealised == D(20) + D(-30) * D("1.1")
    assert found.balance == found.equity - found.unrealised
    assert (found.margin_used, found.maintenance, found.margin) == (D(0), D(0), None)
    # 500 - 50 held - 20 reserved, and 10 euros
    assert found.buying_power == found.margin_available == D("441.0")
    assert (found.long, found.short, found.gross, found.net) == (D("431.0"), D(0), D("431.0"), D("431.0"))
    assert (found.stale, found.reason, found.modes) == (False, None, frozenset({DataMode.LIVE}))


def test_a_margin_account_uses_a_part_of_what_it_holds_long_and_short_and_what_orders_reserve():
    row = account(margin="MARGIN", leverage=D(4))
    rows = [position(BTC, "10", "1000"), position("crypto:SOL/USD", "-5", "-100")]
    told = marks({BTC: mark("90"), "crypto:SOL/USD": mark("22")})

    found = standing(row, [cash("-400")], {"USD": D(30)}, rows, told)

    # -400 + 900 - 110
    assert found.equity == 390
    assert found.unrealised == D(-100) + D(-10)
    assert found.balance == 500
    assert (found.long, found.short, found.gross, found.net) == (D(900), D(110), D(1010), D(790))
    assert found.margin_used == D(900) / 4 + D(110) / 4 + 30
    assert found.maintenance == D("126.25")
    assert found.margin_available == D("107.5")
    assert found.buying_power == 430
    assert found.margin is not None
    assert (found.margin.call, found.margin.liquidation) == (False, False)
    assert [each.initial for each in found.holdings] == [D(225), D("27.5")]


def test_what_pending_entries_hold_is_there_still_and_may_not_be_spent():
    row = account(margin="MARGIN", leverage=D(5))
    told = marks({}, {"EUR": "1.1"})

    found = standing(row, [cash("1000", held="850"), cash("50", "EUR", held="50")], {"USD": D(10)}, [], told)

    assert (found.equity, found.margin_used) == (D("1055.0"), D(10))
    assert (found.margin_available, found.buying_power) == (D("140.0"), D("700.0"))


def test_a_derivative_adds_what_it_has_gained_and_not_its_notional():
    row = account(margin="MARGIN", leverage=D(10))
    held = position(PERP, "-3", "-300")
    told = marks({PERP: mark("90", contract_size=D("0.5"), derivative=True)})

    found = standing(row, [cash("100")], {}, [held], told)

    # value -135, cost -300
    assert (found.equity, found.unrealised, found.balance) == (D(265), D(165), D(100))
    assert found.margin_used == D("13.5")
    assert found.holdings[0].entry_price == 200


def test_what_lacks_a_price_or_a_rate_is_null_and_named_and_the_rest_stands():
    row = account(margin="MARGIN", leverage=D(2))
    held = [position(BTC, "1", "100"), position(ETH, "1", "50", currency="EUR")]

    priceless = standing(row, [cash("10")], {}, held, marks({ETH: mark("60", "EUR")}, {"EUR": "1"}))
    rateless = standing(row, [cash("10"), cash("0", "GBP")], {}, held, marks({BTC: mark("1"), ETH: mark("60", "EUR")}))
    odd = standing(row, [cash("10")], {}, held[:1], marks({BTC: mark("1", "EUR")}, {"EUR": "1"}))

    for found in (priceless, rateless, odd):
        assert {
            found.equity, found.balance, found.unrealised, found.margin_used, found.maintenance,
            found.margin_available, found.buying_power, found.long, found.net,
        } == {None}  # fmt: skip
        assert found.cash == 10
    assert priceless.reason == "no price of crypto:BTC/USD"
    assert rateless.reason == "no rate from EUR to USD"
    assert odd.reason == "crypto:BTC/USD is held in USD, and priced in EUR"
    assert [each.unrealised for each in rateless.holdings] == [D(-99), D(10)]


def test_an_old_price_or_rate_marks_what_it_values():
    held = [position(ETH, "1", "50", currency="EUR")]
    prices = {ETH: mark("60", "EUR", stale=True)}

    old_price = standing(account(), [cash("10")], {}, held, marks(prices, {"EUR": "1"}))
    old_rate = standing(
        account(), [cash("10", "EUR")], {}, [], marks({}, {"EUR": "1"}, old_rates=frozenset({"EUR"}))
    )  # fmt: skip

    assert (old_price.equity, old_price.stale, old_price.reason) == (D(70), True, f"the price of {ETH} is old")
    assert (old_rate.equity, old_rate.stale) == (D(10), True)


def test_what_is_missing_is_named_before_what_is_old_and_five_of_many_are_enough():
    row = account(margin="MARGIN", leverage=D(2))
    both = standing(
        row, [], {}, [position(ETH, "1", "50", currency="EUR")], marks({ETH: mark("60", "EUR", stale=True)})
    )
    many = standing(row, [], {}, [position(f"crypto:A{n}/USD", "1", "1") for n in range(7)], marks({}))

    assert (both.reason, both.stale) == ("no rate from EUR to USD", True)
    assert str(many.reason).endswith("no price of crypto:A4/USD, and 2 more")


def test_the_loss_of_a_day_counts_from_its_beginning_and_only_on_that_day():
    row = account(day="2026-11-20", day_equity=D(1000), max_daily_loss=D(100))

    lost = standing(row, [cash("940")], {}, [], marks({}), day="2026-11-20")
    worse = standing(row, [cash("840")], {}, [], marks({}), day="2026-11-20")
    won = standing(row, [cash("1040")], {}, [], marks({}), day="2026-11-20")
    later = standing(row, [cash("940")], {}, [], marks({}), day="2026-11-21")

    assert [(each.day_pnl, each.daily_loss_left) for each in (lost, worse, won, later)] == [
        (-60, 40), (-160, 0), (40, 100), (None, None),
    ]  # fmt: skip


def test_shown_money_and_percentages_are_rounded_once():
    assert money(D("1.005"), "USD") == D("1.00")
    assert str(money(D("-0.001"), "USD")) == "0.00"
    assert money(D("1.5"), "JPY") == 2
    assert money(None, "USD") is None
    assert percent(D(1), D(3)) == D("33.3333")
    assert percent(D(1), D(0)) is None
    assert percent(D(1), D("1e-60")) is None


amounts = st.decimals(min_value=-10_000, max_value=10_000, places=4)
sizes = st.decimals(min_value="0.001", max_value=1_000, places=3)


@given(money=amounts, held=st.lists(st.tuples(sizes, st.booleans(), sizes, amounts), max_size=4))
def test_equity_is_cash_and_all_marked_positions_whatever_they_are(
    money: Decimal, held: list[tuple[Decimal, bool, Decimal, Decimal]]
):
    rows = [
        position(f"crypto:A{n}/USD", str(-quantity if short else quantity), str(cost))
        for n, (quantity, short, _, cost) in enumerate(held)
    ]
    told = marks({f"crypto:A{n}/USD": mark(str(price)) for n, (_, _, price, _) in enumerate(held)})

    found = standing(account(margin="MARGIN", leverage=D(3)), [cash(str(money))], {}, rows, told)

    values = [row.quantity * told.prices[row.instrument].price for row in rows]
    assert found.equity == money + sum(values)
    assert found.balance == money + sum(row.cost for row in rows)
    assert found.gross == sum(abs(value) for value in values)
    assert found.net == sum(values)
