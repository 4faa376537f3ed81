"""What an order takes of an account: exactly, of what is filled at once; its reserve, of what rests.

CASH: the price and the fee of each execution, as the ledger books them; of a sale what the fee is more than the price.
MARGIN: what the executions take of the available margin: the initial margin of what they open, less that of what they
close, the loss against the mark, and their fees. What only closes takes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from math import isqrt
from typing import TYPE_CHECKING

from gateway.core.matching import venue
from gateway.core.matching.margin import initial, opening
from gateway.core.matching.model import Spec, Step
from gateway.core.matching.rounding import COIN_STEP, EXACT, ceil_to, floor_to, quantum_of, total_of
from gateway.core.matching.rules import check_notional, check_quantity, worth
from gateway.core.matching.slippage import worst
from plugins.trading.ledger.chart import shown, times
from plugins.trading.markets.marks import Marks
from plugins.trading.orders.checks import Path, sellable, side_price
from plugins.trading.orders.reckoning import parts_of, reckoned, reserve_at, shifted
from plugins.trading.orders.turning import cash_taken, form_of, left_of, returned, working
from plugins.trading.positions.standing import standing
from plugins.trading.rows import BalanceRow, OrderRow
from schema.words.orders import OrderLeg
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.ground import Ground

Near = Callable[[Decimal, Decimal], Decimal]

ZERO = Decimal(0)
MANY_ORDERS, FEW_LOOKS = 100, 12
"""Each look at a size reckons all open orders of its instrument: of so many, a size near the greatest is named."""
_NOTHING = ": pay in, or close something"


def arrival(floor: Floor, ground: Ground, row: OrderRow) -> Step | None:
    """What the market of now makes of an order that arrives; None where nobody prices it."""
    if ground.priced is None:
        return None
    order, market = replace(form_of(row, lends=floor.lends), accepted_at=floor.now), ground.market
    step = venue.accept(
        order, market.tick, market.spec, market.model, open=market.open, most=floor.most(row),
        offered=floor.offers.of(market),
    )  # fmt: skip
    venue.give_back(step)
    return step


def reserve_of(floor: Floor, ground: Ground, row: OrderRow) -> Decimal:
    """What it holds of buying power while it is open; for what nobody prices yet by its own limit or stop."""
    if not floor.lends and row.side == Side.SELL:
        return ZERO
    tick = ground.priced.tick if ground.priced else None
    opens = working(row).left
    if floor.lends:
        same = (each for each in _with(floor, row) if each.side == row.side)
        opens = parts_of(same, floor.held(row.instrument))[row.id].opens
    return reserve_at(row, tick, ground.spec, ground.model, floor.leverage, opens)


def check_funds(floor: Floor, ground: Ground, row: OrderRow, step: Step | None, path: Path) -> None:
    """Cash, or margin, for what the order takes: *step* is its arrival, None where it does not arrive yet."""
    if not floor.lends:
        _check_cash(floor, ground, row, step, path)
    elif row.reserved or _shifts(floor, ground, row):
        _check_margin(floor, ground, row, step, path)


def _check_cash(floor: Floor, ground: Ground, row: OrderRow, step: Step | None, path: Path) -> None:
    free, wanted = _free(floor, row), _taken(floor, ground, row, step)
    if wanted <= free:
        return
    needs = f"{shown(wanted)} {row.currency}"
    if row.side == Side.BUY:
        told = f"The order needs {needs}, and {shown(free)} is free"
        passing = _passing(floor, ground, row, step, lambda amount: amount <= free)
    else:
        told = f"The sale costs {needs} more than it brings, and {shown(free)} is free"
        passing = _paying(floor, ground, row, free)
    raise Refused("INSUFFICIENT_FUNDS", f"{told}{passing}.", *path, _sized_by(row))


def _free(floor: Floor, row: OrderRow) -> Decimal:
    """What a cash account has for an order, beside what others hold."""
    reserved = floor.reserved(but=row.id).get(row.currency, ZERO)
    return max(EXACT.subtract(floor.cash.get(row.currency, ZERO), reserved), ZERO)


def _check_margin(floor: Floor, ground: Ground, row: OrderRow, step: Step | None, path: Path) -> None:
    account, marks = floor.w.account, ground.marks
    now = standing(
        account, _balances(floor), floor.reserved(but=row.id), tuple(floor.positions.values()), marks
    )  # fmt: skip
    amount, free = marks.worth(_taken(floor, ground, row, step), row.currency), now.margin_available
    if free is None or amount is None:
        told = f"The account cannot be valued now: {now.reason or 'a rate is missing'}."
        raise Refused("NO_PRICE", told, "accountId")
    if now.stale:
        raise Refused("STALE_PRICE", f"The account cannot be valued by fresh prices: {now.reason}.", "accountId")
    if amount > (there := max(free, ZERO)):
        told = f"The order needs a margin of {_money(amount)} {account.currency}, and {_money(there)} is available"
        passing = _passing(
            floor, ground, row, step, lambda taken: (marks.worth(taken, row.currency) or ZERO) <= there
        )  # fmt: skip
        raise Refused("INSUFFICIENT_MARGIN", f"{told}{passing}.", *path, _sized_by(row))


def _taken(floor: Floor, ground: Ground, row: OrderRow, step: Step | None) -> Decimal:
    """In the currency of its price."""
    if step is None or not step.executions:
        return EXACT.add(row.reserved, _shifts(floor, ground, row))
    after = returned(row, step.order, floor.now)
    if floor.lends:
        return max(
            ZERO, EXACT.add(_rests(floor, ground, after, step), _margin(floor, ground.spec, ground.marks, row, step))
        )
    return EXACT.add(left_of(row, after), cash_taken(row, step.executions))


def _rests(floor: Floor, ground: Ground, after: OrderRow, step: Step) -> Decimal:
    """What is left of it holds then, and what others hold more, where it opens what they were to close."""
    filled = total_of(each.quantity for each in step.executions)
    side, before = Side(after.side), floor.held(after.instrument)
    if not opening(side, filled, before) and not after.open:
        return ZERO
    held = EXACT.add(before, filled if side is Side.BUY else EXACT.minus(filled))
    rows = {each.id: each for each in _with(floor, after)}
    if after.open:
        rows[after.id] = replace(after, reserved=ZERO)
    else:
        del rows[after.id]
    found = reckoned(rows.values(), held, ground.market, floor.leverage)
    return total_of(EXACT.subtract(each.reserved, rows[each.id].reserved) for each in found)


def _with(floor: Floor, row: OrderRow) -> list[OrderRow]:
    """The open orders of its instrument, and it as it is to be."""
    return [*(each for each in floor.open if each.instrument == row.instrument and each.id != row.id), row]


def _shifts(floor: Floor, ground: Ground, row: OrderRow) -> Decimal:
    """What those behind it come to hold more, as it is to close what they were to."""
    if not floor.lends or not row.number:
        return ZERO
    rows = {each.id: each for each in _with(floor, row)}
    found = shifted(
        rows.values(), floor.shifts.parts(row.instrument), floor.held(row.instrument), ground.market, floor.leverage
    )  # fmt: skip
    more = (EXACT.subtract(each.reserved, rows[each.id].reserved) for each in found if each.id != row.id)
    return max(ZERO, total_of(more))


def _margin(floor: Floor, spec: Spec, marks: Marks, row: OrderRow, step: Step) -> Decimal:
    """What executions take of the available margin; below zero where they free more."""
    filled = total_of(each.quantity for each in step.executions)
    mark, size = marks.prices.get(row.instrument), spec.contract_size
    with localcontext(EXACT):
        opened = opening(Side(row.side), filled, floor.held(row.instrument))
        cost = total_of(each.quantity * each.price for each in step.executions) * size
        value = filled * size * mark.price if mark else cost
        loss = max(ZERO, cost - value if row.side == Side.BUY else value - cost)
        fees = total_of(each.fee for each in step.executions)
        more, freed = (
            initial(value * part / filled, floor.leverage) for part in (opened, filled - opened)
        )  # fmt: skip
        return ceil_to(more - freed + loss + fees, quantum_of(row.currency))


def lacking_cash(floor: Floor, row: OrderRow, step: Step) -> str | None:
    """Why a cash account cannot pay what fills would take; None where it can."""
    needed, free = cash_taken(row, step.executions), _free(floor, row)
    if needed <= free:
        return None
    more = "" if row.side == Side.BUY else " more than it brings"
    return f"its fill costs {shown(needed)} {row.currency}{more}, and {shown(free)} is free"


def lacking_margin(floor: Floor, marks: Marks, spec: Spec, row: OrderRow, step: Step) -> str | None:
    """Why a margin account cannot open what fills would; None where it can. Where it cannot be valued now, an order
    that holds enough can."""
    filled = total_of(each.quantity for each in step.executions)
    if not opening(Side(row.side), filled, floor.held(row.instrument)):
        return None
    needed = max(ZERO, _margin(floor, spec, marks, row, step))
    now = standing(
        floor.w.account, _balances(floor), floor.reserved(but=row.id), tuple(floor.positions.values()), marks
    )  # fmt: skip
    amount, free = marks.worth(needed, row.currency), now.margin_available
    if amount is None or free is None:
        return None if needed <= row.reserved else f"the account cannot be valued: {now.reason or 'a rate is missing'}"
    if amount <= max(free, ZERO):
        return None
    told = f"its fill takes a margin of {_money(amount)} {floor.w.account.currency}"
    return f"{told}, and {_money(max(free, ZERO))} is available"


def _passing(
    floor: Floor, ground: Ground, row: OrderRow, step: Step | None, fits: Callable[[Decimal], bool]
) -> str:  # fmt: skip
    """The greatest size on the step that would be taken, in words; of any order, though chance may favour this one."""
    if step is not None:
        ground = replace(ground, model=replace(ground.model, slippage=worst(ground.model.slippage)))
    unit = ground.spec.step_quantity or COIN_STEP
    low, high = int(row.filled / unit), int((row.quantity or ZERO) / unit)

    def passes(count: int) -> bool:
        sized = replace(row, quantity=times(Decimal(count), unit))
        sized = replace(sized, reserved=reserve_of(floor, ground, sized))
        made = step and arrival(floor, ground, sized)
        if made is not None and made.reason in (venue.FOK_NOT_FILLABLE, venue.POST_ONLY_WOULD_TAKE):
            return False
        if not sized.reserved and not _shifts(floor, ground, sized):
            return True
        return fits(_taken(floor, ground, sized, made))

    looks = FEW_LOOKS if len(_with(floor, row)) > MANY_ORDERS else None
    size = times(Decimal(_edge(passes, low, high, looks)), unit)
    if row.leg == OrderLeg.ENTRY and size <= venue.closable(Side(row.side), floor.held(row.instrument)):
        # It would only close, and leave nothing for its exits.
        return _NOTHING
    return _told_size(ground, row, size, floor_to) or _NOTHING


def _paying(floor: Floor, ground: Ground, row: OrderRow, free: Decimal) -> str:
    """The nearest size on the step whose sale pays for its fee, in words: a greater one, where a fee has a least."""
    ground = replace(ground, model=replace(ground.model, slippage=worst(ground.model.slippage)))
    unit = ground.spec.step_quantity or COIN_STEP
    now, most = int((row.quantity or ZERO) / unit), int(sellable(floor, row) / unit)

    def passes(count: int) -> bool:
        sized = replace(row, quantity=times(Decimal(count), unit))
        return _taken(floor, ground, sized, arrival(floor, ground, sized)) <= free

    edge = _edge(passes, most if most > now and passes(most) else 0, now)
    return _told_size(ground, row, times(Decimal(edge), unit), ceil_to if edge > now else floor_to) or ": pay in"


def _edge(passes: Callable[[int], bool], good: int, bad: int, looks: int | None = None) -> int:
    """The last that passes, on the way from one that does to one that does not; after so many looks one near it."""
    while abs(good - bad) > 1 and looks != 0:
        low, high = max(min(good, bad), 1), max(good, bad)
        # Sizes that are far apart are halved by their digits.
        middle = isqrt(low * high) if high > 4 * low else (good + bad) // 2
        good, bad = (middle, bad) if passes(middle) else (good, middle)
        looks = None if looks is None else looks - 1
    return good


def _told_size(ground: Ground, row: OrderRow, quantity: Decimal, near: Near) -> str | None:
    """In words, as the order was sized; None where its instrument is not traded in such a size."""
    spec, tick = ground.spec, ground.priced.tick if ground.priced else None
    price = row.limit_price or row.stop_price or (side_price(tick, Side(row.side)) if tick else None)
    counted = worth(working(row), price)
    if quantity <= row.filled or check_quantity(quantity, spec) or check_notional(quantity, counted, spec):
        return None
    if row.notional is None or price is None:
        return f": {shown(quantity)} would pass"
    notional = times(times(quantity, spec.contract_size), price)
    notional = notional if spec.step_quantity else near(notional, quantum_of(row.currency))
    return f": a notional of {shown(notional)} would pass"


def _sized_by(row: OrderRow) -> str:
    return "quantity" if row.notional is None else "notional"


def _balances(floor: Floor) -> tuple[BalanceRow, ...]:
    account = floor.w.account
    cash: Mapping[str, Decimal] = floor.cash
    return tuple(
        BalanceRow(
            tenant_id=account.tenant_id, account_id=account.id, ledger="cash", asset=asset, posted=amount, held=ZERO
        )
        for asset, amount in cash.items()
    )  # fmt: skip


def _money(amount: Decimal) -> str:
    return format(amount.quantize(Decimal("0.01")), "f")
