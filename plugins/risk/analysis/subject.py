"""What a question is about: a stored portfolio as it is now, or weights that the caller gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.ports import Holdings, Portfolios
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.words import WeightInput
from plugins.risk.symbols import read_symbols
from schema.currencies import read_currency
from schema.errors import BadInput
from schema.names import could_be_id
from schema.symbols import InstrumentId

MOST_ASSETS = 500
UNIT = 1e-6
"""Weights and cash may miss 1 by this much, as where figures are computed."""
CASH_ALONE = "the portfolio holds nothing but cash, which has no risk here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Weights of a portfolio; `cash` is what is left to 1."""

    weights: Mapping[InstrumentId, float]
    cash: float
    currency: str | None
    holdings: Holdings | None = None
    """What is held, where a stored portfolio is meant."""


async def read_subject(
    context: Context,
    portfolio_id: str | None,
    weights: Sequence[WeightInput] | None,
    currency: str | None,
    cash: float | None = None,
) -> Subject:
    """BadInput where neither or both are given, for a portfolio that is not there, and for weights twice."""
    if (portfolio_id is None) == (weights is None):
        raise BadInput("portfolioId", "give portfolioId or weights, one of the two")
    if portfolio_id is not None:
        if cash is not None:
            raise BadInput("cash", "goes with weights: a portfolio has its own")
        return weighed(await read_holdings(context, portfolio_id), currency)
    given = weights or []
    ids = await read_symbols(context, [each.symbol for each in given], "weights", MOST_ASSETS)
    read = {instrument: each.weight for instrument, each in zip(ids, given, strict=True)}
    total = sum(read.values()) + (cash or 0.0)
    if not abs(total - 1) <= UNIT:
        raise BadInput("weights", f"sum to {total:.6g} with cash, not to 1: give what is not invested as cash")
    return Subject(weights=read, cash=cash or 0.0, currency=currency and read_currency("currency", currency))


async def read_holdings(context: Context, portfolio_id: str) -> Holdings:
    """What a portfolio holds now; BadInput where the organisation has none with this id."""
    found = None
    if could_be_id(portfolio_id):
        found = await context.service(Portfolios).holdings(context, portfolio_id)
    if found is None:
        told = "your organisation has no portfolio with this id: `portfolios { nodes { id } }` lists them"
        raise BadInput("portfolioId", told)
    return found


def held_as_weights(held: Holdings, currency: str | None = None) -> Subject:
    """As `weighed`; NotComputable also where there is nothing but cash."""
    subject = weighed(held, currency)
    if not subject.weights:
        raise NotComputable(CASH_ALONE)
    return subject


def weighed(held: Holdings, currency: str | None = None) -> Subject:
    """Values over the portfolio's value; NotComputable where something has no price, or all is worth nothing."""
    lacking = sorted(str(each.instrument) for each in held.positions if each.value is None)
    if lacking or held.value is None:
        told = ", ".join(lacking[:5]) or "the cash"
        raise NotComputable(f"no price of {told}: what the portfolio weighs is not known")
    if held.value <= 0:
        raise NotComputable(f"the portfolio is worth {held.value:f} {held.currency}: weights need a value above 0")
    values: dict[InstrumentId, Decimal] = {}
    for each in held.positions:
        values[each.instrument] = values.get(each.instrument, Decimal(0)) + (each.value or Decimal(0))
    if len(values) > MOST_ASSETS:
        raise BadInput("portfolioId", f"the portfolio holds {len(values)} instruments: at most {MOST_ASSETS} are taken")
    weights = {instrument: float(value / held.value) for instrument, value in values.items()}
    cash = float((held.value - sum(values.values(), Decimal(0))) / held.value)
    return Subject(
        weights=weights, cash=cash, currency=read_currency("currency", currency) if currency else held.currency,
        holdings=held,
    )  # fmt: skip
