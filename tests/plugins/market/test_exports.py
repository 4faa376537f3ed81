"""Long ranges as files: the rows of the pages, every digit, where they come from, and an end that says it is one."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.core.ports import Usage
from plugins.billing.usage.meter import Meter
from plugins.market.desk import MarketDesk
from plugins.market.exports import parquet
from plugins.market.exports.asked import read_asked
from plugins.market.exports.pages import Range
from schema.errors import FailureCode, NoAnswer
from schema.words.usage import UsageBy
from tests.gateway.doubles import failing, reply
from tests.plugins.market.exporting import DAY, SYMBOL, WEEK, Export, breaking, exporting, minutes, rows_of, until

PAGES = """query($after: Cursor) { candles(symbol: "crypto:BTC/USD", interval: M1, first: 5000, after: $after
  start: "2026-11-13T00:00:00Z", end: "2026-11-20T00:00:00Z") {
  rows { openTime open high low close volume closed } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def export(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Export]:
    async with exporting(sqlite_url, tmp_path) as made:
        yield made


async def test_csv_has_the_rows_of_the_pages_digit_by_digit(export: Export):
    export.wire.handlers["alpha"] = lambda request: minutes(
        request, lambda at: f"{at % 7}.12345678901234567890{at % 3}"
    )

    text = await export.text("csv", WEEK)
    pages: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await export.house.ask(PAGES, {"after": after}))["data"]["candles"]
        pages += page["rows"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    head = [line for line in text.splitlines() if line.startswith("#")]
    rows = rows_of(text)
    assert head[:8] == [
        "# instrument: crypto:BTC/USD", "# interval: M1", "# currency: USD", "# timeZone: UTC", "# adjustment: NONE",
        "# hours: REGULAR", "# start: 2026-11-13T00:00:00Z", "# end: 2026-11-20T00:00:00Z",
    ]  # fmt: skip
    assert json.loads(head[8].removeprefix("# provenance: "))["provider"] == "alpha"
    assert head[9] == "# complete: 10080 rows, 0 missing"
    assert text.splitlines()[9] == (
        "openTime,sessionDate,open,high,low,close,volume,quoteVolume,vwap,tradeCount,closed,provider"
    )
    assert [(row[0], *row[2:7], row[10]) for row in rows] == [
        (each["openTime"], each["open"], each["high"], each["low"], each["close"], each["volume"] or "", "true")
        for each in pages
    ]
    assert {row[11] for row in rows} == {"alpha"}


async def test_ndjson_begins_with_the_provenance_and_ends_with_the_count(export: Export):
    def without_ten(request: Any) -> Any:
        return reply(
            [row for row in json.loads(minutes(request).content) if not 1_795_000_000 < row[0] < 1_795_000_601]
        )

    export.wire.handlers["alpha"] = without_ten

    answer = await export.get("ndjson", WEEK)
    first, *lines, last = map(json.loads, answer.text.splitlines())
    rows = [line for line in lines if "openTime" in line]
    csv = rows_of(await export.text("csv", WEEK))

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="BTC-USD_M1.ndjson"'
    assert answer.headers["cache-control"] == "no-store"
    assert (first["series"]["instrument"], first["provenance"]["provider"]) == ("crypto:BTC/USD", "alpha")
    assert (first["provenance"]["mode"], first["provenance"]["fetchedAt"][:10]) == ("LIVE", "2026-11-20")
    assert last == {"complete": {"rows": 10_070, "missing": 10}}
    assert [line for line in lines if "gap" in line] == [
        {"gap": {"start": gap(1_795_000_020), "end": gap(1_795_000_620), "missing": 10}}
    ]
    assert [[row["openTime"], row["close"], row["provider"]] for row in rows] == [[r[0], r[5], r[11]] for r in csv]


def gap(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()}Z"


async def test_parquet_reads_back_equal_to_csv_with_its_provenance(export: Export, monkeypatch: pytest.MonkeyPatch):
    import pyarrow.parquet

    monkeypatch.setattr(parquet, "GROUP_ROWS", 5_000)
    answer = await export.get("parquet", WEEK)
    table = pyarrow.parquet.read_table(io.BytesIO(answer.content))
    csv = rows_of(await export.text("csv", WEEK))

    whole = pyarrow.parquet.ParquetFile(io.BytesIO(answer.content))
    told = json.loads(whole.metadata.metadata[b"marketgate"])
    assert (told["rows"], told["missing"], told["series"]["interval"]) == (10_080, 0, "M1")
    assert [each["provider"] for each in told["provenance"]] == ["alpha"]
    assert whole.num_row_groups == 3
    assert str(table.schema.field("close").type) == "decimal128(38, 18)"
    assert table["openTime"].to_pylist() == [datetime.fromisoformat(row[0]) for row in csv]
    assert table["close"].to_pylist() == [Decimal(row[5]) for row in csv]
    assert table["volume"].null_count == 10_080
    assert set(table["provider"].to_pylist()) == {"alpha"}


async def test_parquet_refuses_what_it_would_have_to_round(export: Export):
    export.wire.handlers["alpha"] = lambda request: minutes(request, lambda at: "0.1234567890123456789")

    answer = await export.get("parquet")

    assert answer.status_code == 400
    assert "18 behind it, and none is rounded here: take candles.csv" in answer.json()["errors"][0]["message"]
    assert "0.1234567890123456789" in await export.text("csv")


async def test_without_pyarrow_parquet_says_what_to_install(export: Export, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parquet, "available", lambda: False)

    answer = await export.get("parquet")

    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
        501, "Parquet needs pyarrow on the server: install marketgate[parquet], or take CSV.",
    )  # fmt: skip
    assert export.wire.requests == []


async def test_a_provider_that_fails_on_the_way_is_followed_by_another_and_each_row_says_whose_it_is(
    sqlite_url: str, tmp_path: Path
):
    async with exporting(sqlite_url, tmp_path, ("alpha", "beta")) as export:
        export.house.clock.sleep = no_wait  # type: ignore[method-assign]
        export.wire.handlers["alpha"] = breaking(6, failing(404))

        lines = [json.loads(line) for line in (await export.text("ndjson", WEEK)).splitlines()]

    rows = [line["provider"] for line in lines if "openTime" in line]
    assert rows == ["alpha"] * 5_000 + ["beta"] * 5_080
    assert [line["provenance"]["provider"] for line in lines if "provenance" in line] == ["alpha", "beta"]
    assert [line["openTime"] for line in lines if "openTime" in line] == sorted(
        {line["openTime"] for line in lines if "openTime" in line}
    )


async def no_wait(seconds: float) -> None:
    """Nobody waits here."""


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
async def test_what_breaks_off_cannot_be_taken_for_whole(export: Export, ending: str):
    export.house.clock.sleep = no_wait  # type: ignore[method-assign]
    export.wire.handlers["alpha"] = breaking(6, failing(404))
    taken, fault = b"", ""

    async with export.client.stream("GET", f"{export.url}/candles.{ending}?{WEEK}") as answer:
        try:
            async for part in answer.aiter_raw():
                taken += part
        except httpx.RemoteProtocolError as broken:
            fault = str(broken)

    assert answer.status_code == 200
    assert "incomplete chunked read" in fault
    assert b"# complete" not in taken
    assert taken == b"PAR1" or not taken.endswith(b"PAR1")
    if ending == "ndjson":
        assert json.loads(taken.splitlines()[-1])["error"]["code"] == "UNKNOWN_INSTRUMENT"
    await until(lambda: export.under_way == 0)


async def test_a_long_range_may_take_longer_than_an_operation(export: Export, monkeypatch: pytest.MonkeyPatch):
    context, loop = export.house.context(), asyncio.get_running_loop()
    real, passed = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + passed)
    asked = dict(each.split("=") for each in WEEK.split("&"))
    wanted = await read_asked(list(asked.items()), partial(context.service(MarketDesk).find, context), context.now)
    counts = []

    async with aclosing(Range(context=context, wanted=wanted).pages()) as pages:
        async for page in pages:
            counts.append(len(page.bars))
            passed += export.house.host.settings.timeout_s

    assert counts == [5_000, 5_000, 80]
    # Its beginning has the time of one.
    late = export.house.context()
    passed += export.house.host.settings.timeout_s
    with pytest.raises(NoAnswer) as refused:
        await anext(Range(context=late, wanted=wanted).pages())
    assert refused.value.code is FailureCode.DEADLINE_EXCEEDED


async def test_what_fails_before_the_first_row_is_told_in_words(export: Export):
    export.wire.handlers["alpha"] = failing(500)

    answer = await export.get("csv")

    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/json")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert export.under_way == 0


async def test_who_leaves_stops_the_work_and_who_does_not_read_holds_it_back(export: Export):
    months = f"{SYMBOL}&start=2025-11-21&end=2026-11-20"
    async with export.client.stream("GET", f"{export.url}/candles.csv?{months}") as answer:
        assert answer.status_code == 200
        assert export.under_way == 1

    await until(lambda: export.under_way == 0)
    asked = len(export.wire.requests)
    for _ in range(20):
        await asyncio.sleep(0)

    assert len(export.wire.requests) == asked < 250  # of 525


async def test_an_export_pushes_nothing_out_of_the_cache(export: Export):
    await export.text("csv", WEEK)

    assert len(export.house.gateway.data.pipeline.cache) == 0


async def test_it_is_charged_by_its_candles_and_metered_under_its_name(export: Export):
    key = await export.key()
    answer = await export.get("csv", WEEK, x_api_key=key)

    await until(lambda: export.under_way == 0)
    await export.house.host.service(Meter).flush()
    usage, now = export.house.host.service(Usage), export.house.clock.now()
    viewer = await export.house.ask("{ viewer { tenant { id } } }", key=key)
    tenant = viewer["data"]["viewer"]["tenant"]["id"]
    lines = await usage.lines(tenant, now.replace(hour=0), now.replace(hour=23), UsageBy.FIELD)

    assert (answer.headers["ratelimit"], answer.headers["ratelimit-policy"]) == (
        f'"points";r={6_000 - 21};t=78', '"points";q=6000;w=60',
    )  # fmt: skip
    assert [(line.key, line.points, line.upstream_calls, line.errors) for line in lines] == [("candles.csv", 21, 3, 0)]


async def test_the_price_is_told_without_an_export(export: Export):
    answer = await export.get("csv", WEEK, marketgate_cost="only", x_api_key=await export.key())

    cost = answer.json()["extensions"]["cost"]
    assert (answer.status_code, cost["requested"], cost["actual"], cost["remaining"]) == (200, 21, 0, 6_000)
    assert export.wire.requests == []


async def test_a_head_is_no_export(export: Export):
    answer = await export.client.head(f"{export.url}/candles.csv?{DAY}")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert export.wire.requests == []


@pytest.mark.parametrize(
    ("symbol", "asked", "stated"),
    [
        ("equity:AAPL", "", "SPLITS"),
        ("equity:AAPL", "&adjustment=none", "NONE"),
        ("equity:AAPL", "&adjustment=splits-and-dividends", "SPLITS_AND_DIVIDENDS"),
        ("crypto:BTC/USD", "&adjustment=splits-and-dividends", "NONE"),
        ("isin:US0378331005", "", "SPLITS"),
    ],
)
async def test_every_file_states_the_adjustment_of_its_series(export: Export, symbol: str, asked: str, stated: str):
    import pyarrow.parquet

    query = f"symbol={symbol}&interval=1h&start=2026-11-18&end=2026-11-19{asked}"

    csv, ndjson = await export.text("csv", query), await export.text("ndjson", query)
    file = pyarrow.parquet.ParquetFile(io.BytesIO((await export.get("parquet", query)).content))

    assert csv.splitlines()[0] == f"# instrument: {symbol.replace('isin:US0378331005', 'equity:AAPL')}"
    assert f"# adjustment: {stated}\n" in csv
    assert json.loads(ndjson.splitlines()[0])["series"]["adjustment"] == stated
    assert json.loads(file.metadata.metadata[b"marketgate"])["series"]["adjustment"] == stated
