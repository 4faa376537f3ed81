"""What positions are worth and what an account amounts to: rows and marks in, figures out. Pure and exact.

    value      = quantity × contract size × price, below zero where it is short
    unrealised = value − cost
    equity     = Σ cash + Σ value of what is held + Σ unrealised of derivatives, each at the rate to the base currency
    balance    = equity − unrealised: what stands there with all positions at their cost

    MARGIN: used = Σ |value| ÷ leverage + what open orders reserve; maintenance = half of the positions' part;
            available = equity − used − what pending entries hold; buying power = available × leverage, not below zero
    CASH:   nothing is borrowed: used and maintenance are zero; buying power = cash − what is held back by pending
            entries and reserved by open orders

A price or a rate that is missing leaves what needs it null, and says which; one that is old marks it stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from gateway.core.matching import margin as margins
from gateway.core.matching.positions import PRICE_DIGITS, market_value
from gateway.core.matching.rounding import quotient
from plugins.trading.markets.marks import EXACT, ONE, Mark, Marks
from plugins.trading.rows import AccountRow, BalanceRow, PositionRow
from schema.currencies import decimals_of
from schema.provenance import Conversion, DataMode
from schema.words.orders import MarginType

ZERO = Decimal(0)
PERCENT = Decimal("0.0001")
_DIVIDED = Context(prec=50, rounding=ROUND_HALF_EVEN)
_ROUNDED = Context(prec=400, rounding=ROUND_HALF_EVEN)
_NAMED = 5
_LARGEST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position at its mark. Amounts are in its own currency, `…_base` in the account's; None where unknown."""

    row: PositionRow
    mark: Mark | None
    entry_price: Decimal
    value: Decimal | None = None
    value_base: Decimal | None = None
    unrealised: Decimal | None = None
    unrealised_base: Decimal | None = None
    unrealised_percent: Decimal | None = None
    initial: Decimal | None = None
    """Margin in the base currency; zero in a CASH account."""
    stale: bool = False
    reason: str | None = None
    """Why figures are null, or stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account as a whole, in its base currency; None where a price or a rate is missing."""

    currency: str
    cash: Decimal | None
    equity: Decimal | None
    balance: Decimal | None
    unrealised: Decimal | None
    margin: margins.Margin | None
    """Of a MARGIN account: also whether it is called, or closed by force."""
    margin_used: Decimal | None
    maintenance: Decimal | None
    margin_available: Decimal | None
    buying_power: Decimal | None
    long: Decimal | None
    short: Decimal | None
    day_pnl: Decimal | None
    daily_loss_left: Decimal | None
    stale: bool
    reason: str | None
    modes: frozenset[DataMode]
    conversions: tuple[Conversion, ...]
    holdings: tuple[Holding, ...]

    @property
    def gross(self) -> Decimal | None:
        """Longs and shorts, both counted."""
        return None if self.long is None or self.short is None else EXACT.add(self.long, self.short)

    @property
    def net(self) -> Decimal | None:
        """Longs less shorts."""
        return None if self.long is None or self.short is None else EXACT.subtract(self.long, self.short)


def hold(row: PositionRow, marks: Marks, leverage: Decimal | None) -> Holding:
    """A position at its mark; *leverage* is that of a MARGIN account."""
    mark = marks.prices.get(row.instrument)
    size = ONE if mark is None else mark.contract_size
    entry = _entry(row, size)
    if mark is None:
        return Holding(row=row, mark=None, entry_price=entry, reason=f"no price of {row.instrument}")
    if mark.currency != row.currency:
        told = f"{row.instrument} is held in {row.currency}, and priced in {mark.currency}"
        return Holding(row=row, mark=mark, entry_price=entry, reason=told)
    with localcontext(EXACT):
        value = market_value(row.quantity, mark.price, size)
        unrealised = value - row.cost
        base, gained = marks.worth(value, row.currency), marks.worth(unrealised, row.currency)
    reason = f"no rate from {row.currency} to {marks.currency}" if base is None else None
    stale = mark.stale or row.currency in marks.old_rates
    if stale and reason is None:
        reason = f"the price of {row.instrument} is old" if mark.stale else f"the rate of {row.currency} is old"
    needed = None if base is None else ZERO if leverage is None else margins.initial(base, leverage)
    return Holding(
        row=row, mark=mark, entry_price=entry, value=value, value_base=base, unrealised=unrealised,
        unrealised_base=gained, unrealised_percent=percent(unrealised, row.cost.copy_abs()), initial=needed,
        stale=stale, reason=reason,
    )  # fmt: skip


def hold_all(account: AccountRow, positions: Sequence[PositionRow], marks: Marks) -> list[Holding]:
    """Positions of an account at their marks."""
    return [hold(row, marks, _leverage(account)) for row in positions]


def standing(
    account: AccountRow,
    cash: Sequence[BalanceRow],
    reserved: Mapping[str, Decimal],
    positions: Sequence[PositionRow],
    marks: Marks,
    *,
    day: str | None = None,
) -> Standing:
    """An account at its marks. *reserved* is what open orders hold, by currency; *day* is the UTC day of now."""
    leverage = _leverage(account)
    holdings = tuple(hold_all(account, positions, marks))
    money = total(marks.worth(row.posted, row.asset) for row in cash)
    values, gains = total(each.value_base for each in holdings), total(each.unrealised_base for each in holdings)
    equity = total((money, *(_counted(each) for each in holdings)))
    held = total(marks.worth(amount, currency) for currency, amount in reserved.items())
    pending = total(marks.worth(row.held, row.asset) for row in cash)
    figures = _margin(equity, holdings, leverage, held, pending)
    used, needed, available, power = (
        _marginal(figures) if leverage is not None else (ZERO, ZERO, *(_free(cash, reserved, marks),) * 2)
    )
    lacking = [*_lacking(cash, reserved, marks), *(each.reason for each in holdings if each.value_base is None)]
    stale = any(each.stale for each in holdings) or any(row.asset in marks.old_rates and row.posted for row in cash)
    day_pnl = _day(account, equity, day)
    return Standing(
        currency=marks.currency, cash=money, equity=equity, balance=_less(equity, gains), unrealised=gains,
        margin=figures, margin_used=used, maintenance=needed, margin_available=available, buying_power=power,
        long=None if values is None else total(_part(each, short=False) for each in holdings),
        short=None if values is None else total(_part(each, short=True) for each in holdings),
        day_pnl=day_pnl, daily_loss_left=_left(account, day_pnl), stale=stale, reason=_told(lacking, holdings),
        modes=marks.modes, conversions=tuple(marks.rates.values()), holdings=holdings,
    )  # fmt: skip


def free_cash(cash: Sequence[BalanceRow], reserved: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """What a CASH account may spend, by currency: what is there, not held by pending entries, not reserved."""
    found = {row.asset: EXACT.subtract(row.posted, row.held) for row in cash}
    for currency, amount in reserved.items():
        found[currency] = EXACT.subtract(found.get(currency, ZERO), amount)
    return found


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum; None where one of them is unknown."""
    found = ZERO
    for amount in amounts:
        if amount is None:
            return None
        found = EXACT.add(found, amount)
    return found


def money(amount: Decimal | None, currency: str) -> Decimal | None:
    """As it is shown: to the currency's minor unit, half to even; what is not ISO 4217 to 8 digits."""
    return None if amount is None else rounded(amount, currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The same, of what is known."""
    found = amount.quantize(ONE.scaleb(-decimals_of(currency)), context=_ROUNDED)
    return found if found else abs(found)


def percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """In percent, to four digits; None of nothing, of next to nothing, or of what is unknown."""
    if part is None or not whole:
        return None
    found = _DIVIDED.multiply(_DIVIDED.divide(part, whole), Decimal(100))
    return None if found.adjusted() > _LARGEST else found.quantize(PERCENT, context=_ROUNDED)


def _entry(row: PositionRow, size: Decimal) -> Decimal:
    """The average price at which it was opened."""
    units = EXACT.multiply(row.quantity, size)
    if not units:
        return ZERO
    return quotient(row.cost, units, PRICE_DIGITS)


def _counted(each: Holding) -> Decimal | None:
    """What it adds to equity: what is held is worth its value, a derivative what it has gained."""
    return each.unrealised_base if each.mark is not None and each.mark.derivative else each.value_base


def _part(each: Holding, *, short: bool) -> Decimal | None:
    value = each.value_base
    return value if value is None else max(value.copy_negate() if short else value, ZERO)


def _leverage(account: AccountRow) -> Decimal | None:
    """None where nothing may be borrowed."""
    return account.leverage if account.margin == MarginType.MARGIN else None


def _margin(
    equity: Decimal | None,
    holdings: Sequence[Holding],
    leverage: Decimal | None,
    reserved: Decimal | None,
    pending: Decimal | None,
) -> margins.Margin | None:
    values = [each.value_base for each in holdings if each.value_base is not None]
    if equity is None or reserved is None or pending is None or leverage is None or len(values) < len(holdings):
        return None
    return margins.margin(equity, values, leverage, reserved, pending)


def _marginal(figures: margins.Margin | None) -> tuple[Decimal | None, ...]:
    """Used, maintenance, available, buying power."""
    if figures is None:
        return None, None, None, None
    return figures.used, figures.maintenance, figures.available, figures.buying_power


def _free(cash: Sequence[BalanceRow], reserved: Mapping[str, Decimal], marks: Marks) -> Decimal | None:
    free = total(marks.worth(amount, currency) for currency, amount in free_cash(cash, reserved).items())
    return None if free is None else max(free, ZERO)


def _less(amount: Decimal | None, less: Decimal | None) -> Decimal | None:
    return None if amount is None or less is None else EXACT.subtract(amount, less)


def _day(account: AccountRow, equity: Decimal | None, day: str | None) -> Decimal | None:
    """Since the beginning of the UTC day; None where that was not noted yet."""
    return _less(equity, account.day_equity) if day is not None and account.day == day else None


def _left(account: AccountRow, day_pnl: Decimal | None) -> Decimal | None:
    most = account.max_daily_loss
    return None if most is None or day_pnl is None else max(EXACT.add(most, min(day_pnl, ZERO)), ZERO)


def _lacking(cash: Sequence[BalanceRow], reserved: Mapping[str, Decimal], marks: Marks) -> list[str]:
    named = {row.asset for row in cash if row.posted or row.held} | {
        each for each, amount in reserved.items() if amount
    }
    return [f"no rate from {each} to {marks.currency}" for each in sorted(named) if marks.rate(each) is None]


def _told(lacking: Sequence[str | None], holdings: Sequence[Holding]) -> str | None:
    """Why figures are null, else why they are stale."""
    reasons = list(dict.fromkeys(each for each in lacking if each))
    reasons = reasons or [each.reason for each in holdings if each.stale and each.reason]
    more = f", and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return "; ".join(reasons[:_NAMED]) + more if reasons else None
