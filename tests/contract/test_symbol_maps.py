"""Every adapter's map of symbols is inverse both ways: a name leads to one instrument, an instrument to one name."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.recording import FOLDER, read_recording
from schema.symbols import InstrumentId, parse_instrument
from schema.words.instruments import INSTRUMENTS, SEARCH
from tests.contract.suite import PROVIDERS
from tests.contract.symbolmaps import (
    BY_CATEGORY,
    Subject,
    asks_of_instruments,
    instrument_in,
    lookalikes,
    put,
    recorded_answer,
    request_of,
    same,
    subjects,
)

WORD = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=6)
COMMON = tuple(
    parse_instrument(text)
    for text in (
        "fx:EUR/USD", "fx:EUR/CHF", "fx:USD/CAD", "fx:EUR/CAD", "fx:GBP/USD", "fx:GBP/CHF", "fx:USD/PLN", "fx:EUR/PLN",
        "fx:USD/JPY", "fx:USD/CHF", "crypto:BTC/USD", "crypto:ETH/USD", "crypto:BTC/USDT", "crypto:ETH/USDT",
        "crypto:ETH/BTC", "crypto:BTC/USDT:USDT", "crypto:ETH/USDT:USDT", "crypto:BTC/USDC:USDC", "crypto:BTC/USD:BTC",
        "crypto:ETH/USDC:USDC", "crypto:ETH/USD:ETH", "equity:AAPL", "equity:BRK.B", "equity:SAP@XETR", "index:SPX",
        "equity:VOD@XLON", "index:DAX", "index:NDX", "commodity:XAU/USD", "commodity:XAG/USD",
    )
)  # fmt: skip
OTHER_NAMES = {
    "kraken": "lists XXBTZUSD and is asked for its shorter name XBTUSD, which stands in the same row",
    "twelvedata": "names the exchange beside the ticker, in a parameter of its own",
}
"""Providers with two names for one thing."""
TOLD_BY_THE_REPLY = {
    ("tradier", "quotes"): "a share and an index of one name are told apart by the type in their rows",
}
"""Where one request may stand for two instruments, of which the adapter answers the one that the reply is about."""
UNSEEN = {"sandbox": "is simulated: nothing of it is recorded, and its tests ask it for all that it lists"}
"""Adapters that are asked of instruments and have no recorded answer about any."""


@cache
def asked_by_name(subject: Subject) -> bool:
    """Whether the first request tells which instrument is meant; some upstreams answer all that they have at once."""
    ask, known = subject.asks[0], list[InstrumentId]()
    for each in (*map(instrument_in, subject.asks), *COMMON):
        if subject.covers(ask, each) and not any(same(each, other, subject.id) for other in known):
            known.append(each)
    requests = {request_of(subject, put(ask, each)) for each in known}
    return "" not in requests and len(known) == len(requests) > 1


@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: f"{subject.id}-{subject.offer.capability.name}")
def test_no_other_instrument_is_given_the_recorded_answer_of_one(subject: Subject) -> None:
    mistaken, kinds = [], set()
    for case, ask in zip(subject.cases, subject.asks, strict=True):
        meant = instrument_in(ask)
        kind = (meant.asset_class, bool(meant.settle), bool(meant.expiry), bool(meant.right), bool(meant.venue))
        if kind in kinds or not (own := recorded_answer(subject, case, ask)):
            continue
        kinds.add(kind)
        others = [each for each in lookalikes(meant) if not same(each, meant, subject.id)]
        mistaken += [
            f"{other} for {meant}"
            for other in others
            if subject.covers(ask, other) and recorded_answer(subject, case, put(ask, other)) == own
        ]

    assert mistaken == []


@st.composite
def instruments(draw: st.DrawFn) -> InstrumentId:
    """Well-formed ids of every class, of known names and of arbitrary ones."""
    asset = st.sampled_from(("BTC", "ETH", "SOL", "XBT", "USDT", "USDC", "DOGE")) | WORD
    currency = st.sampled_from(("USD", "EUR", "GBP", "CHF", "CAD", "PLN", "JPY", "AUD", "USDT", "USDC", "BTC"))
    kind = draw(st.sampled_from(("crypto", "crypto", "fx", "commodity", "equity", "index")))
    if kind in ("equity", "index"):
        ticker = draw(st.sampled_from(("AAPL", "BRK.B", "SAP", "VOD", "SPX", "DAX")) | WORD)
        venue = draw(st.sampled_from(("", "", "@XLON", "@XETR", "@XWAR", "@XTKS")))
        return parse_instrument(f"{kind}:{ticker}{venue}")
    base = draw(currency if kind == "fx" else asset)
    quote = draw((currency if kind == "fx" else asset | currency).filter(lambda each: each != base))
    contract = draw(st.sampled_from(("", "", f":{quote}", f":{base}", f":{quote}-261225"))) if kind == "crypto" else ""
    return parse_instrument(f"{kind}:{base}/{quote}{contract}")


@settings(max_examples=60)
@given(one=instruments(), choice=st.integers(0, 10_000))
def test_no_two_instruments_are_asked_for_by_the_same_request(one: InstrumentId, choice: int) -> None:
    near = lookalikes(one)
    other = near[choice % len(near)]
    for subject in subjects():
        ask = subject.asks[0]
        if same(one, other, subject.id) or not (subject.covers(ask, one) and subject.covers(ask, other)):
            continue
        if (subject.id, subject.offer.capability.name) not in TOLD_BY_THE_REPLY and asked_by_name(subject):
            told = f"{subject.id} {subject.offer.capability.name}: {one} and {other}"
            assert request_of(subject, put(ask, one)) != request_of(subject, put(ask, other)), told


def listed(provider: str) -> list[list[tuple[InstrumentId, str]]]:
    """Instruments and the provider's names for them, list by list, as recorded."""
    files = [FOLDER / provider / f"{capability.name}.json" for capability in (INSTRUMENTS, SEARCH)]
    cases = [case for file in files if file.exists() for case in read_recording(file).answered]
    return [[(parse_instrument(row["instrument"]), row["provider_symbol"]) for row in case.expect] for case in cases]


@pytest.mark.parametrize("provider", [id for id in PROVIDERS if any(listed(id)) and id not in OTHER_NAMES])
def test_a_listed_name_leads_to_its_instrument_and_back(provider: str) -> None:
    pairs = [pair for found in listed(provider) for pair in dict.fromkeys(found)]
    apart = provider in BY_CATEGORY
    names = {(name, instrument) for instrument, name in pairs}
    asking = [each for each in subjects() if each.id == provider and asked_by_name(each)]

    told = Counter((name, instrument.is_spot) if apart else (name, True) for name, instrument in names)
    assert [name for (name, _), count in told.items() if count > 1] == []
    assert [str(each) for each, count in Counter(each for _, each in names).items() if count > 1] == []
    for subject in asking:
        for instrument, name in pairs:
            ask = subject.asks[0]
            if subject.covers(ask, instrument):
                assert name.lower() in request_of(subject, put(ask, instrument)).lower(), subject.offer.capability.name


def test_every_adapter_that_is_asked_of_instruments_is_looked_at() -> None:
    seen = {subject.id for subject in subjects()}
    asked = {id for id, cls in PROVIDERS.items() if any(map(asks_of_instruments, cls.offers.values()))}

    assert asked - seen == set(UNSEEN)
