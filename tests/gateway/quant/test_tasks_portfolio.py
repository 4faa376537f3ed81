"""Tables of assets, contributions, time-weighted and money-weighted returns: plain values in, plain values out."""

import pytest

from gateway.core.quant import tasks_performance as tasks
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput
from tests.gateway.quant.plain import INFINITY, NAN, days, decade, is_plain, values


def test_a_table_has_the_figures_of_a_report():
    dates, prices, index = decade("XOM")
    shared = {"dates": dates, "benchmark": {"prices": index}, "risk_free": 0.02}

    [row] = tasks.table({**shared, "assets": [{"symbol": "XOM", "prices": prices}]})

    told = tasks.report({**shared, "prices": prices})
    assert is_plain(row)
    assert row["figures"] == {name: told["figures"][name] for name in tasks.ROW}


def test_an_asset_without_prices_leaves_the_others():
    rows = tasks.table({
        "dates": days(4), "benchmark": {"prices": [10, 11, 10, 12]},
        "assets": [
            {"symbol": "GONE", "prices": [None, None, 1, None]},
            {"symbol": "FLAT", "prices": [5, 5, 5, 5]},
            {"symbol": "LATE", "prices": [None, 10, None, 12]},
            {"symbol": "MOON", "prices": [10, 11, 10, 12], "periods_per_year": 365},
        ],
    })  # fmt: skip

    assert is_plain(rows)
    gone, flat, late, moon = rows
    assert set(values(gone["figures"]).values()) == set(values(late["figures"]).values()) == {None}
    assert gone["warnings"] == ["GONE: assets[0].prices: 0 returns on common dates, at least 2 are needed"]
    assert (flat["figures"]["sharpe"], flat["figures"]["volatility"]["value"]) == (None, 0)
    assert flat["figures"]["beta"]["value"] == 0
    assert moon["figures"]["beta"]["value"] == pytest.approx(1, rel=1e-12)
    assert moon["figures"]["volatility"]["periods_per_year"] == 365


def test_an_assets_own_calendar_says_what_is_missing_of_it():
    prices = [10, 11, None, None, 12, None, 11]
    rows = tasks.table({
        "dates": days(7),
        "assets": [
            {"symbol": "COIN", "prices": prices},
            {"symbol": "SHARE", "prices": prices, "missing": days(7)[5:6]},
            {"symbol": "WHOLE", "prices": prices, "missing": []},
        ],
    })  # fmt: skip

    coin, share, whole = rows
    assert [row["missing"] for row in rows] == [[days(7)[2], days(7)[3], days(7)[5]], days(7)[5:6], []]
    assert share["warnings"] == [f"SHARE: no value on {days(7)[5]}: the return to the next date spans them"]
    assert (coin["figures"]["volatility"], whole["warnings"]) == (share["figures"]["volatility"], [])


@pytest.mark.parametrize(
    ("assets", "message"),
    [
        ([], "assets: give at least one"),
        ([{"symbol": "A", "prices": [1, 2, 3]}] * 2, "assets[1].symbol: A is there twice"),
        ([{"symbol": "A", "prices": [1, NAN, 3]}], "assets[0].prices[1]: nan on 2024-01-02 is not a number"),
        ([{"symbol": "A", "prices": [1, 2, 3], "periods_per_year": 0}], "assets[0].periods_per_year: 0: take 1 to 366"),
        (
            [{"symbol": str(n), "prices": [1, 2, 3]} for n in range(2_001)],
            "assets: 2001 of 3 prices each",
        ),
    ],
)
def test_a_malformed_table_is_refused_by_field(assets, message):
    with pytest.raises(BadInput) as refused:
        tasks.table({"dates": days(3), "assets": assets})

    assert refused.value.message.startswith(message)


# --- Contributions, time-weighted and money-weighted returns ----------------------------------------------------------


def contributions(**request):
    assets = [{"symbol": "A", "prices": [100, 110, 121]}, {"symbol": "B", "prices": [50, 50, 40]}]
    return tasks.contributions({"dates": days(3), "assets": assets, **request})


def test_contributions_of_buy_and_hold_with_cash():
    told = contributions(weights=[0.5, 0.3])

    assert is_plain(told)
    assert told["contributions"] == [
        {"symbol": "A", "value": pytest.approx(0.105, rel=1e-12)},
        {"symbol": "B", "value": pytest.approx(-0.06, rel=1e-12)},
    ]
    assert told["total"]["value"] == pytest.approx(0.045, rel=1e-12)
    assert told["method"].startswith("buy and hold, profit over initial wealth")
    assert told["cash"] == pytest.approx(0.2, rel=1e-12)
    assert told["warnings"] == ["weights: they sum to 0.8 at the start, the rest is cash without return"]


def test_contributions_over_a_path_of_weights():
    """A is held first, then all goes into B."""
    told = contributions(weight_path=[[1, 0], [0, 1]])

    assert [part["value"] for part in told["contributions"]] == pytest.approx([0.1, -0.22], rel=1e-12)
    assert told["returns"] == pytest.approx([0.1, -0.2], rel=1e-12)
    assert told["warnings"] == []


def test_an_asset_needs_prices_only_where_it_has_a_weight():
    late = [{"symbol": "A", "prices": [100, 110, 121]}, {"symbol": "B", "prices": [None, 50, 40]}]

    told = contributions(assets=late, weight_path=[[1, 0], [0.5, 0.5]])

    assert told["total"]["value"] == pytest.approx(1.1 * 0.95 - 1, rel=1e-12)
    with pytest.raises(NotComputable, match=r"assets\[1\]\.prices: no price on 2024-01-01, but a weight"):
        contributions(assets=late, weight_path=[[0.5, 0.5], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "weights: give weights or weight_path, one of the two"),
        ({"weights": [1.0]}, "weights: give 1 rows of 2 weights"),
        ({"weights": [NAN, 1.0]}, "weights: a weight is not a number"),
        ({"weight_path": [[1, 0]]}, "weight_path: give 2 rows of 2 weights"),
        ({"weights": [0.5, 0.5], "rebalance": "daily"}, "rebalance: Invalid enum value 'daily'"),
    ],
)
def test_malformed_weights_are_refused(request_, message):
    with pytest.raises(BadInput) as refused:
        contributions(**request_)

    assert refused.value.message.startswith(message)


def test_time_weighted_return_total_and_annual():
    told = tasks.twr({"valuations": [
        {"date": "2023-01-01", "value": 0, "flow": 1000},
        {"date": "2023-07-02", "value": 1100, "flow": 5000},
        {"date": "2024-01-01", "value": 4880},
    ]})  # fmt: skip

    assert is_plain(told)
    assert (told["total"]["value"], told["annual"]["value"]) == pytest.approx((-0.12, -0.12), rel=1e-12)
    assert told["returns"] == pytest.approx([0.1, -0.2], rel=1e-12)
    assert (told["base"], told["dates"]) == ("2023-01-01", ["2023-07-02", "2024-01-01"])


def test_a_day_that_grew_too_much_has_no_annual_return():
    told = tasks.twr({"valuations": [{"date": "2024-01-01", "value": 1}, {"date": "2024-01-02", "value": 1000}]})

    assert told["annual"] is None
    assert told["warnings"] == ["annual: a growth of 1000 to the power of 365 cannot be represented"]


def test_money_weighted_return():
    told = tasks.xirr({"flows": [{"date": "2023-01-01", "amount": -100}, {"date": "2024-01-01", "amount": 110}]})

    assert told == {"rate": {
        "value": pytest.approx(0.1, rel=1e-12), "method": "XIRR: net present value 0, actual/365, annual compounding",
        "periods_per_year": None, "ddof": None, "count": 2, "start": "2023-01-01", "end": "2024-01-01",
    }}  # fmt: skip


def test_flows_and_values_that_are_no_numbers_are_refused():
    with pytest.raises(BadInput, match=r"flows\[0\]\.amount: inf is not a number"):
        tasks.xirr({"flows": [{"date": "2023-01-01", "amount": INFINITY}, {"date": "2023-01-02", "amount": 1}]})
    with pytest.raises(BadInput, match=r"valuations\[1\]\.flow: nan is not a number"):
        tasks.twr({"valuations": [
            {"date": "2023-01-01", "value": 1}, {"date": "2023-01-02", "value": 1, "flow": NAN},
        ]})  # fmt: skip
    with pytest.raises(BadInput, match="flows: 0: take 2 to 20000"):
        tasks.xirr({"flows": []})
    with pytest.raises(BadInput, match=r"valuations\[1\]: 2023-01-01 does not come after 2023-01-01"):
        tasks.twr({"valuations": [{"date": "2023-01-01", "value": 1}] * 2})
