"""How much of a whole position an order at a broker can close."""

from __future__ import annotations

from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from gateway.core.matching.rounding import floor_to
from plugins.trading.brokers.port import ZERO, Broker, BrokerTrouble
from plugins.trading.ledger.chart import shown
from plugins.trading.markets.prices import Prices
from plugins.trading.rows import AccountRow
from schema.symbols import AssetClass, InstrumentId
from schema.words.problems import Refused


async def closable(
    context: Context, broker: Broker, account: AccountRow, instrument: InstrumentId, held: Decimal
) -> Decimal:  # fmt: skip
    """In units: what is held, less a fee in coins that is not booked yet, in whole steps.

    Refused SIZE_BELOW_MINIMUM where that is less than a step.
    """
    size = held.copy_abs()
    if instrument.asset_class is AssetClass.CRYPTO:
        size = min(size, await _there(broker, instrument) or size)
    spec = await Prices.of(context).spec(instrument, "symbol", model=ExecutionModel.read(account.model))
    whole = floor_to(size, spec.step_quantity)
    if not whole:
        least = shown(spec.step_quantity or ZERO)
        told = f"The {shown(size)} of {instrument} that are held are less than the {least} that an order may have"
        way = "sell or convert them at the broker, then `positionAdjust` takes them off the books"
        raise Refused("SIZE_BELOW_MINIMUM", f"{told}: {way}.", "symbol")
    return whole


async def _there(broker: Broker, instrument: InstrumentId) -> Decimal | None:
    """What the broker has of it; None where it has none, or does not say: then it judges the order by itself."""
    try:
        stock = await broker.stock()
    except BrokerTrouble:
        return None
    there = (stock.cash if stock.pooled else stock.units).get(broker.asset_of(instrument), ZERO)
    return there if there > ZERO else None
