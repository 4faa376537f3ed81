"""What an account's figures call for: a new day, the end of trading for today, a margin call, a liquidation. Pure.

    loss of the day = equity at its beginning, with what was paid in or out since, less equity
    margin call:  equity < 1.25 × maintenance margin, told once, and over where equity ≥ 1.5 × maintenance margin
    liquidation:  equity < maintenance margin: open orders are cancelled, then positions are closed at the market, the
                  largest loss first, until equity ≥ 1.25 × maintenance margin or nothing is left that can be closed;
                  what waits for size is not closed yet, and others go on beside it

By old prices, or without one, nothing is decided.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway.core.matching.margin import CALL, Stake, liquidations
from gateway.core.matching.rounding import EXACT
from plugins.trading.positions.standing import Holding, Standing
from plugins.trading.rows import AccountRow, OrderRow
from schema.words.orders import OrderCause

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done, and what is not."""

    equity: Decimal
    maintenance: Decimal
    new_day: bool = False
    """Note the equity at the beginning of this day."""
    loss: bool = False
    """The greatest loss of the day is reached, and was not told today."""
    call: bool = False
    """A margin call that was not told."""
    recovered: bool = False
    """A margin call is over."""
    close: tuple[str, ...] = ()
    """Instruments to be closed by force, in order, but for those that are being closed."""
    over: bool = False
    """Nothing needs to be closed by force any more, and something is still being."""

    @property
    def anything(self) -> bool:
        """Whether the account changes."""
        return self.new_day or self.loss or self.call or self.recovered or self.over or bool(self.close)


def closing_of(orders: Iterable[OrderRow], now: datetime, silent: Container[str] = ()) -> dict[str, bool]:
    """Instruments that are being closed by force, and whether one waits for size: it has met its market. What has met
    nothing yet waits for a message where its stream is *silent*."""
    forced = (row for row in orders if row.open and row.cause == OrderCause.LIQUIDATION)
    return {
        row.instrument: row.due_at is None or (row.due_at <= now and row.instrument not in silent) for row in forced
    }


def judge(account: AccountRow, now: Standing, day: str, closing: Mapping[str, bool] | None = None) -> Verdict | None:
    """By the figures of now; None where they are not known, or old. *closing* as `closing_of` tells it."""
    if now.equity is None or now.stale:
        return None
    figures = now.margin
    closing = closing or {}
    close = () if figures is None or not figures.liquidation else _closed(now, closing)
    called = figures is not None and figures.call
    return Verdict(
        equity=now.equity, maintenance=figures.maintenance if figures else Decimal(0), new_day=account.day != day,
        loss=_is_lost(account, now.equity, day), call=called and not account.margin_called,
        recovered=account.margin_called and (figures is None or figures.calm), close=close,
        over=bool(closing) and figures is not None and not called,
    )  # fmt: skip


def _is_lost(account: AccountRow, equity: Decimal, day: str) -> bool:
    most, before = account.max_daily_loss, account.day_equity
    if most is None or before is None or account.day != day or account.loss_day == day:
        return False
    return EXACT.subtract(before, equity) >= most


def _closed(now: Standing, closing: Mapping[str, bool]) -> tuple[str, ...]:
    """The largest loss first, of what trades now; what does not, or waits for size, is covered before. What is on its
    way to the market is as good as closed."""
    open_, waiting = [], Decimal(0)
    for each in now.holdings:
        waits = closing.get(each.row.instrument)
        if waits is None and each.mark is not None and each.mark.open:
            open_.append(_stake(each))
        elif waits is not False:
            waiting = EXACT.add(waiting, _stake(each).maintenance)
    left = EXACT.subtract(now.equity or Decimal(0), EXACT.multiply(waiting, CALL))
    return tuple(stake.name for stake in liquidations(left, open_))


def _stake(each: Holding) -> Stake:
    return Stake(
        name=each.row.instrument, unrealised=each.unrealised_base or Decimal(0),
        maintenance=EXACT.multiply(each.initial or Decimal(0), HALF),
    )  # fmt: skip
