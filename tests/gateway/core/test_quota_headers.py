"""What an upstream says of its own count only ever tightens ours, and never for more than a window."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.core.guards.quota import Windows
from gateway.core.replyheaders import usage_of
from providers.contract import Limit, Usage, per_minute, per_second
from providers.crypto.binance import Binance
from tests.gateway.doubles import BTC, ETH, SOL, LoopClock, reply, venue, world

MINUTE = per_minute(10)
USED, LEFT = Usage(header="x-used", limit=MINUTE), Usage(header="x-left", limit=MINUTE, remaining=True)
PRICED = {"BTC-USD": {"price": "1"}, "ETH-USD": {"price": "1"}, "SOL-USD": {"price": "1"}}
ABSURD = ("-5", "NaN", "inf", "1e30", "1" * 40, "٣", "", "0x10", "9.5", "5, 6", " ", "9" * 15)


@pytest.mark.parametrize("headers", [{"x-used": "9"}, {"x-left": "0"}, {"x-used": "999999"}])
async def test_what_others_used_of_the_same_limit_is_counted_for_a_window(headers):
    venues = world(venue("alpha", limits=(MINUTE,), usage=(USED, LEFT)), clock=LoopClock())
    venues.wire.handlers["alpha"] = lambda _: reply(PRICED, headers=headers)
    await venues.quote(BTC)

    refused = await venues.refused(ETH)
    await asyncio.sleep(60)
    found = await venues.quote(SOL)

    assert (refused.attempts[0].code, refused.attempts[0].retry_after_ms) == ("UPSTREAM_QUOTA", 60_000)
    assert found.provenance.provider == "alpha"


@pytest.mark.parametrize("said", ABSURD)
@pytest.mark.parametrize("header", ["x-used", "x-left"])
def test_what_is_absurd_frees_nothing_and_blocks_for_no_more_than_a_window(said, header):
    windows, profile = Windows([MINUTE]), venue("alpha", limits=(MINUTE,), usage=(USED, LEFT)).profile
    for _ in range(5):
        windows.reserve(1, 0.0)

    for place, used in usage_of({header: said}, profile):
        windows.seen(place, used, 0.0)

    assert windows.windows[0].under_way + windows.windows[0].counted in (5, 9)
    assert windows.wait(1, 0.0) <= 60


def test_a_count_below_ours_frees_nothing():
    windows = Windows([MINUTE])
    for _ in range(9):
        windows.reserve(1, 0.0)

    windows.seen(0, 1, 0.0)

    assert windows.wait(1, 0.0) == 60


def test_a_header_over_another_window_or_unit_says_nothing():
    profile = venue(
        "alpha", limits=(per_second(5), Limit(count=9, per=timedelta(minutes=1), unit="weight")), usage=(USED,)
    ).profile

    assert usage_of({"x-used": "9"}, profile) == []


def test_binance_says_what_it_counted():
    assert usage_of({"x-mbx-used-weight-1m": "5800"}, Binance.profile) == [(0, 5800)]
