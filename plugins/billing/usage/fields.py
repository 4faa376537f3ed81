"""Root fields of usage."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.billing.arguments import After, First
from plugins.billing.spreadsheet import csv_of
from plugins.billing.usage.counts import WHOLE
from plugins.billing.usage.meter import span
from plugins.billing.usage.quotas import QuotaThreshold
from plugins.billing.usage.store import NoticeRow, NoticeRows, RollupRow, UsageRows
from schema.errors import BadInput
from schema.model import described, model
from schema.paging import PageInfo, page_of
from schema.scalars import Cursor

MOST_CSV_ROWS = 50_000
HEADER = ("hour", "apiKey", "field", "operations", "points", "upstreamCalls", "cacheHits", "errors")

Start = Annotated[datetime, strawberry.argument(description="Beginning of the range; its whole hour counts.")]
End = Annotated[datetime, strawberry.argument(description="End of the range, exclusive; its whole hour counts.")]


@model("A threshold of a month's quota that was reached.")
class QuotaNotice:
    """One for each threshold and month."""

    month: str = described("The month, such as `2026-11`.")
    threshold: QuotaThreshold = described("Which threshold.")
    points: int = described("Points of the month when it was noticed.")
    quota: int = described("The quota at that time.")
    at: datetime = described("When it was noticed, a few seconds after it was reached.")


@model("A notice and its position in the list.")
class QuotaNoticeEdge:
    """Relay's edge."""

    node: QuotaNotice = described("The notice.")
    cursor: Cursor = described("Its position.")


@model("A page of notices.")
class QuotaNoticeConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[QuotaNotice] = described("The notices, the newest first.")
    edges: list[QuotaNoticeEdge] = described("The notices with their positions.")
    page_info: PageInfo = described("Where this page stands.")


async def resolve_quota_notices(info: Ctx, first: First = 20, after: After = None) -> QuotaNoticeConnection:
    """At most four a month."""
    async with info.context.host.store.read() as tx:
        rows = await NoticeRows().all(tx, info.context.tenant)
    page = page_of([_notice(row) for row in rows], kind="notice", first=first, after=after)
    edges = [QuotaNoticeEdge(node=node, cursor=cursor) for node, cursor in zip(page.items, page.cursors, strict=True)]
    return QuotaNoticeConnection(nodes=list(page.items), edges=edges, page_info=page.info)


def _notice(row: NoticeRow) -> QuotaNotice:
    threshold = QuotaThreshold(row.threshold)
    return QuotaNotice(month=row.month, threshold=threshold, points=row.points, quota=row.quota, at=row.at)


async def resolve_usage_csv(info: Ctx, start: Start, end: End) -> str:
    """By hour, key and field. Rows without a field count each operation once; their points are what is billed."""
    start, end = span(start, end)
    async with info.context.host.store.read() as tx:
        rows = await UsageRows().rows(tx, info.context.tenant, start, end, MOST_CSV_ROWS + 1)
    if len(rows) > MOST_CSV_ROWS:
        raise BadInput("end", f"the range has more than {MOST_CSV_ROWS} rows: ask for a shorter one")
    return csv_of(HEADER, map(_cells, rows))


def _cells(row: RollupRow) -> tuple[datetime, str, str, int, int, int, int, int]:
    field = "(operation)" if row.field == WHOLE else row.field
    return row.hour, row.key_id, field, row.operations, row.points, row.calls, row.hits, row.errors
