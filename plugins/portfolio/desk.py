"""An organisation's portfolios: made, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit
from gateway.core.store import Tx, new_id
from plugins.portfolio.changes import tell
from plugins.portfolio.store import PortfolioRow, PortfolioStore, TransactionStore
from plugins.portfolio.transactions import Draft, TransactionKind
from plugins.portfolio.wishes import (
    MOST_OPENING,
    Opening,
    Weighted,
    currency_of,
    instrument_of,
    name_of,
    weights_of,
)
from plugins.portfolio.writing import Writer
from schema.idempotency import check_same, digest_of
from schema.names import could_be_id
from schema.pages import Position
from schema.words.problems import Refused

MOST_PORTFOLIOS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller wants of a new portfolio, unread."""

    name: str
    currency: str
    benchmark: str | None
    method: str
    tracks_cash: bool
    weights: Sequence[Weighted] | None
    cash_weight: Decimal
    notional: Decimal | None
    holdings: Sequence[Opening]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the caller wants otherwise; None leaves it as it is."""

    name: str | None = None
    currency: str | None = None
    benchmark: str | None = None
    without_benchmark: bool = False
    method: str | None = None
    weights: Sequence[Weighted] | None = None
    cash_weight: Decimal = Decimal(0)
    notional: Decimal | None = None
    version: int | None = None


class PortfolioDesk:
    """Portfolios are an organisation's: every member who may reads and changes them."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows, self._moves = host, PortfolioStore(), TransactionStore()
        self._writer = Writer(host)

    async def page(self, context: Context, limit: int, *, behind: Position | None) -> list[PortfolioRow]:
        """Some of them, the oldest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, context.tenant, limit, behind=behind)

    async def find(self, context: Context, portfolio_id: str) -> PortfolioRow | None:
        """One of them."""
        if not could_be_id(portfolio_id):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, portfolio_id)

    async def create(self, context: Context, wish: Wish, key: str | None) -> PortfolioRow:
        """A new one, or what the same key made."""
        digest = digest_of(key, wish)
        if key is not None:
            async with self._host.store.read() as tx:
                held = await self._rows.with_key(tx, context.tenant, key)
            if held is not None:
                check_same(held.request_digest, digest)
                return held
        row = replace(await self._made(context, wish), idempotency_key=key, request_digest=digest)
        opening = await self._writer.read_all(context, row, _openings(wish, context.now), {})
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant)
            if key is not None and (made := await self._rows.with_key(tx, context.tenant, key)) is not None:
                check_same(made.request_digest, digest)
                return made
            if await self._rows.count(tx, context.tenant) >= MOST_PORTFOLIOS:
                told = f"Your organisation has {MOST_PORTFOLIOS} portfolios: delete one first."
                raise Refused("TOO_MANY_PORTFOLIOS", told)
            await self._rows.add(tx, context.tenant, row)
            await self._moves.add(tx, context.tenant, opening)
            await self._record(tx, context, "portfolio.created", row.id, after=_told(row))
        return row

    async def update(self, context: Context, portfolio_id: str, change: Change) -> PortfolioRow:
        """The portfolio after the change."""
        held = await self.find(context, portfolio_id)
        if held is None:
            raise unknown()
        wanted = await self._changed(context, held, change)
        async with self._host.store.write() as tx:
            now = await locked(tx, self._rows, context.tenant, portfolio_id, change.version)
            if "weights" in wanted and (now.weights, now.notional) != (held.weights, held.notional):
                told = "Somebody has changed the weights meanwhile: read the portfolio again, then change it."
                raise Refused("VERSION_CONFLICT", told, "weights")
            row = replace(now, **wanted, version=now.version + 1, changed_at=self._host.clock.now())
            await self._rows.change(tx, context.tenant, portfolio_id, row)
            await self._record(tx, context, "portfolio.updated", row.id, before=_told(now), after=_told(row))
            tell(self._host, tx, portfolio_id)
        return row

    async def delete(self, context: Context, portfolio_id: str, version: int | None) -> str:
        """The id of what is gone, its transactions with it."""
        async with self._host.store.write() as tx:
            await locked(tx, self._rows, context.tenant, portfolio_id, version)
            await self._rows.remove(tx, context.tenant, portfolio_id)
            await self._record(tx, context, "portfolio.deleted", portfolio_id)
            tell(self._host, tx, portfolio_id)
        return portfolio_id

    async def _made(self, context: Context, wish: Wish) -> PortfolioRow:
        now = self._host.clock.now()
        if wish.weights is not None and wish.holdings:
            raise Refused("WEIGHTS_INVALID", "Give weights or holdings, not both.", "weights")
        if wish.weights is None and (wish.notional is not None or wish.cash_weight):
            raise Refused("NOTIONAL_INVALID", "Only weights have a notional and cash beside them.", "notional")
        weights = None
        if wish.weights is not None:
            weights = await weights_of(context, wish.weights, wish.cash_weight, wish.notional)
        benchmark = wish.benchmark and str(await instrument_of(context, wish.benchmark, "benchmark"))
        return PortfolioRow(
            tenant_id=context.tenant, id=new_id("portfolio"), made_by=context.principal.actor, name=name_of(wish.name),
            currency=currency_of(wish.currency, "currency"), benchmark=benchmark, method=wish.method,
            tracks_cash=wish.tracks_cash, weights=weights, notional=wish.notional, version=1, idempotency_key=None,
            request_digest=None, created_at=now, changed_at=now,
        )  # fmt: skip

    async def _changed(self, context: Context, held: PortfolioRow, change: Change) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if change.name is not None:
            found["name"] = name_of(change.name)
        if change.currency is not None:
            found["currency"] = currency_of(change.currency, "currency")
        if change.benchmark is not None:
            found["benchmark"] = str(await instrument_of(context, change.benchmark, "benchmark"))
        elif change.without_benchmark:
            found["benchmark"] = None
        if change.method is not None:
            found["method"] = change.method
        if change.weights is not None or change.notional is not None:
            found |= await self._reweighted(context, held, change)
        return found

    async def _reweighted(self, context: Context, held: PortfolioRow, change: Change) -> dict[str, Any]:
        if held.weights is None:
            raise Refused("WEIGHTS_INVALID", "What this portfolio holds follows from its transactions.", "weights")
        notional = held.notional if change.notional is None else change.notional
        if change.weights is None:
            given = [Weighted(symbol=name, weight=Decimal(weight)) for name, weight in held.weights]
            cash = 1 - sum((each.weight for each in given), Decimal(0))
        else:
            given, cash = list(change.weights), change.cash_weight
        return {"weights": await weights_of(context, given, cash, notional), "notional": notional}

    async def _record(self, tx: Tx, context: Context, action: str, target: str, **told: Any) -> None:
        await self._host.service(Audit).record(tx, context.act(action, target, **told))


async def locked(tx: Tx, rows: PortfolioStore, tenant: str, portfolio_id: str, version: int | None) -> PortfolioRow:
    """As it stands now, which nobody else changes until the end of the transaction."""
    found = await rows.lock(tx, tenant, portfolio_id) if could_be_id(portfolio_id) else None
    if found is None:
        raise unknown()
    if version is not None and version != found.version:
        told = f"The portfolio is at version {found.version}, not {version}: read it again, then change it."
        raise Refused("VERSION_CONFLICT", told, "version")
    return found


def unknown() -> Refused:
    """There is none, or not for this organisation."""
    told = "Your organisation has no portfolio with this id: `portfolios { nodes { id } }` lists them."
    return Refused("NOT_FOUND", told, "id")


def _openings(wish: Wish, now: datetime) -> list[tuple[Draft, tuple[str, ...]]]:
    if len(wish.holdings) > MOST_OPENING:
        raise Refused("TOO_MANY_HOLDINGS", f"Give at most {MOST_OPENING} holdings; import more.", "holdings")
    return [
        (
            Draft(
                kind=TransactionKind.TRANSFER_IN, at=now, symbol=each.symbol, quantity=each.quantity,
                price=each.price, currency=each.currency,
            ),
            ("holdings", str(index)),
        )
        for index, each in enumerate(wish.holdings)
    ]  # fmt: skip


def _told(row: PortfolioRow) -> dict[str, Any]:
    return {
        "name": row.name, "currency": row.currency, "benchmark": row.benchmark, "method": row.method,
        "weights": row.weights, "notional": None if row.notional is None else format(row.notional, "f"),
    }  # fmt: skip
