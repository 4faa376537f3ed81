"""Hedges of what an account holds, as whoever serves `Hedges` proposes them. Nothing is ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from gateway.core.matching.rounding import EXACT
from gateway.core.ports import HedgeAsk, HedgeOffer, HedgeOffers, Hedges, HedgeWith
from plugins.trading.hedging.legs import Leg
from plugins.trading.markets.prices import Prices
from plugins.trading.positions.standings import Appraiser
from plugins.trading.rows import AccountRow
from schema.errors import BadInput, FailureCode, MarketgateError, NoAnswer
from schema.symbols import InstrumentId, parse_instrument
from schema.words.hedges import HedgeKind
from schema.words.problems import Refused
from schema.words.trades import Side

MOST_CANDIDATES = 20
USUAL_DAYS = 30
BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be hedged, and with what."""

    candidates: Sequence[str]
    symbol: str | None = None
    benchmark: str | None = None
    target_beta: float = 0.0
    days: int = USUAL_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """All hedges, and what the account holds of the candidates already, where that counts."""

    account: AccountRow
    positions: Sequence[str]
    found: HedgeOffers
    held: dict[InstrumentId, Decimal]

    def missing(self, offer: HedgeOffer) -> Decimal:
        """What is to be bought, below zero what is to be sold, to get there."""
        return EXACT.subtract(offer.quantity, self.held.get(offer.instrument, Decimal(0)))


async def proposed(context: Context, account: AccountRow, wanted: Wanted) -> Proposed:
    """BadInput names what is wrong with the question; NoAnswer where no plugin proposes hedges."""
    hedges = cast(Hedges | None, context.services.get(Hedges))
    if hedges is None:
        told = (
            "no plugin of this gateway proposes hedges (`risk` does): give `hedgeExecute` the legs that you have "
            "reckoned yourself"
        )
        raise NoAnswer(wanted.symbol or account.id, FailureCode.NOT_COVERED, told, ())
    if not 1 <= len(wanted.candidates) <= MOST_CANDIDATES:
        raise BadInput("candidates", f"give 1 to {MOST_CANDIDATES}, not {len(wanted.candidates)}")
    names = [await _found(context, each, "candidates") for each in wanted.candidates]
    units = await _units(context, account)
    hedged, held = await _hedged(context, wanted, units, names)
    model, prices = ExecutionModel.read(account.model), Prices.of(context)
    try:
        specs = [await prices.spec(each, model=model) for each in names]
    except Refused as refused:
        raise BadInput("candidates", refused.message) from None
    found = await hedges.offers(
        context,
        HedgeAsk(
            positions=hedged, currency=account.currency, days=wanted.days, benchmark=wanted.benchmark,
            target_beta=wanted.target_beta,
            candidates=tuple(
                HedgeWith(instrument=name, step=spec.step, fee_bps=model.fees.taker * BPS)
                for name, spec in zip(names, specs, strict=True)
            ),
        ),
    )  # fmt: skip
    return Proposed(account=account, positions=sorted(map(str, hedged)), found=found, held=held)


async def leg_of(context: Context, account: AccountRow, wanted: Wanted, kind: HedgeKind) -> Leg:
    """The order of the one candidate's hedge; Refused where there is nothing to order."""
    try:
        found = await proposed(context, account, wanted)
    except NoAnswer as error:
        known = context.services.get(Hedges) is not None
        raise Refused("HEDGE_NOT_COMPUTABLE" if known else "HEDGES_UNAVAILABLE", f"{error.message}.") from None
    except MarketgateError as error:
        raise Refused("HEDGE_NOT_COMPUTABLE", f"{error.message}.", "with", "candidate") from None
    offers = [each for each in found.found.offers if each.kind is kind]
    if not offers:
        why = "; ".join(found.found.warnings) or "give a benchmark for BETA"
        raise Refused("HEDGE_NOT_COMPUTABLE", f"There is no {kind} hedge with it: {why}.", "with", "candidate")
    missing = found.missing(offers[0])
    if not missing:
        told = "The hedge is there already, or smaller than the least step: there is nothing to order."
        raise Refused("HEDGE_NOT_COMPUTABLE", told, "with", "candidate")
    side = Side.BUY if missing > 0 else Side.SELL
    return Leg(symbol=str(offers[0].instrument), side=side, quantity=missing.copy_abs())


async def _hedged(
    context: Context, wanted: Wanted, units: dict[InstrumentId, Decimal], names: Sequence[InstrumentId]
) -> tuple[dict[InstrumentId, Decimal], dict[InstrumentId, Decimal]]:
    """One position by itself; or all but those in candidates, which are hedges that are there already."""
    if wanted.symbol is not None:
        named = await _found(context, wanted.symbol, "symbol")
        if named not in units:
            raise BadInput("symbol", f"the account holds nothing of {named}: there is nothing to hedge")
        return {named: units[named]}, {}
    hedged = {each: amount for each, amount in units.items() if each not in names}
    if not hedged:
        raise BadInput("accountId", "the account holds nothing but the candidates: there is nothing to hedge")
    return hedged, {each: amount for each, amount in units.items() if each in names}


async def _units(context: Context, account: AccountRow) -> dict[InstrumentId, Decimal]:
    held = await context.service(Appraiser).held(context, account)
    return {parse_instrument(row.instrument): row.quantity for row in held.positions}


async def _found(context: Context, symbol: str, field: str) -> InstrumentId:
    try:
        return await Prices.of(context).find(symbol)
    except Refused as refused:
        raise BadInput(field, refused.message) from None
