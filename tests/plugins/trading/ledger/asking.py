"""The ledger through GraphQL, on accounts that stand in the database ready-made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.identity import CallerKind, Principal, Scope
from gateway.edge.execute import OperationRequest, RequestFacts
from tests.house import House, open_house
from tests.plugins.trading.ledger.books import BY, TENANT, Books

ENTRY = """id number kind state memo resolves reverses followedBy
  lines { ledger asset amount }"""
ERRORS = "userErrors { field code message }"
DEPOSIT = f"mutation($i: AccountDepositInput!) {{ r: accountDeposit(input: $i) {{ entry {{ {ENTRY} }} {ERRORS} }} }}"
WITHDRAW = f"mutation($i: AccountWithdrawInput!) {{ r: accountWithdraw(input: $i) {{ entry {{ {ENTRY} }} {ERRORS} }} }}"
ADJUST = f"mutation($i: AccountAdjustInput!) {{ r: accountAdjust(input: $i) {{ entry {{ {ENTRY} }} {ERRORS} }} }}"
CONVERT = f"""mutation($i: AccountConvertInput!) {{ r: accountConvert(input: $i) {{ entry {{ {ENTRY} }}
  rate {{ from to rate provenance {{ provider mode }} }} {ERRORS} }} }}"""
TRANSFER = f"""mutation($i: AccountTransferInput!) {{ r: accountTransfer(input: $i) {{ fromEntry {{ {ENTRY} }}
  toEntry {{ {ENTRY} }} {ERRORS} }} }}"""
POST = f"mutation($i: LedgerEntryPostInput!) {{ r: ledgerEntryPost(input: $i) {{ entry {{ {ENTRY} }} {ERRORS} }} }}"
VOID = f"mutation($i: LedgerEntryVoidInput!) {{ r: ledgerEntryVoid(input: $i) {{ entry {{ {ENTRY} }} {ERRORS} }} }}"
REVERSE = (
    f"mutation($i: LedgerEntryReverseInput!) {{ r: ledgerEntryReverse(input: $i) {{ entry {{ {ENTRY} }} {ERRORS} }} }}"
)
ENTRIES = f"""query($a: ID!, $kind: EntryKind, $start: DateTime, $first: Int, $after: Cursor) {{
  r: ledgerEntries(accountId: $a, kind: $kind, start: $start, first: $first, after: $after) {{
  nodes {{ {ENTRY} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"""
BALANCES = (
    "query($a: ID!, $at: DateTime) { r: ledgerBalances(accountId: $a, at: $at) { ledger asset posted held free } }"
)


@dataclass
class Desk:
    """One account, `tacc_1`, unless others are opened."""

    house: House
    books: Books
    principal: Principal

    async def ask(self, document: str, principal: Principal | None = None, **variables: Any) -> Any:
        """What the one root field answers."""
        body = await self.body(document, principal, **variables)
        assert "errors" not in body, body
        return body["data"]["r"]

    async def body(self, document: str, principal: Principal | None = None, **variables: Any) -> Any:
        """The whole answer."""
        request = OperationRequest(query=document, variables=variables)
        facts = RequestFacts(request_id="req_test", transport="http")
        return (await self.house.executor.execute(request, facts, principal=principal or self.principal)).body()

    async def do(self, document: str, **given: Any) -> Any:
        """The payload of a mutation about the account."""
        return await self.ask(document, i={"accountId": self.books.account, **given})

    async def refused(self, document: str, **given: Any) -> tuple[str, str]:
        """Code and message of the one refusal."""
        payload = await self.do(document, **given)
        (error,) = payload["userErrors"]
        assert not [value for name, value in payload.items() if name != "userErrors" and value]
        return error["code"], error["message"]

    async def cash(self, account: str | None = None) -> dict[str, tuple[str, str]]:
        """Posted and held, by currency."""
        rows = await self.ask(BALANCES, a=account or self.books.account)
        return {row["asset"]: (row["posted"], row["held"]) for row in rows if row["ledger"] == "CASH"}


def caller(user: str = BY, *scopes: Scope, tenant: str = TENANT) -> Principal:
    """Somebody signed in; by default the account's owner, with all scopes."""
    return Principal(tenant=tenant, kind=CallerKind.USER, user=user, scopes=frozenset(scopes or Scope))


@asynccontextmanager
async def open_desk(database: str, folder: Path, **given: Any) -> AsyncIterator[Desk]:
    """A gateway on the offline market."""
    async with open_house(database, folder) as house:
        books = Books(house.host.store, at=house.clock.now())
        await books.open(**given)
        yield Desk(house, books, caller())
