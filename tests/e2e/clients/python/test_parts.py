"""Without a gateway: how the Python client cuts a range of candles, keeps its parts and puts them together."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from marketgate_client import CandleFrame, ConnectionFailed, Interval
from marketgate_client.generated import CandleSeries, RouteInput
from marketgate_client.history import Fetched, History, Part, borders_of, frame_of, seconds_of
from marketgate_client.shelf import Shelf

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)


def series(
    times: list[datetime], gaps: list[tuple[datetime, datetime, int]] = [],  # noqa: B006
    *, closed: bool = True, currency: str = "USD", mode: str = "LIVE", more: bool = False, volume: str | None = "1",
) -> dict[str, Any]:  # fmt: skip
    """An answer of CandlePage."""
    made: dict[str, Any] = {
        "provider": "kraken", "mode": mode, "asOf": None, "fetchedAt": "2026-02-01T00:00:00Z", "delay": "REALTIME",
        "delaySeconds": None, "latencyMs": 5, "ageMs": 5, "cacheStatus": "MISS", "stale": False, "recordedFrom": None,
        "attribution": None, "fallbackFrom": [], "conversion": None,
    }  # fmt: skip
    price = ["1.50"] * len(times)
    return {
        "instrument": {"id": "crypto:BTC/USD"}, "interval": "H1", "currency": currency, "timeZone": "UTC",
        "adjustment": "NONE", "hours": "REGULAR",
        "columns": {"openTime": [time.isoformat() for time in times], "open": price, "high": price, "low": price,
                    "close": price, "volume": [volume] * len(times), "closed": [closed] * len(times)},
        "gaps": [{"start": a.isoformat(), "end": b.isoformat(), "missing": count} for a, b, count in gaps],
        "pageInfo": {"hasNextPage": more, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
        "provenance": [made],
    }  # fmt: skip


def asked(folder: Path | None = None, now: datetime = END + 3 * HOUR, mode: str = "live", route: Any = None) -> History:
    return History(
        gateway="http://gateway/graphql", caller="", symbols=("BTC/USD", "BTC/USD"), interval=Interval.H1,
        start=START + HOUR, end=END, options={"adjustment": None, "route": route},
        shelf=None if folder is None else Shelf(folder), now=lambda: now, rows=24, mode=mode,
    )  # fmt: skip


def part(start: datetime, end: datetime) -> Part:
    return Part(symbol="BTC/USD", start=start, end=end)


def frame(*pages: tuple[Part, dict[str, Any]]) -> CandleFrame[Decimal]:
    history = asked()
    return frame_of(history, [Fetched(part=each, series=CandleSeries.read(page)) for each, page in pages], "decimal")


@pytest.mark.parametrize("interval", list(Interval))
def test_no_part_has_room_for_more_candles_than_an_answer(interval: Interval):
    length = 28 * 86_400 if interval == "MO1" else seconds_of(interval)
    end = START + timedelta(seconds=length * 23)

    borders = list(borders_of(interval, 10, START, end))

    assert (borders[0], borders[-1]) == (START, end)
    assert 3 <= len(borders) - 1 <= 4
    lengths = [(b - a).total_seconds() / length for a, b in pairwise(borders)]
    assert 0 < min(lengths) <= max(lengths) <= 10


def test_a_symbol_that_is_named_twice_is_asked_for_once_and_borders_are_midnights():
    parts = asked().parts

    assert {each.symbol for each in parts} == {"BTC/USD"}
    assert [each.start for each in parts][:2] == [START + HOUR, START + 24 * HOUR]
    assert (parts[-1].end, len(parts)) == (END, 10)
    assert asked().variables(parts[0])["first"] == 23


def test_a_gap_that_a_border_cuts_is_one():
    middle = START + 24 * HOUR

    made = frame(
        (part(START, middle), series([START], [(START + HOUR, middle, 23)])),
        (part(middle, END), series([middle + 2 * HOUR], [(middle, middle + 2 * HOUR, 2), (middle + 3 * HOUR, END, 9)])),
    )

    assert [(gap.start, gap.end, gap.missing) for gap in made.gaps["crypto:BTC/USD"]] == [
        (START + HOUR, middle + 2 * HOUR, 25), (middle + 3 * HOUR, END, 9),
    ]  # fmt: skip


@pytest.mark.parametrize("other", [{"currency": "USDT"}, {"mode": "SIMULATED"}])
def test_what_is_of_another_kind_does_not_join_the_series(other: Any):
    middle = START + HOUR

    made = frame((part(START, middle), series([START])), (part(middle, END), series([middle], **other)))

    assert list(made.open_time) == [START]
    [failure] = made.failures
    assert (failure.code, failure.start, failure.end) == ("MIXED_SERIES", middle, END)


def test_an_answer_that_is_cut_off_is_a_failure():
    found = asked().take(part(START, END), series([START], more=True))

    assert found.error is not None
    assert found.error.code == "INCOMPLETE"


def test_an_unknown_volume_is_none_and_among_floats_not_a_number():
    page = (part(START, END), series([START], volume=None))

    assert frame(page).volume[0] is None
    fast = frame_of(asked(), [Fetched(part=page[0], series=CandleSeries.read(page[1]))], "float64")
    assert repr(fast.volume[0]) == "nan"


@pytest.mark.parametrize(("page", "late", "kept"), [
    ({}, 3 * HOUR, True),
    ({}, timedelta(minutes=59), False),
    ({"closed": False}, 3 * HOUR, False),
])  # fmt: skip
def test_only_what_cannot_change_any_more_is_kept(tmp_path: Path, page: Any, late: timedelta, kept: bool):
    history = asked(tmp_path, now=END + late)

    history.take(part(START, END), series([START], **page))

    assert (history.kept(part(START, END)) is not None) is kept
    assert history.kept(part(START, END - HOUR)) is None


SANDBOX = RouteInput(providers=["sandbox"])


@pytest.mark.parametrize(("told", "route", "mode", "kept"), [
    (["LIVE"], None, "live", True),
    (["SIMULATED"], None, "live", False),
    (["SIMULATED"], SANDBOX, "live", True),
    (["RECORDED"], SANDBOX, "live", False),
    (["LIVE", "SIMULATED"], SANDBOX, "live", False),
    (["SIMULATED"], None, "recorded", True),
    (["RECORDED"], None, "recorded", True),
    (["RECORDED", "SIMULATED"], None, "recorded", False),
    (["LIVE"], None, "recorded", False),
    ([], None, "live", True),
])  # fmt: skip
def test_a_part_is_kept_whose_data_are_all_of_the_gateways_mode(
    tmp_path: Path, told: list[str], route: Any, mode: str, kept: bool
):
    page, whole = series([START]), part(START, END)
    page["provenance"] = [{**page["provenance"][0], "mode": each} for each in told]
    other = "recorded" if mode == "live" else "live"

    asked(tmp_path, mode=mode, route=route).take(whole, page)

    assert (asked(tmp_path, mode=mode, route=route).kept(whole) is not None) is kept
    assert asked(tmp_path, mode=other, route=route).kept(whole) is None
    assert len(list(tmp_path.iterdir())) == kept


@pytest.mark.parametrize(("name", "at", "value"), [
    ("close", 0, "11.50"),
    ("openTime", 0, "1999-01-01T00:00:00+00:00"),
    ("close", 0, "NaN"),
    ("close", slice(0, 1), []),
])  # fmt: skip
def test_a_file_whose_answer_was_altered_is_fetched_anew_and_that_is_told(
    tmp_path: Path, name: str, at: Any, value: object
):
    history, whole = asked(tmp_path), part(START, END)
    history.take(whole, series([START, START + HOUR]))
    [file] = tmp_path.iterdir()
    kept = json.loads(file.read_bytes())
    for column in kept["answer"]["columns"].values() if isinstance(at, slice) else [kept["answer"]["columns"][name]]:
        column[at] = value
    file.write_text(json.dumps(kept))

    with pytest.warns(RuntimeWarning, match=rf"{file.name} was altered or damaged: fetched anew"):
        found = history.kept(whole)

    assert found is None


@pytest.mark.parametrize(("column", "value", "told"), [
    ("openTime", START, "open times that do not ascend"),
    ("openTime", START - HOUR, "open times that do not ascend"),
    ("openTime", END, "in a part of"),
    ("close", "NaN", "a number in close that is none"),
    ("volume", "Infinity", "a number in volume that is none"),
])  # fmt: skip
def test_an_answer_that_cannot_be_of_its_part_is_an_error(column: str, value: Any, told: str):
    page = series([START, START + HOUR])
    first = page["columns"][column][0]
    page["columns"][column] = [first, value.isoformat() if isinstance(value, datetime) else value]

    with pytest.raises(ConnectionFailed, match=told):
        asked().take(part(START, END), page)


def test_what_killed_processes_left_half_written_is_taken_away(tmp_path: Path):
    old, new = tmp_path / ".old.part", tmp_path / ".new.part"
    for each in (old, new):
        each.touch()
    os.utime(old, (0, 0))

    Shelf(tmp_path)

    assert list(tmp_path.iterdir()) == [new]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path):
    with pytest.raises(TypeError):
        Shelf(tmp_path).keep({"symbol": "BTC/USD"}, {"half": 1, "rest": object()})

    assert list(tmp_path.iterdir()) == []
