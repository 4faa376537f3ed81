"""Funding, open interest, liquidations and options through GraphQL, spoken by a fake."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from schema.symbols import parse_instrument
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    LIQUIDATIONS,
    OPEN_INTEREST,
    FundingRate,
    Liquidation,
    OpenInterest,
)
from schema.words.instruments import expiry_of
from schema.words.options import OPTION_CHAIN, OptionChain, OptionChainAsk, OptionContract, OptionRight
from schema.words.trades import Side
from tests.plugins.speakers import NOON, Room, Speaker, speaker

PERPETUAL = parse_instrument("crypto:BTC/USDT:USDT")
APPLE = parse_instrument("equity:AAPL")
CALL = parse_instrument("equity:AAPL-261218-200-C")


def rate(hours: int, value: str, settled: bool) -> FundingRate:
    return FundingRate(
        instrument=PERPETUAL, rate=Decimal(value), time=NOON + timedelta(hours=hours), settled=settled, as_of=NOON
    )


def chain(ask: OptionChainAsk) -> OptionChain:
    contract = OptionContract(
        instrument=CALL, expiry=date(2026, 12, 18), strike=Decimal(200), right=OptionRight.CALL, bid=Decimal("10.2"),
        implied_volatility=Decimal("0.209179"), delta=Decimal("0.5"), open_interest=Decimal(7230),
        open_interest_date=date(2026, 11, 19),
    )  # fmt: skip
    return OptionChain(
        instrument=ask.instrument, currency="USD", contracts=(contract,), expiries=(date(2026, 12, 18),), as_of=NOON
    )


@pytest.fixture(scope="module")
def alpha() -> type[Speaker]:
    return speaker({
        FUNDING_RATES: lambda ask: [rate(4, "0.0001", settled=False)],
        FUNDING_HISTORY: lambda ask: tuple(rate(hours, "0.0002", settled=True) for hours in (-24, -16, -8)),
        OPEN_INTEREST: lambda ask: [OpenInterest(instrument=PERPETUAL, amount=Decimal("80000.5"))],
        LIQUIDATIONS: lambda ask: tuple(
            Liquidation(time=NOON + timedelta(seconds=n), side=Side.SELL, price=Decimal(9), size=Decimal(n + 1))
            for n in range(3)
        ),
        OPTION_CHAIN: chain,
    })  # fmt: skip


@pytest.fixture(scope="module")
def room(alpha: type[Speaker]) -> Room:
    return Room(alpha)


async def test_the_running_rate_is_a_fraction_that_may_still_change(room: Room) -> None:
    found = await room.data(
        '{ fundingRate(symbol: "crypto:BTC/USDT:USDT") { rate time settled instrument { type } provenance { asOf } } }'
    )

    assert found == {
        "rate": "0.0001", "time": "2026-11-20T16:00:00Z", "settled": False, "instrument": {"type": "PERPETUAL"},
        "provenance": {"asOf": "2026-11-20T12:00:00Z"},
    }  # fmt: skip


async def test_settled_rates_are_cut_to_the_range_and_to_the_newest(room: Room) -> None:
    fields = '(symbol: "crypto:BTC/USDT:USDT", start: "2026-11-19T20:00:00Z"'

    ranged = await room.data(f"{{ fundingHistory{fields}) {{ time }} }}")
    newest = await room.data(f"{{ fundingHistory{fields}, last: 1) {{ time }} }}")

    assert ranged == [{"time": "2026-11-19T20:00:00Z"}, {"time": "2026-11-20T04:00:00Z"}]
    assert newest == [{"time": "2026-11-20T04:00:00Z"}]


async def test_open_interest_and_liquidations(room: Room) -> None:
    interest = await room.data('{ openInterest(symbol: "crypto:BTC/USDT:USDT") { amount contracts value currency } }')
    liquidations = await room.data('{ liquidations(symbol: "crypto:BTC/USDT:USDT", last: 2) { side size } }')

    assert interest == {"amount": "80000.5", "contracts": None, "value": None, "currency": None}
    assert liquidations == [{"side": "SELL", "size": "2"}, {"side": "SELL", "size": "3"}]


async def test_a_chain_has_its_contracts_with_greeks_and_open_interest_of_its_own_day(
    room: Room, alpha: type[Speaker]
) -> None:
    found = await room.data(
        """{ optionChain(symbol: "AAPL", expiry: "2026-12-18") { currency expiries instrument { id } contracts {
          strike right bid ask impliedVolatility delta openInterest openInterestDate instrument { id } } } }"""
    )

    assert found == {
        "currency": "USD", "expiries": ["2026-12-18"], "instrument": {"id": "equity:AAPL"},
        "contracts": [
            {
                "strike": "200", "right": "CALL", "bid": "10.2", "ask": None, "impliedVolatility": "0.209179",
                "delta": "0.5", "openInterest": "7230", "openInterestDate": "2026-11-19",
                "instrument": {"id": "equity:AAPL-261218-200-C"},
            }
        ],
    }  # fmt: skip
    assert OptionChainAsk(instrument=APPLE, expiry=date(2026, 12, 18)) in alpha.asked


def listed(text: str) -> OptionContract:
    key = parse_instrument(text)
    right = OptionRight.CALL if key.right == "C" else OptionRight.PUT
    day = expiry_of(key)
    assert day is not None
    return OptionContract(instrument=key, expiry=day.date(), strike=Decimal(key.strike), right=right)


@pytest.fixture(scope="module")
def wide() -> Room:
    days, strikes = ("261218", "270115"), (190, 200, 210)
    every = tuple(listed(f"equity:AAPL-{day}-{each}-{right}") for day in days for each in strikes for right in "CP")
    # Whatever was asked for, this upstream sends all that there is.
    said = OptionChain(instrument=APPLE, currency="USD", contracts=every, as_of=NOON)
    return Room(speaker({OPTION_CHAIN: lambda ask: said}))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("", "190C 190P 200C 200P 210C 210P"),
        (', expiry: "2027-01-15", right: PUT', "190P 200P 210P"),
        (', minStrike: "200", maxStrike: "200"', "200C 200P"),
        (", right: CALL, first: 2", "190C 200C"),
        (', expiry: "2027-01-16"', ""),
    ],
)
async def test_a_chain_is_of_one_day_and_filtered(wide: Room, arguments: str, shown: str) -> None:
    found = await wide.data(f'{{ optionChain(symbol: "AAPL"{arguments}) {{ contracts {{ strike right }} }} }}')

    assert " ".join(f"{each['strike']}{each['right'][0]}" for each in found["contracts"]) == shown


async def test_a_chain_is_paged(wide: Room) -> None:
    query = """query($after: Cursor) { optionChain(symbol: "AAPL", first: 4, after: $after) {
      contracts { strike } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""

    one = await wide.data(query)
    two = await wide.data(query, after=one["pageInfo"]["endCursor"])

    assert [len(page["contracts"]) for page in (one, two)] == [4, 2]
    assert [page["pageInfo"]["hasNextPage"] for page in (one, two)] == [True, False]
    assert [page["pageInfo"]["hasPreviousPage"] for page in (one, two)] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("first: 0", "first: must be 1 to 1000, not 0"),
        ("first: 1001", "first: must be 1 to 1000, not 1001"),
        ('after: "eA"', "after: is not a cursor of this list; give back what `pageInfo` or an edge gave"),
        ('minStrike: "2", maxStrike: "1"', "maxStrike: must not be below minStrike"),
    ],
)
async def test_a_chain_that_cannot_be_asked_for_is_refused(wide: Room, arguments: str, told: str) -> None:
    found = await wide.error(f'{{ optionChain(symbol: "AAPL", {arguments}) {{ currency }} }}')

    assert found == ("BAD_USER_INPUT", told)


async def test_too_many_rows_are_refused(room: Room) -> None:
    found = await room.error('{ liquidations(symbol: "crypto:BTC/USDT:USDT", last: 1001) { size } }')

    assert found == ("BAD_USER_INPUT", "last: must be 1 to 1000, not 1001")
