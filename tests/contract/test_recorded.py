"""Recordings keep every digit, and the offline market serves exactly what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.check.provider import cases_of
from gateway.core.check.replay import ask, connect
from gateway.core.recorded import MOST_LISTED, RecordedTransport
from gateway.core.upstream import Request
from providers.assistants.openai import OpenAi
from providers.contract import Provider
from providers.recording import BadRecording, ask_of, decoded, plain, read_recording, wire
from schema.errors import NotRecorded
from schema.provenance import RecordedFrom
from schema.symbols import crypto
from schema.words.candles import CANDLES, NO_BARS, Adjustment
from schema.words.chat import CHAT
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote
from tests.contract.scratch import recording, write_provider
from tests.contract.suite import PROVIDERS


@pytest.fixture
def asking_quotes() -> Iterator[None]:
    """What the pipeline says of the call that is under way."""
    token = call_facts.set(CallFacts(capability="quotes"))
    yield
    call_facts.reset(token)


def request(path: str = "/ticker", body: bytes | None = None, **params: str) -> Request:
    return Request(
        provider="scratch", method="POST" if body else "GET", host="", path=path, params=tuple(params.items()),
        url="https://unused.example", secret_params=(), headers={}, body=body,
    )  # fmt: skip


def market(folder: Path, cases: dict[str, Any]) -> RecordedTransport:
    write_provider(folder, cases=cases)
    return RecordedTransport(lambda provider: folder / "recordings" / provider)


@pytest.mark.parametrize("text", ["91234.123456789012345", "0.10", "1E-8", "12345678901234567890123", "-0.0", "7"])
def test_a_number_keeps_its_digits_from_file_to_wire(text: str):
    assert wire(decoded(text.encode())) == text.encode()


def test_an_answer_in_plain_form_states_only_what_differs_from_its_default():
    quote = Quote(
        instrument=crypto("BTC", "USD"),
        price=Decimal("1E-8"),
        price_type=PriceType.LAST,
        as_of=datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC),
    )

    assert plain([quote]) == [
        {
            "instrument": "crypto:BTC/USD",
            "as_of": "2026-11-20T12:00:00.500000Z",
            "price": "0.00000001",
            "price_type": "LAST",
            "currency": "USD",
            "market_state": "REGULAR",
        }
    ]
    assert plain(NO_BARS) == {"open_time": [], "open": [], "high": [], "low": [], "close": []}


def test_an_ask_is_built_from_its_json_form():
    ask = ask_of(
        CANDLES,
        {
            "instrument": "crypto:BTC/USDT@binance",
            "interval": "H1",
            "start": "2026-11-20T00:00:00Z",
            "end": "2026-11-20T12:00:00Z",
            "adjustment": "NONE",
        },
    )

    assert ask.instrument == crypto("BTC", "USDT", "binance")
    assert (ask.interval, ask.adjustment) == (Interval.H1, Adjustment.NONE)
    assert (ask.start, ask.end) == (datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        ({"instruments": "crypto:BTC/USD"}, "instruments: Expected `array`, got `str`"),
        ({"instruments": ["BTC"]}, "instruments: 'BTC' has no asset class"),
        ({"instruments": [], "depth": 1}, "QuotesAsk has no depth"),
        ({}, "missing 1 required keyword-only argument: 'instruments'"),
    ],
)
def test_an_ask_that_cannot_be_built_says_why(ask: dict[str, Any], reason: str):
    with pytest.raises(ValueError, match=reason):
        ask_of(QUOTES, ask)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "scratch/quotes.json: Input data was truncated"),
        ("[]", r"scratch/quotes.json: Expected `object`, got `array`"),
        (json.dumps({**recording(), "made": "invented"}), r"Invalid enum value 'invented' - at `\$.made`"),
    ],
)
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, content: str, reason: str):
    file = write_provider(tmp_path).parent / "recordings" / "scratch" / "quotes.json"
    file.write_text(content)

    with pytest.raises(BadRecording, match=reason):
        read_recording(file)


async def test_the_offline_market_answers_a_recorded_request_and_says_how_it_was_made(tmp_path: Path):
    cases = recording()
    cases["made"] = "documented"

    reply = await market(tmp_path, cases).send(request(pair="BTC-USD"))

    assert reply.status == 200
    assert reply.content == b'{"last":"91234.123456789012345","bid":0,"at":1795176000}'
    assert reply.recorded is RecordedFrom.DOCUMENTATION
    assert reply.recorded_at == datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_a_request_that_is_not_recorded_says_what_is(tmp_path: Path, asking_quotes: None):
    with pytest.raises(NotRecorded) as caught:
        await market(tmp_path, recording()).send(request(pair="ETH-USD"))

    assert caught.value.message == "scratch: no recording of this ask; recorded quotes: crypto:BTC/USD"


async def test_the_list_of_what_is_recorded_is_bounded(tmp_path: Path, asking_quotes: None):
    cases = recording()
    first = cases["cases"][0]
    cases["cases"] = [{**first, "name": str(n), "ask": {"instruments": [f"crypto:COIN{n}/USD"]}} for n in range(40)]

    with pytest.raises(NotRecorded) as caught:
        await market(tmp_path, cases).send(request(pair="ETH-USD"))

    assert caught.value.message.endswith(f"crypto:COIN{MOST_LISTED - 1}/USD and {40 - MOST_LISTED} more")


async def test_of_a_recorded_chat_is_listed_what_was_said():
    provider: Any = connect(OpenAi, RecordedTransport(), datetime(2026, 11, 20, 12, tzinfo=UTC))
    question = ask_of(CHAT, {"model": "gpt-4o-mini", "messages": [{"role": "USER", "text": "Nobody said this"}]})
    token = call_facts.set(CallFacts(capability="chat"))

    with pytest.raises(NotRecorded) as caught:
        await provider.chat(question)

    call_facts.reset(token)
    assert "gpt-4o-mini 'What does bitcoin cost?' 'get_price' required, " in caught.value.message


async def test_a_provider_without_recordings_has_nothing(asking_quotes: None):
    with pytest.raises(NotRecorded, match="recorded quotes: nothing"):
        await RecordedTransport(lambda _: None).send(request())


async def test_an_answer_goes_before_a_refusal_of_the_same_request(tmp_path: Path):
    cases = recording()
    answered = cases["cases"][0]
    exchange = answered["exchanges"][0]
    said_no = {"name": "said no", "ask": answered["ask"], "error": "UNKNOWN_INSTRUMENT"}
    throttled = {"name": "throttled", "ask": answered["ask"], "error": "UPSTREAM_THROTTLED"}
    throttled["exchanges"] = [{**exchange, "status": 429, "body": None}]
    said_no["exchanges"] = [{**exchange, "body": {"error": "not today"}}]

    cases["cases"] = [throttled, said_no, answered]
    assert (await market(tmp_path / "all", cases).send(request(pair="BTC-USD"))).content.startswith(b'{"last"')
    cases["cases"] = [throttled, said_no]
    assert (await market(tmp_path / "no", cases).send(request(pair="BTC-USD"))).content == b'{"error":"not today"}'
    cases["cases"] = [throttled]
    assert (await market(tmp_path / "busy", cases).send(request(pair="BTC-USD"))).status == 429


async def test_a_posted_body_is_part_of_the_request(tmp_path: Path):
    cases = recording()
    sent = cases["cases"][0]["exchanges"][0]
    sent["request"] = {"method": "POST", "path": "/ticker", "body": {"pair": "BTC-USD"}}
    offline = market(tmp_path, cases)

    assert (await offline.send(request(body=b'{ "pair": "BTC-USD" }'))).status == 200
    with pytest.raises(NotRecorded):
        await offline.send(request(body=b'{"pair":"ETH-USD"}'))


async def test_the_moment_of_a_provider_is_that_of_its_newest_recording(tmp_path: Path):
    offline = market(tmp_path, recording())

    assert offline.moment("scratch") == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert offline.moment("unknown") is None


@pytest.mark.parametrize(
    "provider", [name for name in sorted(PROVIDERS.keys() - {"sandbox"}) if "candles" in PROVIDERS[name].offers]
)
def test_candles_are_recorded_at_the_moment_that_windows_are_counted_back_from(provider: str):
    offline = RecordedTransport()

    made = {recording.instant for recording in offline.shelf(provider).recordings if recording.capability == "candles"}
    assert made == {offline.moment(provider)}


@pytest.mark.parametrize("cls", PROVIDERS.values(), ids=PROVIDERS)
async def test_the_offline_market_answers_every_ask_that_is_recorded_with_an_answer(cls: type[Provider]):
    offline = RecordedTransport()
    refusals = []
    for recorded, case in cases_of(cls):
        if case.error is None:
            outcome = await ask(cls, cls.offers[recorded.capability], case, offline)
            refusals += [f"{case.name}: {outcome.error}"] if outcome.error else []

    assert refusals == []
