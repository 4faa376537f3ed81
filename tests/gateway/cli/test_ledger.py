"""`marketgate ledger`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.store import Store
from plugins.trading.ledger.drafts import deposit
from plugins.trading.tables import balances
from tests.gateway.cli.conftest import Run
from tests.gateway.doubles import ROOT_SECRET
from tests.plugins.trading.ledger.books import Books, D

HEAD = "tenant\taccount\tsubject\tdifference\n"


def booked(database: str, job: Callable[[Books], Awaitable[object]]) -> None:
    async def work() -> None:
        store = Store(database)
        await job(Books(store))
        await store.close()

    asyncio.run(work())


async def deposited(books: Books) -> None:
    await books.open()
    await books.post(deposit("USDT", D(5), memo="first"))


async def spoilt(books: Books) -> None:
    await books.do(balances.update().where(balances.c.ledger == "cash").values(posted=D(6)))


@pytest.fixture
def local(command: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MARKETGATE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("MARKETGATE_SECRET_KEY", ROOT_SECRET)
    return command


def test_a_ledger_that_was_kept_well_verifies_and_prints(local: Run, sqlite_url: str) -> None:
    booked(sqlite_url, deposited)

    verified, journal = local("ledger", "verify"), local("ledger", "export", "--account", "tacc_1")
    sheet = local("ledger", "export", "--account", "tacc_1", "--format", "csv", "--since", "2026-11-21")

    assert (verified.code, verified.out, verified.err) == (0, HEAD, "marketgate: accounts: 1, differences: 0\n")
    assert (journal.code, journal.lines[2]) == (0, "2026-11-20 * (1) first")
    assert (sheet.code, len(sheet.lines)) == (0, 1)


def test_a_difference_is_printed_and_ends_with_1(local: Run, sqlite_url: str) -> None:
    booked(sqlite_url, deposited)
    booked(sqlite_url, spoilt)

    found, other = local("ledger", "verify", "--json"), local("ledger", "verify", "--tenant", "org_b")

    assert (found.code, json.loads(found.out)) == (1, {
        "accounts": 1,
        "ledger": [{
            "tenant": "org_a", "account": "tacc_1", "subject": "cash USDT",
            "message": "posted is 6, and 5 by what it follows from",
        }],
    })  # fmt: skip
    assert (other.code, other.err) == (0, "marketgate: accounts: 0, differences: 0\n")


def test_what_is_not_there_ends_with_words(local: Run) -> None:
    for arguments, code, told in (
        (("verify", "--account", "tacc_x"), 4, "there is no account tacc_x"),
        (("export", "--account", "tacc_x"), 4, "there is no account tacc_x"),
        (("export", "--account", "x", "--format", "xml"), 2, "--format 'xml' is none of csv, journal"),
        (("export", "--account", "x", "--kind", "gift"), 2, "--kind: 'gift' is not known: write one of deposit, "),
    ):
        ended = local("ledger", *arguments)
        assert (ended.code, ended.out) == (code, "")
        assert ended.err.startswith(f"marketgate: {told}")
