"""How far orders at a broker only reduce: nobody there keeps them from turning what is held. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from gateway.core.matching.rounding import floor_to
from plugins.trading.ledger.chart import EXACT, ZERO, shown, total
from plugins.trading.orders.checks import only_reduces, side_price
from plugins.trading.orders.market import Market
from plugins.trading.orders.sizes import told_size
from plugins.trading.rows import OrderRow, PositionRow
from schema.symbols import AssetClass, parse_instrument
from schema.words.orders import OrderStatus
from schema.words.trades import Side


def is_coin(instrument: str) -> bool:
    """Whether brokers hold it in one pot with all other pairs of the same base: they lend none of it."""
    found = parse_instrument(instrument)
    return found.asset_class is AssetClass.CRYPTO and found.is_spot


def pot_of(instrument: str) -> str:
    """What a sale of an instrument takes from: of a coin its name."""
    return parse_instrument(instrument).base if is_coin(instrument) else instrument


def pots(held: Iterable[PositionRow], cash: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Units by `pot_of`: of a coin those of all pairs, and what there is of it as money."""
    found = dict(cash)
    for row in held:
        found = added(found, {pot_of(row.instrument): row.quantity})
    return found


def added(there: Mapping[str, Decimal], more: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Units by `pot_of`, of both."""
    return {**there, **{name: EXACT.add(there.get(name, ZERO), units) for name, units in more.items()}}


def told_unheld(
    row: OrderRow, open: Iterable[OrderRow], there: Mapping[str, Decimal], market: Market
) -> str | None:  # fmt: skip
    """What of an order passes, in words, where with the account's other open sales it sells more than is *there*, as
    `pots` says."""
    name = pot_of(row.instrument)
    held = there.get(name, ZERO)
    others = [each for each in open if each.id != row.id and pot_of(each.instrument) == name]
    sold = total(_sells(each) for each in others)
    free = EXACT.subtract(held, sold)
    if _sells(row) <= max(free, ZERO):
        return None
    if held <= 0:
        return f"It holds nothing of {name}"
    has = f"It holds {shown(held)} of {name}"
    if free <= 0:
        ends = any(each.status == OrderStatus.PENDING_CANCEL and _sells(each) for each in others)
        way = "wait until the one that is being cancelled has ended" if ends else "cancel one of them first"
        return f"{has}, all of which its other open sales sell: {way}"
    beside = f", of which its other open sales sell {shown(sold)}" if sold else ""
    now = side_price(market.tick, Side.SELL) if market.tick else None
    whole = floor_to(free, market.spec.step_quantity)
    if not whole:
        return f"{has}{beside}: no order passes for so little"
    return f"{has}{beside}: at most {told_size(row, whole, market.spec, now)} passes"


def told_buying(row: OrderRow, open: Iterable[OrderRow]) -> str | None:
    """That open purchases of what an order sells are not filled yet, in words; None where there are none."""
    name = pot_of(row.instrument)
    some = [each for each in open if each.side == Side.BUY and pot_of(each.instrument) == name]
    rest = total(EXACT.subtract(each.quantity or ZERO, each.filled) for each in some)
    return (
        f"Open purchases of {shown(rest)} are not filled yet: wait for them, or until they have ended."
        if rest
        else None
    )


def unheld(
    open: Iterable[OrderRow], held: Collection[PositionRow], cash: Mapping[str, Decimal], *, lends: bool
) -> frozenset[str]:  # fmt: skip
    """Of open orders that would but reduce, those that close more than is *held* with those that were placed before
    them and stay, and sales of more than `pots` says. What is being cancelled is none of these."""
    left, found = dict[tuple[str, str], Decimal](), set[str]()
    for each in held:
        left |= {(each.instrument, Side.SELL): each.quantity, (each.instrument, Side.BUY): each.quantity.copy_negate()}
    left |= {(name, Side.SELL): units for name, units in pots(held, cash).items()}
    for row in sorted(open, key=lambda row: row.number):
        size, side = EXACT.subtract(row.quantity or ZERO, row.filled), Side(row.side)
        reduces = only_reduces(side, reduce_only=row.reduce_only, lends=lends)
        if row.status == OrderStatus.PENDING_CANCEL or not size or not reduces:
            continue
        # A plain sale takes of any pair; what only reduces, of its own.
        sold, mine = (pot_of(row.instrument), row.side), (row.instrument, row.side)
        keys = {mine} if side is Side.BUY else {sold, mine}
        judged = keys if row.reduce_only else {sold}
        if any(left.get(key, ZERO) < size for key in judged):
            found.add(row.id)
        else:
            left |= {key: EXACT.subtract(left.get(key, ZERO), size) for key in keys}
    return frozenset(found)


def _sells(row: OrderRow) -> Decimal:
    return EXACT.subtract(row.quantity or ZERO, row.filled) if row.side == Side.SELL else ZERO
