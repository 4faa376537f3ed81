"""The event of limits: which one was breached, by which value, on which portfolio."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Self

import strawberry

from gateway.core.contract import Ctx
from plugins.risk.limits.fields import limit_of
from plugins.risk.limits.kinds import LimitKind
from plugins.risk.limits.types import RiskLimit
from schema.events import Event, event
from schema.model import computed, described, named
from schema.provenance import DataMode
from schema.words.figures import Figure
from schema.words.instruments import selected_fields


async def resolve_limit(root: RiskLimitBreached, info: Ctx) -> RiskLimit | None:
    """The limit as it is now."""
    return await limit_of(info.context, root.limit_id, selected_fields(info))


@event("risk.limit_breached", "A limit on a portfolio's risk was breached: its value rose above the threshold.")
class RiskLimitBreached(Event):
    """Once a breach: the next one is told when the value has gone back by the hysteresis."""

    limit_id: strawberry.ID = described("The limit's id, also where it is gone.")
    portfolio_id: strawberry.ID = described("The portfolio that it is on.")
    portfolio_name: str = described("What the portfolio is called.")
    kind: LimitKind = described("What the limit holds down.")
    text: str = described("When it is breached, in words.")
    threshold: Decimal = described("The greatest value that is no breach.")
    value: Decimal | None = described(
        "The value that was measured; null where it is `withheld`, and where the portfolio's value is not above zero: "
        "beyond any limit.",
        default=None,
    )
    symbol: str | None = described("The position that the value is of, where it is of one.", default=None)
    portfolio_value: Decimal | None = described(
        "Of the portfolio, in its currency, to the minor unit; null where it is `withheld`.", default=None
    )
    currency: str = described("The portfolio's.")
    figure: Figure | None = described(
        "How the value at risk was reckoned; null for other kinds, and where it is `withheld`.", default=None
    )
    withheld: bool = described(
        "Whether the numbers are left out because a price behind them has a licence that lets nobody pass it on: "
        "`riskLimit { value }` has what was measured last.",
        default=False,
    )
    arm: int = described("How often the limit has been armed: each arming tells one breach.")
    note: str | None = described("What the limit's maker noted.", default=None)
    risk_limit = computed(
        resolve_limit, "The limit as it is now; null where it is gone.", name="riskLimit",
        direct=named(lambda root: RiskLimit.named(root.limit_id)),
    )  # fmt: skip

    @property
    def subject(self) -> str:
        """The limit, and its portfolio."""
        return f"{self.limit_id}\n{self.portfolio_id}"

    @classmethod
    def sample(cls) -> Self:
        """A single name that has grown."""
        figure = Figure(
            value=0.0312, method="historical, linear quantile (R type 7)", count=252, start=date(2025, 11, 20),
            end=date(2026, 11, 19),
        )  # fmt: skip
        return cls(
            limit_id=strawberry.ID("limit_0123456789abcdefghjk"), mode=DataMode.SIMULATED,
            portfolio_id=strawberry.ID("portfolio_0123456789abcdefghjk"), portfolio_name="Growth",
            kind=LimitKind.VALUE_AT_RISK, text="the one-day VaR at 0.95 is above 0.03 of the value",
            threshold=Decimal("0.03"), value=Decimal("0.0312"), portfolio_value=Decimal("104250.75"), currency="USD",
            figure=figure, arm=1, note="Sell some",
        )  # fmt: skip


EVENTS = (RiskLimitBreached,)
