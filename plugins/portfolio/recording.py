"""Transactions of a portfolio: recorded, deleted, read, imported from CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit
from gateway.core.store import Tx, new_id
from plugins.portfolio.bench import Bench
from plugins.portfolio.changes import tell
from plugins.portfolio.csvfile import BadRow, ReadRow, drafts_of
from plugins.portfolio.desk import locked, unknown
from plugins.portfolio.splits import beyond_of, outgrown
from plugins.portfolio.store import ImportRow, PortfolioRow, PortfolioStore, TransactionRow, TransactionStore
from plugins.portfolio.transactions import Draft, TransactionKind
from plugins.portfolio.writing import AT_ONCE, Page, Writer
from schema.idempotency import check_same, digest_of
from schema.names import could_be_id
from schema.pages import Place
from schema.words.problems import Refused

MOST_TRANSACTIONS = 10_000
"""Of one portfolio."""
MOST_HELD = 500
"""Instruments of one portfolio."""
MOST_ERRORS = 100
"""Of an import, shown; how many there are is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What came of a file: how many rows are good, how many errors there are, and the portfolio as it is then."""

    portfolio: PortfolioRow
    imported: int
    error_count: int
    errors: Sequence[BadRow]
    """The first of them."""

    @classmethod
    def again(cls, portfolio: PortfolioRow, held: ImportRow) -> Self:
        """What came of it when it was imported under the same key."""
        errors = [BadRow(line=line, column=column, message=message) for line, column, message in held.errors]
        return cls(portfolio=portfolio, imported=held.rows, error_count=held.error_count, errors=errors)


class TransactionDesk:
    """Every change of what happened raises the portfolio's version."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows, self._portfolios = host, TransactionStore(), PortfolioStore()
        self._writer = Writer(host)

    async def page(
        self, context: Context, portfolio_id: str, limit: int, *, behind: Place | None
    ) -> list[TransactionRow]:
        """Some of them, the latest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, context.tenant, portfolio_id, limit, behind=behind)

    async def record(
        self, context: Context, portfolio_id: str, draft: Draft, version: int | None, key: str | None
    ) -> tuple[PortfolioRow, TransactionRow]:
        """A new one, or what the same key recorded."""
        digest = digest_of(key, draft)
        portfolio, currencies = await self._before(context, portfolio_id)
        if key is not None:
            async with self._host.store.read() as tx:
                held = await self._rows.with_key(tx, context.tenant, portfolio_id, key)
            if held is not None:
                check_same(held.request_digest, digest)
                return portfolio, held
        (made,) = await self._writer.read_all(context, portfolio, [(draft, ())], currencies)
        made = replace(made, idempotency_key=key, request_digest=digest)
        async with self._host.store.write() as tx:
            now = await locked(tx, self._portfolios, context.tenant, portfolio_id, None)
            if key is not None and (other := await self._rows.with_key(tx, context.tenant, portfolio_id, key)):
                check_same(other.request_digest, digest)
                return now, other
            _check_version(now, version)
            if outgrown(await self._splits(tx, context, portfolio_id, [made]), [made]):
                raise beyond_of(made)
            (row,) = await self._put(tx, context, now, [made])
            fresh = await self._raise(tx, context, now)
            await self._record(tx, context, "portfolio.transaction_recorded", portfolio_id, after=_told(row))
        return fresh, row

    async def delete(
        self, context: Context, portfolio_id: str, transaction_id: str, version: int | None
    ) -> tuple[PortfolioRow, str]:
        """The id of what is gone."""
        async with self._host.store.write() as tx:
            now = await locked(tx, self._portfolios, context.tenant, portfolio_id, version)
            known = could_be_id(transaction_id)
            gone = await self._rows.remove(tx, context.tenant, portfolio_id, transaction_id) if known else None
            if gone is None:
                told = "The portfolio has no transaction with this id: `transactions { nodes { id } }` lists them."
                raise Refused("NOT_FOUND", told, "transactionId")
            fresh = await self._raise(tx, context, now)
            await self._record(tx, context, "portfolio.transaction_deleted", portfolio_id, before=_told(gone))
        return fresh, transaction_id

    async def import_csv(
        self, context: Context, portfolio_id: str, text: str, *, dry: bool, partial: bool, version: int | None,
        key: str | None,
    ) -> Import:  # fmt: skip
        """All rows, or with errors none; *partial* takes those that are good, *dry* none at all."""
        digest = digest_of(key, (text, partial))
        portfolio, currencies = await self._before(context, portfolio_id)
        if key is not None and not dry:
            async with self._host.store.read() as tx:
                held = await self._rows.imported(tx, context.tenant, portfolio_id, key)
            if held is not None:
                check_same(held.request_digest, digest)
                return Import.again(portfolio, held)
        rows, errors = await self._read(context, portfolio, text, currencies)
        count, shown = len(errors), errors[:MOST_ERRORS]
        taken = rows if partial or not errors else []
        if dry and taken:
            async with self._host.store.read() as tx:
                _check_version(portfolio, version)
                await self._check(tx, context, portfolio, taken)
        if dry or not taken:
            return Import(portfolio=portfolio, imported=len(taken), error_count=count, errors=shown)
        async with self._host.store.write() as tx:
            now = await locked(tx, self._portfolios, context.tenant, portfolio_id, None)
            if key is not None and (other := await self._rows.imported(tx, context.tenant, portfolio_id, key)):
                check_same(other.request_digest, digest)
                return Import.again(now, other)
            _check_version(now, version)
            if now.version != portfolio.version and outgrown(await self._splits(tx, context, now.id, taken), taken):
                told = "Somebody has recorded splits meanwhile, with which these go too far: import it again."
                raise Refused("VERSION_CONFLICT", told)
            await self._put(tx, context, now, taken)
            if key is not None:
                noted = ImportRow(
                    tenant_id=context.tenant, id=new_id("import"), portfolio_id=portfolio_id, idempotency_key=key,
                    request_digest=str(digest), rows=len(taken), error_count=count,
                    errors=[[bad.line, bad.column, bad.message] for bad in shown],
                    created_at=self._host.clock.now(),
                )  # fmt: skip
                await self._rows.note_import(tx, context.tenant, noted)
            fresh = await self._raise(tx, context, now)
            await self._record(tx, context, "portfolio.imported", portfolio_id, after={"transactions": len(taken)})
        return Import(portfolio=fresh, imported=len(taken), error_count=count, errors=shown)

    async def _read(
        self, context: Context, portfolio: PortfolioRow, text: str, currencies: dict[str, str]
    ) -> tuple[list[TransactionRow], list[BadRow]]:
        page = Page(self._writer, context, portfolio, currencies)
        rows: list[tuple[ReadRow, TransactionRow]] = []
        errors: list[BadRow] = []
        for number, read in enumerate(drafts_of(text)):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            if isinstance(read, BadRow):
                errors.append(read)
                continue
            try:
                rows.append((read, await page.read(read.draft)))
            except Refused as refused:
                errors.append(_bad(read, refused))
        fresh = [row for _, row in rows]
        async with self._host.store.read() as tx:
            splits = await self._splits(tx, context, portfolio.id, fresh)
        beyond = await context.service(Bench).run(context, outgrown, splits, fresh)
        errors += [_bad(read, beyond_of(row)) for read, row in rows if row.id in beyond]
        return [row for row in fresh if row.id not in beyond], sorted(errors, key=lambda bad: bad.line)

    async def _splits(
        self, tx: Tx, context: Context, portfolio_id: str, fresh: Sequence[TransactionRow]
    ) -> list[TransactionRow]:
        """Those that are recorded; none where nothing fresh goes with them."""
        if all(row.kind != TransactionKind.SPLIT for row in fresh):
            return []
        return await self._rows.splits(tx, context.tenant, portfolio_id)

    async def _before(self, context: Context, portfolio_id: str) -> tuple[PortfolioRow, dict[str, str]]:
        """The portfolio, and the currencies that its instruments were recorded in."""
        if not could_be_id(portfolio_id):
            raise unknown()
        async with self._host.store.read() as tx:
            found = await self._portfolios.find(tx, context.tenant, portfolio_id)
            if found is None:
                raise unknown()
            return found, dict(await self._rows.currencies(tx, context.tenant, portfolio_id))

    async def _put(
        self, tx: Tx, context: Context, portfolio: PortfolioRow, rows: Sequence[TransactionRow]
    ) -> list[TransactionRow]:
        """Numbered behind those that are there."""
        await self._check(tx, context, portfolio, rows)
        last = await self._rows.last_sequence(tx, context.tenant, portfolio.id)
        numbered: list[TransactionRow] = []
        for n in range(0, len(rows), AT_ONCE):
            numbers = enumerate(rows[n : n + AT_ONCE], last + n + 1)
            numbered += [replace(row, sequence=place) for place, row in numbers]
            await asyncio.sleep(0)
        await self._rows.add(tx, context.tenant, numbered)
        return numbered

    async def _check(self, tx: Tx, context: Context, portfolio: PortfolioRow, rows: Sequence[TransactionRow]) -> None:
        """Whether the portfolio takes them, as it is now."""
        held = await self._rows.count(tx, context.tenant, portfolio.id)
        if held + len(rows) > MOST_TRANSACTIONS:
            told = f"The portfolio has {held} transactions, and may have {MOST_TRANSACTIONS}: begin another one."
            raise Refused("TOO_MANY_TRANSACTIONS", told)
        known = dict(await self._rows.currencies(tx, context.tenant, portfolio.id))
        if len(known.keys() | {row.instrument for row in rows if row.instrument}) > MOST_HELD:
            told = f"The portfolio would have more than {MOST_HELD} instruments: begin another one."
            raise Refused("TOO_MANY_TRANSACTIONS", told)
        for row in rows:
            # Somebody may have recorded the instrument in another currency meanwhile.
            if row.instrument is not None and known.get(row.instrument, row.currency) != row.currency:
                told = f"{row.instrument} is priced in {known[row.instrument]} here, not in {row.currency}."
                raise Refused("CURRENCY_MISMATCH", told, "currency")

    async def _raise(self, tx: Tx, context: Context, portfolio: PortfolioRow) -> PortfolioRow:
        fresh = replace(portfolio, version=portfolio.version + 1, changed_at=self._host.clock.now())
        await self._portfolios.change(tx, context.tenant, portfolio.id, fresh)
        tell(self._host, tx, portfolio.id)
        return fresh

    async def _record(self, tx: Tx, context: Context, action: str, target: str, **told: Any) -> None:
        await self._host.service(Audit).record(tx, context.act(action, target, **told))


def _check_version(portfolio: PortfolioRow, version: int | None) -> None:
    if version is not None and version != portfolio.version:
        told = f"The portfolio is at version {portfolio.version}, not {version}: read it again, then change it."
        raise Refused("VERSION_CONFLICT", told, "version")


def _bad(read: ReadRow, refused: Refused) -> BadRow:
    column = refused.field[-1] if refused.field else None
    return BadRow(line=read.line, column=read.columns.get(column, column) if column else None, message=refused.message)


def _told(row: TransactionRow) -> dict[str, Any]:
    return {"id": row.id, "at": row.at.isoformat(), "kind": row.kind, "symbol": row.instrument}
