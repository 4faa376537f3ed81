"""From drafts to rows: symbols read, currencies settled, each kind checked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gateway.core.contract import Context, Host
from gateway.core.store import new_id
from plugins.portfolio.store import PortfolioRow, TransactionRow
from plugins.portfolio.transactions import ZERO, Draft, check_draft
from plugins.portfolio.wishes import currency_of, instrument_of
from schema.symbols import InstrumentId
from schema.words.problems import Refused

AT_ONCE = 20
"""Rows that are read or made before others have a turn: a millisecond or two."""

Field = tuple[str, ...]


class Writer:
    """Makes rows that are numbered where they are put in."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def read_all(
        self,
        context: Context,
        portfolio: PortfolioRow,
        drafts: Sequence[tuple[Draft, Field]],
        currencies: Mapping[str, str],
    ) -> list[TransactionRow]:
        """A row a draft; Refused names the field below the draft's own. *currencies* are those of what is held."""
        page = Page(self, context, portfolio, currencies)
        return [await page.read(draft, field) for draft, field in drafts]

    def row(self, context: Context, portfolio: PortfolioRow, draft: Draft, instrument: str | None, currency: str,
            sequence: int) -> TransactionRow:  # fmt: skip
        """As it is stored."""
        return TransactionRow(
            tenant_id=portfolio.tenant_id, id=new_id("ptx"), portfolio_id=portfolio.id, sequence=sequence, at=draft.at,
            kind=draft.kind.value, instrument=instrument, quantity=draft.quantity, price=draft.price,
            amount=draft.amount, fee=draft.fee or ZERO, ratio=draft.ratio, currency=currency, note=draft.note,
            made_by=context.principal.actor, idempotency_key=None, request_digest=None,
            created_at=self._host.clock.now(),
        )  # fmt: skip


class Page:
    """Drafts of one portfolio, one after another; a symbol is read once."""

    def __init__(
        self, writer: Writer, context: Context, portfolio: PortfolioRow, currencies: Mapping[str, str]
    ) -> None:
        self._writer, self._context, self._portfolio = writer, context, portfolio
        self._currencies = dict(currencies)
        self._read: dict[str, InstrumentId] = {}
        self._count = 0

    async def read(self, draft: Draft, field: Field = ()) -> TransactionRow:
        """One more row."""
        self._count += 1
        if self._count % AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            if self._portfolio.weights is not None:
                raise Refused("KIND_INVALID", "What this portfolio holds are weights: it has no transactions.", "kind")
            check_draft(draft, self._context.now, tracks_cash=self._portfolio.tracks_cash)
            instrument = None if draft.symbol is None else await self._instrument(draft.symbol)
            currency = self._currency(draft, instrument)
        except Refused as refused:
            raise Refused(refused.code, refused.message, *field, *refused.field) from None
        named = None if instrument is None else str(instrument)
        if named is not None:
            self._currencies[named] = currency
        return self._writer.row(self._context, self._portfolio, draft, named, currency, self._count)

    async def _instrument(self, symbol: str) -> InstrumentId:
        if symbol not in self._read:
            self._read[symbol] = await instrument_of(self._context, symbol, "symbol")
        return self._read[symbol]

    def _currency(self, draft: Draft, instrument: InstrumentId | None) -> str:
        """The one that is given, of the pair, or that the instrument was recorded in; all of them are one."""
        given = None if draft.currency is None else currency_of(draft.currency, "currency")
        if instrument is None:
            return given or self._portfolio.currency
        known = instrument.quote or self._currencies.get(str(instrument))
        if known is None and given is None:
            told = f"In which currency {instrument} is priced is not known here: give its currency."
            raise Refused("CURRENCY_NEEDED", told, "currency")
        if known is not None and given is not None and known != given:
            raise Refused("CURRENCY_MISMATCH", f"{instrument} is priced in {known} here, not in {given}.", "currency")
        return str(given or known)
