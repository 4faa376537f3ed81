"""Accounts valued: rows are read in one view, prices are asked outside of it, the rest is arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.contract import Context, Host
from gateway.core.matching.model import ExecutionModel
from gateway.core.store import Tx
from plugins.trading.markets.prices import Prices
from plugins.trading.positions.standing import Holding, Standing, hold_all, standing
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, BalanceRow, PositionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What stands in the rows of an account."""

    cash: Sequence[BalanceRow]
    reserved: Mapping[str, Decimal]
    positions: Sequence[PositionRow]

    @property
    def instruments(self) -> frozenset[str]:
        """What it holds."""
        return frozenset(row.instrument for row in self.positions)

    @property
    def currencies(self) -> frozenset[str]:
        """Those of its money, of its orders and of its positions."""
        money = {row.asset for row in self.cash if row.posted or row.held}
        return frozenset(money | {*self.reserved} | {row.currency for row in self.positions})


class Appraiser:
    """For accounts that the caller may see: whoever asks has looked at that."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, PositionStore()

    async def held(self, context: Context, account: AccountRow) -> Held:
        """What stands in its rows."""
        async with self._host.store.read() as tx:
            return await self.read(tx, account)

    async def read(self, tx: Tx, account: AccountRow) -> Held:
        """The same in a transaction."""
        tenant, id = account.tenant_id, account.id
        return Held(
            cash=await self._rows.cash(tx, tenant, id), reserved=await self._rows.reserved(tx, tenant, id),
            positions=await self._rows.of(tx, tenant, id),
        )  # fmt: skip

    async def standing(self, context: Context, account: AccountRow) -> Standing:
        """What it amounts to by the prices of now."""
        held = await self.held(context, account)
        model = ExecutionModel.read(account.model)
        marks = await Prices.of(context).marks(held.instruments, held.currencies, account.currency, model)
        day = self._host.clock.now().date().isoformat()
        return standing(account, held.cash, held.reserved, held.positions, marks, day=day)

    async def holdings(self, context: Context, account: AccountRow, rows: Sequence[PositionRow]) -> list[Holding]:
        """Positions by the prices of now."""
        marks = await Prices.of(context).marks(
            [row.instrument for row in rows], {row.currency for row in rows}, account.currency,
            ExecutionModel.read(account.model),
        )  # fmt: skip
        return hold_all(account, rows, marks)
