"""`gateway.core.ports.Hedges`: hedges of what somebody holds elsewhere, for plugins that trade."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.ports import HedgeAsk, HedgeOffer, HedgeOffers
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.words import MissingPrices
from plugins.risk.hedging.asking import ONE, Position, hedged, quote_of
from plugins.risk.hedging.inputs import HedgeCandidateInput, HedgeInput
from plugins.risk.hedging.types import HedgeAnalysis, HedgeCandidate, HedgeProposal
from schema.errors import BadInput
from schema.symbols import InstrumentId, parse_instrument

MOST_HELD, LARGEST_WEIGHT = 200, 1_000
_LEAST_PART = Decimal("1e-9")


class Hedger:
    """Stateless."""

    async def offers(self, context: Context, ask: HedgeAsk) -> HedgeOffers:
        """See `Hedges`."""
        wish = HedgeInput(
            candidates=[
                HedgeCandidateInput(
                    symbol=str(each.instrument), contract_size=ONE, lot=each.step, fee_bps=each.fee_bps
                )
                for each in ask.candidates
            ],
            benchmark=ask.benchmark, target_beta=ask.target_beta, days=ask.days, missing=MissingPrices.DROP_ROWS,
        )  # fmt: skip
        paid = {str(each.instrument): each.paid_in for each in ask.candidates if each.paid_in is not None}
        found = await hedged(context, wish, await _position(context, ask), paid)
        _check_dates(found)
        return HedgeOffers(
            value=found.value, unhedged=found.unhedged, warnings=(*found.warnings, *_without(found)),
            offers=tuple(_offer(each, proposal) for each in found.candidates for proposal in each.proposals),
        )  # fmt: skip


def _without(found: HedgeAnalysis) -> list[str]:
    """Why candidates have no hedge."""
    return [told for each in found.candidates if not each.proposals for told in each.warnings]


def _check_dates(found: HedgeAnalysis) -> None:
    """NotComputable where most dates were left out: a hedge is not reckoned from the few days of what is new."""
    count, left = found.data.count, found.data.count - len(found.dropped)
    if 2 * left >= count:
        return
    few = "; ".join(f"{each.symbol} has closes from {each.first} to {each.last}" for each in found.data.partial)
    told = f"every instrument has a close on {left} of {count} dates only, and a hedge needs half of them"
    raise NotComputable(f"{told}: leave out what has few" + (f" ({few})" if few else ""))


async def _position(context: Context, ask: HedgeAsk) -> Position:
    """Weights of all that is held, long and short: their sum is 1, and times `value` each is what it is worth. Money in
    other currencies is weighed beside them, and balanced by as much of the ask's own, which does not move."""
    if not 1 <= len(ask.positions) <= MOST_HELD:
        raise BadInput("positions", f"1 to {MOST_HELD} positions are hedged together, not {len(ask.positions)}")
    quotes = await asyncio.gather(*(quote_of(context, each, ask.currency) for each in ask.positions))
    prices = {each: quote.price for each, quote in zip(ask.positions, quotes, strict=True)}
    values = {each: quantity * prices[each] for each, quantity in ask.positions.items()}
    net = sum(values.values(), Decimal(0))
    if abs(net) <= sum(map(abs, values.values()), Decimal(0)) * _LEAST_PART:
        raise NotComputable("long and short positions cancel out: name one of them by its symbol")
    money = {each: float(amount / net) for each, amount in ask.money.items()}
    if largest := [each for each, weight in money.items() if abs(weight) > LARGEST_WEIGHT]:
        told = f"the money in {largest[0]} is worth more than {LARGEST_WEIGHT:,} times the positions"
        raise NotComputable(f"{told}: name one of them by its symbol")
    return Position(
        weights={each: float(value / net) for each, value in values.items()}, cash=-sum(money.values()), value=net,
        currency=ask.currency, spot=_alone(prices), money=money,
    )  # fmt: skip


def _alone(prices: Mapping[InstrumentId, Decimal]) -> tuple[InstrumentId, Decimal] | None:
    return next(iter(prices.items())) if len(prices) == 1 else None


def _offer(candidate: HedgeCandidate, proposal: HedgeProposal) -> HedgeOffer:
    return HedgeOffer(
        instrument=parse_instrument(candidate.symbol), kind=proposal.kind, quantity=_plain(proposal.contracts),
        price=candidate.price, value=proposal.value, ratio=proposal.ratio, rounded_ratio=proposal.rounded_ratio,
        effectiveness=proposal.effectiveness, residual=proposal.residual, residual_value=proposal.residual_value,
        cost=proposal.cost, warnings=tuple(candidate.warnings),
    )  # fmt: skip


def _plain(amount: Decimal) -> Decimal:
    """Without zeros behind the point."""
    short = amount.normalize()
    return short.quantize(ONE) if short == short.to_integral_value() else short
