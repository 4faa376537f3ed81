"""What questions weigh at Binance, and when a broker is left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from aiohttp import web

from plugins.trading.brokers.catalog import VENUES
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import BrokerBusy, KeyRefused, OutcomeUnknown
from tests.doubles.brokers import KEY, SECRET
from tests.plugins.trading.brokers.room import CANCEL, Room
from tests.plugins.trading.brokers.test_adapters import BOTH, joined, linked, ref, ticket


async def test_fills_of_one_order_weigh_five_at_binance() -> None:
    """https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints"""
    async with joined("binance_testnet") as (broker, venue, clock):
        known = ref(broker_id=(await broker.place(ticket())).broker_id)

        async def ask(what: Callable[[], Awaitable[Any]]) -> None:
            while True:
                await what()

        with pytest.raises(BrokerBusy):
            await ask(broker.stock)
        await clock.turn(1)
        with pytest.raises(BrokerBusy):
            await ask(lambda: broker.deals(known, clock.now()))

        # A second brings back 100, and 18 are left.
        assert venue.count("GET", "/myTrades") == 23


@pytest.mark.parametrize("id", BOTH)
async def test_after_a_firewall_has_shut_out_a_key_it_reads_nothing_for_a_minute_and_trades_on(id: str) -> None:
    async with linked(id) as (link, venue, clock):
        broker, other = (VENUES[id].join(link, key, SECRET) for key in (KEY, "another"))
        first = await broker.place(ticket())
        venue.proxy = 403

        with pytest.raises(OutcomeUnknown, match=rf"^{id}.* status 403$"):
            await broker.place(ticket("ord_2"))
        with pytest.raises(BrokerBusy) as busy:
            await broker.find(ref("ord_2"))
        venue.proxy = None

        assert (busy.value.after, broker.busy(), other.busy()) == (60, 0, 0)
        with pytest.raises(KeyRefused):
            await other.stock()
        assert await broker.find(ref("ord_2"), Urgency.ORDER) is not None
        await broker.place(ticket("ord_3"))
        await broker.cancel(ref(broker_id=first.broker_id))
        assert venue.orders[first.broker_id].status == "canceled"
        await clock.turn(60)
        assert await broker.find(ref("ord_2")) is not None


@pytest.mark.parametrize(("account", "path"), [("tacc_a", "/positions"), ("tacc_b", "/openOrders")])
async def test_where_a_firewall_bars_one_path_orders_are_placed_and_cancelled(
    room: Room, account: str, path: str
) -> None:
    venue, open_ = room.venue(account), room.venue(account).answer

    async def barred(request: web.Request) -> web.StreamResponse:
        if request.path.endswith(path):
            return web.Response(text="<html>Forbidden", status=403, content_type="text/html")
        return cast(web.StreamResponse, await open_(request))

    venue.answer = barred
    for _ in range(3):
        await room.look(10)
        id = (await room.place(account))["order"]["id"]
        await room.do(CANCEL, orderId=id)
        assert venue.by_client_id(id).status == "canceled"


@pytest.mark.parametrize(("account", "path"), [("tacc_a", "/orders"), ("tacc_b", "/openOrders")])
async def test_where_a_firewall_bars_the_list_of_open_orders_each_is_looked_at_alone(
    room: Room, account: str, path: str
) -> None:
    venue, open_ = room.venue(account), room.venue(account).answer
    ids = [(await room.place(account))["order"]["id"] for _ in range(5)]

    async def barred(request: web.Request) -> web.StreamResponse:
        if request.method == "GET" and request.path.endswith(path):
            return web.Response(text="<html>Forbidden", status=403, content_type="text/html")
        return cast(web.StreamResponse, await open_(request))

    venue.answer = barred
    for id in ids[:2]:
        venue.fill(venue.by_client_id(id), "1", "100")
        for _ in range(14):
            await room.look(10)
        assert (await room.order(id)).status == "FILLED"
