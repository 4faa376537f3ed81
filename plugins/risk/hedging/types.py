"""Hedges as GraphQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from plugins.risk.analysis.data import PriceData, money, rounded, sure_figure
from schema.model import described, model
from schema.words.figures import Figure
from schema.words.hedges import HedgeCost, HedgeKind
from schema.words.trades import Side


@model("An order as trading takes it: a proposal, nothing was ordered.")
class ProposedOrder:
    """A market order."""

    symbol: str = described("The instrument's id.")
    side: Side = described("BUY or SELL.")
    quantity: Decimal = described("Contracts, whole lots, above 0.")
    price: Decimal = described("Of now, in the analysis's currency.")
    notional: Decimal = described("quantity · contract size · price.")


@model("One hedge with one candidate.")
class HedgeProposal:
    """Rounded to whole lots: figures of what is left are at the rounded ratio."""

    kind: HedgeKind = described("How the ratio was reckoned.")
    ratio: Figure = described("Value of the hedge over that of the position, the other way round.")
    rounded_ratio: float = described("What the rounding leaves of it.")
    contracts: Decimal = described("Signed: below 0 is sold.")
    exact_contracts: Decimal = described("Before rounding.")
    value: Decimal = described("Of the contracts, signed.")
    effectiveness: Figure = described("1 - var(hedged) / var(unhedged).")
    r_squared: Figure | None = described(
        "The same at the exact ratio of the minimum variance; null for BETA, whose ratio is no regression's.",
        default=None,
    )
    residual: Figure = described("Volatility a year of what is left.")
    residual_value: Decimal = described("The same in money.")
    cost: HedgeCost = described("What it costs.")
    order: ProposedOrder | None = described("Null where the rounded number of contracts is 0.", default=None)

    @classmethod
    def of(cls, told: Mapping[str, Any], symbol: str, price: Decimal, currency: str) -> Self:
        """From a task's answer; money to the currency's minor unit."""
        contracts, value = Decimal(told["contracts"]), money(Decimal(told["value"]), currency)
        costs = {name: money(Decimal(told["cost"][name]), currency) for name in ("fees", "spread", "funding")}
        order = ProposedOrder(
            symbol=symbol, side=Side.BUY if contracts > 0 else Side.SELL, quantity=abs(contracts), price=price,
            notional=abs(value),
        )  # fmt: skip
        figures = {name: sure_figure(told[name]) for name in ("ratio", "effectiveness", "residual")}
        kind = HedgeKind(told["kind"].upper())
        if kind is HedgeKind.MINIMUM_VARIANCE:
            figures["r_squared"] = sure_figure(told["r_squared"])
        return cls(
            kind=kind, **figures, rounded_ratio=told["rounded_ratio"], contracts=contracts,
            exact_contracts=rounded(Decimal(told["exact_contracts"])), value=value,
            residual_value=money(Decimal(told["residual_value"]), currency),
            cost=HedgeCost(
                **costs, total=sum(costs.values(), Decimal(0)), days=int(Decimal(told["cost"]["days"]))
            ),
            order=order if contracts else None,
        )  # fmt: skip


@model("Spot less candidate.")
class HedgeBasis:
    """Of now."""

    absolute: Decimal = described("In the analysis's currency.")
    relative: Decimal = described("As a fraction of the spot.")
    annual: Decimal | None = described("Simple, actual/365, until the expiry; null without one.", default=None)


@model("What a candidate would do.")
class HedgeCandidate:
    """With what was assumed of it."""

    symbol: str = described("The instrument's id.")
    price: Decimal = described("Of now, in the analysis's currency.")
    contract_size: Decimal = described("Units in one contract.")
    lot: Decimal = described("The smallest step of the number of contracts.")
    spread_bps: Decimal = described("Ask less bid, in basis points.")
    fee_bps: Decimal = described("Of the value traded, each way.")
    funding_per_day: Decimal = described("Fraction a day; 0 where there is none.")
    expiry: dt.date | None = described("Of a future; null where there is none.", default=None)
    basis: HedgeBasis | None = described("Null for a portfolio, and for a candidate on something else.", default=None)
    proposals: list[HedgeProposal] = described("None where no ratio can be reckoned: then a warning says why.")
    warnings: list[str] = described("What it is to be taken with.")


@model("What candidates would do against a position, the least residual first.")
class HedgeAnalysis:
    """Nothing was ordered."""

    currency: str = described("Of all values.")
    value: Decimal = described("Of the position; below 0 for a short one.")
    unhedged: Figure = described("Volatility a year of the position.")
    candidates: list[HedgeCandidate] = described("The least residual first.")
    dropped: list[dt.date] = described("Dates left out because a close is missing.")
    warnings: list[str] = described("What the figures are to be taken with.")
    data: PriceData = described("The prices that they were computed from.")
