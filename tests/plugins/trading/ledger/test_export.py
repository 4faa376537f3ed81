from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from plugins.trading.ledger.drafts import conversion, deposit, spot_fill, withdrawal
from plugins.trading.ledger.export import FORMS
from plugins.trading.ledger.routes import read_asked, written
from plugins.trading.ledger.store import Filter
from schema.errors import BadInput
from schema.words.orders import EntryKind
from tests.plugins.trading.ledger.books import Books, D

CSV, JOURNAL = FORMS


async def exported(books: Books, form: Any, wanted: Filter | None = None) -> str:
    row = await books.row()
    return "".join([part async for part in written(books.store, row, form, wanted or Filter())])


async def kept(books: Books) -> list[str]:
    """Ids of seven entries."""
    (first,) = await books.post(deposit("USDT", D(1000), memo="=first; of | many"))
    (fill,) = await books.post(
        spot_fill(instrument="crypto:BTC/USDT", currency="USDT", units=D("0.5"), price=D(100), order_id="ord_1",
                  fill_id="fill_1")
    )  # fmt: skip
    held, lost = await books.pend(withdrawal("USDT", D(7))), await books.pend(withdrawal("USDT", D(8)))
    posted = await books.settle("post_pending", held.id)
    voided = await books.settle("void", lost.id)
    (last,) = await books.post(conversion("USDT", D(10), "EUR", D("9.21")))
    return [row.id for row in (first, fill, held, lost, posted, voided, last)]


async def test_a_journal_has_a_transaction_for_each_entry_that_counts(books: Books) -> None:
    first, fill, held, lost, posted, voided, last = await kept(books)

    def line(ledger: str, amount: str) -> str:
        top, _, rest = ledger.partition(":")
        return f"    {f'{top}:tacc_1:{rest}':<56}  {amount}\n"

    assert await exported(books, JOURNAL) == (
        "; Ledger of tacc_1 (tacc_1), kept in USDT\n"
        "\n2026-11-20 * (1) =first, of / many\n"
        f"    ; id: {first}\n    ; kind: DEPOSIT\n    ; at: 2026-11-20T12:00:00Z\n"
        + line("Assets:Cash", "1000 USDT") + line("Equity:External", "-1000 USDT")
        + "\n2026-11-20 * (2) buy 0.5 crypto:BTC/USDT at 100\n"
        f"    ; id: {fill}\n    ; kind: TRADE_PNL\n    ; at: 2026-11-20T12:00:00Z\n"
        "    ; symbol: crypto:BTC/USDT\n    ; order: ord_1\n    ; fill: fill_1\n"
        + line("Assets:Cash", "-50 USDT") + line("Assets:Positions:Cost", "50 USDT")
        + line("Assets:Positions:Units", '0.5 "crypto:BTC/USDT"') + line("Equity:Market", '-0.5 "crypto:BTC/USDT"')
        + f"\n; 2026-11-20 (3) Withdrawal [{held}] posted by {posted}: -7 USDT\n"
        f"\n; 2026-11-20 (4) Withdrawal [{lost}] voided by {voided}: -8 USDT\n"
        "\n2026-11-20 * (5) Withdrawal\n"
        f"    ; id: {posted}\n    ; kind: WITHDRAWAL\n    ; at: 2026-11-20T12:00:00Z\n    ; posts: {held}\n"
        + line("Assets:Cash", "-7 USDT") + line("Equity:External", "7 USDT")
        + f"\n; 2026-11-20 (6) Withdrawal [{voided}] gives {lost} up\n"
        "\n2026-11-20 * (7) Transfer\n"
        f"    ; id: {last}\n    ; kind: TRANSFER\n    ; at: 2026-11-20T12:00:00Z\n"
        + line("Assets:Cash", "-10 USDT") + line("Equity:Exchange", "10 USDT")
        + line("Assets:Cash", "9.21 EUR") + line("Equity:Exchange", "-9.21 EUR")
    )  # fmt: skip


async def test_csv_has_a_row_a_line_and_computes_nothing_in_a_spreadsheet(books: Books) -> None:
    first, _, held, lost, _, voided, _ = await kept(books)

    rows = list(csv.DictReader(StringIO(await exported(books, CSV), newline="")))

    assert len(rows) == 2 + 4 + 2 + 2 + 2 + 1 + 4
    assert rows[0] == {
        "number": "1", "at": "2026-11-20T12:00:00Z", "kind": "DEPOSIT", "state": "POSTED", "ledger": "cash",
        "asset": "USDT", "amount": "1000.00000000", "memo": "'=first; of | many", "entry": first, "resolves": "",
        "reverses": "", "order": "", "fill": "", "madeBy": "user_ada", "symbol": "",
    }  # fmt: skip
    states = {row["entry"]: (row["state"], row["ledger"], row["resolves"]) for row in rows}
    assert (states[held], states[lost]) == (("PENDING", "external", ""), ("VOIDED", "external", ""))
    assert states[voided] == ("VOIDED", "", lost)
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        if row["state"] == "POSTED":
            key = (row["ledger"], row["asset"])
            sums[key] = sums.get(key, D(0)) + D(row["amount"])
    assert {key: amount for key, amount in sums.items() if amount} == await books.balances()


async def test_pages_join_and_a_filter_leaves_out(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    await kept(books)
    whole = await exported(books, CSV)
    monkeypatch.setattr("plugins.trading.ledger.routes.PAGE", 2)

    assert await exported(books, CSV) == whole
    only = await exported(books, CSV, Filter(kind=EntryKind.TRANSFER))
    assert [row["number"] for row in csv.DictReader(StringIO(only, newline=""))] == ["7"] * 4


def test_what_an_address_asks_for_is_read_or_named() -> None:
    asked = [("accountId", "tacc_1"), ("kind", "deposit"), ("start", "2026-11-20")]
    account, wanted = read_asked(asked)

    assert (account, wanted.kind, wanted.end) == ("tacc_1", EntryKind.DEPOSIT, None)
    for pairs, message in (
        ([], "accountId: is missing"),
        ([("accountId", "a"), ("accountId", "b")], "accountId: is given twice"),
        ([("accountId", "a"), ("kinds", "x")], "kinds: is not a parameter; there are accountId, kind, start, end"),
        ([("accountId", "a"), ("kind", "x")], "kind: 'x' is none of DEPOSIT, "),
        ([("accountId", "a"), ("end", "soon")], "end: DateTime must be a text such as"),
        ([("accountId", "a" * 101)], "accountId: is longer than 100 characters"),
    ):
        with pytest.raises(BadInput) as refused:
            read_asked(pairs)
        assert str(refused.value).startswith(message)
