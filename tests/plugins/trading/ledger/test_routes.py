"""`/ledger.csv` and `/ledger.journal` over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import httpx

from gateway.app import create_app
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.trading.ledger.drafts import deposit
from plugins.trading.tables import accounts
from plugins.trading.writing import writing
from schema.scopes import Scope
from tests.house import House, open_house
from tests.plugins.trading.ledger.books import BY, Books, D, account_row


async def keyed(house: House, *scopes: Scope) -> tuple[str, str]:
    """A new organisation, and a key of it."""
    async with house.store.write() as tx:
        tenant = await house.host.service(OrganisationDesk).create(tx, "Acme", None, plan="pro")
        _, text = await house.host.service(KeyDesk).create(tx, tenant, name="k", scopes=scopes, created_by="usr_x")
    return tenant, text


async def test_a_ledger_is_sent_as_a_file_to_who_may_read_it(sqlite_url: str, tmp_path: Path) -> None:
    async with open_house(sqlite_url, tmp_path) as house:
        tenant, key = await keyed(house, Scope.TRADING_READ)
        _, stranger = await keyed(house, Scope.TRADING_READ)
        _, blind = await keyed(house, Scope.MARKET_READ)
        books = Books(house.host.store)
        async with books.store.write() as tx:
            await tx.run(accounts.insert().values(**asdict(account_row(tenant_id=tenant))))
        async with writing(books.host, tenant, "tacc_1") as w:
            await books.book.post(w, [deposit("USDT", D(5))], at=books.at, made_by=BY)
        app = create_app(house.gateway.settings, gateway=house.gateway)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:

            async def get(path: str, by: str = key) -> httpx.Response:
                return await client.get(path, headers={"x-api-key": by})

            sheet, journal = await get("/ledger.csv?accountId=tacc_1"), await get("/ledger.journal?accountId=tacc_1")
            none = await get("/ledger.csv?accountId=tacc_1&kind=FUNDING")
            refused = [
                (answer.status_code, answer.json()["errors"][0]["message"])
                for answer in (
                    await get("/ledger.csv?accountId=tacc_1", stranger),
                    await get("/ledger.csv?accountId=tacc_1", blind),
                    await get("/ledger.csv"),
                )
            ]  # fmt: skip

    assert (sheet.status_code, sheet.headers["content-disposition"]) == (200, 'attachment; filename="tacc_1.csv"')
    assert [line.split(",")[4:7] for line in sheet.text.splitlines()] == [
        ["ledger", "asset", "amount"], ["cash", "USDT", "5.00000000"], ["external", "USDT", "-5.00000000"],
    ]  # fmt: skip
    assert journal.headers["content-type"] == "text/plain; charset=utf-8"
    assert journal.text.count("Assets:tacc_1:Cash") == 1
    assert len(none.text.splitlines()) == 1
    unknown = "accountId: You have no trading account with this id: `tradingAccounts { nodes { id } }` lists them."
    assert refused == [
        (400, unknown), (403, "ledger.csv needs the scope trading:read, which this API key does not carry."),
        (400, "accountId: is missing: `tradingAccounts { nodes { id } }` lists yours"),
    ]  # fmt: skip
