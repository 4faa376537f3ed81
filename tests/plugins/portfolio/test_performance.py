"""Returns, profit, contributions and income of portfolios over tapes, exactly."""

from __future__ import annotations

from datetime import date
from statistics import mean, stdev
from typing import Any

import pytest

from gateway.core.quant.refusals import NotComputable
from plugins.portfolio.valuation.daily import Course
from plugins.portfolio.valuation.performance import Span
from schema.errors import FailureCode, NoAnswer
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.tapes import days
from tests.plugins.portfolio.test_portfolios import RECORD, made

FIGURE = "{ value method periodsPerYear ddof count start end }"
PERFORMANCE = f"""query($id: ID!, $start: Date, $end: Date, $benchmark: String, $riskFree: Float) {{
  portfolio(id: $id) {{ performance(start: $start, end: $end, benchmark: $benchmark, riskFree: $riskFree) {{
    start end currency method periodsPerYear warnings
    figures {{ totalReturn {FIGURE} volatility {FIGURE} maxDrawdown {FIGURE} beta {FIGURE} valueAtRisk95 {FIGURE}
      trackingError {FIGURE} alpha {FIGURE} sharpe {FIGURE} }}
    moneyWeightedReturn {FIGURE} returns {{ dates returns wealth drawdowns }}
    values {{ dates values broughtIn takenOut }} benchmark {{ dates returns }}
    drawdowns {{ peak trough recovery depth length }} months {{ year part value count }}
  }} }} }}"""
PNL = """query($id: ID!, $method: LotMethod, $at: DateTime) { portfolio(id: $id) { pnl(method: $method, at: $at) {
  method currency realised unrealised income fees total failures { symbol code }
  lines { symbol currency quantity cost price realised unrealised income fees total
    lots { nodes { openedAt quantity cost } } }
} } }"""
CONTRIBUTIONS = """query($id: ID!, $start: Date, $end: Date) { portfolio(id: $id) {
  contributions(start: $start, end: $end) { start end method count total contributions { symbol value } unpriced
  failures { symbol code } } } }"""
INCOME = """query($id: ID!, $start: Date, $end: Date) { portfolio(id: $id) { income(start: $start, end: $end) {
  income fees currency lines { symbol kind currency amount count } } } }"""
BTC = "crypto:BTC/USD"


async def recorded(room: Room, *moves: dict[str, Any], **given: Any) -> str:
    id = str((await made(room, **given))["id"])
    for move in moves:
        payload = await room.do(RECORD, portfolioId=id, **move)
        assert payload["userErrors"] == []
    return id


def deposit(day: str, amount: str, kind: str = "DEPOSIT", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "at": f"{day}T10:00:00Z", "amount": amount, **more}


def trade(day: str, kind: str, quantity: str, price: str, symbol: str = "BTC-USD", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "at": f"{day}T12:00:00Z", "symbol": symbol, "quantity": quantity, "price": price, **more}


async def test_money_that_comes_and_goes_moves_no_time_weighted_return(room: Room):
    id = await recorded(
        room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "10", "100"),
        deposit("2026-11-04", "1100"), trade("2026-11-04", "BUY", "10", "110"),
        trade("2026-11-05", "SELL", "20", "121"), deposit("2026-11-05", "2420", "WITHDRAWAL"),
    )  # fmt: skip
    room.tapes.closes[BTC] = days("2026-11-02", "100", "110", "110", "121", "130")

    found = (await room.see(PERFORMANCE, id=id))["performance"]

    assert (found["start"], found["end"], found["currency"], found["periodsPerYear"]) == (
        "2026-11-02", "2026-11-21", "USD", 365,
    )  # fmt: skip
    assert found["returns"]["dates"] == ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]
    assert found["returns"]["returns"] == pytest.approx([0, 0.1, 0, 0.1])
    assert found["returns"]["wealth"] == pytest.approx([1, 1.1, 1.1, 1.21])
    assert found["values"] == {
        "dates": [f"2026-11-0{n}" for n in range(1, 7)],
        "values": ["0.00", "1000.00", "1100.00", "2200.00", "0.00", "0.00"],
        "broughtIn": ["0.00", "1000.00", "0.00", "1100.00", "0.00", "0.00"],
        "takenOut": ["0.00", "0.00", "0.00", "0.00", "2420.00", "0.00"],
    }
    total = found["figures"]["totalReturn"]
    assert total["value"] == pytest.approx(0.21)
    assert (total["count"], total["start"], total["end"]) == (4, "2026-11-02", "2026-11-05")
    assert found["figures"]["beta"] is None
    # A fifth more in three days.
    assert found["moneyWeightedReturn"] is None
    assert found["warnings"][0] == "nothing was held from 2026-11-06 to 2026-11-20: these days are in no figure"
    assert found["warnings"][1].startswith("money_weighted: 3 days are too short for an annual rate")
    assert found["method"].startswith("time-weighted, daily: (value + taken out) / (value before + brought in) - 1")


async def test_the_money_weighted_return_is_the_rate_at_which_flows_are_worth_nothing(room: Room):
    id = await recorded(
        room, deposit("2025-11-03", "1000"), trade("2025-11-03", "BUY", "10", "100"),
        deposit("2026-05-04", "500"), trade("2026-05-04", "BUY", "4", "125"),
    )  # fmt: skip
    room.tapes.closes[BTC] = {"2025-11-03": "100", "2026-05-04": "125", "2026-11-03": "110"}

    found = (await room.see(PERFORMANCE, id=id))["performance"]

    figure = found["moneyWeightedReturn"]
    rate = figure["value"]
    assert 1000 * (1 + rate) + 500 * (1 + rate) ** (183 / 365) == pytest.approx(1540)
    assert figure["method"] == "XIRR: net present value 0, actual/365, annual compounding"
    assert (figure["start"], figure["end"]) == ("2025-11-03", "2026-11-03")


async def test_what_is_compared_is_on_the_same_days_and_in_the_portfolios_currency(room: Room):
    id = await recorded(
        room, deposit("2026-11-02", "1000", currency="USD"), trade("2026-11-02", "BUY", "10", "100"),
        currency="EUR", benchmark="ETH-USD",
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-11-02", "100", "120", "90", "99"),
        "crypto:ETH/USD": days("2026-11-01", *"11123"),
    }
    room.tapes.rates["EUR/USD"] = {"2026-11-02": "1.25", "2026-11-04": "1.6"}

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-06", riskFree=0.01))["performance"]

    # In euros: 80, 96, 56.25, 61.875 a coin.
    assert found["returns"]["returns"] == pytest.approx([0, 0.2, 56.25 / 96 - 1, 0.1])
    assert found["figures"]["totalReturn"]["value"] == pytest.approx(61.875 / 80 - 1)
    assert found["benchmark"]["dates"] == ["2026-11-03", "2026-11-04", "2026-11-05"]
    assert found["benchmark"]["returns"] == pytest.approx([0, 2 * 1.25 / 1.6 - 1, 0.5])
    assert found["figures"]["maxDrawdown"]["value"] == pytest.approx(56.25 / 96 - 1)
    assert found["drawdowns"][0] == {
        "peak": "2026-11-03", "trough": "2026-11-04", "recovery": None, "length": 2,
        "depth": pytest.approx(56.25 / 96 - 1),
    }  # fmt: skip
    assert found["months"] == [{"year": 2026, "part": 11, "value": pytest.approx(61.875 / 80 - 1), "count": 4}]
    assert found["figures"]["beta"]["count"] == 3


async def test_figures_against_shares_are_annualised_by_their_sessions(room: Room):
    id = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "10", "100"))
    room.tapes.closes |= {
        BTC: days("2026-11-02", "100", "110", "99", "120", "120", "110", "130", "120"),
        "equity:AAPL": days("2026-11-02", "50", "52", "51", "53", "54", "", "", "55"),
    }

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-10", benchmark="AAPL", riskFree=0.05))["performance"]

    figures = found["figures"]
    assert (found["periodsPerYear"], figures["sharpe"]["periodsPerYear"]) == (365, 365)
    ours = [110 / 100, 99 / 110, 120 / 99, 1, 1]
    theirs = [52 / 50, 51 / 52, 53 / 51, 54 / 53, 55 / 54]
    active = [one - two for one, two in zip(ours, theirs, strict=True)]
    error = figures["trackingError"]
    assert (error["periodsPerYear"], error["count"], figures["alpha"]["periodsPerYear"]) == (252, 5, 252)
    assert error["value"] == pytest.approx(stdev(active) * 252**0.5)
    free = 1.05 ** (1 / 252) - 1
    excess = mean(ours) - 1 - free - figures["beta"]["value"] * (mean(theirs) - 1 - free)
    assert figures["alpha"]["value"] == pytest.approx(excess * 252)


async def test_a_span_begins_from_the_day_before_it(room: Room):
    id = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "10", "100"))
    room.tapes.closes[BTC] = days("2026-11-02", "100", "110", "121", "133.1", "133.1")

    found = (await room.see(PERFORMANCE, id=id, start="2026-11-04", end="2026-11-06"))["performance"]

    assert found["returns"] == {
        "dates": ["2026-11-04", "2026-11-05"], "returns": pytest.approx([0.1, 0.1]),
        "wealth": pytest.approx([1.1, 1.21]), "drawdowns": [0, 0],
    }  # fmt: skip
    assert found["values"]["dates"][0] == "2026-11-03"


async def test_shares_count_by_sessions_and_what_rests_keeps_its_close(room: Room):
    id = await recorded(
        room, deposit("2026-11-05", "300"), trade("2026-11-05", "BUY", "1", "100"),
        trade("2026-11-05", "BUY", "2", "100", "AAPL", currency="USD"),
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-11-05", "100", "110", "150", "170", "120"),
        "equity:AAPL": {"2026-11-05": "100", "2026-11-06": "105", "2026-11-09": "110"},
    }

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-10"))["performance"]

    assert (found["periodsPerYear"], found["returns"]["dates"]) == (252, ["2026-11-05", "2026-11-06", "2026-11-09"])
    assert found["returns"]["returns"] == pytest.approx([0, 320 / 300 - 1, 340 / 320 - 1])


async def test_before_a_share_is_held_all_days_count(room: Room):
    id = await recorded(
        room, deposit("2026-10-05", "300"), trade("2026-10-05", "BUY", "1", "100"),
        trade("2026-11-05", "BUY", "2", "100", "AAPL", currency="USD"),
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-10-05", *["100"] * 31, "100", "110", "150", "170", "120"),
        "equity:AAPL": {"2026-11-04": "100", "2026-11-05": "100", "2026-11-06": "105", "2026-11-09": "110"},
    }

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-10"))["performance"]
    parts = (await room.see(CONTRIBUTIONS, id=id, end="2026-11-10"))["contributions"]
    history = await room.see("query($id: ID!) { portfolio(id: $id) { positionHistory { dates } } }", id=id)

    dates = [f"2026-10-{n:02}" for n in range(5, 32)] + [f"2026-11-{n:02}" for n in (1, 2, 3, 4, 5, 6, 9)]
    assert found["returns"]["dates"] == dates
    assert history["positionHistory"]["dates"][:35] == ["2026-10-04", *dates]
    assert found["returns"]["returns"] == pytest.approx([0] * 31 + [0, 320 / 300 - 1, 340 / 320 - 1])
    # 3 sessions of 252 a year and 31 days of 365.
    assert found["periodsPerYear"] == round(34 / (3 / 252 + 31 / 365)) == 351
    told = "; 3 returns are of sessions, while shares or the like are held, and 31 of all days: 351 a year in the mean"
    assert found["method"].endswith(told)
    assert parts["method"].endswith(told)
    assert (parts["count"], parts["total"]) == (34, pytest.approx(340 / 300 - 1))


async def test_after_a_share_is_sold_all_days_count_though_it_has_no_closes_any_more(room: Room):
    id = await recorded(
        room, deposit("2026-10-01", "300"), trade("2026-10-01", "BUY", "1", "100"),
        trade("2026-10-01", "BUY", "2", "100", "AAPL", currency="USD"), trade("2026-10-02", "SELL", "2", "100", "AAPL"),
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-10-01", *["100"] * 30, "150"),
        "equity:AAPL": {"2026-10-01": "100", "2026-10-02": "100"},
    }

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-01"))["performance"]

    assert found["returns"]["dates"] == [f"2026-10-{n:02}" for n in range(1, 32)]
    assert found["figures"]["totalReturn"]["value"] == pytest.approx(350 / 300 - 1)
    assert found["periodsPerYear"] == round(31 / (2 / 252 + 29 / 365)) == 355


async def test_a_share_that_is_held_when_its_closes_end_is_named_day_by_day(room: Room):
    id = await recorded(
        room, deposit("2026-10-01", "300"), trade("2026-10-01", "BUY", "1", "100"),
        trade("2026-10-01", "BUY", "2", "100", "AAPL", currency="USD"),
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-10-01", *["100"] * 31),
        "equity:AAPL": {"2026-10-01": "100", "2026-10-02": "100"},
    }

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-01"))["performance"]

    assert found["returns"]["dates"][-1] == "2026-10-16"
    assert found["warnings"][0] == (
        "not valued after 2026-10-16, as something held had no price or rate: figures end there"
    )


async def test_weights_begin_where_the_youngest_does_and_a_warning_says_so(room: Room):
    weights = [{"symbol": "BTC-USD", "weight": "0.5"}, {"symbol": "AAPL", "weight": "0.5"}]
    id = (await made(room, weights=weights, notional="1000"))["id"]
    room.tapes.closes |= {
        BTC: days("2026-10-01", *["100"] * 35), "equity:AAPL": days("2026-11-02", "100", "110", "121"),
    }  # fmt: skip

    found = (await room.see(PERFORMANCE, id=id, start="2026-10-02", end="2026-11-05"))["performance"]

    assert found["returns"]["dates"] == ["2026-11-03", "2026-11-04"]
    assert found["warnings"][0] == (
        "not valued before 2026-11-02, as something held had no price or rate: figures begin there"
    )


async def test_times_with_nothing_held_are_named_and_a_year_is_one_of_days_held(room: Room):
    id = await recorded(
        room, trade("2026-10-01", "BUY", "1", "100"), trade("2026-10-03", "SELL", "1", "121"),
        trade("2026-10-29", "BUY", "1", "100"), trade("2026-10-31", "SELL", "1", "110"), tracksCash=False,
    )  # fmt: skip
    room.tapes.closes[BTC] = days("2026-09-30", "90", "100", "110", "121", *["150"] * 25, "100", "100", "110", "110")
    asked = {"id": id, "start": "2026-09-30", "end": "2026-11-03"}

    found = (await room.see(PERFORMANCE, **asked))["performance"]
    parts = (await room.see(CONTRIBUTIONS, **asked))["contributions"]

    assert found["returns"]["dates"] == [f"2026-10-{n:02}" for n in (1, 2, 3, 29, 30, 31)]
    assert found["warnings"][0] == (
        "nothing was held on 2026-09-30, from 2026-10-04 to 2026-10-28, from 2026-11-01 to 2026-11-02: "
        "these days are in no figure"
    )
    assert found["figures"]["volatility"]["periodsPerYear"] == 365
    for told in (found, parts):
        assert told["method"].endswith("; only days on which something was held count, a year is one of such days")


async def test_where_all_closes_end_figures_do_and_a_warning_says_so(room: Room):
    id = await recorded(room, deposit("2026-10-01", "300"), trade("2026-10-01", "BUY", "3", "100"))
    room.tapes.closes[BTC] = days("2026-10-01", "100", "110", "120")

    found = (await room.see(PERFORMANCE, id=id))["performance"]
    part = (await room.see(PERFORMANCE, id=id, end="2026-10-17"))["performance"]

    assert found["returns"]["dates"][-1] == "2026-10-03"
    assert found["warnings"][0] == "nothing that is held has a close after 2026-10-03: figures end there"
    assert part["warnings"][0].startswith("money_weighted: ")


async def test_a_benchmark_whose_closes_begin_late_or_end_early_is_named(room: Room):
    id = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "10", "100"))
    room.tapes.closes |= {
        BTC: days("2026-11-02", "100", "110", "99", "120", "120", "110", "130", "120"),
        "equity:AAPL": days("2026-11-04", "50", "52", "51"), "equity:MSFT": days("2026-11-02", *"12345", "", "", "6"),
        "crypto:ETH/USD": days("2026-10-30", *"1234567898", "9"),
    }  # fmt: skip
    asked = {"id": id, "end": "2026-11-10", "start": "2026-11-03"}

    short = (await room.see(PERFORMANCE, **asked, benchmark="AAPL"))["performance"]
    whole = [(await room.see(PERFORMANCE, **asked, benchmark=name))["performance"] for name in ("MSFT", "ETH-USD")]
    sunday = asked | {"end": "2026-11-09", "benchmark": "MSFT"}
    whole.append((await room.see(PERFORMANCE, **sunday))["performance"])

    assert short["warnings"][0] == (
        "benchmark: has closes from 2026-11-04 to 2026-11-06 only: figures against it are of these days"
    )
    assert not [told for each in whole for told in each["warnings"] if told.startswith("benchmark")]


async def test_cash_alone_goes_on_when_closes_end(room: Room):
    id = await recorded(
        room, deposit("2026-10-01", "200"), trade("2026-10-01", "BUY", "2", "100", "AAPL", currency="USD"),
        trade("2026-10-02", "SELL", "2", "150", "AAPL"),
    )  # fmt: skip
    room.tapes.closes["equity:AAPL"] = {"2026-10-01": "100", "2026-10-02": "150"}

    found = (await room.see(PERFORMANCE, id=id))["performance"]

    assert found["returns"]["dates"] == [
        "2026-10-01", *(f"2026-10-{n:02}" for n in range(2, 32)), *(f"2026-11-{n:02}" for n in range(1, 20)),
    ]  # fmt: skip
    assert found["figures"]["totalReturn"]["value"] == pytest.approx(0.5)


async def test_a_day_without_a_price_is_named_and_spanned(room: Room):
    id = await recorded(
        room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "5", "100"),
        trade("2026-11-04", "BUY", "1", "10", "ETH-USD"),
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-11-02", "100", "110", "120", "130"),
        "crypto:ETH/USD": days("2026-11-05", "20"),
    }

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-06"))["performance"]

    assert found["returns"]["dates"] == ["2026-11-02", "2026-11-03", "2026-11-05"]
    assert found["returns"]["returns"] == pytest.approx([0, 0.05, 1160 / 1050 - 1])
    assert found["warnings"][0] == (
        "not valued, as something held had no price or rate: 2026-11-04; the next day spans them"
    )


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"start": "2026-11-05", "end": "2026-11-05"}, "BAD_USER_INPUT", "start: must be 1970 or later and before end"),
        ({"start": "2027-11-05"}, "BAD_USER_INPUT", "start: must be 1970 or later and before end"),
        ({"start": "2026-11-05", "end": "2026-11-06"}, "NOT_COMPUTABLE", "1 returns on common dates, at least 2"),
        ({"benchmark": "no such thing!"}, "UNKNOWN_INSTRUMENT", "no such thing!"),
        (
            {"riskFree": -1.5},
            "BAD_USER_INPUT",
            "riskFree: must be above -1 and below 10: 0.03 is 3 % a year",
        ),
    ],
)
async def test_what_cannot_be_computed_is_an_error(room: Room, given: dict[str, Any], code: str, words: str):
    id = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "5", "100"))
    room.tapes.closes[BTC] = days("2026-11-02", *["100"] * 18)

    found = await room.error(PERFORMANCE, id=id, **given)

    assert found[0] == code
    assert words in found[1]


async def test_windows_move_and_a_model_that_cannot_be_fitted_is_told(room: Room):
    id = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "10", "100"))
    room.tapes.closes[BTC] = days("2026-11-02", "100", "110", "99", "108.9")
    asked = """query($id: ID!, $window: Int) { portfolio(id: $id) { performance(window: $window, garch: true) {
      figures { garchVolatility { value } } warnings rolling { window volatility { dates values } sharpe { values }
      ewmaVolatility { dates values } } } } }"""

    found = (await room.see(asked, id=id, window=2))["performance"]

    rolling = found["rolling"]
    assert rolling["window"] == 2
    assert rolling["volatility"]["dates"] == ["2026-11-03", "2026-11-04", "2026-11-05"]
    # Deviations of (0, 0.1), (0.1, -0.1), (-0.1, 0.1).
    expected = [each * 365**0.5 for each in (0.1 / 2**0.5, 0.2 / 2**0.5, 0.2 / 2**0.5)]
    assert rolling["volatility"]["values"] == pytest.approx(expected)
    assert len(rolling["ewmaVolatility"]["values"]) == 4
    assert found["figures"]["garchVolatility"] is None
    assert any(each.startswith("garch_volatility: ") for each in found["warnings"])
    assert (await room.error(asked, id=id, window=1))[0] == "BAD_USER_INPUT"


async def test_an_empty_portfolio_and_one_whose_price_nobody_has_say_why(room: Room):
    empty = await recorded(room)
    unpriced = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "5", "100"))

    for id in (empty, unpriced):
        assert (await room.error(PERFORMANCE, id=id))[0] == "NOT_COMPUTABLE"
    words = (await room.error(PERFORMANCE, id=unpriced))[1]
    assert words.startswith("no day of [2026-11-02, 2026-11-21) has a return: nothing was held, or something has no ")
    assert "crypto:BTC/USD" in words


def test_of_two_hundred_without_a_price_ten_are_named():
    unread: Any = None

    def span(count: int) -> Span:
        names = [f"equity:S{number:03}" for number in range(count)]
        failures = {name: NoAnswer(name, FailureCode.NOT_COVERED, "nobody has it", ()) for name in names}
        begin, end = date(2026, 11, 2), date(2026, 11, 20)
        return Span(
            portfolio=unread, start=begin, end=end, course=Course(days=()), periods=365, method="", idle=(),
            failures=failures,
        )  # fmt: skip

    def words(count: int) -> str:
        with pytest.raises(NotComputable) as refused:
            _ = span(count).worked
        return refused.value.message.partition("; ")[2]

    ten = "; ".join(f"equity:S{number:03}: nobody has it" for number in range(10))
    assert [words(10), words(11), words(200)] == [ten, f"{ten}; and 1 more", f"{ten}; and 190 more"]


async def test_a_constant_value_has_no_ratio_and_a_warning_says_so(room: Room):
    id = await recorded(room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "5", "100"))
    room.tapes.closes[BTC] = days("2026-11-02", *["100"] * 5)

    found = (await room.see(PERFORMANCE, id=id, end="2026-11-07"))["performance"]

    assert found["figures"]["volatility"]["value"] == 0
    assert any(each.startswith("sharpe") for each in found["warnings"])


async def test_weights_hold_on_every_day(room: Room):
    weights = [{"symbol": "BTC-USD", "weight": "0.5"}, {"symbol": "ETH-USD", "weight": "-0.25"}]
    id = (await made(room, weights=weights, cashWeight="0.75", notional="1000"))["id"]
    room.tapes.closes |= {
        BTC: days("2026-11-02", "100", "110", "99"), "crypto:ETH/USD": days("2026-11-02", "10", "12", "12"),
    }  # fmt: skip

    found = (await room.see(PERFORMANCE, id=id, start="2026-11-03", end="2026-11-05"))["performance"]
    parts = (await room.see(CONTRIBUTIONS, id=id, start="2026-11-03", end="2026-11-05"))["contributions"]

    assert found["returns"]["returns"] == pytest.approx([0.05 - 0.05, -0.05])
    assert (found["values"], found["moneyWeightedReturn"]) == (None, None)
    assert {each["symbol"]: each["value"] for each in parts["contributions"]} == pytest.approx(
        {BTC: 0.05 - 0.05, "crypto:ETH/USD": -0.05}
    )
    assert parts["total"] == pytest.approx(-0.05)
    assert await room.error(PNL, id=id) == (
        "BAD_USER_INPUT", "pnl: a portfolio of weights has no transactions, and so no profit and loss",
    )  # fmt: skip


async def test_contributions_sum_to_the_time_weighted_return_with_trades_income_and_fees(room: Room):
    id = await recorded(
        room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "5", "100", fee="2"),
        trade("2026-11-03", "BUY", "10", "20", "ETH-USD"), deposit("2026-11-04", "300"),
        deposit("2026-11-04", "7", "INTEREST"), trade("2026-11-05", "SELL", "2", "125"),
        deposit("2026-11-05", "3", "DIVIDEND", symbol="ETH-USD"), deposit("2026-11-05", "100", "WITHDRAWAL"),
    )  # fmt: skip
    room.tapes.closes |= {
        BTC: days("2026-11-02", "101", "110", "105", "130"), "crypto:ETH/USD": days("2026-11-03", "21", "19", "22"),
    }  # fmt: skip

    performance = (await room.see(PERFORMANCE, id=id, end="2026-11-06"))["performance"]
    found = (await room.see(CONTRIBUTIONS, id=id, end="2026-11-06"))["contributions"]

    # By hand: 1003; 1003 + 45 + 10; + 300, -25 - 20 + 7; 25 * 3 + 20 * 2 + 30 + 3.
    expected = [3 / 1000, 55 / 1003, -38 / 1358, 148 / 1320]
    assert performance["returns"]["returns"] == pytest.approx(expected)
    wealth = [1, 1.003, 1.003 * (1 + 55 / 1003), 1.003 * (1 + 55 / 1003) * (1 - 38 / 1358)]
    parts = {each["symbol"]: each["value"] for each in found["contributions"]}
    assert parts == pytest.approx({
        BTC: 0.003 + wealth[1] * 45 / 1003 - wealth[2] * 25 / 1358 + wealth[3] * 115 / 1320,
        "crypto:ETH/USD": wealth[1] * 10 / 1003 - wealth[2] * 20 / 1358 + wealth[3] * 33 / 1320,
        None: wealth[2] * 7 / 1358,
    })  # fmt: skip
    assert found["total"] == pytest.approx(performance["figures"]["totalReturn"]["value"], rel=1e-12)
    assert (found["count"], found["contributions"][-1]["symbol"]) == (4, None)


async def test_profit_by_average_cost_and_first_in_first_out(room: Room):
    id = await recorded(
        room, trade("2026-11-02", "BUY", "10", "100", fee="1"), trade("2026-11-03", "BUY", "10", "200"),
        trade("2026-11-04", "SELL", "15", "300", fee="2"), deposit("2026-11-05", "8", "INTEREST"),
        deposit("2026-11-05", "5", "FEE", currency="EUR"),
    )  # fmt: skip
    room.tapes.quotes |= {BTC: "250", "fx:EUR/USD": "1.2"}

    average = (await room.see(PNL, id=id))["pnl"]
    fifo = (await room.see(PNL, id=id, method="FIFO"))["pnl"]

    usual = {"symbol": BTC, "currency": "USD", "quantity": "5", "price": "250", "income": "0.00", "fees": "3.00"}
    assert average["lines"][0] == {
        **usual, "cost": "750.00", "realised": "2250.00", "unrealised": "500.00", "total": "2747.00",
        "lots": {"nodes": [{"openedAt": "2026-11-02T12:00:00Z", "quantity": "5", "cost": "750.00"}]},
    }  # fmt: skip
    assert fifo["lines"][0] == {
        **usual, "cost": "1000.00", "realised": "2500.00", "unrealised": "250.00", "total": "2747.00",
        "lots": {"nodes": [{"openedAt": "2026-11-03T12:00:00Z", "quantity": "5", "cost": "1000.00"}]},
    }  # fmt: skip
    assert [(line["symbol"], line["currency"], line["total"]) for line in fifo["lines"][1:]] == [
        (None, "EUR", "-5.00"), (None, "USD", "8.00"),
    ]  # fmt: skip
    assert {name: fifo[name] for name in ("realised", "unrealised", "income", "fees", "total")} == {
        "realised": "2500.00", "unrealised": "250.00", "income": "8.00", "fees": "9.00", "total": "2749.00",
    }  # fmt: skip
    assert (average["method"], fifo["method"], fifo["failures"]) == ("AVERAGE_COST", "FIFO", [])


async def test_profit_of_the_past_is_by_the_closes_and_units_of_then(room: Room):
    id = await recorded(
        room, trade("2026-11-02", "BUY", "10", "100", "AAPL", currency="USD"),
        {"kind": "SPLIT", "at": "2026-11-10", "symbol": "AAPL", "ratio": "2"},
    )  # fmt: skip
    room.tapes.closes["equity:AAPL"] = {"2026-11-03": "60", "2026-11-11": "70"}

    (before,) = (await room.see(PNL, id=id, at="2026-11-04"))["pnl"]["lines"]
    (behind,) = (await room.see(PNL, id=id, at="2026-11-12"))["pnl"]["lines"]

    assert (before["quantity"], before["price"], before["unrealised"]) == ("10", "120", "200.00")
    assert (behind["quantity"], behind["price"], behind["unrealised"]) == ("20", "70", "400.00")


async def test_income_and_costs_are_told_by_instrument_and_kind(room: Room):
    id = await recorded(
        room, trade("2026-11-02", "BUY", "10", "100", "AAPL", currency="USD", fee="1"),
        deposit("2026-11-03", "4", "DIVIDEND", symbol="AAPL"), deposit("2026-11-04", "6", "DIVIDEND", symbol="AAPL"),
        deposit("2026-11-05", "2", "INTEREST", currency="EUR"), deposit("2026-11-06", "3", "FEE"),
    )  # fmt: skip
    room.tapes.rates["EUR/USD"] = {"2026-11-05": "1.5", "2026-11-19": "2"}

    whole = (await room.see(INCOME, id=id))["income"]
    part = (await room.see(INCOME, id=id, start="2026-11-04", end="2026-11-06"))["income"]

    assert (whole["income"], whole["fees"], whole["currency"]) == ("13.00", "4.00", "USD")
    assert [(e["symbol"], e["kind"], e["currency"], e["amount"], e["count"]) for e in whole["lines"]] == [
        (None, "FEE", "USD", "-3.00", 1), (None, "INTEREST", "EUR", "2.00", 1),
        ("equity:AAPL", "DIVIDEND", "USD", "10.00", 2), ("equity:AAPL", "FEE", "USD", "-1.00", 1),
    ]  # fmt: skip
    assert (part["income"], part["fees"]) == ("9.00", "0.00")


async def test_positions_of_the_past_are_units_times_closes(room: Room):
    id = await recorded(
        room, deposit("2026-11-02", "1000"), trade("2026-11-02", "BUY", "4", "100", "AAPL", currency="USD"),
        {"kind": "SPLIT", "at": "2026-11-04", "symbol": "AAPL", "ratio": "2"},
        trade("2026-11-05", "SELL", "8", "60", "AAPL"),
    )  # fmt: skip
    room.tapes.closes["equity:AAPL"] = {
        "2026-11-02": "50", "2026-11-03": "55", "2026-11-04": "54", "2026-11-05": "60",
    }  # fmt: skip
    asked = """query($id: ID!) { portfolio(id: $id) { positionHistory(end: "2026-11-06") {
      dates currency cash values unpriced columns { symbol quantities values } failures { symbol } } } }"""

    found = (await room.see(asked, id=id))["positionHistory"]

    assert found == {
        "dates": [f"2026-11-0{n}" for n in range(1, 6)], "currency": "USD", "unpriced": [], "failures": [],
        "columns": [{
            "symbol": "equity:AAPL", "quantities": ["0", "4", "4", "8", "0"],
            "values": ["0.00", "400.00", "440.00", "432.00", "0.00"],
        }],
        "cash": ["0.00", "600.00", "600.00", "600.00", "1080.00"],
        "values": ["0.00", "1000.00", "1040.00", "1032.00", "1080.00"],
    }  # fmt: skip


async def test_without_cash_what_is_bought_is_what_comes_in(room: Room):
    id = await recorded(
        room, trade("2026-11-02", "BUY", "10", "100"), trade("2026-11-03", "BUY", "5", "110", fee="10"),
        trade("2026-11-04", "SELL", "15", "121"), tracksCash=False,
    )  # fmt: skip
    room.tapes.closes[BTC] = days("2026-11-02", "100", "110", "121")

    found = (await room.see(PERFORMANCE, id=id))["performance"]

    assert found["returns"]["returns"] == pytest.approx([0, 1650 / 1560 - 1, 0.1])
    assert found["values"]["broughtIn"] == ["0.00", "1000.00", "560.00", "0.00"]
    assert found["values"]["takenOut"] == ["0.00", "0.00", "0.00", "1815.00"]
