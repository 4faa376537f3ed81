"""From a wish to what the optimiser takes: instruments, prices, constraints, what is held now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.core.contract import Context
from gateway.core.ports import Computing, Holdings
from gateway.core.quant.refusals import Infeasible
from plugins.risk.analysis.basis import OPTIMISE, Basis, read_panel, read_span
from plugins.risk.analysis.data import PriceData
from plugins.risk.analysis.subject import held_as_weights, read_holdings
from plugins.risk.analysis.words import WeightInput, word
from plugins.risk.constraints.desk import ConstraintDesk, read_constraints
from plugins.risk.constraints.rules import Rules, read_rules, request_of
from plugins.risk.optimising.inputs import (
    EfficientFrontierInput,
    ExpectedReturnInput,
    OptimizationUniverseInput,
    OptimizeInput,
)
from plugins.risk.optimising.planning import plan_of
from plugins.risk.optimising.refusals import in_callers_words
from plugins.risk.optimising.types import EfficientFrontier, OptimizationResult
from plugins.risk.symbols import read_symbols
from schema.errors import BadInput
from schema.symbols import InstrumentId
from schema.words.problems import Refused

MOST_ASSETS = 500
MOST_POINTS = 50
MOST = Decimal(10) ** 18
TIME_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """Read, with its prices."""

    instruments: tuple[InstrumentId, ...]
    basis: Basis
    holdings: Holdings | None
    current: Mapping[str, float] | None
    more: Mapping[str, Any]
    warnings: Sequence[str]

    @property
    def symbols(self) -> list[str]:
        """Ids, in the order of answers."""
        return [str(each) for each in self.instruments]

    async def ask(self, task: str, **more: Any) -> dict[str, Any]:
        """What an optimiser's task answers."""
        request = await self.basis.request(self.instruments)
        context = self.basis.context
        try:
            told: dict[str, Any] = await context.service(Computing).run(
                context.tenant, f"{OPTIMISE}:{task}", {**request, **self.more, **more}, timeout_s=TIME_S
            )
        except (BadInput, Infeasible) as error:
            raise in_callers_words(error) from None
        return told


async def optimized(context: Context, wish: OptimizeInput) -> OptimizationResult:
    """The optimum, and how a portfolio gets there."""
    _check(wish)
    universe = await _universe(context, wish.universe)
    more: dict[str, Any] = {"objective": word(wish.objective), "confidence": wish.confidence}
    if wish.target is not None:
        more["target"] = wish.target
    if wish.budgets is not None:
        more["budgets"] = await _by_symbol(context, universe.instruments, wish.budgets, "budgets")
    told = await universe.ask("optimise", **more)
    plan = None
    if universe.holdings is not None:
        plan = await plan_of(context, universe.instruments, universe.holdings, told["weights"], wish)
    data = PriceData.of(universe.basis.panel)
    return OptimizationResult.of(told, universe.symbols, data, universe.current, plan, universe.warnings)


def _check(wish: OptimizeInput) -> None:
    """BadInput names the amount that cannot be."""
    amounts = [("smallestTrade", wish.smallest_trade)]
    if wish.costs is not None:
        amounts += [
            ("costs.basisPoints", wish.costs.basis_points), ("costs.fixed", wish.costs.fixed),
            ("costs.minimum", wish.costs.minimum),
        ]  # fmt: skip
    for field, amount in amounts:
        if not 0 <= amount <= MOST:
            raise BadInput(field, f"must be 0 to {MOST:f}")
    for number, each in enumerate(wish.lots or ()):
        if not 0 < each.lot <= MOST:
            raise BadInput(f"lots.{number}.lot", f"must be above 0 and at most {MOST:f}: leave it out for its own")


async def frontier(context: Context, wish: EfficientFrontierInput) -> EfficientFrontier:
    """From the least variance to the highest expected return."""
    if not 2 <= wish.points <= MOST_POINTS:
        raise BadInput("points", f"must be 2 to {MOST_POINTS}, not {wish.points}")
    universe = await _universe(context, wish.universe)
    told = await universe.ask("frontier", points=wish.points)
    return EfficientFrontier.of(told, universe.symbols, PriceData.of(universe.basis.panel), universe.warnings)


async def _universe(context: Context, given: OptimizationUniverseInput) -> Universe:
    span, rules = read_span(context, given.start, given.end), await _rules(context, given)
    holdings = None if given.portfolio_id is None else await read_holdings(context, given.portfolio_id)
    instruments = await _instruments(context, given, holdings)
    currency = given.currency or (holdings.currency if holdings else None)
    panel = await read_panel(context, instruments, span, currency)
    basis = Basis(context=context, panel=panel, missing=given.missing)
    await basis.request(instruments)
    symbols = [str(each) for each in instruments]
    constraints, warnings = request_of(rules, symbols)
    current = None if holdings is None else _current(holdings)
    more: dict[str, Any] = {
        "covariance": word(given.covariance), "risk_free": given.risk_free, "constraints": constraints,
    }  # fmt: skip
    if given.expected_returns is not None:
        more["expected_returns"] = await _by_symbol(context, instruments, given.expected_returns, "expectedReturns")
    if current is not None:
        more["current"] = current
    return Universe(
        instruments=instruments, basis=basis, holdings=holdings, current=current, more=more, warnings=warnings
    )  # fmt: skip


async def _rules(context: Context, given: OptimizationUniverseInput) -> Rules:
    if given.constraints is not None and given.constraint_set_id is not None:
        raise BadInput("constraints", "give constraints or constraintSetId, one of the two")
    if given.constraint_set_id is not None:
        row = await context.service(ConstraintDesk).find(context, given.constraint_set_id)
        if row is None:
            told = "your organisation has no set of constraints with this id: `constraints { nodes { id } }` lists them"
            raise BadInput("constraintSetId", told)
        return read_rules(row.rules)
    if given.constraints is None:
        return Rules()
    try:
        return await read_constraints(context, given.constraints)
    except Refused as refused:
        raise BadInput(".".join(refused.field) or "constraints", refused.message) from None


async def _instruments(
    context: Context, given: OptimizationUniverseInput, holdings: Holdings | None
) -> tuple[InstrumentId, ...]:
    named = await read_symbols(context, given.symbols, "symbols", MOST_ASSETS) if given.symbols else ()
    held = {each.instrument for each in holdings.positions} if holdings else set()
    instruments = tuple(dict.fromkeys([*sorted(held), *named]))
    if not instruments:
        raise BadInput("symbols", "there is nothing to optimise: give symbols, or a portfolio that holds something")
    if len(instruments) > MOST_ASSETS:
        raise BadInput("symbols", f"{len(instruments)} instruments with the portfolio's: at most {MOST_ASSETS}")
    return instruments


def _current(holdings: Holdings) -> dict[str, float]:
    """Of a portfolio of nothing but cash there are none."""
    if not holdings.positions and holdings.value is not None and holdings.value > 0:
        return {}
    return {str(each): weight for each, weight in held_as_weights(holdings).weights.items()}


async def _by_symbol(
    context: Context,
    instruments: Sequence[InstrumentId],
    given: Sequence[WeightInput] | Sequence[ExpectedReturnInput],
    field: str,
) -> dict[str, float]:
    ids = await read_symbols(context, [each.symbol for each in given], field, MOST_ASSETS)
    strange = [str(each) for each in ids if each not in instruments]
    if strange:
        raise BadInput(field, f"{strange[0]} is not among the instruments: leave it out, or add it to symbols")
    numbers = [each.weight if isinstance(each, WeightInput) else each.expected_return for each in given]
    return {str(instrument): number for instrument, number in zip(ids, numbers, strict=True)}
