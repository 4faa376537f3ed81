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
from gateway.core.matching.rules import check_notional, check_quantity, check_sum, filled_at, notional_for, worth
from gateway.core.matching.slippage import worst
from plugins.trading.ledger.chart import shown, times
from plugins.trading.markets.marks import Marks
from plugins.trading.orders.beside import Beside
from plugins.trading.orders.checks import Path, sellable, side_price
from plugins.trading.orders.protecting import exits_behind
from plugins.trading.orders.reckoning import reserve_at
from plugins.trading.orders.sizes import sized_by, sizing_price, told_size
from plugins.trading.orders.turning import cash_taken, form_of, left_of, returned, working
from plugins.trading.positions.standing import standing
from plugins.trading.rows import BalanceRow, OrderRow
from schema.words.orders import OrderLeg, OrderStatus
from schema.words.problems import Refused
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.ground import Ground
    from plugins.trading.orders.market import Market

Near = Callable[[Decimal, Decimal], Decimal]
Excess = Callable[[int], Decimal | None]
"""By how much a size lacks what is free, none or less where it passes; None where it fails for something else."""
Lacked = dict[int, Decimal | None]
"""Of sizes, in the order in which they were looked at."""
Guess = Callable[[int, int, Lacked], int]

ZERO = Decimal(0)
SHRUNK = 8
"""How much nearer good guesses come each time; else halving is as good."""
_NOTHING = ": pay in, `accountConvert`, or close something"
UNVALUED = frozenset({"NO_PRICE", "STALE_PRICE"})
"""Why nothing is decided by what an account amounts to."""


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


def reserve_of(floor: Floor, ground: Ground, row: OrderRow, beside: Beside | None = None) -> Decimal:
    """What it holds of buying power while it is open; for what nobody prices yet by its own limit or stop. What has no
    size yet (an exit whose entry is sized once its condition is met) holds nothing."""
    if row.quantity is None or row.reduce_only or (not floor.lends and row.side == Side.SELL):
        return ZERO
    tick = ground.priced.tick if ground.priced else None
    opens = working(row).left
    if floor.lends:
        opens = (beside or Beside(floor, ground.market, row)).opens(row, floor.held(row.instrument))
    return reserve_at(row, tick, ground.spec, ground.model, floor.leverage, opens)


def check_funds(floor: Floor, ground: Ground, row: OrderRow, step: Step | None, path: Path) -> None:
    """Cash, or margin, for what the order takes: *step* is its arrival, None where it does not arrive yet."""
    beside = Beside(floor, ground.market, row)
    if not floor.lends:
        _check_cash(beside, floor, ground, row, step, path)
    elif row.reserved or _shifts(beside, floor, row):
        _check_margin(beside, floor, ground, row, step, path)


def _check_cash(
    beside: Beside, floor: Floor, ground: Ground, row: OrderRow, step: Step | None, path: Path
) -> None:  # fmt: skip
    free, wanted = _free(floor, row), _taken(beside, floor, ground, row, step)
    if wanted <= free:
        return
    needs = f"{shown(wanted)} {row.currency}"
    if row.side == Side.BUY:
        told = f"The order needs {needs}, and {shown(free)} is free"
        passing = _passing(beside, floor, ground, row, step, lambda amount: EXACT.subtract(amount, free))
    else:
        told = f"The sale costs {needs} more than it brings, and {shown(free)} is free"
        passing = _paying(beside, floor, ground, row, free)
    raise Refused("INSUFFICIENT_FUNDS", f"{told}{passing}.", *path, sized_by(row))


def _free(floor: Floor, row: OrderRow) -> Decimal:
    """What a cash account has for an order, beside what others hold."""
    reserved = floor.reserved(but=row.id).get(row.currency, ZERO)
    return max(EXACT.subtract(floor.cash.get(row.currency, ZERO), reserved), ZERO)


def _check_margin(
    beside: Beside, floor: Floor, ground: Ground, row: OrderRow, step: Step | None, path: Path
) -> None:  # fmt: skip
    account, marks = floor.w.account, ground.marks
    now = standing(
        account, _balances(floor), floor.reserved(but=row.id), tuple(floor.positions.values()), marks
    )  # fmt: skip
    amount, free = marks.worth(_taken(beside, floor, ground, row, step), row.currency), now.margin_available
    if free is None or amount is None:
        told = f"The account cannot be valued now: {now.reason or 'a rate is missing'}."
        raise Refused("NO_PRICE", told, "accountId")
    if now.stale:
        raise Refused("STALE_PRICE", f"The account cannot be valued by fresh prices: {now.reason}.", "accountId")
    if amount > (there := max(free, ZERO)):
        needs, has = _money(amount, account.currency), _money(there, account.currency)
        told = f"The order needs a margin of {needs} {account.currency}, and {has} is available"

        def lacks(taken: Decimal) -> Decimal:
            return EXACT.subtract(marks.worth(taken, row.currency) or ZERO, there)

        passing = _passing(beside, floor, ground, row, step, lacks)
        raise Refused("INSUFFICIENT_MARGIN", f"{told}{passing}.", *path, sized_by(row))


def _taken(beside: Beside, floor: Floor, ground: Ground, row: OrderRow, step: Step | None) -> Decimal:
    """In the currency of its price."""
    if step is None or not step.executions:
        return EXACT.add(row.reserved, _shifts(beside, floor, row))
    after = returned(row, step.order, floor.now)
    if floor.lends:
        margin = _margin(floor, ground.spec, ground.marks, row, step)
        return max(ZERO, EXACT.add(_rests(beside, floor, ground.market, after, step), margin))
    return EXACT.add(left_of(row, after), cash_taken(row, step.executions))


def _rests(beside: Beside, floor: Floor, market: Market, after: OrderRow, step: Step) -> Decimal:
    """What is left of it holds then, and what others hold more, where it opens what they were to close."""
    filled = total_of(each.quantity for each in step.executions)
    if not opening(Side(after.side), filled, floor.held(after.instrument)) and not after.open:
        return ZERO
    held = _held(floor, after, filled)
    own = floor.reserves.of(after, market, beside.opens(after, held))
    return EXACT.add(own, beside.changed(after, held))


def _held(floor: Floor, row: OrderRow, filled: Decimal) -> Decimal:
    """Once so much of it is filled."""
    return EXACT.add(floor.held(row.instrument), filled if row.side == Side.BUY else EXACT.minus(filled))


def _shifts(beside: Beside, floor: Floor, row: OrderRow) -> Decimal:
    """What those behind it come to hold more, as it is to close what they were to."""
    return max(ZERO, beside.shifted(row)) if floor.lends else ZERO


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


def lacking_margin(floor: Floor, marks: Marks, market: Market, row: OrderRow, step: Step) -> Refused | None:
    """Why a margin account cannot open what fills would, with what others hold less then; None where it can. Where it
    cannot be valued now (NO_PRICE, STALE_PRICE), an order that holds enough itself can."""
    filled = total_of(each.quantity for each in step.executions)
    if not opening(Side(row.side), filled, floor.held(row.instrument)):
        return None
    margin = _margin(floor, market.spec, marks, row, step)
    now = standing(
        floor.w.account, _balances(floor), floor.reserved(but=row.id), tuple(floor.positions.values()), marks
    )  # fmt: skip
    amount, free = marks.worth(max(ZERO, margin), row.currency), now.margin_available
    if amount is None or free is None or now.stale:
        known = amount is not None and free is not None
        told = f"the account cannot be valued{' by fresh prices' if known else ''}: {now.reason or 'a rate is missing'}"
        return None if margin <= row.reserved else Refused("STALE_PRICE" if known else "NO_PRICE", told)
    if amount <= max(free, ZERO):
        return None
    after = returned(row, step.order, floor.now)
    freed = min(ZERO, Beside(floor, market, row).changed(after, _held(floor, row, filled)))
    amount = marks.worth(max(ZERO, EXACT.add(margin, freed)), row.currency) or ZERO
    if amount <= max(free, ZERO):
        return None
    currency = floor.w.account.currency
    takes, has = _money(amount, currency), _money(max(free, ZERO), currency)
    told = f"its fill takes a margin of {takes} {currency}, and {has} is available"
    return Refused("INSUFFICIENT_MARGIN", told)


def _passing(
    beside: Beside, floor: Floor, ground: Ground, row: OrderRow, step: Step | None,
    lacks: Callable[[Decimal], Decimal],
) -> str:  # fmt: skip
    """The greatest size on the step that would be taken, in words; of any order, though chance may favour this one."""
    if step is not None:
        ground = replace(ground, model=replace(ground.model, slippage=worst(ground.model.slippage)))
    unit = ground.spec.step_quantity or COIN_STEP
    low, high = _count(row.filled, unit), _count(row.quantity or ZERO, unit)

    def excess(count: int) -> Decimal | None:
        sized = replace(row, quantity=times(Decimal(count), unit))
        sized = replace(sized, reserved=reserve_of(floor, ground, sized, beside))
        made = step and arrival(floor, ground, sized)
        if made is not None and made.reason in (venue.FOK_NOT_FILLABLE, venue.POST_ONLY_WOULD_TAKE):
            return None
        if not sized.reserved and not _shifts(beside, floor, sized):
            return ZERO
        return lacks(_taken(beside, floor, ground, sized, made))

    size = times(Decimal(_edge(excess, low, high)), unit)
    if only_closes(floor, row, size):
        return _NOTHING
    return _told_size(ground, row, size, floor_to) or _NOTHING


def only_closes(floor: Floor, row: OrderRow, size: Decimal) -> bool:
    """Whether an entry of this size would leave nothing for the exits that wait for it, or come with it."""
    least = EXACT.add(row.filled, venue.closable(Side(row.side), floor.held(row.instrument)))
    if row.leg != OrderLeg.ENTRY or size > least:
        return False
    return not row.number or any(each.status == OrderStatus.NEW for each in exits_behind(floor, row))


def _paying(beside: Beside, floor: Floor, ground: Ground, row: OrderRow, free: Decimal) -> str:
    """The nearest size on the step whose sale pays for its fee, in words: a greater one, where a fee has a least."""
    ground = replace(ground, model=replace(ground.model, slippage=worst(ground.model.slippage)))
    unit = ground.spec.step_quantity or COIN_STEP
    now, most = _count(row.quantity or ZERO, unit), _count(sellable(floor, row), unit)

    def excess(count: int) -> Decimal:
        sized = replace(row, quantity=times(Decimal(count), unit))
        return EXACT.subtract(_taken(beside, floor, ground, sized, arrival(floor, ground, sized)), free)

    edge = _edge(excess, most if most > now and excess(most) <= 0 else 0, now)
    return _told_size(ground, row, times(Decimal(edge), unit), ceil_to if edge > now else floor_to) or ": pay in"


def _count(quantity: Decimal, unit: Decimal) -> int:
    """Whole units of a size."""
    return int(EXACT.divide_int(quantity, unit))


def _edge(excess: Excess, good: int, bad: int) -> int:
    """The last that passes, on the way from one that does to one that does not: exactly, and in few looks, as each of
    them reckons all open orders of an instrument.

    What is lacked grows about evenly with the size: so it is looked where it would be nothing, and beside that, before
    what is left is halved.
    """
    found, width = {bad: excess(bad)}, abs(good - bad) * SHRUNK
    guesses: tuple[Guess, ...] = (_first,)
    while abs(good - bad) > 1:
        for guess in guesses:
            at = guess(good, bad, found)
            lacked = found[at] = excess(at)
            good, bad = (at, bad) if lacked is not None and lacked <= 0 else (good, at)
            if abs(good - bad) <= 1:
                return good
        guesses = (_middle,)
        if (left := abs(good - bad)) * SHRUNK <= width:
            guesses, width = (_even, _beside, _middle), left
    return good


def _first(good: int, bad: int, _: Lacked) -> int:
    return good + 1 if bad > good else good - 1


def _even(good: int, bad: int, found: Lacked) -> int:
    """Where nothing would be lacked, if that grew evenly between the two."""
    none, some = found.get(good), found.get(bad)
    if none is None or some is None or some <= none:
        return _middle(good, bad, found)
    far = abs(bad - good)
    part = min(max(int(far * -none / (some - none)), 1), far - 1)
    return good + part if bad > good else good - part


def _beside(good: int, bad: int, found: Lacked) -> int:
    """Next to the one that was looked at last, toward where the edge is then; each time further from it."""
    far: int = 6 ** (len(found) - 3)
    way = 1 if bad > good else -1
    if far >= abs(good - bad):
        return _middle(good, bad, found)
    return good + way * far if next(reversed(found)) == good else bad - way * far


def _middle(good: int, bad: int, _: Lacked) -> int:
    """Sizes that are far apart are halved by their digits."""
    low, high = max(min(good, bad), 1), max(good, bad)
    return isqrt(low * high) if high > 4 * low else (good + bad) // 2


def _told_size(ground: Ground, row: OrderRow, quantity: Decimal, near: Near) -> str | None:
    """In words, as the order was sized; None where its instrument is not traded in such a size."""
    spec, tick = ground.spec, ground.priced.tick if ground.priced else None
    market = side_price(tick, Side(row.side)) if tick else None
    price = sizing_price(row, market)
    counted, there = worth(working(row), price), filled_at(working(row), market)
    if quantity <= row.filled or check_quantity(quantity, spec):
        return None
    if check_notional(quantity, counted, spec, market=there):
        return None
    if row.notional and price and check_sum(notional_for(quantity, price, spec, near), price, spec, market=there):
        return None
    return f": {told_size(row, quantity, spec, market, near)} would pass"


def _balances(floor: Floor) -> tuple[BalanceRow, ...]:
    account = floor.w.account
    cash: Mapping[str, Decimal] = floor.cash
    return tuple(
        BalanceRow(
            tenant_id=account.tenant_id, account_id=account.id, ledger="cash", asset=asset, posted=amount, held=ZERO
        )
        for asset, amount in cash.items()
    )  # fmt: skip


def _money(amount: Decimal, currency: str) -> str:
    """To the currency's digits."""
    return format(EXACT.quantize(amount, quantum_of(currency)), "f")
