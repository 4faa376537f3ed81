"""SQL of what an account is decided on with, while it is locked: one question for all of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Select, and_, bindparam, func, not_, or_, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from gateway.core.questions import Questions
from gateway.core.store import Tx, exact_sum
from plugins.trading.accounts.store import find_account
from plugins.trading.orders.store import OrderStore
from plugins.trading.rows import AccountRow, BalanceRow, OrderRow, PositionRow
from plugins.trading.tables import balances, orders, permits, positions, switches


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What open orders that were not read hold of buying power, in one currency."""

    currency: str
    amount: Decimal
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Of a kill switch that is on: the organisation's, or the operator's; of an instrument; of a currency."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """An account as it stands."""

    orders: Mapping[str, OrderRow]
    """Open ones, in the order of placing, and with them what of their families has ended."""
    elsewhere: Collection[Elsewhere]
    positions: Collection[PositionRow]
    balances: Collection[BalanceRow]
    """Of currencies, and of the instruments in question."""
    halted: bool
    """Whether a kill switch over the account is on."""


class FloorStore:
    """What belongs to an account. The caller holds its lock, or writes nothing."""

    async def called(
        self, tx: Tx, tenant: str, account_id: str, client_order_id: str
    ) -> tuple[AccountRow | None, OrderRow | None]:  # fmt: skip
        """The account, and what was placed in it under a client's id."""
        found = await tx.answers(_CALLED, tenant=tenant, account=account_id, key=client_order_id)
        return next(iter(found["account"]), None), next(iter(found["order"]), None)

    async def names(self, tx: Tx, tenant: str, account_id: str) -> tuple[frozenset[str], frozenset[str]]:
        """Instruments that it holds, and currencies of its money and of what its open orders hold."""
        found = await tx.answers(_NAMES, tenant=tenant, account=account_id)
        return frozenset(each.name for each in found["held"]), frozenset(each.name for each in found["money"])

    async def read(
        self, tx: Tx, tenant: str, account_id: str, fleet: str, instruments: Collection[str] | None, *, valued: bool
    ) -> Stand:
        """All of it, or what belongs to some instruments: an account that is *valued* is so by all that it holds.

        *fleet* is the name of the operator's kill switch.
        """
        asked = {"tenant": tenant, "account": account_id, "fleet": fleet}
        if instruments is None:
            found = await tx.answers(_ALL, **asked)
        else:
            found = await tx.answers(_VALUED if valued else _SOME, **asked, instruments=sorted(instruments))
        near: list[OrderRow] = sorted(found["orders"], key=lambda row: row.number)
        kin = await OrderStore().kin(tx, tenant, account_id, near, whole=instruments is None)
        return Stand(
            orders={row.id: row for row in (*near, *kin)},
            elsewhere=found.get("elsewhere", ()), positions=sorted(found["positions"], key=lambda row: row.instrument),
            balances=found["balances"], halted=bool(found["halts"]),
        )  # fmt: skip


def _mine(table: object) -> ColumnElement[bool]:
    columns = table.c  # type: ignore[attr-defined]
    return and_(columns.tenant_id == bindparam("tenant"), columns.account_id == bindparam("account"))


def _purse(instruments: Select[tuple[str]] | ColumnElement[str]) -> Select[tuple[object, ...]]:
    """All balances that a fill of some instruments may change: of currencies, and of those instruments."""
    money = not_(balances.c.ledger.in_(["units", "market"]))
    return select(balances).where(_mine(balances), or_(money, balances.c.asset.in_(instruments)))


_NAMED: ColumnElement[str] = bindparam("instruments", expanding=True)
_OPEN = select(orders).where(_mine(orders), orders.c.open.is_(True))
_HELD = select(positions).where(_mine(positions))
_HALTS = union_all(
    select(permits.c.tenant_id.label("name")).where(
        permits.c.tenant_id == bindparam("tenant"), permits.c.halted.is_(True)
    ),
    select(switches.c.name).where(switches.c.name == bindparam("fleet"), switches.c.halted.is_(True)),
).subquery()
_ELSEWHERE = (
    select(orders.c.currency, exact_sum(orders.c.reserved).label("amount"), func.count().label("number"))
    .where(_mine(orders), orders.c.open.is_(True), orders.c.instrument.not_in(_NAMED))
    .group_by(orders.c.currency)
)
_CALLED = Questions(
    account=(find_account(bindparam("tenant"), bindparam("account")), AccountRow),
    order=(select(orders).where(_mine(orders), orders.c.client_order_id == bindparam("key")), OrderRow),
)  # fmt: skip
_RESERVED = select(orders.c.currency).where(_mine(orders), orders.c.open.is_(True), orders.c.reserved != Decimal(0))
_CASH = select(balances.c.asset.label("name")).where(_mine(balances), balances.c.ledger == "cash")
_NAMES = Questions(
    held=(select(positions.c.instrument.label("name")).where(_mine(positions)), Name),
    money=(select(_CASH.union(_RESERVED).subquery().c.name), Name),
)  # fmt: skip
_HALTED = (select(_HALTS.c.name), Name)
_ALL = Questions(
    orders=(_OPEN, OrderRow), positions=(_HELD, PositionRow), halts=_HALTED,
    balances=(_purse(select(positions.c.instrument).where(_mine(positions))), BalanceRow),
)  # fmt: skip
_SOME, _VALUED = (
    Questions(
        orders=(_OPEN.where(orders.c.instrument.in_(_NAMED)), OrderRow), elsewhere=(_ELSEWHERE, Elsewhere),
        positions=(held, PositionRow), balances=(_purse(_NAMED), BalanceRow), halts=_HALTED,
    )
    for held in (_HELD.where(positions.c.instrument.in_(_NAMED)), _HELD)
)  # fmt: skip
