"""Which instruments a universe holds: ranked, listed or saved; and the saved ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Desk
from gateway.core.store import Tx, new_id
from plugins.portfolio.store import PortfolioStore, UniverseRow, UniverseStore
from plugins.portfolio.wishes import instrument_of, name_of
from schema.currencies import STABLES, read_currency
from schema.errors import BadInput, MarketgateError
from schema.names import could_be_id
from schema.pages import Position
from schema.provenance import Provenance
from schema.symbols import InstrumentId, crypto, parse_instrument
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.problems import Refused

MOST_MEMBERS = 200
MOST_UNIVERSES = 100
RANKED = 1_000
"""How far down the ranking by capitalisation volumes are compared."""
A_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An instrument, and what put it here."""

    instrument: InstrumentId
    cap: MarketCap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A universe, and what could not be taken in."""

    members: tuple[Member, ...]
    strangers: tuple[tuple[str, MarketgateError], ...] = ()
    """Symbols that cannot be read, and why."""
    left_out: tuple[str, ...] = ()
    """Ranked assets whose codes are no symbols."""
    provenance: Provenance | None = None
    name: str | None = None


class UniverseDesk:
    """Saved universes are an organisation's."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, UniverseStore()

    async def ranked(
        self, context: Context, count: int, *, by_volume: bool, quote: str, stablecoins: bool
    ) -> Members:  # fmt: skip
        """The largest crypto assets as pairs against a currency, as one provider ranks them."""
        field = "topByVolume" if by_volume else "topByMarketCap"
        if not 1 <= count <= MOST_MEMBERS:
            raise BadInput(field, f"must be 1 to {MOST_MEMBERS}, not {count}")
        currency = read_currency("quote", quote)
        # Pairs that make no sense are skipped: a few more are asked for.
        wanted = RANKED if by_volume else min(-(-(count + len(STABLES) + 1) // A_HUNDRED) * A_HUNDRED, RANKED)
        fetched = await context.market.fetch(MARKET_CAPS, MarketCapsAsk(currency="USD", first=wanted))
        ranking = list(cast("tuple[MarketCap, ...]", fetched.value))[:RANKED]
        if by_volume:
            ranking.sort(key=lambda cap: -(cap.volume24h or Decimal(-1)))
        found: dict[InstrumentId, Member] = {}
        left_out: list[str] = []
        for cap in ranking:
            if len(found) == count:
                break
            if cap.asset.upper() == currency or (not stablecoins and cap.asset.upper() in STABLES):
                continue
            instrument = _pair(cap.asset, currency)
            if instrument is None:
                left_out.append(cap.asset)
            else:
                found.setdefault(instrument, Member(instrument=instrument, cap=cap))
        return Members(
            members=tuple(found.values()), left_out=tuple(left_out), provenance=fetched.provenance
        )  # fmt: skip

    async def listed(self, context: Context, symbols: Sequence[str]) -> Members:
        """As they are given; what cannot be read is told."""
        if not 1 <= len(symbols) <= MOST_MEMBERS:
            raise BadInput("symbols", f"has {len(symbols)} symbols: give 1 to {MOST_MEMBERS}")
        desk = context.service(Desk)
        found: dict[InstrumentId, Member] = {}
        strangers: list[tuple[str, MarketgateError]] = []
        for symbol in symbols:
            try:
                instrument = await desk.find(context, symbol)
            except MarketgateError as error:
                strangers.append((symbol[:100], error))
                continue
            if instrument in found:
                raise BadInput("symbols", f"has {instrument} twice: give each once")
            found[instrument] = Member(instrument=instrument)
        return Members(members=tuple(found.values()), strangers=tuple(strangers))

    async def saved(self, context: Context, universe_id: str) -> Members | None:
        """A saved one; None where the organisation has none with this id."""
        row = await self.find(context, universe_id)
        if row is None:
            return None
        members = tuple(Member(instrument=parse_instrument(symbol)) for symbol in row.symbols)
        return Members(members=members, name=row.name)

    async def find(self, context: Context, universe_id: str) -> UniverseRow | None:
        """One of them."""
        if not could_be_id(universe_id):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, universe_id)

    async def page(self, context: Context, limit: int, *, behind: Position | None) -> list[UniverseRow]:
        """Some of them, the oldest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, context.tenant, limit, behind=behind)

    async def create(self, context: Context, name: str, symbols: Sequence[str]) -> UniverseRow:
        """A new one."""
        now = self._host.clock.now()
        row = UniverseRow(
            tenant_id=context.tenant, id=new_id("universe"), made_by=context.principal.actor, name=name_of(name),
            symbols=await self._read(context, symbols), created_at=now, changed_at=now,
        )  # fmt: skip
        async with self._host.store.write() as tx:
            await PortfolioStore().hold(tx, context.tenant)
            if await self._rows.count(tx, context.tenant) >= MOST_UNIVERSES:
                told = f"Your organisation has {MOST_UNIVERSES} universes: delete one first."
                raise Refused("TOO_MANY_UNIVERSES", told)
            await self._rows.add(tx, context.tenant, row)
            await self._record(tx, context, "universe.created", row.id, after=_told(row))
        return row

    async def update(
        self, context: Context, universe_id: str, name: str | None, symbols: Sequence[str] | None
    ) -> UniverseRow:
        """All of the change, or nothing."""
        values: dict[str, Any] = {"changed_at": self._host.clock.now()}
        if name is not None:
            values["name"] = name_of(name)
        if symbols is not None:
            values["symbols"] = await self._read(context, symbols)
        async with self._host.store.write() as tx:
            if not could_be_id(universe_id) or not await self._rows.change(tx, context.tenant, universe_id, **values):
                raise _unknown()
            row = await self._rows.find(tx, context.tenant, universe_id)
            assert row is not None  # noqa: S101 - it was just changed
            await self._record(tx, context, "universe.updated", universe_id, after=_told(row))
        return row

    async def delete(self, context: Context, universe_id: str) -> str:
        """The id of what is gone."""
        async with self._host.store.write() as tx:
            if not could_be_id(universe_id) or not await self._rows.remove(tx, context.tenant, universe_id):
                raise _unknown()
            await self._record(tx, context, "universe.deleted", universe_id)
        return universe_id

    async def _read(self, context: Context, symbols: Sequence[str]) -> list[str]:
        if not 1 <= len(symbols) <= MOST_MEMBERS:
            raise Refused("TOO_MANY_SYMBOLS", f"Give 1 to {MOST_MEMBERS} symbols.", "symbols")
        read = [str(await instrument_of(context, each, "symbols", str(n))) for n, each in enumerate(symbols)]
        return list(dict.fromkeys(read))

    async def _record(self, tx: Tx, context: Context, action: str, target: str, **told: Any) -> None:
        await self._host.service(Audit).record(tx, context.act(action, target, **told))


def _pair(asset: str, currency: str) -> InstrumentId | None:
    try:
        return parse_instrument(str(crypto(asset, currency)))
    except ValueError:
        return None


def _told(row: UniverseRow) -> dict[str, Any]:
    return {"name": row.name, "symbols": row.symbols}


def _unknown() -> Refused:
    told = "Your organisation has no universe with this id: `universes { nodes { id } }` lists them."
    return Refused("NOT_FOUND", told, "id")
