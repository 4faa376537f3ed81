"""What an account holds and has closed, through a whole gateway on a market of one provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins.trading.accounts.store import AccountStore
from plugins.trading.positions.store import PositionStore, TripStore
from plugins.trading.tables import balances, orders
from providers import Discovered
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from tests.contract.tenants import row_of
from tests.house import open_house
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.speakers import speaker
from tests.plugins.trading.rowsof import NOON, D, account, cash, position, trip

TOLD = {"crypto:BTC/USD": "110", "crypto:ETH/EUR": "50", "fx:EUR/USD": "1.2"}
BTC, ETH, DEAD = "crypto:BTC/USD", "crypto:ETH/EUR", "crypto:DEAD/USD"
STANDING = """query { tradingAccount(id: "tacc_1") { standing {
  currency equity balance cash unrealised unrealisedPercent
  marginUsed maintenanceMargin marginAvailable marginLevel buyingPower exposureLong exposureShort exposureGross
  exposureNet stale reason modes conversions { from to rate provenance { provider } } }
  balances { currency cash held reserved available } } }"""
POSITIONS = """query($first: Int, $after: Cursor) { positions(accountId: "tacc_1", first: $first, after: $after) {
  nodes { symbol side quantity entryPrice price value valueBase unrealised unrealisedBase unrealisedPercent realised
    realisedPercent margin stale reason open provenance { provider mode } instrument { base }
    lotCount lots(first: 1) { openedAt quantity cost } }
  pageInfo { hasNextPage endCursor } } }"""
CLOSED = """query($first: Int, $after: Cursor, $tag: String, $symbol: String) {
  closedPositions(accountId: "tacc_1", first: $first, after: $after, strategy: $tag, symbol: $symbol) {
    nodes { id side net netPercent strategy } pageInfo { hasNextPage endCursor } } }"""
STATISTICS = """query($tag: String) { tradingStatistics(accountId: "tacc_1", strategy: $tag) { complete
  overall { strategy trips won lost hitRate streak amounts { currency net expectancy profitFactor } }
  strategies { strategy trips } } }"""


@dataclass
class Desk:
    """Ada's, with an account that her company shares."""

    company: Company

    async def see(self, document: str, **variables: Any) -> Any:
        body = await self.company.house.ask(document, variables, token=self.company.tokens["ada"])
        assert "errors" not in body, body
        (data,) = body["data"].values()
        return data

    async def put(self, *rows: Any) -> None:
        """Into the tables that they are of."""
        tenant = self.company.tenant
        async with self.company.house.store.write() as tx:
            for row in rows:
                await PositionStore().put(tx, tenant, row)


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    def quotes(ask: QuotesAsk) -> list[Quote]:
        return [
            Quote(instrument=each, price=D(TOLD[str(each)]), price_type=PriceType.LAST, as_of=NOON)
            for each in ask.instruments
            if str(each) in TOLD
        ]

    discovered = Discovered(classes={"alpha": speaker({QUOTES: quotes})}, failed={})
    async with open_house(sqlite_url, tmp_path, discovered=discovered, upstreams="live") as house:
        company = await found(house)
        await company.upgrade()
        made = account(margin="MARGIN", leverage=D(5), model={})
        async with house.store.write() as tx:
            await AccountStore().add(tx, company.tenant, made)
            await tx.run(balances.insert().values(**asdict(cash("500", held="20")) | {"tenant_id": company.tenant}))
            reserving = row_of(orders, company.tenant) | {
                "account_id": "tacc_1", "reserved": D("30.5"), "currency": "USD", "open": True,
            }  # fmt: skip
            await tx.run(orders.insert().values(**reserving))
        yield Desk(company)


async def test_an_account_stands_by_the_prices_of_now_and_each_rate_says_where_it_is_from(desk: Desk):
    await desk.put(position(BTC, "2", "200"), position(ETH, "-3", "-180", currency="EUR"))

    found = await desk.see(STANDING)

    # 500 + 220 - 150 x 1.2
    assert found["standing"] == {
        "currency": "USD", "equity": "540.00", "balance": "484.00", "cash": "500.00", "unrealised": "56.00",
        "unrealisedPercent": "11.5702", "marginUsed": "110.50", "maintenanceMargin": "40.00",
        "marginAvailable": "409.50", "marginLevel": "488.6878", "buyingPower": "2047.50", "exposureLong": "220.00",
        "exposureShort": "180.00", "exposureGross": "400.00", "exposureNet": "40.00", "stale": False, "reason": None,
        "modes": ["LIVE"],
        "conversions": [{"from": "EUR", "to": "USD", "rate": "1.2", "provenance": {"provider": "alpha"}}],
    }  # fmt: skip
    assert found["balances"] == [
        {"currency": "USD", "cash": "500", "held": "20", "reserved": "30.5", "available": "449.5"}
    ]


async def test_positions_come_in_pages_each_with_its_mark_or_the_reason_for_none(desk: Desk):
    await desk.put(
        position(BTC, "2.0", "200", realised=D(15), sold=D(1), sold_value=D(115)), position(DEAD, "1", "5"),
        position(ETH, "-3", "-180", currency="EUR", realised=D(-10), sold=D(1), sold_value=D(60)),
    )  # fmt: skip

    first = await desk.see(POSITIONS, first=2)
    rest = await desk.see(POSITIONS, first=2, after=first["pageInfo"]["endCursor"])

    bitcoin, dead, ether = first["nodes"] + rest["nodes"]
    assert bitcoin == {
        "symbol": BTC, "side": "LONG", "quantity": "2", "entryPrice": "100", "price": "110", "value": "220.00",
        "valueBase": "220.00", "unrealised": "20.00", "unrealisedBase": "20.00", "unrealisedPercent": "10.0000",
        "realised": "15", "realisedPercent": "15.0000", "margin": "44.00", "stale": False, "reason": None,
        "open": True, "provenance": {"provider": "alpha", "mode": "LIVE"}, "instrument": {"base": "BTC"}, "lotCount": 1,
        "lots": [{"openedAt": "2026-11-20T12:00:00Z", "quantity": "2", "cost": "200"}],
    }  # fmt: skip
    assert (dead["symbol"], dead["value"], dead["unrealised"], dead["reason"]) == (
        DEAD,
        None,
        None,
        f"no price of {DEAD}",
    )
    assert (ether["side"], ether["entryPrice"], ether["valueBase"], ether["unrealised"]) == (
        "SHORT", "60", "-180.00", "30.00",
    )  # fmt: skip
    # One of four shorts was closed at 60 that had been sold at 50.
    assert (ether["unrealisedPercent"], ether["realisedPercent"]) == ("16.6667", "-20.0000")
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert (await desk.see(STANDING))["standing"]["reason"] == f"no price of {DEAD}"


async def test_an_old_price_marks_positions_and_the_account(desk: Desk):
    await desk.put(position(BTC, "2", "200"))
    desk.company.house.clock.turn(61)

    found = await desk.see(POSITIONS, first=2)

    assert (found["nodes"][0]["stale"], found["nodes"][0]["reason"]) == (True, f"the price of {BTC} is old")
    assert (await desk.see(STANDING))["standing"]["stale"] is True


async def test_closed_positions_come_newest_first_and_are_counted_all_and_by_strategy(desk: Desk):
    rows = [
        trip("trip_1", "10"), trip("trip_2", "-4", strategy="dip", closed_at=NOON + timedelta(hours=1)),
        trip("trip_3", "6", strategy="dip", instrument=ETH, closed_at=NOON + timedelta(hours=2), fees=D(1)),
    ]  # fmt: skip
    async with desk.company.house.store.write() as tx:
        await TripStore().add(tx, desk.company.tenant, rows)

    first = await desk.see(CLOSED, first=2)
    rest = await desk.see(CLOSED, first=2, after=first["pageInfo"]["endCursor"])
    dips = await desk.see(CLOSED, tag="dip", symbol="ETH/EUR")
    whole, tagged = await desk.see(STATISTICS), await desk.see(STATISTICS, tag="dip")

    assert [each["id"] for each in (*first["nodes"], *rest["nodes"])] == ["trip_3", "trip_2", "trip_1"]
    assert dips["nodes"] == [{"id": "trip_3", "side": "LONG", "net": "5", "netPercent": "5.0000", "strategy": "dip"}]
    assert whole == {
        "complete": True,
        "overall": {
            "strategy": None, "trips": 3, "won": 2, "lost": 1, "hitRate": "0.6666666667", "streak": 1,
            "amounts": [{"currency": "USD", "net": "11", "expectancy": "3.67", "profitFactor": "3.7500000000"}],
        },
        "strategies": [{"strategy": "dip", "trips": 2}, {"strategy": None, "trips": 1}],
    }  # fmt: skip
    assert (tagged["overall"]["strategy"], tagged["overall"]["trips"]) == ("dip", 2)
