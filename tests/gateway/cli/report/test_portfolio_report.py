"""`marketgate portfolio report`: a page out of a file, by itself, and what stops it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.cli.outcome import Stop
from gateway.cli.report.command import Source, run
from gateway.cli.report.figures import NAMES
from gateway.cli.report.panel import read_panel
from gateway.cli.report.wish import Wish
from gateway.core.quant import tasks_performance
from tests.gateway.cli.conftest import ROOT, Ended, Run

PRICES = """date,portfolio,index
2025-12-31,100,1000
2026-01-05,110,1050
2026-01-30,99,945
2026-02-02,,990
2026-02-27,118.8,1039.5
"""
NBSP = "\u00a0"
TWO = """date,A,B
2026-01-05,100,10
2026-01-06,120,10
2026-01-07,120,5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fund.csv"
    path.write_text(PRICES)
    return path


def page_of(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def said(element: ElementTree.Element | None) -> str:
    assert element is not None
    return "".join(element.itertext()).replace(NBSP, " ")


def rows(page: ElementTree.Element, caption: str) -> list[list[str]]:
    """A table's body by the beginning of its caption."""
    (found,) = [table for table in page.iter("table") if said(table.find("caption")).startswith(caption)]
    return [[said(cell) for cell in row] for row in found.iterfind("tbody/tr")]


def pairs(page: ElementTree.Element, kind: str) -> dict[str, str]:
    """A list of names and values."""
    (found,) = [each for each in page.iter("dl") if each.get("class") == kind]
    return dict(
        zip((said(name) for name in found.iter("dt")), (said(value) for value in found.iter("dd")), strict=True)
    )


def section(page: ElementTree.Element, key: str) -> str:
    (found,) = [each for each in page.iter("section") if each.get("id") == key]
    return said(found)


def test_the_page_of_a_small_file_says_what_can_be_worked_out_by_hand(command: Run, file: Path):
    ended = command("portfolio", "report", str(file), "--benchmark", "index", "--periods", "12")

    page = page_of(file.with_suffix(".html"))
    assert (ended.code, ended.out) == (0, f"{file.with_suffix('.html')}\n")
    assert said(page.find("head/title")) == "Report on portfolio: fund.csv"
    assert pairs(page, "cards") == {
        "Total return": "18.80 %",
        "Annual return": "99.19 %",
        "Volatility a year": "52.92 %",
        "Sharpe ratio": "1.512",
        "Maximum drawdown": "-10.00 %",
    }
    assert pairs(page, "facts") == {
        "File": "fund.csv, prices",
        "Subject": "portfolio: column portfolio of the file",
        "Span": "2026-01-05 to 2026-02-27, counted from 2025-12-31",
        "Count": "3 returns, 12 periods a year (as asked)",
        "Benchmark": "index",
        "Risk-free rate": "0.00 % a year",
        "Conventions": "simple returns; nothing is filled; volatility with ddof 1, times the root of periods a year; "
        "losses of value at risk are positive; the method of each figure stands beside it",
        "Warnings": "5 warnings",
    }
    assert rows(page, "Returns of calendar months") == [
        ["2026", "-1.00", "+20.00", *[""] * 10, "+18.80"],
    ]
    assert rows(page, "The deepest drawdowns") == [
        ["1", "-10.00 %", "2026-01-05", "2026-01-30", "2026-02-27", "2"],
    ]
    figures = {row[0]: row[1:] for row in rows(page, "Figures")}
    assert figures["Total return"] == ["18.80 %", "compounded: ∏(1 + r) - 1", "-", "-", "3", "2026-01-05", "2026-02-27"]
    assert figures["Hit rate"][0] == "66.67 %"
    assert figures["Excess kurtosis, unbiased"] == [
        "-", "3 returns: at least 4 are needed", *["-"] * 5,
    ]  # fmt: skip
    assert figures["Up capture"][:2] == ["2.000", "arithmetic: Σr / Σb where b > 0"]
    assert figures["Against the benchmark index"] == []
    tails = {row[0]: row[1:4] for row in rows(page, "Losses over one period")}
    assert tails["Historical, 95 %"] == ["8.00 %", "10.00 %", "historical, linear quantile (R type 7), tail mean"]
    assert section(page, "data").startswith(
        "Missing dates and warnings1 date of the file without a value, spanned by the next return: 2026-02-02"
    )
    assert "prices: no value on 2026-02-02: the return to the next date spans them" in section(page, "data")


def test_every_figure_carries_all_its_digits_for_programs(command: Run, file: Path):
    command("portfolio", "report", str(file))

    first = next(page_of(file.with_suffix(".html")).iter("data"))

    assert float(first.get("value", "")) == pytest.approx(0.188, rel=1e-15)


def test_the_figures_are_those_of_the_task_to_the_last_digit(command: Run):
    example = ROOT / "docs" / "examples" / "prices.csv"
    panel = read_panel(example)
    task = tasks_performance.report({
        "dates": [str(day) for day in panel.dates], "prices": panel.columns["STOCKS"], "periods_per_year": 12,
        "risk_free": 0.02, "benchmark": {"prices": panel.columns["INDEX"]},
    })  # fmt: skip

    command(
        "portfolio", "report", str(example), "--weights", "STOCKS=1", "--benchmark", "INDEX", "--risk-free", "0.02",
        "--out", "page.html",
    )  # fmt: skip

    (table,) = [
        each for each in page_of(Path("page.html")).iter("table") if said(each.find("caption")).startswith("Figures")
    ]
    shown = {said(row.find("th")): row.find("td/data") for row in table.iterfind("tbody/tr")}
    compared = 0
    for name, figure in task["figures"].items():
        if figure is not None:
            found = shown[NAMES[name].replace(NBSP, " ")]
            assert found is not None
            assert float(found.get("value", "")) == pytest.approx(figure["value"], rel=1e-12), name
            compared += 1
    assert compared == len(NAMES) == 30


def test_columns_are_held_with_equal_weights_and_their_contributions_sum_to_the_return(command: Run, tmp_path: Path):
    path = tmp_path / "two.csv"
    path.write_text(TWO)

    ended = command("portfolio", "report", str(path))

    page = page_of(path.with_suffix(".html"))
    assert (ended.code, pairs(page, "cards")["Total return"]) == (0, "-15.00 %")
    assert pairs(page, "facts")["Subject"] == (
        "portfolio: 2 columns of the file, equal weights at the start, never rebalanced"
    )
    assert pairs(page, "facts")["Count"] == "2 returns, 365 periods a year (told by the distances of the dates)"
    assert rows(page, "Contributions to the total return") == [
        ["A", "50.00 %", "+10.00 %", "-66.67 %"],
        ["B", "50.00 %", "-25.00 %", "166.67 %"],
        ["All", "100.00 %", "-15.00 %", "100.00 %"],
    ]
    assert [row[:2] for row in rows(page, "Each asset by itself")] == [["A", "20.00 %"], ["B", "-50.00 %"]]


def test_weights_may_be_given_and_set_again(command: Run, tmp_path: Path):
    path = tmp_path / "two.csv"
    path.write_text(TWO)

    ended = command(
        "portfolio", "report", str(path), "--weights", "A=0.5, B=0.25", "--rebalance", "every-period"
    )  # fmt: skip

    page = page_of(path.with_suffix(".html"))
    # 1.1 · 0.875: a quarter is cash.
    assert (ended.code, pairs(page, "cards")["Total return"]) == (0, "-3.75 %")
    assert pairs(page, "facts")["Subject"] == (
        "portfolio: 2 columns of the file, given weights at the start, rebalanced every period"
    )
    assert "weights: they sum to 0.75 at the start, the rest is cash without return" in section(page, "data")


def test_returns_give_the_page_that_their_prices_give(command: Run, tmp_path: Path):
    path = tmp_path / "two.csv"
    path.write_text("date,A,B\n2026-01-06,0.2,0\n2026-01-07,0,-0.5\n")

    ended = command("portfolio", "report", str(path), "--returns")

    page = page_of(path.with_suffix(".html"))
    assert ended.code == 0
    assert pairs(page, "facts")["File"] == "two.csv, simple returns"
    assert pairs(page, "facts")["Span"] == "2026-01-06 to 2026-01-07"
    assert [row[2] for row in rows(page, "Contributions to the total return")] == ["+10.00 %", "-25.00 %", "-15.00 %"]
    assert "2026-01-05" not in said(page)


def test_an_asset_that_begins_late_shortens_the_portfolio_and_is_told(command: Run, tmp_path: Path):
    path = tmp_path / "late.csv"
    path.write_text("date,A,B\n2026-01-05,1,\n2026-01-06,2,1\n2026-01-07,3,2\n2026-01-08,4,3\n2026-01-09,,4\n")

    ended = command("portfolio", "report", str(path))

    told = section(page_of(path.with_suffix(".html")), "data")
    assert ended.code == 0
    assert "portfolio: begins on 2026-01-06: before, there is no value of B" in told
    assert "portfolio: ends on 2026-01-08: after, there is no value of A" in told


def test_the_same_file_gives_the_same_bytes(command: Run, file: Path, tmp_path: Path):
    for name in ("one.html", "two.html"):
        assert command("portfolio", "report", str(file), "--out", str(tmp_path / name)).code == 0

    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_the_page_asks_nobody_for_anything_and_runs_nothing(command: Run, file: Path):
    command("portfolio", "report", str(file), "--benchmark", "index")

    text = file.with_suffix(".html").read_text(encoding="utf-8")

    for asking in ("http", "//", "src=", "url(", "@import", "<link", "<script", "<iframe"):
        assert asking not in text, asking
    page = page_of(file.with_suffix(".html"))
    assert not [name for each in page.iter() for name in each.attrib if name.startswith("on")]
    links = [link.get("href", "") for link in page.iter("a")]
    assert links
    assert all(link.startswith("#") for link in links)


def test_every_link_and_every_label_leads_to_one_element(command: Run, file: Path):
    command("portfolio", "report", str(file), "--benchmark", "index")

    page = page_of(file.with_suffix(".html"))

    ids = [each.get("id") for each in page.iter() if each.get("id")]
    links = [link.get("href", "").removeprefix("#") for link in page.iter("a")]
    labels = [name for each in page.iter() for name in each.get("aria-labelledby", "").split()]
    assert len(ids) == len(set(ids))
    assert set(links + labels) <= set(ids)


def test_tables_and_pictures_can_be_told_without_seeing_them(command: Run, file: Path):
    command("portfolio", "report", str(file), "--benchmark", "index")

    page = page_of(file.with_suffix(".html"))

    assert page.get("lang") == "en"
    assert all(said(table.find("caption")) for table in page.iter("table"))
    assert all(head.get("scope") for head in page.iter("th"))
    assert all(svg.findtext("title") and svg.findtext("desc") for svg in page.iter("svg"))
    assert [each.get("tabindex") for each in page.iter("div") if each.get("role") == "region"] == ["0"] * 4


def test_names_of_columns_are_text_and_nothing_else(command: Run, tmp_path: Path):
    path = tmp_path / "x.csv"
    name = "<script>alert('&')</script>"
    path.write_text(f'date,{name},"a ""b"" \x01"\n2026-01-05,1,2\n2026-01-06,2,2\n2026-01-07,3,3\n')

    ended = command("portfolio", "report", str(path))

    text = path.with_suffix(".html").read_text(encoding="utf-8")
    assert ended.code == 0
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in text
    assert [row[0] for row in rows(page_of(path.with_suffix(".html")), "Each asset")] == [name, 'a "b" \ufffd']


def test_a_constant_series_has_no_ratio_and_says_why(command: Run, tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("date,portfolio\n2026-01-05,7\n2026-01-06,7\n2026-01-07,7\n2026-01-08,7\n")

    ended = command("portfolio", "report", str(path))

    page = page_of(path.with_suffix(".html"))
    assert ended.code == 0
    assert {row[0]: row[1:3] for row in rows(page, "Figures")}["Sharpe ratio"] == [
        "-", "the series is constant: its deviation is 0",
    ]  # fmt: skip
    assert "There is no drawdown." in section(page, "falls")
    assert "nan" not in said(page).lower().replace("finance", "")


def stopped(command: Run, path: Path, *options: str) -> tuple[int, str]:
    ended: Ended = command("portfolio", "report", str(path), *options)
    assert ended.out == ""
    assert not path.with_suffix(".html").exists()
    return ended.code, ended.err


async def test_a_folder_is_no_file_to_report_on():
    with pytest.raises(Stop, match=r"^\. is a folder: name the file to report on$"):
        await run(Source(file=Path()), None, Wish(), force=False)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--benchmark", "SPX"), "--benchmark: fund.csv has no column SPX: it has portfolio, index"),
        (("--weights", "index=1"),
         "--weights: the file has a column portfolio, which has its own: leave one of them out"),
        (("--weights", "index"), "--weights: 'index' is no weight: write AAPL=0.6,MSFT=0.4"),
        (("--weights", "a=1,a=2"), "--weights: a is there twice"),
        (("--rebalance", "daily"),
         "--rebalance: 'daily' is not known: write one of never, every_period, monthly, quarterly, yearly"),
        (("--risk-free", "-1"), "--risk-free: -1 is no rate a year: write 0.05 for 5 %"),
        (("--risk-free", "nan"), "--risk-free: nan is no rate a year: write 0.05 for 5 %"),
        (("--periods", "0"), "--periods: must be 1 to 366, such as 252, not 0"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_told_and_nothing_is_written(
    command: Run, file: Path, options: tuple[str, ...], told: str
):
    assert stopped(command, file, *options) == (2, f"marketgate: {told}\n")


@pytest.mark.parametrize(
    ("text", "options", "code", "told"),
    [
        ("date,A\n2026-01-05,1\n2026-01-06,x\n", (), 2,
         "x.csv:3: column A: 'x' is no number: write digits with a point, such as 1234.5"),
        ("date,A\n2026-01-05,1\n2026-01-06,2\n", (), 4,
         "x.csv has 2 dates: two returns are the fewest, that is 3 dates with prices"),
        ("date,A,B\n2026-01-05,1,\n2026-01-06,2,1\n2026-01-07,,2\n", (), 4,
         "x.csv: A and B: 0 returns on common dates, at least 1 are needed"),
        ("date,A\n2026-01-05,1\n2026-01-06,2\n2026-01-07,\n", (), 4,
         "x.csv: A: prices: 1 returns on common dates, at least 2 are needed"),
        ("date,A\n2026-01-05,1\n2026-01-06,2\n2026-01-07,3\n", ("--benchmark", "A"), 2,
         "x.csv: there is no column beside the benchmark: add one to report on"),
    ],
)  # fmt: skip
def test_a_file_that_gives_no_report_is_told(
    command: Run, tmp_path: Path, text: str, options: tuple[str, ...], code: int, told: str
):
    path = tmp_path / "x.csv"
    path.write_text(text)

    assert stopped(command, path, *options) == (code, f"marketgate: {told}\n")


def test_a_page_that_is_there_is_kept_unless_forced(command: Run, file: Path):
    page = file.with_suffix(".html")
    page.write_text("mine")

    kept = command("portfolio", "report", str(file))
    before = page.read_text()
    forced = command("portfolio", "report", str(file), "--force")

    told = f"marketgate: {page} is there already: --force overwrites it, --out names another\n"
    assert (kept.code, kept.err, before) == (2, told, "mine")
    assert forced.code == 0
    assert page.read_text().startswith("<!DOCTYPE html>\n<html lang=")


def test_the_file_itself_is_never_overwritten(command: Run, file: Path):
    ended = command("portfolio", "report", str(file), "--out", str(file), "--force")

    assert (ended.code, ended.err) == (
        2, f"marketgate: --out: {file} is the file to report on: name another\n",
    )  # fmt: skip
    assert file.read_text() == PRICES


def test_a_folder_that_is_not_there_is_named(command: Run, file: Path):
    ended = command("portfolio", "report", str(file), "--out", "nowhere/x.html")

    told = "marketgate: nowhere/x.html cannot be written (No such file or directory)\n"
    assert (ended.code, ended.err) == (2, told)


def test_only_the_command_itself_loads_numpy(file: Path):
    code = """
import sys
from gateway.cli.app import run
run(["portfolio", "report", "--help"])
before = {"numpy", "scipy", "msgspec", "gateway.cli.report.command"} & set(sys.modules)
assert run(["portfolio", "report", sys.argv[1]]) == 0
print(sorted(before), "numpy" in sys.modules, "scipy" in sys.modules, "pandas" in sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[] True False False"
