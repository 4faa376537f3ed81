"""Hedges of what an account holds, as whoever serves `Hedges` proposes them. Nothing is ordered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel, Spec
from gateway.core.matching.rounding import EXACT
from gateway.core.ports import HedgeAsk, HedgeOffer, HedgeOffers, Hedges, HedgeWith
from plugins.trading.hedging.legs import Leg
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.prices import Prices
from plugins.trading.positions.standings import Appraiser, Held
from plugins.trading.rows import AccountRow
from schema.errors import BadInput, FailureCode, MarketgateError, NoAnswer
from schema.symbols import InstrumentId, parse_instrument
from schema.words.hedges import HedgeKind
from schema.words.orders import AccountKind, MarginType
from schema.words.problems import Refused
from schema.words.trades import Side

MOST_CANDIDATES = 20
USUAL_DAYS = 30
BPS = Decimal(10_000)
FIELDS = {"symbol": "symbol", "benchmark": "benchmark", "targetBeta": "targetBeta"}
"""Of a hedge that is reckoned when it is executed; all else is its candidate's."""


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
    if wanted.benchmark:
        await _found(context, wanted.benchmark, "benchmark")
    book = await context.service(Appraiser).held(context, account)
    units = {parse_instrument(row.instrument): row.quantity for row in book.positions}
    hedged, held = await _hedged(context, wanted, units, names)
    money = await _money(context, account, book, hedged, whole=wanted.symbol is None)
    model, prices = ExecutionModel.read(account.model), Prices.of(context)
    try:
        specs = [await prices.spec(each, model=model) for each in names]
    except Refused as refused:
        raise _named("candidates", refused) from None
    found = await hedges.offers(
        context,
        HedgeAsk(
            positions=hedged, currency=account.currency, money=money, days=wanted.days, benchmark=wanted.benchmark,
            target_beta=wanted.target_beta,
            candidates=tuple(
                HedgeWith(
                    instrument=name, step=spec.step, fee_bps=model.fees.taker * BPS, paid_in=_paid_in(account, spec)
                )
                for name, spec in zip(names, specs, strict=True)
            ),
        ),
    )  # fmt: skip
    return Proposed(account=account, positions=sorted(map(str, hedged)), found=found, held=held)


async def leg_of(context: Context, account: AccountRow, wanted: Wanted, kind: HedgeKind) -> Leg:
    """The order of the one candidate's hedge; Refused where there is nothing to order."""
    if kind is HedgeKind.BETA and not wanted.benchmark:
        told = "A BETA hedge needs a benchmark, against which betas are reckoned: an index or a fund, as `index:SPX`."
        raise Refused("HEDGE_INVALID", told, "with", "benchmark")
    try:
        found = await proposed(context, account, wanted)
    except NoAnswer as error:
        known = context.services.get(Hedges) is not None
        raise Refused("HEDGE_NOT_COMPUTABLE" if known else "HEDGES_UNAVAILABLE", f"{error.message}.") from None
    except MarketgateError as error:
        field = FIELDS.get(error.field, "candidate") if isinstance(error, BadInput) else "candidate"
        raise Refused("HEDGE_NOT_COMPUTABLE", f"{error.message}.", "with", field) from None
    offers = [each for each in found.found.offers if each.kind is kind]
    if not offers:
        why = "; ".join(found.found.warnings) or "none is proposed"
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


def _paid_in(account: AccountRow, spec: Spec) -> str | None:
    """What is bought is paid in its own currency, of what is held of it or as a debt; a broker that lends nothing may
    exchange the account's."""
    own = account.kind == AccountKind.PAPER or account.margin == MarginType.MARGIN or spec.derivative
    return spec.currency if own and spec.currency != account.currency else None


async def _money(
    context: Context, account: AccountRow, book: Held, hedged: Collection[InstrumentId], *, whole: bool
) -> dict[str, Decimal]:
    """By currencies other than the account's, as worth in the account's, what moves beside the positions: of all of
    them the balances, without what paid for the hedges that are there; of one alone what paid for it, where the account
    lends. A derivative is paid with nothing, and earns its price's change alone."""
    if book.currencies <= {account.currency}:
        return {}
    model = ExecutionModel.read(account.model)
    marks = await Prices.of(context).marks(book.instruments, book.currencies, account.currency, model)
    money = defaultdict[str, Decimal](Decimal, {each.asset: each.posted for each in book.cash} if whole else {})
    for row in book.positions:
        mark, among = marks.prices.get(row.instrument), parse_instrument(row.instrument) in hedged
        if mark is None:
            continue
        value = EXACT.multiply(row.quantity, mark.price)
        if among and (mark.derivative or (not whole and account.margin == MarginType.MARGIN)):
            money[row.currency] = EXACT.subtract(money[row.currency], value)
        elif whole and not among and not mark.derivative:
            money[row.currency] = EXACT.add(money[row.currency], value)
    return {each: _worth(marks, amount, each) for each, amount in money.items() if amount and each != account.currency}


def _worth(marks: Marks, amount: Decimal, currency: str) -> Decimal:
    worth = marks.worth(amount, currency)
    if worth is None:
        told = f"no rate from {currency} to {marks.currency}, and money in {currency} is hedged with the positions"
        raise NoAnswer(currency, FailureCode.NOT_COVERED, told, ())
    return worth


async def _found(context: Context, symbol: str, field: str) -> InstrumentId:
    try:
        return await Prices.of(context).find(symbol)
    except Refused as refused:
        raise _named(field, refused) from None


def _named(field: str, refused: Refused) -> BadInput:
    return BadInput(field, refused.message.removesuffix("."))
