"""Parquet: decimals of 38 digits, 18 of them behind the point, which every common reader knows and none rounds.

pyarrow is loaded by the first export that needs it; it is a large package and an optional one.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import orjson

from plugins.market.exports.rows import Tally, columns_of, provider_of
from schema.errors import BadInput, MarketgateError
from schema.words.candles import CandleSeries

GROUP_ROWS = 50_000
"""Rows held until they are written: the footer, which is held to the end, grows with the number of groups."""
DIGITS, BEHIND_THE_POINT = 38, 18
PRICES = ("open", "high", "low", "close", "volume", "quoteVolume", "vwap")


def available() -> bool:
    """Whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


class ParquetWriter:
    """A file whose metadata has the series and the provenance of each provider, under `marketgate`."""

    def __init__(self) -> None:
        import pyarrow
        import pyarrow.parquet

        self._arrow, self._parquet = pyarrow, pyarrow.parquet
        self._pipe = _Pipe()
        self._schema = _schema(pyarrow)
        self._batches: list[Any] = []
        self._held = 0
        self._origins: list[Mapping[str, Any]] = []
        self._facts: Mapping[str, Any] = {}
        self._file: Any = None

    def begin(self, facts: Mapping[str, Any], origin: Mapping[str, Any] | None) -> bytes:
        """See `Writer`."""
        self._facts, self._origins = facts, [] if origin is None else [origin]
        self._file = self._parquet.ParquetWriter(self._pipe, self._schema)
        return self._pipe.taken()

    def page(self, series: CandleSeries, origin: Mapping[str, Any] | None) -> bytes:
        """See `Writer`."""
        if origin is not None and not any(each["provider"] == origin["provider"] for each in self._origins):
            self._origins.append(origin)
        self._batches.append(self._batch(series))
        self._held += len(series.bars)
        if self._held >= GROUP_ROWS:
            self._write()
        return self._pipe.taken()

    def end(self, tally: Tally) -> bytes:
        """See `Writer`."""
        self._write()
        told = {"series": self._facts, "provenance": self._origins, "rows": tally.rows, "missing": tally.missing}
        self._file.add_key_value_metadata({"marketgate": orjson.dumps(told).decode()})
        self._file.close()
        return self._pipe.taken()

    def broken(self, error: MarketgateError) -> bytes:
        """A file without its footer is none."""
        return b""

    def _write(self) -> None:
        if self._held:
            self._file.write_table(self._arrow.Table.from_batches(self._batches, self._schema))
        self._batches, self._held = [], 0

    def _batch(self, series: CandleSeries) -> Any:
        columns = {**columns_of(series.bars), "provider": (provider_of(series),) * len(series.bars)}
        try:
            made = [self._arrow.array(columns[field.name], type=field.type) for field in self._schema]
        except self._arrow.ArrowInvalid:
            before = DIGITS - BEHIND_THE_POINT
            told = f"a value has more than {before} digits before the point or {BEHIND_THE_POINT} behind it, and none"
            raise BadInput("parquet", f"{told} is rounded here: take candles.csv or candles.ndjson") from None
        return self._arrow.RecordBatch.from_arrays(made, schema=self._schema)


def _schema(arrow: Any) -> Any:
    decimal = arrow.decimal128(DIGITS, BEHIND_THE_POINT)
    kinds = {
        "openTime": arrow.timestamp("us", tz="UTC"), "sessionDate": arrow.date32(), **dict.fromkeys(PRICES, decimal),
        "tradeCount": arrow.int64(), "closed": arrow.bool_(), "provider": arrow.string(),
    }  # fmt: skip
    return arrow.schema(list(kinds.items()))


class _Pipe(io.RawIOBase):
    """What the writer wrote since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """All of it, once."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
