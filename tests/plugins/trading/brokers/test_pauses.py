"""What questions weigh at Binance, and when a broker is left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from plugins.trading.brokers.catalog import VENUES
from plugins.trading.brokers.port import BrokerBusy, OutcomeUnknown
from tests.doubles.brokers import KEY, SECRET
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
async def test_after_a_firewall_has_shut_us_out_nothing_is_sent_for_a_minute_and_what_was_sent_is_open(id: str) -> None:
    """https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information#http-return-codes"""
    async with linked(id) as (link, venue, clock):
        broker, other = (VENUES[id].join(link, key, SECRET) for key in (KEY, "another"))
        await broker.place(ticket())
        venue.proxy = 403

        with pytest.raises(OutcomeUnknown, match=rf"^{id}.* status 403$"):
            await broker.place(ticket("ord_2"))
        asked = len(venue.asked)
        with pytest.raises(BrokerBusy) as busy:
            await broker.place(ticket("ord_3"))
        with pytest.raises(BrokerBusy):
            await broker.find(ref("ord_2"))

        assert (busy.value.after, broker.busy(), other.busy(), len(venue.asked)) == (60, 60, 60, asked)
        venue.proxy = None
        await clock.turn(60)
        found = await broker.find(ref("ord_2"))
        assert (found is not None, broker.busy()) == (True, 0)
