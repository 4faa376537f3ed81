"""Sources that are off: told when they go off, and again once they have been in line for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.core.consensus import Rules, agree
from gateway.core.fetchlog import Fetched
from plugins.events.producers.outliers import IN_LINE_S, OutlierProducer
from plugins.events.producers.wanted import Sources
from schema.provenance import DataMode, Provenance
from schema.words.quotes import PriceType, Quote
from tests.gateway.doubles import BTC
from tests.plugins.events.producers.fleet import Shop, open_shop, open_venue, told, until

NAMES = ("alpha", "beta", "delta", "gamma")
TYPE = "consensus.outlier_detected"


@pytest.fixture
async def shop(database: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(database, tmp_path, *(open_venue(name) for name in NAMES)) as made:
        made.asked.ask("crypto:BTC/USD", TYPE)
        yield made


async def prices(shop: Shop, producer: OutlierProducer, *said: str) -> None:
    """What the venues say now, and what the producer makes of it."""
    now = shop.house.clock.now()
    words = {}
    for name, price in zip(NAMES, said, strict=True):
        made = Provenance(provider=name, mode=DataMode.LIVE, as_of=now, fetched_at=now)
        quote = Quote(instrument=BTC, price=Decimal(price), price_type=PriceType.LAST, as_of=now, provenance=made)
        words[name] = Fetched(quote, made)
    await producer.take(agree(BTC, words, Rules(quorum=3, max_age=None, now=now)))


def produced(shop: Shop) -> OutlierProducer:
    return OutlierProducer(shop.desk.stage, "consensus|crypto:BTC/USD", Sources(instrument=BTC))


async def off(shop: Shop) -> list[tuple[str, str]]:
    return [(each["provider"], each["quote"]["price"]) for each in await told(shop.house.store, type=TYPE)]


async def off_count(shop: Shop, count: int) -> bool:
    return len(await off(shop)) >= count


async def test_a_source_that_goes_off_is_told_once_with_what_the_others_say(shop: Shop):
    await shop.desk.look()
    await until(lambda: len(shop.lines.open_now) == len(NAMES))
    for name, price in zip(NAMES, ("100", "100.01", "100.02", "110"), strict=True):
        shop.lines.price(name, price)
    await until(lambda: off_count(shop, 1))
    shop.lines.price("gamma", "111")

    (found,) = await told(shop.house.store, type=TYPE)

    assert {name: found[name] for name in ("instrument", "provider", "median", "low", "high", "used", "mode")} == {
        "instrument": {"id": "crypto:BTC/USD"}, "provider": "gamma", "median": "100.01", "low": "100",
        "high": "100.02", "used": 3, "mode": "LIVE",
    }  # fmt: skip
    assert (found["quote"]["price"], found["quote"]["marketState"]) == ("110", "REGULAR")


async def test_who_comes_and_goes_is_told_again_only_after_a_while_in_line(shop: Shop):
    await shop.desk.look()
    producer = produced(shop)

    for price in ("110", "100", "111", "100.01"):
        await prices(shop, producer, "100", "100.01", "100.02", price)
        shop.pass_time(IN_LINE_S - 1)
    early = await off(shop)
    await prices(shop, producer, "100", "100.01", "100.02", "100")
    shop.pass_time(1)
    await prices(shop, producer, "100", "100.01", "100.02", "100")
    await prices(shop, producer, "100", "100.01", "100.02", "112")

    assert early == [("gamma", "110")]
    assert await off(shop) == [("gamma", "110"), ("gamma", "112")]


async def test_another_process_that_sees_the_same_tells_nothing(shop: Shop):
    await shop.desk.look()

    for _ in range(2):
        await prices(shop, produced(shop), "100", "100.01", "100.02", "110")

    assert await off(shop) == [("gamma", "110")]
