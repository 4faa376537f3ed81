"""Transactions as comma-separated values: errors by line and column, all or nothing, safe for spreadsheets."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.portfolio import recording
from plugins.portfolio.csvfile import MOST_ROWS, BadRow, ReadRow, drafts_of
from plugins.portfolio.tables import imports, transactions
from schema.words.problems import Refused
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.test_portfolios import BUY, ERRORS, RECORD, made

IMPORT = f"""mutation($i: PortfolioImportInput!) {{ r: portfolioImport(input: $i) {{ imported errorCount
  errors {{ line column message }} portfolio {{ version }} {ERRORS} }} }}"""
CSV = "query($id: ID!) { portfolio(id: $id) { csv transactions { nodes { kind symbol quantity note } } } }"
GOOD = """at,kind,symbol,quantity,price,amount,fee,ratio,currency,note
2026-11-02T00:00:00Z,DEPOSIT,,,,1000,,,USD,
2026-11-03T15:00:00Z,BUY,equity:AAPL,4,100.5,,1,,USD,"two
lines, one cell"
2026-11-10T00:00:00Z,SPLIT,equity:AAPL,,,,,4,USD,
"""


def bad(text: str) -> list[tuple[int, str | None, str]]:
    return [(row.line, row.column, row.message) for row in drafts_of(text) if isinstance(row, BadRow)]


async def brought(room: Room, csv: str, **more: Any) -> tuple[str, dict[str, Any]]:
    id = (await made(room))["id"]
    return id, await room.do(IMPORT, portfolioId=id, csv=csv, **more)


async def test_what_is_exported_is_imported_again(room: Room):
    id, payload = await brought(room, GOOD)

    assert payload == {
        "imported": 3, "errorCount": 0, "errors": [], "portfolio": {"version": 2}, "userErrors": [],
    }  # fmt: skip
    one = (await room.see(CSV, id=id))["csv"]
    assert one.replace("\r\n", "\n") == GOOD
    other, _ = await brought(room, one)
    assert (await room.see(CSV, id=other))["csv"] == one


async def test_one_bad_row_keeps_all_out_and_each_error_names_line_and_column(room: Room):
    text = (
        "Date,Type,Ticker,Quantity,Price,Currency,Note\n"
        '2026-11-03,BUY,AAPL,1,100,USD,"a\nb"\n'
        "2026-11-03,BOUGHT,AAPL,1,100,USD,\n"
        "\n"
        "2026-13-03,BUY,AAPL,\"1,000\",100,USD,\n"
        "2026-11-03,BUY,no such thing!,1,100,USD,\n"
        "2026-11-03,BUY,AAPL,1,100,EUR,\n"
        "2026-11-03,BUY,AAPL,,100,USD,\n"
        "2026-11-03,BUY,AAPL,1,100,USD,,,\n"
        ",BUY,AAPL,1,100,USD,\n"
    )  # fmt: skip

    id, payload = await brought(room, text)

    assert [(e["line"], e["column"]) for e in payload["errors"]] == [
        (4, "Type"), (6, "Date"), (6, "Quantity"), (7, "Ticker"), (8, "Currency"), (9, "Quantity"), (10, None),
        (11, "Date"),
    ]  # fmt: skip
    messages = [e["message"] for e in payload["errors"]]
    assert messages[0].startswith("'BOUGHT' is none of BUY, SELL, DIVIDEND")
    assert messages[1] == "'2026-13-03' is no time: write 2026-11-20 or 2026-11-20T12:00:00Z."
    assert messages[2] == "'1,000' is no number: write digits with a point, such as 1234.5."
    assert messages[4:] == [
        "equity:AAPL is priced in USD here, not in EUR.", "A BUY needs quantity.",
        "The row has 9 cells under 7 columns.", "at is empty.",
    ]  # fmt: skip
    assert (payload["imported"], payload["errorCount"]) == (0, 8)
    assert payload["portfolio"] == {"version": 1}
    assert await room.company.count(transactions) == 0
    partly = await room.do(IMPORT, portfolioId=id, csv=text, partial=True)
    assert (partly["imported"], partly["errorCount"], partly["portfolio"]) == (1, 8, {"version": 2})


async def test_a_dry_run_changes_nothing(room: Room):
    _, payload = await brought(room, GOOD, dryRun=True, idempotencyKey="k")

    assert (payload["imported"], payload["portfolio"]) == (3, {"version": 1})
    assert (await room.company.count(transactions), await room.company.count(imports)) == (0, 0)


async def test_a_dry_run_says_what_the_import_would_say(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recording, "MOST_TRANSACTIONS", 2)
    id, many = await brought(room, GOOD, dryRun=True)
    wrong = await room.do(IMPORT, portfolioId=id, csv=GOOD + "2026-11-03,FEE,,,,x,,,USD,\n", dryRun=True)
    late = await room.do(IMPORT, portfolioId=id, csv=GOOD, dryRun=True, version=7)
    _, real = await brought(room, GOOD)

    assert (many["imported"], many["userErrors"]) == (0, real["userErrors"])
    assert [error["code"] for error in many["userErrors"]] == ["TOO_MANY_TRANSACTIONS"]
    assert (wrong["imported"], wrong["errorCount"], wrong["userErrors"]) == (0, 1, [])
    assert [error["code"] for error in late["userErrors"]] == ["VERSION_CONFLICT"]


async def test_a_key_tells_the_same_errors_again(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recording, "MOST_ERRORS", 1)
    text = GOOD + "2026-11-03,FEE,,,,x,,,USD,\n2026-11-03,FEE,,,,y,,,USD,\n"
    id, first = await brought(room, text, partial=True, idempotencyKey="k")
    again = await room.do(IMPORT, portfolioId=id, csv=text, partial=True, idempotencyKey="k")

    told = "'x' is no number: write digits with a point, such as 1234.5."
    assert first == again
    assert (first["imported"], first["errorCount"]) == (3, 2)
    assert first["errors"] == [{"line": 6, "column": "amount", "message": told}]


async def test_a_key_imports_a_file_once(room: Room):
    id, first = await brought(room, GOOD, idempotencyKey="k")
    again = await room.do(IMPORT, portfolioId=id, csv=GOOD, idempotencyKey="k")
    other = await room.do(IMPORT, portfolioId=id, csv=GOOD + "2026-11-03,FEE,,,,1,,,USD,\n", idempotencyKey="k")

    assert first == again
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"
    assert await room.company.count(transactions) == 3


async def test_a_cell_that_a_spreadsheet_would_compute_begins_with_an_apostrophe_and_comes_back_without(room: Room):
    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, note='=HYPERLINK("http://x")', **BUY)

    told = await room.see(CSV, id=id)

    assert told["csv"].splitlines()[1].endswith(',"\'=HYPERLINK(""http://x"")"')
    other, _ = await brought(room, told["csv"])
    (node,) = (await room.see(CSV, id=other))["transactions"]["nodes"]
    assert node["note"] == '=HYPERLINK("http://x")'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1: the column at is missing."),
        ("at,kind\n", "The file has no rows under its header."),
        ("at;kind;symbol\n", "Line 1: columns are parted by commas, not by semicolons."),
        ("at,kind,colour\n", "Line 1: there is no column 'colour'; the columns are at, kind, symbol, quantity, price, "
         "amount, fee, ratio, currency, note."),
        ("at,kind,Date\n", "Line 1: the column at is there twice."),
        ("at,symbol\n", "Line 1: the column kind is missing."),
        ('at,kind\n2026-11-03,"FEE\n', "Line 2 cannot be read: unexpected end of data."),
        ("at,kind\n" + "2026-11-03,FEE\n" * (MOST_ROWS + 1), f"The file has more than {MOST_ROWS} rows: split it."),
        ("x" * 1_000_001, "The file has more than 1000000 characters: split it."),
    ],
)  # fmt: skip
def test_what_is_no_file_of_transactions_is_refused(text: str, message: str):
    with pytest.raises(Refused) as refused:
        list(drafts_of(text))

    assert (refused.value.code, refused.value.message) == ("CSV_INVALID", message)


def test_a_byte_order_mark_capitals_and_missing_ends_are_read():
    (row,) = drafts_of("\ufeffAT,Kind,Amount,note\r\n2026-11-03,fee,5")

    assert isinstance(row, ReadRow)
    assert (row.line, row.draft.kind.value, str(row.draft.amount), row.draft.note) == (2, "FEE", "5", None)


@pytest.mark.parametrize("number", ["NaN", "inf", "1e5", "1_000", "٣", "0x10", "1,5"])
def test_a_number_is_plain_digits(number: str):
    ((line, column, _),) = bad(f'at,kind,amount\n2026-11-03,FEE,"{number}"\n')

    assert (line, column) == (2, "amount")
