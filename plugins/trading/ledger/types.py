"""GraphQL types of the ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

import strawberry

from plugins.trading.ledger.chart import EXACT, Ledger
from plugins.trading.ledger.drafts import Line
from plugins.trading.ledger.shown import Shown
from plugins.trading.rows import BalanceRow
from schema.model import described, model
from schema.paging import PageInfo
from schema.words.orders import EntryKind, EntryState

ASSET = "A currency; an instrument's id where units are counted."


@model("A side of an entry: so much of an asset on one ledger.")
class LedgerLine:
    """Lines of an entry sum to zero for each asset."""

    ledger: Ledger = described("Which ledger of the account.")
    asset: str = described(ASSET)
    amount: Decimal = described("A debit above zero, a credit below.")

    @classmethod
    def of(cls, line: Line) -> Self:
        """From a value."""
        return cls(ledger=line.ledger, asset=line.asset, amount=line.amount)


@model("An entry of an account's ledger. It is never changed: what was wrong is reversed by another one.")
class LedgerEntry:
    """Double entry."""

    id: strawberry.ID = described("Name it where it is to be posted, voided or reversed.")
    account_id: strawberry.ID = described("Whose ledger it stands in.")
    number: int = described("Of the account's entries, from 1, without a gap.")
    kind: EntryKind = described("What it is for; a reversal has the kind of what it reverses.")
    state: EntryState = described("Whether it counts.")
    lines: list[LedgerLine] = described("Its sides; none where it voids another entry.")
    memo: str | None = described("What was written about it, by whoever booked it or by the gateway.")
    symbol: str | None = described("The instrument of the position that it belongs to.")
    order_id: strawberry.ID | None = described("The order that it belongs to.")
    fill_id: strawberry.ID | None = described("The fill that it books.")
    resolves: strawberry.ID | None = described("The pending entry that it posts or voids.")
    reverses: strawberry.ID | None = described("The entry that it takes back.")
    followed_by: strawberry.ID | None = described("The entry that posted, voided or reversed it.")
    made_by: str = described("Who booked it: an id of a user, a key or a part of the gateway.")
    at: datetime = described("When it was booked.")

    @classmethod
    def of(cls, shown: Shown) -> Self:
        """From a value."""
        row, after = shown.row, shown.followed
        return cls(
            id=strawberry.ID(row.id), account_id=strawberry.ID(row.account_id), number=row.number,
            kind=EntryKind(row.kind), state=shown.state, lines=[LedgerLine.of(line) for line in shown.lines],
            memo=row.memo, symbol=row.instrument, order_id=_id(row.order_id), fill_id=_id(row.fill_id),
            resolves=_id(row.resolves),
            reverses=_id(row.reverses), followed_by=_id(None if after is None else after.id),
            made_by=row.made_by, at=row.at,
        )  # fmt: skip


@model("A page of entries.")
class LedgerEntryConnection:
    """The newest first."""

    nodes: list[LedgerEntry] = described("The entries.")
    page_info: PageInfo = described("Where this page stands.")


@model("What the entries of an account sum to, on one ledger and of one asset.")
class LedgerBalance:
    """Debits above zero."""

    ledger: Ledger = described("Which ledger of the account.")
    asset: str = described(ASSET)
    posted: Decimal = described("The sum of all entries that count.")
    held: Decimal = described("What pending entries hold of it.")
    free: Decimal = described("`posted` less `held`; open orders may have reserved some of it.")

    @classmethod
    def of(cls, row: BalanceRow) -> Self:
        """From a row."""
        return cls(
            ledger=Ledger(row.ledger), asset=row.asset, posted=row.posted, held=row.held,
            free=EXACT.subtract(row.posted, row.held),
        )  # fmt: skip


def _id(id: str | None) -> strawberry.ID | None:
    return None if id is None else strawberry.ID(id)
