"""Series out of a file: what is read, and where it is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.cli.outcome import Code, Stop
from gateway.cli.report.panel import panel_of, read_panel

PRICES = "date,A,B\n2026-01-01,100,50\n2026-01-02,110,\n2026-01-05,99,55\n"


def refusal(text: str, *, returns: bool = False) -> tuple[str, Code]:
    with pytest.raises(Stop) as caught:
        panel_of(text, "x.csv", returns=returns)
    return caught.value.message, caught.value.code


def test_columns_are_read_with_blanks_as_missing():
    panel = panel_of(PRICES, "x.csv")

    assert panel.dates == (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 5))
    assert panel.columns == {"A": (100.0, 110.0, 99.0), "B": (50.0, None, 55.0)}
    assert panel.opening == panel.dates
    assert panel.levels("B") == (50.0, None, 55.0)


def test_the_date_may_stand_anywhere_and_empty_lines_do_not_count():
    panel = panel_of("A, Date \n1,2026-01-01\n\n2, 2026-01-02\n3,2026-01-03\n", "x.csv")

    assert panel.columns == {"A": (1.0, 2.0, 3.0)}


def test_returns_grow_from_one_on_the_day_before_the_first_of_them():
    panel = panel_of("date,A,B\n2026-01-31,0.5,\n2026-02-28,-0.5,0.25\n", "x.csv", returns=True)

    assert panel.opening == (date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 28))
    assert panel.levels("A") == (1.0, 1.5, 0.75)
    assert panel.levels("B") == (None, 1.0, 1.25)


def test_a_file_with_the_mark_of_its_encoding_is_read(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text(PRICES, encoding="utf-8-sig")

    assert list(read_panel(path).columns) == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "x.csv is empty: its first line names the columns, the others are data"),
        ("\n\n", "x.csv is empty: its first line names the columns, the others are data"),
        ("day,A\n", "x.csv:1: there is no column date: add a column date"),
        ("date;A\n", "x.csv:1: there is no column date: columns are parted by commas, not by semicolons"),
        ("date\n", "x.csv:1: there is no column beside date: give each series one"),
        ("date,A,\n", "x.csv:1: column 3 has no name"),
        ("date,A,A\n", "x.csv:1: column A is there twice"),
        ("date,A,Date\n", "x.csv:1: column date is there twice"),
        (PRICES + "2026-01-06,1\n", "x.csv:5: has 2 cells under 3 columns"),
        (PRICES + "06.01.2026,1,2\n", "x.csv:5: date: '06.01.2026' is no date: write 2026-11-20"),
        (PRICES + "2026-02-30,1,2\n", "x.csv:5: date: '2026-02-30' is no date: write 2026-11-20"),
        (PRICES + "20260106,1,2\n", "x.csv:5: date: '20260106' is no date: write 2026-11-20"),
        (PRICES + "0001-01-01,1,2\n", "x.csv:5: date: '0001-01-01' is no date: write 2026-11-20"),
        (PRICES + "2026-01-02,1,2\n", "x.csv:5: date: 2026-01-02 is in line 3 already: give each date once"),
        (PRICES + "2026-01-04,1,2\n", "x.csv:5: date: 2026-01-04 comes after 2026-01-05: sort the lines by date"),
        (PRICES + "2026-01-06,1,x\n", "x.csv:5: column B: 'x' is no number: write digits with a point, such as 1234.5"),
        (PRICES + '2026-01-06,"1,5",2\n',
         "x.csv:5: column A: '1,5' is no number: write digits with a point, such as 1234.5"),
        (PRICES + "2026-01-06,nan,2\n",
         "x.csv:5: column A: 'nan' is no number: write digits with a point, such as 1234.5"),
        (PRICES + "2026-01-06,1e999,2\n",
         "x.csv:5: column A: '1e999' is no number: write digits with a point, such as 1234.5"),
        (PRICES + "2026-01-06,-1,2\n", "x.csv:5: column A: -1 cannot be: a price is above 0"),
        ('date,"A\nB"\n2026-01-01,1\n2026-01-02,0\n2026-01-03,1\n',
         "x.csv:4: column A\nB: 0 cannot be: a price is above 0"),
        ('date,A\n2026-01-01,"1\n', "x.csv:2: cannot be read as CSV (unexpected end of data)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_its_column(text: str, told: str):
    assert refusal(text) == (told, Code.USAGE)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("-1.5", "0"), "x.csv:2: column A: -1.5 cannot be: a simple return is above -1 (-0.05 is a loss of 5 %)"),
        (("-1", "0"), "x.csv:2: column A: -1 cannot be: a simple return is above -1 (-0.05 is a loss of 5 %)"),
        (("0.1", "", "0.1"), "x.csv:3: column A: no return, and none can span it: give prices instead"),
    ],
)
def test_returns_that_cannot_be_compounded_are_told(cells: tuple[str, ...], told: str):
    lines = [f"2026-01-0{day},{cell}" for day, cell in enumerate(cells, 1)]

    assert refusal("\n".join(["date,A", *lines]), returns=True) == (told, Code.USAGE)


def test_a_price_of_nothing_and_a_total_loss_may_be_the_last():
    assert panel_of("date,A\n2026-01-01,1\n2026-01-02,2\n2026-01-03,0\n", "x.csv").columns["A"] == (1.0, 2.0, 0.0)
    assert panel_of("date,A\n2026-01-01,1\n2026-01-02,-1\n", "x.csv", returns=True).levels("A") == (1.0, 2.0, 0.0)


@pytest.mark.parametrize(
    ("text", "returns", "told"),
    [
        ("date,A\n", False, "x.csv has 0 dates: two returns are the fewest, that is 3 dates with prices"),
        ("date,A\n2026-01-01,1\n2026-01-02,1\n", False,
         "x.csv has 2 dates: two returns are the fewest, that is 3 dates with prices"),
        ("date,A\n2026-01-01,1\n", True, "x.csv has 1 date: two returns are the fewest, that is 2 dates with returns"),
    ],
)  # fmt: skip
def test_too_few_dates_are_nothing_to_compute_from(text: str, returns: bool, told: str):
    assert refusal(text, returns=returns) == (told, Code.NOTHING)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path):
    (tmp_path / "x.csv").write_bytes(b"date,A\xff\n")

    with pytest.raises(Stop) as missing:
        read_panel(tmp_path / "nowhere.csv")
    with pytest.raises(Stop) as binary:
        read_panel(tmp_path / "x.csv")

    assert missing.value.message == f"{tmp_path}/nowhere.csv cannot be read (No such file or directory)"
    assert binary.value.message == f"{tmp_path}/x.csv is not UTF-8 (byte 7): save it as CSV in UTF-8"
