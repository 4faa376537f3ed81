"""How much an order at a broker can close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from gateway.core.matching.rounding import floor_to
from plugins.trading.brokers.port import ZERO, Broker, BrokerTrouble
from plugins.trading.ledger.chart import shown
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.selling import pot_of, pots
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow
from schema.symbols import AssetClass, InstrumentId
from schema.words.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of what closes a position, in units."""

    there: Decimal | None = None
    """What the broker has of it, less a fee in coins that is not booked yet, and what our books have of the coin in
    all; None where nothing is known to lack."""
    step: Decimal | None = None
    """Of quantities; None where none is known."""

    def of(self, size: Decimal) -> Decimal:
        """As much of it as can be closed, in whole steps; 0 where that is less than a step."""
        return floor_to(self.least(size), self.step)

    def least(self, size: Decimal) -> Decimal:
        """As much of it as is there."""
        return size if self.there is None else min(size, self.there)


async def closable(
    context: Context, broker: Broker, account: AccountRow, instrument: InstrumentId, held: Decimal
) -> Decimal:  # fmt: skip
    """Of a whole position, in units: what is held and what the broker has of it, in whole steps.

    Refused SIZE_BELOW_MINIMUM where that is less than a step.
    """
    (bounds,) = (await bounds_of(context, broker, account, {instrument: held})).values()
    size = held.copy_abs()
    whole = bounds.of(size)
    if not whole:
        least = shown(bounds.step or ZERO)
        told = f"The {shown(bounds.least(size))} of {instrument} that are held are less than the {least} that an order"
        way = "sell or convert them at the broker, then `positionAdjust` takes them off the books"
        raise Refused("SIZE_BELOW_MINIMUM", f"{told} may have: {way}.", "symbol")
    return whole


async def bounds_of(
    context: Context, broker: Broker, account: AccountRow, held: Mapping[InstrumentId, Decimal]
) -> dict[InstrumentId, Bounds]:  # fmt: skip
    """Of each position, in units; the broker is asked once. What nobody lists any more has no step."""
    coins = {each for each, units in held.items() if each.asset_class is AssetClass.CRYPTO and units > ZERO}
    there, ours = (await _there(broker), await _ours(context, account)) if coins else ({}, {})
    model, found = ExecutionModel.read(account.model), dict[InstrumentId, Bounds]()
    for instrument in held:
        try:
            step = (await Prices.of(context).spec(instrument, "symbol", model=model)).step_quantity
        except Refused:
            step = None
        has = (there.get(broker.asset_of(instrument), ZERO), ours.get(pot_of(str(instrument)), ZERO))
        # An order for what it has nothing of, or does not tell, is left to it to judge.
        some = [each for each in has if each > ZERO] if instrument in coins else []
        found[instrument] = Bounds(there=min(some, default=None), step=step)
    return found


async def _ours(context: Context, account: AccountRow) -> Mapping[str, Decimal]:
    async with context.host.store.read() as tx:
        held = await PositionStore().of(tx, account.tenant_id, account.id)
        cash = await PositionStore().cash(tx, account.tenant_id, account.id)
    return pots(held, {row.asset: row.posted for row in cash})


async def _there(broker: Broker) -> Mapping[str, Decimal]:
    try:
        stock = await broker.stock()
    except BrokerTrouble:
        return {}
    return stock.cash if stock.pooled else stock.units
