"""A price that is told in another currency than the instrument is traded in fills nothing, and sizes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers import Discovered
from schema.symbols import AssetClass
from schema.words.instruments import INSTRUMENTS
from schema.words.quotes import QUOTES
from schema.words.venues import MarketState
from tests.gateway.doubles import ManualClock
from tests.house import open_house
from tests.plugins.speakers import NOON, speaker
from tests.plugins.trading.orders.pit import GROUP, PLACE, REPLACE, D, Pit, listed, wish

VOD = "equity:VOD"
TOLD = (
    "equity:VOD is traded in USD, and alpha tells its price in GBP: nothing is filled or sized by that. Name a "
    "provider that tells it in USD: model.provider."
)


@pytest.fixture
async def pit(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Pit]:
    """The list says dollars, and who prices it pounds."""
    pits: list[Pit] = []
    lists = (listed(VOD, currency="USD", min_notional=None),)
    says: Any = {QUOTES: lambda ask: pits[0].quotes(ask), INSTRUMENTS: lambda ask: lists}
    kind = speaker(says)
    kind.profile = replace(kind.profile, asset_classes=(AssetClass.EQUITY, AssetClass.FX))
    discovered = Discovered(classes={"alpha": kind}, failed={})
    async with open_house(
        sqlite_url, tmp_path, discovered=discovered, upstreams="live", clock=ManualClock(NOON)
    ) as house:
        pits.append(Pit(house))
        pits[0].price("79.9", "80.1", VOD, currency="GBP", market_state=MarketState.REGULAR)
        pits[0].price("1.3", "1.3", "fx:GBP/USD")
        await pits[0].open("tacc_1")
        await pits[0].open("tacc_2", margin="MARGIN", leverage=D(5))
        yield pits[0]


@pytest.mark.parametrize("account", ["tacc_1", "tacc_2"])
@pytest.mark.parametrize(
    "given",
    [
        {"type": "MARKET"},
        {"type": "MARKET", "quantity": None, "notional": "500"},
        {"type": "LIMIT", "limitPrice": "85"},
        {"type": "LIMIT", "limitPrice": "85", "timeInForce": "IOC"},
        {"type": "TRAILING_STOP", "trailPercent": "5", "quantity": None, "notional": "500"},
    ],
)  # fmt: skip
async def test_a_price_in_another_currency_is_none(pit: Pit, account: str, given: dict[str, Any]) -> None:
    order = wish("BUY", "LIMIT", accountId=account, symbol=VOD) | given

    assert await pit.refused(PLACE, **order) == ("NO_PRICE", "input.symbol", TOLD)


async def test_what_is_told_in_the_listed_currency_is_filled(pit: Pit) -> None:
    pit.price("79.9", "80.1", VOD, currency="USD", market_state=MarketState.REGULAR)

    made = await pit.place("BUY", "MARKET", "10", symbol=VOD)

    assert [(each["price"], each["currency"]) for each in made["fills"]] == [("80.1", "USD")]


async def test_an_order_that_is_replaced_meets_no_price_in_another_currency(pit: Pit) -> None:
    pit.price("79.9", "80.1", VOD, currency="USD", market_state=MarketState.REGULAR)
    placed = await pit.place("BUY", "LIMIT", "1", symbol=VOD, limitPrice="75")
    pit.price("79.9", "80.1", VOD, currency="GBP", market_state=MarketState.REGULAR)

    after = await pit.do(REPLACE, orderId=placed["order"]["id"], limitPrice="85")

    assert (after["order"]["status"], after["order"]["filledQuantity"]) == ("ACCEPTED", "0")


async def test_a_notional_that_waits_is_sized_by_no_price_in_another_currency(pit: Pit) -> None:
    child = {"symbol": VOD, "side": "BUY", "type": "MARKET", "notional": "500"}
    first = {"symbol": VOD, "side": "BUY", "type": "LIMIT", "quantity": "1", "limitPrice": "50"}
    pit.price("79.9", "80.1", VOD, currency="GBP", market_state=MarketState.REGULAR)

    refused = await pit.refused(GROUP, accountId="tacc_1", rule="OTO", orders=[first, child])

    assert refused[0] == "NO_PRICE"
