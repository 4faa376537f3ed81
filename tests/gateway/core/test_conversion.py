"""Across currencies, by a rate that the gateway can quote."""

from __future__ import annotations

import asyncio
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.contract import Market
from gateway.core.conversion import Rate, converted, find_rate, pair
from gateway.core.fetchlog import FetchLog
from schema.capability import Terms
from schema.errors import FailureCode, NoAnswer
from schema.provenance import CacheStatus, DataMode, Provenance
from schema.symbols import InstrumentId, parse_instrument
from schema.words.quotes import PriceType, Quote
from tests.gateway.doubles import BTC, NOON, World, in_turn, priced, reply, silent, venue, world

MADE = Provenance(provider="alpha", mode=DataMode.LIVE, fetched_at=NOON)


def rates(**known: str) -> tuple[Any, list[str]]:
    """A source of quotes by `EUR_USD="1.1"`, and what it was asked."""
    asked: list[str] = []

    async def quote_of(instrument: InstrumentId) -> Quote:
        asked.append(str(instrument))
        price = known.get(f"{instrument.base}_{instrument.quote}")
        if price is None:
            raise NoAnswer(str(instrument), FailureCode.UNKNOWN_INSTRUMENT, f"no {instrument}", ())
        return Quote(instrument=instrument, price=Decimal(price), price_type=PriceType.MID, provenance=MADE)

    return quote_of, asked


@pytest.mark.parametrize(
    ("base", "quote", "market"),
    [
        ("EUR", "USD", "fx:EUR/USD"),
        ("USDT", "USD", "crypto:USDT/USD"),
        ("BTC", "EUR", "crypto:BTC/EUR"),
        ("USDC", "USDT", "crypto:USDC/USDT"),
    ],
)
def test_two_currencies_have_one_market(base: str, quote: str, market: str) -> None:
    assert str(pair(base, quote)) == market


async def test_a_direct_rate_is_taken_as_it_is() -> None:
    quote_of, asked = rates(EUR_USD="1.083456789012345678901234")

    rate = await find_rate("EUR", "USD", quote_of)

    assert str(rate.value) == "1.083456789012345678901234"
    assert asked == ["fx:EUR/USD"]


async def test_an_inverse_rate_is_rounded_to_twenty_digits() -> None:
    quote_of, asked = rates(EUR_USD="3")

    assert str((await find_rate("USD", "EUR", quote_of)).value) == "0.33333333333333333333"
    assert asked == ["fx:EUR/USD"]


async def test_two_legs_go_through_a_bridge_and_both_are_told() -> None:
    quote_of, _ = rates(BTC_USD="90000", EUR_USD="1.2")

    rate = await find_rate("BTC", "EUR", quote_of)

    assert str(rate.value) == "75000.000000000000000"
    assert rate.provenance.conversion is not None
    assert (rate.provenance.conversion.from_currency, rate.provenance.conversion.to_currency) == ("USD", "EUR")
    assert str(rate.provenance.conversion.rate) == "0.83333333333333333333"


async def test_no_way_across_is_told_of_the_markets_own_direction_after_all_were_tried() -> None:
    quote_of, asked = rates()

    with pytest.raises(NoAnswer) as caught:
        await find_rate("CHF", "GBP", quote_of)

    assert caught.value.message == "no fx:GBP/CHF"
    assert asked == ["fx:GBP/CHF", "fx:CHF/GBP", "fx:USD/CHF", "fx:CHF/USD", "fx:EUR/CHF", "fx:CHF/EUR"]


async def test_a_price_of_zero_is_no_rate() -> None:
    quote_of, asked = rates(EUR_USD="0", USD_EUR="0")

    for source, target in (("USD", "EUR"), ("EUR", "USD")):
        with pytest.raises(NoAnswer) as caught:
            await find_rate(source, target, quote_of)

    assert caught.value.message == "the price of fx:EUR/USD is 0: no rate can be made of it"
    assert asked == ["fx:EUR/USD", "fx:USD/EUR"] * 2


async def test_a_stablecoin_is_not_its_currency() -> None:
    quote_of, asked = rates(USDT_USD="0.9991")

    assert str((await find_rate("USDT", "USD", quote_of)).value) == "0.9991"
    assert asked == ["crypto:USDT/USD"]


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12, places=18)


@given(AMOUNTS, AMOUNTS)
def test_a_converted_price_is_the_exact_product(price: Decimal, rate: Decimal) -> None:
    quote = Quote(instrument=BTC, price=price, bid=price, price_type=PriceType.LAST, provenance=MADE)

    found = converted(quote, "EUR", Rate(value=rate, provenance=MADE))

    with localcontext(prec=100):
        assert int(found.price.scaleb(36)) == int(price.scaleb(18)) * int(rate.scaleb(18))
    assert found.bid == found.price


def test_amounts_of_money_are_converted_and_nothing_else() -> None:
    quote = Quote(
        instrument=BTC, price=Decimal(2), bid=Decimal(1), bid_size=Decimal(7), volume=Decimal(9), change=Decimal(-1),
        change_percent=Decimal(5), quote_volume=Decimal(18), price_type=PriceType.LAST, provenance=MADE,
    )  # fmt: skip

    found = converted(quote, "EUR", Rate(value=Decimal(10), provenance=MADE))

    assert (found.currency, found.converted) == ("EUR", True)
    assert [found.price, found.bid, found.change, found.quote_volume] == [Decimal(n) for n in (20, 10, -10, 180)]
    assert [found.bid_size, found.volume, found.change_percent, found.ask] == [Decimal(7), Decimal(9), Decimal(5), None]
    assert found.provenance.conversion is not None
    assert found.provenance.conversion.rate == 10
    assert quote.provenance.conversion is None


def market(w: World) -> Market:
    return Market(data=w.data, log=FetchLog())


async def test_the_same_currency_is_no_conversion() -> None:
    w = world(venue("alpha"))
    found = await w.quote()

    assert await market(w).convert(found.value, "USD") is found.value
    assert len(w.wire.requests) == 1


async def test_a_pinned_route_is_for_the_quote_and_not_for_the_rate() -> None:
    alpha = venue("alpha", covers=lambda ask: ask.instruments[0] == BTC)
    w = world(alpha, venue("rates", priority=90, covers=lambda ask: ask.instruments[0].base == "EUR"))
    w.wire.handlers["rates"] = priced("2")
    terms = Terms(providers=("alpha",))

    found = await market(w).convert((await w.quote(terms=terms)).value, "EUR", terms)

    assert found.provenance.conversion is not None
    assert (found.provenance.provider, found.provenance.conversion.provenance.provider) == ("alpha", "rates")
    assert found.price == Decimal("0.5")


async def test_all_ways_across_share_the_time_of_one_ask() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = silent()

    with pytest.raises(NoAnswer):
        await market(w).rate("AAA", "BBB", Terms(timeout=4.0))

    assert asyncio.get_running_loop().time() == pytest.approx(4.0)


async def test_a_converted_copy_says_that_it_is_a_copy_and_a_stale_one_that_it_is_stale() -> None:
    w = world(venue("alpha"))
    await w.quote(parse_instrument("fx:EUR/USD"))
    await w.quote()
    m = market(w)
    quote = (await w.quote(log=m.log)).value

    found = await m.convert(quote, "EUR")

    assert m.log.status(found.provenance) is CacheStatus.HIT
    m.log.note(stale := Provenance(provider="x", mode=DataMode.LIVE, fetched_at=NOON), CacheStatus.STALE)
    old = Quote(instrument=BTC, price=Decimal(1), price_type=PriceType.LAST, provenance=stale)
    assert m.log.status((await m.convert(old, "EUR")).provenance) is CacheStatus.STALE


async def test_a_rate_in_two_legs_says_how_its_first_leg_was_got() -> None:
    w = world(venue("alpha", covers=lambda ask: ask.instruments[0].quote == "USD"))
    w.wire.handlers["alpha"] = in_turn(priced("90000"), priced("1.2"))
    await w.quote(BTC)
    m = market(w)

    rate = await m.rate("BTC", "EUR")

    assert m.log.status(rate.provenance) is CacheStatus.HIT
    assert [r.params[0][1] for r in w.wire.requests] == ["BTC-USD", "EUR-USD"]
    assert reply({}).status == 200
