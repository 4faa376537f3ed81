"""`marketgate portfolio report` of transactions: what they earned at closes of a file, or of the market."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.cli.conftest import ROOT, Run
from tests.gateway.cli.report.test_portfolio_report import page_of, pairs, rows, section

PRICES = "date,A,B\n2026-01-05,100,10\n2026-01-06,110,10\n2026-01-07,99,\n2026-01-08,121,20\n2026-01-09,121,20\n"
TRADES = """date,kind,symbol,quantity,price
2026-01-08,sell,A,5,120
2026-01-06,buy,A,10,105
"""
CASH = """at,type,ticker,quantity,price,amount,fee,currency
2026-01-05,deposit,,,,1000,,usd
2026-01-06,buy,A,5,110,,10,USD
2026-01-07,dividend,A,,,5,,USD
2026-01-08T15:00:00Z,withdrawal,,,,500,,USD
"""


@pytest.fixture
def prices(tmp_path: Path) -> str:
    path = tmp_path / "prices.csv"
    path.write_text(PRICES)
    return str(path)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tape.csv"
    path.write_text(text)
    return path


def test_what_trades_earn_is_their_gain_over_the_money_at_work(command: Run, tmp_path: Path, prices: str):
    tape = written(tmp_path, TRADES)

    ended = command("portfolio", "report", str(tape), "--prices", prices)

    page = page_of(tape.with_suffix(".html"))
    assert (ended.code, ended.out) == (0, f"{tape.with_suffix('.html')}\n")
    # 1,100 / 1,050, then 990 / 1,100, then (605 + 600) / 990, then 605 / 605.
    assert pairs(page, "cards")["Total return"] == "14.76 %"
    facts = pairs(page, "facts")
    assert facts["File"] == "tape.csv, transactions; closes of prices.csv"
    assert facts["Span"] == "2026-01-06 to 2026-01-09, counted from 2026-01-05"
    assert facts["Brought in"] == (
        "1,050.00, taken out 600.00; no cash is kept: purchases are brought in, sales are taken out"
    )
    assert facts["Value"] == "605.00 on 2026-01-09"
    assert rows(page, "Contributions") == [["A", "+14.76 %", "100.00 %"], ["All", "+14.76 %", "100.00 %"]]
    assert [row[0] for row in rows(page, "Each asset by itself")] == ["A"]


def test_cash_that_is_paid_in_is_part_of_the_portfolio(command: Run, tmp_path: Path, prices: str):
    tape = written(tmp_path, CASH)

    ended = command("portfolio", "report", str(tape), "--prices", prices, "--benchmark", "A")

    page = page_of(tape.with_suffix(".html"))
    facts = pairs(page, "facts")
    assert ended.code == 0
    # 1, then 990 / 1,000, then 940 / 990, then (550 + 500) / 940, then 550 / 550.
    assert pairs(page, "cards")["Total return"] == "5.00 %"
    assert facts["Brought in"] == "1,000.00 USD, taken out 500.00 USD; cash is kept"
    assert facts["Value"] == "550.00 USD on 2026-01-09"
    assert facts["Benchmark"] == "A"
    assert rows(page, "Contributions")[0][0] == "A"
    correlation = next(row for row in rows(page, "Figures") if row[0] == "Correlation")
    assert correlation[2:] == ["Pearson", "-", "-", "4", "2026-01-06", "2026-01-09"]


def test_a_day_without_a_price_is_spanned_and_told(command: Run, tmp_path: Path, prices: str):
    tape = written(tmp_path, "date,kind,symbol,quantity,price\n2026-01-05,buy,B,1,10\n")

    ended = command("portfolio", "report", str(tape), "--prices", prices)

    page = page_of(tape.with_suffix(".html"))
    assert (ended.code, pairs(page, "cards")["Total return"]) == (0, "100.00 %")
    assert pairs(page, "facts")["Count"] == "4 returns, 365 periods a year (told by the distances of the dates)"
    assert "1 date of the file without a value, spanned by the next return: 2026-01-07" in section(page, "data")


def test_splits_turn_closes_into_prices_of_their_day(command: Run, tmp_path: Path, prices: str):
    tape = written(tmp_path, "date,kind,symbol,quantity,price,ratio\n2026-01-05,buy,A,1,200,\n2026-01-08,split,A,,,2\n")

    command("portfolio", "report", str(tape), "--prices", prices)

    # Before the split a unit was worth two of the closes.
    page = page_of(tape.with_suffix(".html"))
    assert pairs(page, "cards")["Total return"] == "21.00 %"
    assert pairs(page, "facts")["Value"] == "242.00 on 2026-01-09"


def test_transactions_behind_the_last_price_do_not_count_and_are_told(command: Run, tmp_path: Path, prices: str):
    tape = written(tmp_path, TRADES + "2026-02-01,buy,A,1,1\n")

    command("portfolio", "report", str(tape), "--prices", prices)

    told = section(page_of(tape.with_suffix(".html")), "data")
    assert "transactions: 1 after 2026-01-09, the last date with prices, do not count" in told


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("date,kind,symbol,quantity,price\n2026-01-06,buy,A,ten,105\n", 2,
         ["tape.csv:2: column quantity: 'ten' is no number: write digits with a point, such as 1234.5"]),
        ("date,kind,symbol,quantity,price\n2026-01-06,buy,A,1,x\nsoon,sell,A,1,1\n2026-01-07,buy,A,,1\n", 2,
         ["tape.csv:2: column price: 'x' is no number: write digits with a point, such as 1234.5",
          "tape.csv:3: column date: 'soon' is no time: write 2026-11-20 or 2026-11-20T12:00:00Z",
          "tape.csv:4: column quantity: A BUY needs quantity",
          "tape.csv: 3 rows are wrong: nothing is written"]),
        ("date,kind,symbol,quantity,price,ratio\n2026-01-06,buy,A,1,105,\n2026-01-07,split,A,,,10000000000000\n", 2,
         ["tape.csv: The splits of A would make more than 10^12 units of one, or less than 10^-12, counted from the "
          "first to this one or to a later one"]),
        ("date,kind\n", 2, ["tape.csv: The file has no rows under its header"]),
        ("date,kind,amount,rate\n", 2,
         ["tape.csv: Line 1: there is no column 'rate'; the columns are at, kind, symbol, quantity, price, amount, "
          "fee, ratio, currency, note"]),
        ("date,kind,symbol,quantity,price,currency\n2026-01-06,buy,A,1,1,USD\n2026-01-06,buy,A,1,1,EUR\n", 2,
         ["tape.csv:3: column currency: EUR: a report is in one currency, and USD stands above: report on each by "
          "itself"]),
        ("date,kind,symbol,quantity,price\n2026-01-06,buy,C,1,1\n", 2,
         ["--prices: there is no column C, which is traded on 2026-01-06: add it"]),
        ("date,kind,symbol,quantity,price\n2026-02-06,buy,A,1,1\n", 4,
         ["tape.csv: no day has a return: nothing is held on a date of the prices, or has no price there"]),
        ("date,kind,symbol,quantity,price\n2026-01-09,buy,A,1,1\n", 4,
         ["tape.csv: transactions: returns: 1 returns on common dates, at least 2 are needed"]),
    ],
)  # fmt: skip
def test_what_gives_no_report_is_told_with_its_line_and_column(
    command: Run, tmp_path: Path, prices: str, text: str, code: int, told: list[str]
):
    tape = written(tmp_path, text)

    ended = command("portfolio", "report", str(tape), "--prices", prices)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.splitlines() == [f"marketgate: {line}" for line in told]
    assert not tape.with_suffix(".html").exists()


@pytest.mark.parametrize("options", [("--returns",), ("--weights", "A=1"), ("--rebalance", "monthly")])
def test_options_of_series_are_not_for_transactions(
    command: Run, tmp_path: Path, prices: str, options: tuple[str, ...]
):  # fmt: skip
    tape = written(tmp_path, TRADES)

    ended = command("portfolio", "report", str(tape), "--prices", prices, *options)

    told = "--returns, --weights, --rebalance: tape.csv holds transactions, which say it all"
    assert (ended.code, ended.err) == (2, f"marketgate: {told}\n")


def test_prices_are_not_for_series(command: Run, prices: str):
    ended = command("portfolio", "report", prices, "--prices", prices)

    told = "--prices: prices.csv holds series, which need no other prices: leave it out"
    assert (ended.code, ended.err) == (2, f"marketgate: {told}\n")


def test_without_prices_the_market_is_asked_and_named(command: Run, tmp_path: Path):
    page = tmp_path / "page.html"
    tape = ROOT / "docs" / "examples" / "transactions.csv"

    ended = command("portfolio", "report", str(tape), "--offline", "--benchmark", "SPY", "--out", str(page))

    facts = pairs(page_of(page), "facts")
    assert (ended.code, ended.out) == (0, f"{page}\n")
    assert ended.err.splitlines()[0] == "marketgate: offline market: SIMULATED data from sandbox"
    assert facts["File"] == "transactions.csv, transactions; SIMULATED closes from sandbox"
    assert facts["Span"].endswith("counted from 2026-05-29")
    assert facts["Brought in"] == "25,000.00 USD, taken out 0.00 USD; cash is kept"
    assert [row[0] for row in rows(page_of(page), "Contributions")] == ["AAPL", "BTC/USD", "MSFT", "All"]


def test_closes_in_another_currency_are_refused(command: Run, tmp_path: Path):
    tape = written(tmp_path, "date,kind,symbol,quantity,price,currency\n2026-10-05,buy,AAPL,1,300,EUR\n")

    ended = command("portfolio", "report", str(tape), "--offline")

    assert ended.code == 2
    assert ended.err.splitlines()[-1] == (
        "marketgate: AAPL: its closes are in USD, not in EUR: give converted ones with --prices"
    )


def test_a_symbol_that_nobody_knows_ends_the_report(command: Run, tmp_path: Path):
    tape = written(tmp_path, "date,kind,symbol,quantity,price\n2026-10-05,buy,???,1,300\n")

    ended = command("portfolio", "report", str(tape), "--offline")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("marketgate: '???' cannot be read: ")
