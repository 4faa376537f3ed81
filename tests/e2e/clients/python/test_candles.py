"""Histories of the Python client as one frame: exact, in parallel, from disk; failures and gaps as data."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from marketgate_client import (
    AccessError,
    AsyncClient,
    CandleFrame,
    Client,
    ConnectionFailed,
    Interval,
    RequestError,
    Retry,
)
from marketgate_client.generated import Gap, RouteInput

from tests.e2e.clients.line import Line
from tests.e2e.market.process import Gateway

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
SYMBOLS = ["BTC/USD", "ETH-USD"]
DIRECT = """query ($s: String!, $from: DateTime, $to: DateTime) { candles(symbol: $s, interval: H1, start: $from,
  end: $to, first: 5000) { columns { openTime open high low close volume closed } gaps { start end missing } } }"""
TEN_DAYS: dict[str, Any] = {"interval": "H1", "start": START, "end": END, "chunk": 24}
MODE = 1
"""Whoever has a cache asks once a call whether the gateway is live."""
ALTERED = "was altered or damaged: fetched anew"
COLUMNS = ("open_time", "open", "high", "low", "close", "volume", "closed")


@pytest.fixture
def through(gateway: Gateway, line: Line) -> Iterator[Client]:
    """A client whose line can be cut."""
    with Client(line.url, api_key=gateway.key, trust_env=False, retry=Retry(attempts=1)) as made:
        yield made


def columns_of(frame: CandleFrame[Any]) -> dict[str, list[Any]]:
    return {name: list(getattr(frame, name)) for name in COLUMNS}


def direct(gateway: Gateway, symbol: str, start: datetime = START, end: datetime = END) -> dict[str, Any]:
    answer = gateway.ask(DIRECT, s=symbol, **{"from": start.isoformat(), "to": end.isoformat()})
    return dict(answer["candles"])


def test_a_frame_of_many_parts_has_every_digit_of_the_one_answer(gateway: Gateway, through: Client, line: Line):
    frame = through.candles(SYMBOLS, **TEN_DAYS)

    assert (len(frame), line.requests, frame.failures) == (480, 2 * 10, ())
    assert list(frame.instrument) == ["crypto:BTC/USD"] * 240 + ["crypto:ETH/USD"] * 240
    assert frame.symbols == {"BTC/USD": "crypto:BTC/USD", "ETH-USD": "crypto:ETH/USD"}
    for symbol in SYMBOLS:
        told = direct(gateway, symbol)["columns"]
        found = columns_of(frame[symbol])
        assert [str(value) for value in found["close"]] == told["close"]
        assert [str(value) for value in found["volume"]] == told["volume"]
        assert [str(value) for value in found["high"] + found["low"] + found["open"]] == [
            *told["high"], *told["low"], *told["open"],
        ]  # fmt: skip
        assert found["open_time"] == [datetime.fromisoformat(time) for time in told["openTime"]]
        assert found["closed"] == told["closed"]


def test_rows_are_found_by_instrument_and_open_time(client: Client):
    frame = client.candles(SYMBOLS, Interval.H1, START, START + 3 * HOUR)

    row = frame.at("ETH-USD", START + HOUR)
    assert row == frame.row(4) == list(frame)[4]
    assert (row.instrument, row.open_time, type(row.close)) == ("crypto:ETH/USD", START + HOUR, Decimal)
    assert frame.at("crypto:ETH/USD", START + HOUR) == row
    with pytest.raises(KeyError):
        frame.at("ETH-USD", START + 3 * HOUR)
    with pytest.raises(ValueError, match="open_time has no time zone"):
        frame.at("ETH-USD", datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(KeyError):
        frame["SOL/USD"]


def test_floats_are_the_nearest_ones_and_carry_the_same_facts(client: Client):
    exact = client.candles(["BTC/USD"], "H1", START, START + 5 * HOUR)
    fast = client.candles(["BTC/USD"], "H1", START, START + 5 * HOUR, numbers="float64")

    assert list(fast.close) == [float(value) for value in exact.close]
    assert type(fast.row(0).close) is float
    assert (fast.currency, fast.gaps) == (exact.currency, exact.gaps) == (
        {"crypto:BTC/USD": "USD"}, {"crypto:BTC/USD": ()},
    )  # fmt: skip
    [made] = fast.provenance["crypto:BTC/USD"]
    assert (made.provider, made.mode) == ("sandbox", "SIMULATED")


async def test_the_asynchronous_client_makes_the_same_frame(gateway: Gateway, client: Client, tmp_path: Path):
    async with AsyncClient(gateway.url, api_key=gateway.key, trust_env=False) as asynchronous:
        frame = await asynchronous.candles(SYMBOLS, **TEN_DAYS, cache=tmp_path, parallel=2)
        again = await asynchronous.candles(SYMBOLS, **TEN_DAYS, cache=tmp_path)

    assert columns_of(frame) == columns_of(again) == columns_of(client.candles(SYMBOLS, **TEN_DAYS))


def test_never_more_parts_are_asked_for_at_a_time_than_were_allowed(through: Client, line: Line):
    through.candles(SYMBOLS, **TEN_DAYS, parallel=3)

    assert 1 <= line.connections <= 3


def test_an_interrupted_fetch_goes_on_from_disk(gateway: Gateway, through: Client, line: Line, tmp_path: Path):
    line.lets_through = 7
    with pytest.raises(ConnectionFailed):
        through.candles(SYMBOLS, **TEN_DAYS, cache=tmp_path, parallel=1)
    finished = len(list(tmp_path.glob("*.json")))
    line.lets_through = None
    before = line.requests

    frame = through.candles(SYMBOLS, **TEN_DAYS, cache=tmp_path, parallel=1)
    rest = line.requests - before
    whole = through.candles(SYMBOLS, **TEN_DAYS, cache=tmp_path)

    assert (finished, rest, line.requests - before) == (6, MODE + 20 - 6, rest + MODE)
    assert columns_of(whole) == columns_of(frame)
    assert [str(value) for value in frame["BTC/USD"].close] == direct(gateway, "BTC/USD")["columns"]["close"]
    assert list(tmp_path.glob(".*")) == []


def test_another_range_uses_the_parts_that_it_shares(through: Client, line: Line, tmp_path: Path):
    through.candles(["BTC/USD"], **TEN_DAYS, cache=tmp_path)
    before = line.requests

    frame = through.candles(["BTC/USD"], "H1", START + 30 * HOUR, END, chunk=24, cache=tmp_path)

    assert len(frame) == 210
    assert line.requests == before + MODE + 1


def test_a_file_that_is_damaged_is_fetched_again(through: Client, line: Line, tmp_path: Path):
    whole = through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)
    [file] = tmp_path.iterdir()
    file.write_text(file.read_text()[:-5])

    with pytest.warns(RuntimeWarning, match=ALTERED):
        frame = through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)

    assert (columns_of(frame), line.requests) == (columns_of(whole), 2 * (MODE + 1))
    assert json.loads(file.read_text())["answer"]["currency"] == "USD"


@pytest.mark.parametrize("odd", [
    b"", b"[]", b"null", b"\xff", b"[" * 100_000, {}, [], "x", {"columns": None}, {"columns": {}},
    {"columns": {"close": []}},
])  # fmt: skip
def test_a_file_that_is_none_of_the_clients_is_fetched_again(through: Client, line: Line, tmp_path: Path, odd: Any):
    """Bytes are the whole file; else the answer in it is, or has, another one."""
    whole = through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)
    [file] = tmp_path.iterdir()
    kept = json.loads(file.read_bytes())
    if odd == {"columns": {"close": []}}:
        odd = {**kept["answer"], "columns": {**kept["answer"]["columns"], "close": []}}
    file.write_bytes(odd if isinstance(odd, bytes) else json.dumps({**kept, "answer": odd}).encode())

    with pytest.warns(RuntimeWarning, match=ALTERED):
        frame = through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)

    assert (columns_of(frame), line.requests) == (columns_of(whole), 2 * (MODE + 1))
    assert json.loads(file.read_bytes())["answer"]["columns"] == kept["answer"]["columns"]


def test_a_folder_in_the_place_of_a_file_is_left_as_it_is(through: Client, line: Line, tmp_path: Path):
    through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)
    [file] = tmp_path.iterdir()
    file.unlink()
    file.mkdir()

    with pytest.warns(RuntimeWarning, match=ALTERED):
        frame = through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)

    assert (len(frame), line.requests) == (1, 2 * (MODE + 1))
    assert list(tmp_path.rglob("*")) == [file]


def test_callers_do_not_share_what_is_kept(gateway: Gateway, through: Client, line: Line, tmp_path: Path):
    """Another key may have other providers; and no name or file shows a key."""
    through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)
    with Client(line.url, trust_env=False) as anonymous:
        anonymous.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)
    through.candles(["BTC/USD"], "H1", START, START + HOUR, cache=tmp_path)

    files = list(tmp_path.iterdir())
    assert (len(files), line.requests) == (2, 3 * MODE + 2)
    assert all(gateway.key not in file.name + file.read_text() for file in files)


def test_a_candle_that_still_runs_is_shown_and_not_kept(client: Client, tmp_path: Path):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    frame = client.candles(["BTC/USD"], "H1", hour - 48 * HOUR, cache=tmp_path, chunk=24)

    assert frame.closed[-1] is False
    assert all(frame.closed[:-1])
    kept = [json.loads(file.read_text())["answer"]["columns"] for file in tmp_path.iterdir()]
    assert kept
    assert all(all(columns["closed"]) for columns in kept)
    newest = max(time for columns in kept for time in columns["openTime"])
    assert datetime.fromisoformat(newest) < hour - HOUR


def test_what_one_symbol_refuses_is_data_and_the_others_are_there(through: Client, line: Line):
    frame = through.candles(["BTC/USD", "NOSUCH/USD", "cik:1652044"], **TEN_DAYS, parallel=1)

    assert len(frame) == 240
    first, second = frame.failures
    assert (first.symbol, first.code, first.start, first.end) == ("NOSUCH/USD", "NOT_RECORDED", START, END)
    assert (second.symbol, second.code, second.start, second.end) == ("cik:1652044", "AMBIGUOUS_INSTRUMENT", START, END)
    assert line.requests == 10 + 10 + 1  # a symbol that means nothing is asked for once
    assert frame["BTC/USD"].failures == ()


def test_what_ails_the_caller_is_raised(gateway: Gateway):
    with (
        Client(gateway.url, api_key="mg_dev_no_key", trust_env=False) as stranger,
        pytest.raises(AccessError, match="UNAUTHENTICATED"),
    ):
        stranger.candles(SYMBOLS, **TEN_DAYS)


@pytest.mark.parametrize(("wrong", "told"), [
    ({"route": RouteInput(providers=["nope"])}, "nope"),
    ({"route": RouteInput(timeout_ms=99_999_999)}, "timeoutMs"),
    ({"adjustment": "WRONG"}, "WRONG"),
    ({"start": datetime(2100, 1, 1, tzinfo=UTC), "end": datetime(2100, 1, 2, tzinfo=UTC)}, "start"),
])  # fmt: skip
def test_what_the_caller_asks_wrongly_of_all_symbols_is_raised(client: Client, wrong: Any, told: str):
    with pytest.raises(RequestError, match=told):
        client.candles(SYMBOLS, **{**TEN_DAYS, **wrong})


def test_gaps_are_named_and_nothing_is_filled(client: Client, gateway: Gateway):
    start = datetime(2026, 11, 20, 11, 57, tzinfo=UTC)
    symbol = "crypto:PEPE/USD@coinbaseexchange"

    frame = client.candles([symbol], "M1", start, start + timedelta(minutes=3))

    gap = Gap(start=start + timedelta(minutes=1), end=start + timedelta(minutes=2), missing=1)
    assert frame.gaps == {symbol: (gap,)}
    assert list(frame.open_time) == [start, start + timedelta(minutes=2)]


def test_wrong_ranges_are_told_before_anything_is_asked(through: Client, line: Line):
    with pytest.raises(ValueError, match="is not before end"):
        through.candles(SYMBOLS, "H1", END, START)
    with pytest.raises(ValueError, match="start has no time zone"):
        through.candles(SYMBOLS, "H1", datetime(2026, 1, 1), END)  # noqa: DTZ001
    with pytest.raises(ValueError, match="interval must be one of S1, S5"):
        through.candles(SYMBOLS, "H9", START, END)
    with pytest.raises(ValueError, match="chunk must be 1 to 5000, not 0"):
        through.candles(SYMBOLS, "H1", START, END, chunk=0)
    with pytest.raises(ValueError, match="numbers must be one of decimal, float64, not float32"):
        through.candles(SYMBOLS, "H1", START, END, numbers="float32")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="parallel must be 1 or more, not 0"):
        through.candles(SYMBOLS, "H1", START, END, parallel=0)
    with pytest.raises(TypeError, match="give a list of symbols"):
        through.candles("BTC/USD", "H1", START, END)
    with pytest.raises(ValueError, match="is a file: give a folder"):
        through.candles(SYMBOLS, "H1", START, END, cache=__file__)
    assert line.requests == 0


def test_pandas_gets_the_index_and_exact_or_float_columns(client: Client):
    exact = client.candles(SYMBOLS, "H1", START, START + 2 * HOUR).to_pandas()
    fast = client.candles(SYMBOLS, "H1", START, START + 2 * HOUR, numbers="float64").to_pandas()

    assert exact.index.names == ["instrument", "openTime"]
    value = exact.loc[("crypto:ETH/USD", START + HOUR), "close"]
    assert type(value) is Decimal
    assert float(value) == fast.loc[("crypto:ETH/USD", START + HOUR), "close"]
    assert [str(dtype) for dtype in fast.dtypes] == ["float64"] * 5 + ["bool"]
    assert fast.attrs["currency"] == {"crypto:BTC/USD": "USD", "crypto:ETH/USD": "USD"}
    assert len(client.candles(["NOSUCH/USD"], "H1", START, END).to_pandas()) == 0


def test_polars_keeps_every_digit(client: Client):
    frame = client.candles(SYMBOLS, "H1", START, START + 2 * HOUR)

    made = frame.to_polars()

    assert made.columns == ["instrument", "openTime", *COLUMNS[1:]]
    assert {name: made[name].to_list() for name in COLUMNS[1:]} == {
        name: list(getattr(frame, name)) for name in COLUMNS[1:]
    }
    assert made["openTime"].to_list() == list(frame.open_time)
    assert made["instrument"].to_list() == list(frame.instrument)
    assert str(made["openTime"].dtype) == "Datetime(time_unit='us', time_zone='UTC')"
    assert str(made["close"].dtype).startswith("Decimal(precision=38, scale=")
    assert len(client.candles(["NOSUCH/USD"], "H1", START, END).to_polars()) == 0


def test_polars_takes_floats_as_they_are(client: Client):
    frame = client.candles(SYMBOLS, "H1", START, START + 2 * HOUR, numbers="float64")

    made = frame.to_polars()

    assert str(made["close"].dtype) == "Float64"
    assert made["close"].to_list() == list(frame.close)


def test_polars_says_which_column_needs_more_digits_than_it_has(client: Client):
    frame = client.candles(["BTC/USD"], "H1", START, START + HOUR)
    long = replace(frame, volume=(Decimal("1." + "0" * 37 + "1"),))

    with pytest.raises(ValueError, match="volume needs 39 digits, Polars has 38: ask for numbers='float64'"):
        long.to_polars()


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_library_that_is_missing_is_named(client: Client, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, name, None)
    frame = client.candles(["BTC/USD"], "H1", START, START + HOUR)

    with pytest.raises(ImportError, match=rf"pip install 'marketgate-client\[{name}\]'"):
        getattr(frame, f"to_{name}")()
