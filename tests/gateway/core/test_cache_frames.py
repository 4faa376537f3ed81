"""Keys and frames: the same in every process, exact both ways, and a miss when anything is wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.guards.cache import Stored
from gateway.core.guards.codec import canonical, read_item
from gateway.core.guards.fleettime import Times
from gateway.core.guards.frames import LARGEST, Refused, frames_of
from schema.capability import Capability
from schema.errors import UnknownInstrument
from schema.provenance import DataMode, Provenance, RecordedFrom
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk, PriceLevel
from schema.words.candles import CANDLES, Bars
from schema.words.instruments import INSTRUMENTS, SEARCH, Listing, SearchAsk
from schema.words.quotes import QUOTES, PriceType, Quote
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.trades import TRADES, Side, Trade
from tests.gateway.doubles import NOON

BTC = crypto("BTC", "USD")
STAMP = Provenance(provider="alpha", mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON, latency_ms=12, attribution="ü")
OTHER = replace(STAMP, as_of=NOON - timedelta(seconds=1))
EXACT = Decimal("0.1234567890123456789012345678901234567890E-9")
AT = Times(now=NOON, monotonic=500.0, fleet=NOON.timestamp())

ANSWERS: list[tuple[Capability[Any, Any], Any]] = [
    (QUOTES, Quote(instrument=BTC, price=EXACT, price_type=PriceType.LAST, as_of=NOON, provenance=STAMP)),
    (CANDLES, Bars(open_time=(NOON,) * 900, open=(EXACT,) * 900, high=(Decimal(2),) * 900, low=(Decimal("1.0"),) * 900,
                   close=(Decimal(0),) * 900, volume=(None,) * 900, session_date=(date(2026, 1, 2),) * 900)),
    (ORDER_BOOK, OrderBook(
        instrument=BTC, bids=(PriceLevel(price=EXACT, size=Decimal(3)),), asks=(), provenance=STAMP
    )),
    (TRADES, tuple(Trade(id=str(n), time=NOON, price=EXACT, size=EXACT, side=Side.SELL, provenance=which)
                   for n, which in enumerate((STAMP, OTHER, STAMP)))),
    (INSTRUMENTS, (Listing(instrument=BTC, provider_symbol="BTCUSD", tick_size=EXACT, rank=3),)),
    (FX_RATES, (FxRate(base="EUR", quote="USD", rate=EXACT, date=date(2026, 11, 27), provenance=STAMP),)),
]  # fmt: skip


def entry(value: Any, **changed: Any) -> Stored:
    return replace(Stored(value=value, provenance=STAMP, fetched=499.0, fresh_until=501.0), **changed)


@pytest.mark.parametrize(("capability", "value"), ANSWERS, ids=lambda each: getattr(each, "name", ""))
def test_answers_travel_exactly(capability: Capability[Any, Any], value: Any) -> None:
    frames = frames_of(capability)
    assert frames is not None

    found = frames.read("here", frames.write("here", entry(value), "", AT), "", AT)

    assert found == entry(value)
    assert repr(found.value) == repr(value)  # also the places of decimals


def test_rows_that_shared_a_stamp_share_it_again() -> None:
    frames = frames_of(TRADES)
    assert frames is not None
    value = ANSWERS[3][1]

    found = frames.read("here", frames.write("here", entry(value), "", AT), "", AT)

    first, second, third = (row.provenance for row in found.value)
    assert first is third is found.provenance
    assert second is not first


def test_an_absence_travels_with_its_words() -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    frame = frames.write("here", entry(None, error=UnknownInstrument("alpha", "does not list it")), "", AT)

    found = frames.read("here", frame, "", AT)

    assert isinstance(found.error, UnknownInstrument)
    assert (found.value, found.error.detail, found.fresh_until) == (None, "does not list it", 501.0)


def passed(seconds: float, **changed: Any) -> Times:
    """Later, in a process whose monotonic clock began elsewhere."""
    return replace(AT, monotonic=9_000.0, now=NOON + timedelta(seconds=seconds), fleet=AT.fleet + seconds, **changed)


@pytest.mark.parametrize("ahead", [-3600.0, -1.0, 0.0, 1.0, 3600.0])
def test_a_copy_is_as_old_as_it_is_whatever_the_wall_clocks_say(ahead: float) -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    skewed = replace(AT, now=NOON + timedelta(seconds=ahead))
    stamp = replace(STAMP, as_of=None, fetched_at=skewed.now - timedelta(seconds=1))
    value = replace(ANSWERS[0][1], as_of=None, provenance=stamp)

    found = frames.read(
        "here", frames.write("here", entry(value, provenance=stamp), "", skewed), "", passed(0.25)
    )  # fmt: skip

    assert (found.fetched, found.fresh_until) == (8_998.75, 9_000.75)
    assert found.provenance.fetched_at == NOON - timedelta(seconds=1)
    assert found.value.provenance is found.provenance


def test_what_is_not_exact_makes_a_copy_older_and_never_younger() -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    frame = frames.write("here", entry(ANSWERS[0][1]), "", replace(AT, error=0.02))

    found = frames.read("here", frame, "", passed(0.5, error=0.03))

    assert 9_000.0 - found.fetched == pytest.approx(1.55)
    assert found.fresh_until - found.fetched == 2.0


def test_moments_that_differ_by_what_is_lost_in_measuring_are_shown_as_they_are() -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    frame = frames.write("here", entry(ANSWERS[0][1]), "", replace(AT, now=NOON + timedelta(seconds=0.09)))

    assert frames.read("here", frame, "", AT).provenance == STAMP


def test_a_recording_was_fetched_when_it_was_recorded() -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    stamp = replace(STAMP, mode=DataMode.RECORDED, recorded_from=RecordedFrom.CAPTURE)
    value = replace(ANSWERS[0][1], provenance=stamp)
    frame = frames.write("here", entry(value, provenance=stamp), "", replace(AT, now=NOON + timedelta(hours=1)))

    assert frames.read("here", frame, "", AT).provenance == stamp


def test_a_frame_of_a_time_that_is_yet_to_come_is_a_miss_or_as_young_as_can_be() -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    frame = frames.write("here", entry(ANSWERS[0][1], fetched=500.0), "", AT)

    found = frames.read("here", frame, "", passed(-0.09))

    assert found.fetched == 9_000.0
    with pytest.raises(Refused, match="ahead"):
        frames.read("here", frame, "", passed(-0.2))


def spoiled(frame: bytes) -> list[tuple[str, bytes]]:
    return [
        ("foreign", b""), ("foreign", b"hello"), ("foreign", frame[:10]), ("foreign", b"MG0" + frame[3:]),
        ("other build", frame[:4] + bytes(8) + frame[12:]), ("corrupt", frame[:-1]), ("corrupt", frame + b"x"),
        ("corrupt", frame[:-5] + bytes([frame[-5] ^ 1]) + frame[-4:]),
    ]  # fmt: skip


@pytest.mark.parametrize("capability", [QUOTES, CANDLES], ids=lambda each: each.name)
def test_a_spoiled_frame_is_refused(capability: Capability[Any, Any]) -> None:
    frames = frames_of(capability)
    assert frames is not None
    frame = frames.write("here", entry({c.name: v for c, v in ANSWERS}[capability.name]), "", AT)

    for why, wrong in spoiled(frame):
        with pytest.raises(Refused, match=why):
            frames.read("here", wrong, "", AT)
    with pytest.raises(Refused, match="corrupt"):
        frames.read("elsewhere", frame, "", AT)
    with pytest.raises(Refused, match="dropped"):
        frames.read("here", frame, "another era", AT)


def test_a_frame_that_unpacks_without_end_is_refused() -> None:
    import zlib

    from gateway.core.guards.frames import MAGIC, _digest

    frames = frames_of(QUOTES)
    assert frames is not None
    bomb = zlib.compress(bytes(LARGEST + 1))

    with pytest.raises(Refused, match="large"):
        frames.read("here", b"".join((MAGIC, b"z", frames._form, _digest("here", bomb), bomb)), "", AT)


def test_a_value_of_another_form_is_refused() -> None:
    frames = frames_of(QUOTES)
    assert frames is not None
    wrong = replace(ANSWERS[0][1], price="many")

    with pytest.raises(Refused, match="malformed"):
        frames.read("here", frames.write("here", entry(wrong), "", AT), "", AT)


def test_capabilities_have_frames_of_their_own() -> None:
    listings, search = frames_of(INSTRUMENTS), frames_of(SEARCH)
    assert listings is not None
    assert search is not None
    frame = listings.write("here", entry(ANSWERS[4][1]), "", AT)

    with pytest.raises(Refused, match="other build"):
        search.read("here", frame, "", AT)


texts = st.text(max_size=8)
ids = st.builds(
    InstrumentId, asset_class=st.sampled_from(AssetClass), base=texts, quote=texts, settle=texts, expiry=texts,
    strike=texts, right=texts, venue=texts,
)  # fmt: skip
moments = st.dates(min_value=date(2000, 1, 1))
asks = st.one_of(
    ids, st.builds(SearchAsk, text=texts, limit=st.integers(0, 99)),
    st.builds(OrderBookAsk, instrument=ids, depth=st.integers(0, 99)),
    st.builds(FxRatesAsk, base=texts, quotes=st.lists(texts, max_size=3).map(tuple), start=st.none() | moments),
)  # fmt: skip


@given(asks, asks)
def test_two_asks_have_one_key_exactly_when_they_are_equal(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


@given(asks)
def test_a_key_is_read_back_exactly(ask: Any) -> None:
    assert read_item(type(ask), canonical(ask)) == ask


def test_keys_are_the_same_in_another_process() -> None:
    told = (
        "from datetime import date; from gateway.core.guards.codec import canonical; from schema.words.rates import *;"
        "print(canonical(FxRatesAsk(base='EUR', quotes=('USD', 'GBP'), start=date(2026, 1, 2))))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", told], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    ]

    assert found == ['FxRatesAsk["EUR",["USD","GBP"],"2026-01-02",null]'] * 2
