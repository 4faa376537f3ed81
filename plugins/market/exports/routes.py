"""`GET /candles.csv`, `/candles.ndjson`, `/candles.parquet`: a range of any length, written as it is fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.core.contract import Admissions, Context, Download, Host
from gateway.core.identity import Scope
from plugins.market.desk import MarketDesk
from plugins.market.exports import parquet
from plugins.market.exports.asked import read_asked
from plugins.market.exports.lines import CsvWriter, NdjsonWriter
from plugins.market.exports.pages import Range
from plugins.market.exports.rows import Tally, Writer, facts_of, origin_of
from plugins.market.series import Wanted, count_of_slots
from schema.errors import MarketgateError
from schema.words.costs import ROWS_A_POINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One of the files."""

    ending: str
    media: str
    writer: Callable[[], Writer]


FORMATS = (
    Format(ending="csv", media="text/csv; charset=utf-8; header=present", writer=CsvWriter),
    Format(ending="ndjson", media="application/x-ndjson", writer=NdjsonWriter),
    Format(ending="parquet", media="application/vnd.apache.parquet", writer=parquet.ParquetWriter),
)


def routes(host: Host) -> Sequence[BaseRoute]:
    """One for each format."""
    return [Route(f"/candles.{each.ending}", _endpoint(host, each), methods=["GET"]) for each in FORMATS]


def _endpoint(host: Host, format: Format) -> Callable[[Request], Any]:
    async def export(request: Request) -> Response:
        if request.method != "GET":
            raise HTTPException(405, "Use GET.", headers={"Allow": "GET"})
        if format.ending == "parquet" and not parquet.available():
            raise HTTPException(501, "Parquet needs pyarrow on the server: install marketgate[parquet], or take CSV.")

        async def prepare(context: Context) -> Download:
            find = partial(context.service(MarketDesk).find, context)
            wanted = await read_asked(request.query_params.multi_items(), find, context.now)
            return await _download(context, wanted, format)

        name = f"candles.{format.ending}"
        return await host.service(Admissions).download(request, name=name, needs=Scope.MARKET_READ, prepare=prepare)

    return export


async def _download(context: Context, wanted: Wanted, format: Format) -> Download:
    """Priced by the candles that the range has room for; the bounds of the plan hold before anything is charged."""
    account = await context.market.whose()
    account.check_depth(wanted, context.now)
    slots = await count_of_slots(context, wanted)
    instrument = wanted.instrument
    named = "-".join(part for part in (instrument.base, instrument.quote) if part)
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in named)
    return Download(
        cost=1 + slots // ROWS_A_POINT, media=format.media, filename=f"{safe}_{wanted.interval}.{format.ending}",
        parts=written(context, wanted, format.writer),
    )  # fmt: skip


async def written(
    context: Context, wanted: Wanted, make: Callable[[], Writer], page_rows: int | None = None
) -> AsyncGenerator[bytes, None]:
    """The file in parts, a page each. Making bytes runs beside the loop."""
    asked = Range(context=context, wanted=wanted)
    if page_rows is not None:
        asked.page_rows = page_rows
    tally, writer, provider = Tally(), await asyncio.to_thread(make), None
    begun = False
    try:
        async with aclosing(asked.pages()) as pages:
            async for series in pages:
                origin = None
                if series.provenance and series.provenance[0].provider != provider:
                    origin, provider = origin_of(series.provenance[0]), series.provenance[0].provider
                part = b""
                if not begun:
                    part, origin, begun = writer.begin(facts_of(wanted, series), origin), None, True
                part += await asyncio.to_thread(writer.page, series, origin)
                tally.count(series)
                if part:
                    yield part
        yield await asyncio.to_thread(writer.end, tally)
    except MarketgateError as error:
        if begun and (last := writer.broken(error)):
            yield last
        raise
