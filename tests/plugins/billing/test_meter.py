"""The meter: what is counted, what is written, and that nothing is written twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.core.identity import Role
from gateway.core.ports import Usage
from gateway.core.store import Store, Tx
from gateway.core.working import working
from plugins.billing.usage import counts
from plugins.billing.usage.counts import Batch
from plugins.billing.usage.meter import Meter, span
from schema.errors import BadInput
from schema.words.usage import UsageBy
from tests.gateway.doubles import NOON
from tests.house import House
from tests.plugins.billing.people import ask, count, data, member, spent, use

DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)


async def lines(house: House, tenant: str, by: UsageBy) -> list[tuple[str, int, int, int, float, int]]:
    found = await house.host.service(Usage).lines(tenant, TODAY, TODAY + DAY, by)
    return [
        (line.key, line.operations, line.points, line.upstream_calls, line.cache_hit_ratio, line.errors)
        for line in found
    ]  # fmt: skip


async def test_usage_is_summed_by_field_key_provider_and_day(house: House) -> None:
    meter = house.host.service(Meter)
    meter.note(spent("ten_a", 3, fields={"quote": 1, "candles": 2}, key="key_1", calls={"kraken": 1}, hits={"okx": 3}))
    meter.note(spent("ten_a", 1, NOON - timedelta(hours=1), hits={"kraken": 1}, failed=True))
    meter.note(spent("ten_b", 100, key="key_2", calls={"kraken": 7}))
    await meter.flush()

    # An operation's calls and reads are put down to its costliest field.
    assert await lines(house, "ten_a", UsageBy.FIELD) == [("candles", 1, 2, 1, 0.75, 0), ("quote", 2, 2, 0, 1.0, 1)]
    assert await lines(house, "ten_a", UsageBy.API_KEY) == [("key_1", 1, 3, 1, 0.75, 0), ("", 1, 1, 0, 1.0, 1)]
    assert await lines(house, "ten_a", UsageBy.PROVIDER) == [("kraken", 2, 4, 1, 0.5, 1), ("okx", 1, 3, 0, 1.0, 0)]
    assert await lines(house, "ten_a", UsageBy.DAY) == [("2026-11-20", 2, 4, 1, 0.8, 1)]
    assert await lines(house, "ten_b", UsageBy.DAY) == [("2026-11-20", 1, 100, 7, 0.0, 0)]
    assert await lines(house, "ten_c", UsageBy.DAY) == []


async def test_ranges_are_whole_hours_and_days_are_utc(house: House) -> None:
    usage = house.host.service(Usage)
    for at, points in ((TODAY - timedelta(seconds=1), 1), (TODAY, 10), (NOON, 100), (NOON + timedelta(hours=1), 1000)):
        await use(house, "ten_a", points, at)

    exact = await usage.lines("ten_a", TODAY + timedelta(minutes=59), NOON + timedelta(minutes=1), UsageBy.DAY)
    wide = await usage.lines("ten_a", TODAY - DAY, TODAY + DAY, UsageBy.DAY)

    assert [(line.key, line.points) for line in exact] == [("2026-11-20", 110)]
    assert [(line.key, line.points) for line in wide] == [("2026-11-19", 1), ("2026-11-20", 1110)]


async def test_a_range_that_is_empty_or_too_long_is_refused(house: House) -> None:
    usage = house.host.service(Usage)

    for start, end in ((NOON, NOON), (NOON, NOON - DAY), (NOON - 401 * DAY, NOON)):
        with pytest.raises(BadInput, match=r"^end: (must be after start|is more than 400 days after start)"):
            await usage.lines("ten_a", start, end, UsageBy.DAY)
    assert await usage.lines("ten_a", NOON - 400 * DAY, NOON, UsageBy.DAY) == []


async def test_several_processes_add_to_the_same_rows(house: House) -> None:
    meters = [Meter(house.host) for _ in range(4)]
    for meter in meters:
        for _ in range(25):
            meter.note(spent("ten_a", 2, key="key_1", calls={"kraken": 1}))
            meter.note(spent("ten_b", 1, key="key_1", fields={"quotes": 1}))

    await asyncio.gather(*(meter.flush() for meter in meters))

    assert await lines(house, "ten_a", UsageBy.FIELD) == [("quote", 100, 200, 100, 0.0, 0)]
    assert await lines(house, "ten_b", UsageBy.FIELD) == [("quotes", 100, 100, 0, 0.0, 0)]
    assert await count(house, "billing_flushes") == 4


class Doubtful:
    """A store whose transactions fail: before the commit, or after it, when the answer is lost."""

    def __init__(self, store: Store, *, after: bool) -> None:
        self._store, self._after, self.failures = store, after, 1
        self.read = store.read

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        failing = self.failures > 0
        self.failures -= 1
        async with self._store.write() as tx:
            yield tx
            if failing and not self._after:
                raise ConnectionError("the database went away")
        if failing:
            raise ConnectionError("the answer to the commit was lost")


@pytest.mark.parametrize("after", [False, True])
async def test_a_batch_that_failed_is_written_once(house: House, after: bool) -> None:
    host: Any = house.host
    store = house.store
    object.__setattr__(host, "store", Doubtful(store, after=after))
    meter = Meter(host)
    meter.note(spent("ten_a", 5))
    with pytest.raises(ConnectionError):
        await meter.flush()
    meter.note(spent("ten_a", 7))
    object.__setattr__(host, "store", store)

    await meter.flush()
    await meter.flush()

    assert await lines(house, "ten_a", UsageBy.DAY) == [("2026-11-20", 2, 12, 0, 0.0, 0)]
    assert await meter.month_to_date("ten_a") == 12


async def test_the_month_counts_what_is_written_and_what_is_not(house: House) -> None:
    meter, other = house.host.service(Meter), Meter(house.host)
    other.note(spent("ten_a", 100, datetime(2026, 10, 31, 23, 59, tzinfo=UTC)))
    other.note(spent("ten_a", 10))
    await other.flush()
    meter.note(spent("ten_a", 1))
    meter.note(spent("ten_b", 1000))

    first = await meter.month_to_date("ten_a")
    meter.note(spent("ten_a", 2))
    own = await meter.month_to_date("ten_a")
    await meter.flush()
    written = await meter.month_to_date("ten_a")
    other.note(spent("ten_a", 20))
    await other.flush()
    held = await meter.month_to_date("ten_a")
    house.clock.turn(10)
    fresh = await meter.month_to_date("ten_a")

    assert (first, own, written, held, fresh) == (11, 13, 13, 13, 33)


async def test_a_new_month_begins_at_nothing(house: House) -> None:
    meter = house.host.service(Meter)
    meter.note(spent("ten_a", 9))
    before = await meter.month_to_date("ten_a")
    house.clock.turn(11 * 86_400)

    after = await meter.month_to_date("ten_a")

    assert house.clock.now().month == 12
    assert (before, after) == (9, 0)


async def test_many_who_ask_at_once_share_one_reading(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = house.host.service(Meter)
    await use(house, "ten_a", 3, NOON)
    read, reads = meter._rows.points, []

    async def counted(*given: Any) -> int:
        reads.append(given[1])
        return await read(*given)

    monkeypatch.setattr(meter._rows, "points", counted)

    answers = await asyncio.gather(*(meter.month_to_date("ten_a") for _ in range(50)))

    assert answers == [3] * 50
    assert reads == ["ten_a"]


async def test_asking_while_counts_are_written_never_counts_them_twice(house: House) -> None:
    meter = house.host.service(Meter)
    seen = []
    for _ in range(20):
        meter.note(spent("ten_a", 1))
        house.clock.turn(10)
        _, points = await asyncio.gather(meter.flush(), meter.month_to_date("ten_a"))
        seen.append(points)

    assert seen == list(range(1, 21))


async def test_what_was_counted_last_is_written_when_the_process_stops(house: House) -> None:
    async with working(house.host):
        house.host.service(Usage).note(spent("ten_a", 4))

    assert await lines(house, "ten_a", UsageBy.DAY) == [("2026-11-20", 1, 4, 0, 0.0, 0)]


def test_memory_is_bounded_and_whole_operations_outlast_their_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_ROWS", 4)
    batch = Batch(id="flush_1")

    for n in range(20):
        batch.note(spent("ten_a", 1, key=f"key_{n}", calls={"kraken": 1}))

    whole = [key for key in batch.fields if key[3] == counts.WHOLE]
    assert (len(batch.fields), len(whole), len(batch.providers)) == (8, 6, 4)
    assert batch.lost == 14 + 4 + 2
    assert sum(batch.points.values()) == 6


CSV = "query Csv($start: DateTime!, $end: DateTime!) { usageCsv(start: $start, end: $end) }"


async def test_usage_as_a_table_is_the_callers_own(house: House) -> None:
    await use(house, "ten_b", 50, NOON)
    meter = house.host.service(Meter)
    meter.note(spent("ten_a", 3, key="=cmd()", calls={"kraken": 2}, hits={"kraken": 1}))
    await meter.flush()

    range_ = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
    table = (await data(house, member("ten_a"), CSV, **range_))["usageCsv"]

    assert table == (
        "hour,apiKey,field,operations,points,upstreamCalls,cacheHits,errors\r\n"
        "2026-11-20T12:00:00Z,'=cmd(),(operation),1,3,2,1,0\r\n"
        "2026-11-20T12:00:00Z,'=cmd(),quote,1,3,2,1,0\r\n"
    )


async def test_a_table_of_no_time_is_refused(house: House) -> None:
    range_ = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-20T00:00:00Z"}

    body = await ask(house, member("ten_a"), CSV, **range_)

    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


async def test_an_operation_that_is_let_in_is_counted_and_of_a_refused_one_its_reading(house: House) -> None:
    caller = member("ten_a", Role.VIEWER, key="key_1")
    await data(house, caller, '{ plans { name } quote(symbol: "BTC/USD") { price } }')
    await ask(house, caller, "{ invoices { nodes { id } } }")
    await house.host.service(Meter).flush()

    assert await lines(house, "ten_a", UsageBy.API_KEY) == [("key_1", 2, 3, 1, 0.0, 1)]
    assert [line[:4] for line in await lines(house, "ten_a", UsageBy.FIELD)] == [
        ("plans", 1, 1, 1), ("quote", 1, 1, 0),
    ]  # fmt: skip
    assert [line[0] for line in await lines(house, "ten_a", UsageBy.PROVIDER)] == ["sandbox"]


def test_a_span_to_the_end_of_the_calendar_is_refused():
    with pytest.raises(BadInput, match="end: is where the calendar ends"):
        span(datetime(9999, 12, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
