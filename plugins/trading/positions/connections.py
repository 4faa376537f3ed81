"""Pages of what accounts hold and have closed, and how that went."""

from __future__ import annotations

import asyncio

from gateway.core.contract import Context
from plugins.trading.positions.figures import (
    CONVENTION,
    TradingClosedPosition,
    TradingClosedPositionConnection,
    TradingPosition,
    TradingPositionConnection,
    TradingRecord,
    TradingStatistics,
)
from plugins.trading.positions.standings import Appraiser
from plugins.trading.positions.statistics import by_strategy, record_of
from plugins.trading.positions.store import TripStore
from plugins.trading.rows import AccountRow, TripRow
from schema.pages import cut, page_size, position_of
from schema.paging import PageInfo, make_cursor, read_cursor
from schema.scalars import Cursor

HELD, CLOSED = "tposition", "trip"
MOST_COUNTED, AT_A_TIME = 50_000, 1_000


async def position_page(
    context: Context, account: AccountRow, first: int | None, after: Cursor | None
) -> TradingPositionConnection:
    """Only those of the page are priced."""
    size, behind = page_size(first), "" if after is None else read_cursor(HELD, after)
    appraiser = context.service(Appraiser)
    rows = [row for row in (await appraiser.held(context, account)).positions if row.instrument > behind]
    shown = await appraiser.holdings(context, account, rows[:size])
    cursors = [make_cursor(HELD, each.row.instrument) for each in shown]
    page = PageInfo(
        has_next_page=len(rows) > size, has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None, end_cursor=cursors[-1] if cursors else None,
    )  # fmt: skip
    return TradingPositionConnection(
        nodes=[TradingPosition.of(each, account.currency) for each in shown], page_info=page
    )


async def closed_page(
    context: Context, account: AccountRow, first: int | None, after: Cursor | None, *, strategy: str | None,
    instrument: str | None,
) -> TradingClosedPositionConnection:  # fmt: skip
    """Those that were closed last first."""
    size, behind = page_size(first), position_of(CLOSED, after)
    async with context.host.store.read() as tx:
        rows = await TripStore().page(
            tx, account.tenant_id, account.id, size + 1, strategy=strategy, instrument=instrument, behind=behind
        )
    shown, page = cut(rows, kind=CLOSED, size=size, after=after, position=lambda row: (row.closed_at, row.id))
    return TradingClosedPositionConnection(nodes=[TradingClosedPosition.of(row) for row in shown], page_info=page)


async def statistics_of(context: Context, account: AccountRow, strategy: str | None) -> TradingStatistics:
    """Of all, or of those of one strategy."""
    rows: list[TripRow] = []
    async with context.host.store.read() as tx:
        while len(rows) <= MOST_COUNTED:
            behind = (rows[-1].closed_at, rows[-1].id) if rows else None
            # In pages: others go on between them.
            page = await TripStore().page(
                tx, account.tenant_id, account.id, AT_A_TIME, strategy=strategy, instrument=None, behind=behind
            )
            rows += page
            if len(page) < AT_A_TIME:
                break
    return await asyncio.to_thread(_counted, rows, strategy)


def _counted(rows: list[TripRow], strategy: str | None) -> TradingStatistics:
    counted = rows[:MOST_COUNTED]
    return TradingStatistics(
        convention=CONVENTION, complete=len(rows) == len(counted),
        overall=TradingRecord.of(record_of(counted), strategy),
        strategies=[TradingRecord.of(found, tag) for tag, found in by_strategy(counted).items()],
    )  # fmt: skip
