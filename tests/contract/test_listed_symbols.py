"""The catalogue's maps over every list that is recorded or captured: a symbol leads to its instrument, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from gateway.core.check.replay import Departure, Script, answer_of, connect
from gateway.core.upstream import Transport
from plugins.market.search import Called
from plugins.market.shelves import sorted_in
from providers.recording import FOLDER, Case, read_recording
from schema.errors import UpstreamError
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from tests.contract.captures import Captured, captures_of
from tests.contract.suite import PROVIDERS
from tests.contract.symbolmaps import BY_CATEGORY


def cases_of(provider: str) -> tuple[Case, ...]:
    file = FOLDER / provider / f"{INSTRUMENTS.name}.json"
    return read_recording(file).answered if file.exists() else ()


def asked(provider: str, wire: Transport, case: Case) -> tuple[Listing, ...]:
    """What the adapter lists over a wire; nothing where the captured reply is another call's."""
    cls = PROVIDERS[provider]
    offer = next(each for each in cls.offers.values() if each.capability is INSTRUMENTS)
    answer = getattr(connect(cls, wire, case.now), offer.method)(InstrumentsAsk())
    try:
        return tuple(cast("tuple[Listing, ...]", asyncio.run(answer_of(cls, offer, answer))))
    except (UpstreamError, Departure):
        return ()


def lists_of(provider: str) -> Iterator[tuple[Listing, ...]]:
    cases = cases_of(provider)
    yield from (asked(provider, Script(case), case) for case in cases)
    paths = {exchange.path.rstrip("/") for case in cases for exchange in case.exchanges}
    for capture in captures_of(provider):
        if capture.status == 200 and any(capture.path.endswith(path) for path in paths):
            yield asked(provider, Captured(capture), cases[0])


@pytest.mark.parametrize("provider", [id for id in PROVIDERS if cases_of(id)])
def test_a_listed_symbol_leads_to_its_instrument_and_back(provider: str) -> None:
    alike: set[str] = set()
    first, *_ = lists = list(lists_of(provider))
    for listings in lists:
        by_key, index = sorted_in(listings)
        for listing in listings:
            found = [row.key for row, _ in index.search(Called(listing.provider_symbol))]
            assert listing.instrument in found
            assert {by_key[each].provider_symbol for each in found} == {listing.provider_symbol}
            alike |= {listing.provider_symbol} if len(found) > 1 else set()

    assert first
    assert bool(alike) == (provider in BY_CATEGORY), alike
