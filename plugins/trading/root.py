"""The root fields of trading, together."""

from __future__ import annotations

import strawberry

from plugins.trading.accounts.fields import AccountMutation, AccountQuery
from plugins.trading.hedging.fields import AccountHedgeMutation, AccountHedgeQuery
from plugins.trading.ledger.fields import LedgerMutation, LedgerQuery
from plugins.trading.live.fields import AccountSubscription
from plugins.trading.orders.fields import OrderMutation, OrderQuery
from plugins.trading.orders.preview import PreviewQuery
from plugins.trading.positions.fields import PositionQuery
from plugins.trading.schedules.fields import ScheduleMutation, ScheduleQuery


@strawberry.type(description="Trading accounts, and what they hold.")
class TradingQuery(
    AccountQuery, PositionQuery, OrderQuery, PreviewQuery, AccountHedgeQuery, LedgerQuery, ScheduleQuery
):
    """Root fields."""


@strawberry.type(description="Changes of trading accounts.")
class TradingMutation(AccountMutation, OrderMutation, AccountHedgeMutation, LedgerMutation, ScheduleMutation):
    """Root fields."""


@strawberry.type
class TradingSubscription(AccountSubscription):
    """Root fields."""
