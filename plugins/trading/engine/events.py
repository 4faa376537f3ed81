"""What is told of accounts that lose: a margin call, and the greatest loss of a day."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Self

import strawberry

from gateway.core.matching.rounding import EXACT
from plugins.trading.positions.standing import rounded
from plugins.trading.rows import AccountRow
from schema.events import Event, event
from schema.model import described
from schema.provenance import DataMode

_ACCOUNT = "The account's id: `node(id:)` tells of it as it is now."
_CURRENCY = "The account's base currency, of all amounts."
_SAMPLE: dict[str, Any] = {
    "mode": DataMode.SIMULATED, "account_id": strawberry.ID("tacc_0123456789abcdefghjk"), "account_name": "Main",
    "currency": "USD",
}  # fmt: skip


@event("account.margin_call", "An account's equity fell below 1.25 times its maintenance margin.")
class AccountMarginCall(Event):
    """Told once, until its equity is above that again; below the maintenance margin positions are closed by force."""

    account_id: strawberry.ID = described(_ACCOUNT)
    account_name: str = described("The account's name.")
    currency: str = described(_CURRENCY)
    equity: Decimal = described("What the account amounts to.")
    maintenance_margin: Decimal = described("What its positions need.")

    @property
    def subject(self) -> str:
        """The account."""
        return str(self.account_id)

    @classmethod
    def told(
        cls, row: AccountRow, equity: Decimal, maintenance: Decimal, mode: DataMode, at: datetime
    ) -> Self:  # fmt: skip
        """Of an account at its marks."""
        return cls(
            occurred_at=at, mode=mode, account_id=strawberry.ID(row.id), account_name=row.name, currency=row.currency,
            equity=rounded(equity, row.currency), maintenance_margin=rounded(maintenance, row.currency),
        )  # fmt: skip

    @classmethod
    def sample(cls) -> Self:
        """Close to a liquidation."""
        return cls(**_SAMPLE, equity=Decimal("5200.00"), maintenance_margin=Decimal("5000.00"))


@event("account.daily_loss_reached", "An account has lost as much as it may in a UTC day.")
class AccountDailyLossReached(Event):
    """Told once a day; orders that do not only reduce are cancelled, and none are taken until the next day."""

    account_id: strawberry.ID = described(_ACCOUNT)
    account_name: str = described("The account's name.")
    currency: str = described(_CURRENCY)
    equity: Decimal = described("What the account amounts to.")
    day_equity: Decimal = described("At the beginning of the day, with what was paid in or out since.")
    loss: Decimal = described("How much less that is, above zero.")
    max_daily_loss: Decimal = described("How much it may lose.")
    canceled_orders: int = described("How many orders were cancelled; of an account at a broker, are to be there.")

    @property
    def subject(self) -> str:
        """The account."""
        return str(self.account_id)

    @classmethod
    def told(cls, row: AccountRow, equity: Decimal, canceled: int, mode: DataMode, at: datetime) -> Self:
        """Of an account at its marks."""
        now, before = rounded(equity, row.currency), rounded(row.day_equity or Decimal(0), row.currency)
        return cls(
            occurred_at=at, mode=mode, account_id=strawberry.ID(row.id), account_name=row.name, currency=row.currency,
            equity=now, day_equity=before, loss=EXACT.subtract(before, now),
            max_daily_loss=row.max_daily_loss or Decimal(0), canceled_orders=canceled,
        )  # fmt: skip

    @classmethod
    def sample(cls) -> Self:
        """A bad day."""
        return cls(
            **_SAMPLE, equity=Decimal("94900.00"), day_equity=Decimal("100000.00"), loss=Decimal("5100.00"),
            max_daily_loss=Decimal("5000.00"), canceled_orders=3,
        )  # fmt: skip


EVENTS = (AccountMarginCall, AccountDailyLossReached)
