"""CSV and NDJSON: exact decimals as they came, one line a candle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from plugins.market.exports.rows import NAMES, Tally, columns_of, provider_of
from schema.errors import MarketgateError
from schema.scalars import datetime_text, decimal_text
from schema.words.candles import CandleSeries


class CsvWriter:
    """Rows under a header; lines that begin with # say where they come from, and that they are all of it."""

    def begin(self, facts: Mapping[str, Any], origin: Mapping[str, Any] | None) -> bytes:
        """See `Writer`."""
        head = "".join(f"# {name}: {_shown(value)}\n" for name, value in facts.items())
        return f"{head}{_origin(origin)}{','.join([*NAMES, 'provider'])}\n".encode()

    def page(self, series: CandleSeries, origin: Mapping[str, Any] | None) -> bytes:
        """See `Writer`. No value here holds a comma or a quote."""
        provider = provider_of(series)
        return (_origin(origin) + "".join(f"{','.join(row)},{provider}\n" for row in _rows(series))).encode()

    def end(self, tally: Tally) -> bytes:
        """See `Writer`."""
        return f"# complete: {tally.rows} rows, {tally.missing} missing\n".encode()

    def broken(self, error: MarketgateError) -> bytes:
        """Only the missing end tells."""
        return b""


class NdjsonWriter:
    """One JSON object a line: `series`, `provenance`, rows, `gap`s behind the page that they are in, `complete`."""

    def begin(self, facts: Mapping[str, Any], origin: Mapping[str, Any] | None) -> bytes:
        """See `Writer`."""
        return orjson.dumps({"series": facts, "provenance": origin}) + b"\n"

    def page(self, series: CandleSeries, origin: Mapping[str, Any] | None) -> bytes:
        """See `Writer`."""
        lines = [] if origin is None else [orjson.dumps({"provenance": origin})]
        provider = provider_of(series)
        columns = columns_of(series.bars)
        for values in zip(*columns.values(), strict=True):
            row = {name: _plain(value) for name, value in zip(NAMES, values, strict=True) if value is not None}
            lines.append(orjson.dumps({**row, "provider": provider}))
        for gap in series.gaps:
            told = {"start": datetime_text(gap.start), "end": datetime_text(gap.end), "missing": gap.missing}
            lines.append(orjson.dumps({"gap": told}))
        return b"".join(line + b"\n" for line in lines)

    def end(self, tally: Tally) -> bytes:
        """See `Writer`."""
        return orjson.dumps({"complete": {"rows": tally.rows, "missing": tally.missing}}) + b"\n"

    def broken(self, error: MarketgateError) -> bytes:
        """See `Writer`."""
        return orjson.dumps({"error": {"message": error.message, **error.extensions()}}, default=str) + b"\n"


def _origin(origin: Mapping[str, Any] | None) -> str:
    return "" if origin is None else f"# provenance: {orjson.dumps(origin).decode()}\n"


def _rows(series: CandleSeries) -> Iterator[list[str]]:
    for values in zip(*columns_of(series.bars).values(), strict=True):
        yield [_shown(value) for value in values]


def _shown(value: Any) -> str:
    plain = _plain(value)
    return "" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)


def _plain(value: Any) -> Any:
    """As GraphQL's scalars write it."""
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return datetime_text(value)
    return value.isoformat() if isinstance(value, date) else value
