"""Both adapters against doubles that speak the wire format, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.outbound import Outbound
from plugins.trading.brokers import link as links
from plugins.trading.brokers.catalog import VENUES
from plugins.trading.brokers.link import Link
from plugins.trading.brokers.port import (
    Broker,
    BrokerBusy,
    BrokerRefused,
    KeyRefused,
    OutcomeUnknown,
    Reference,
    SendAnew,
    Ticket,
)
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side
from tests.doubles.brokers import (
    BANNED,
    DOWN,
    DOWN_AFTER,
    GARBAGE,
    HANG,
    KEY,
    LIMITED,
    LOST,
    SECRET,
    SLOW,
    AlpacaDouble,
    BinanceDouble,
    Venue,
    serving,
)
from tests.doubles.clocks import HeldClock
from tests.plugins.trading.rowsof import D

BTC = parse_instrument("crypto:BTC/USDT")
BOTH = ("alpaca_paper", "binance_testnet")


@asynccontextmanager
async def linked(id: str) -> AsyncIterator[tuple[Link, Any, HeldClock]]:
    """The way to a broker, its double, and the clock of both."""
    clock, http = HeldClock(), Outbound()
    venue: Venue = AlpacaDouble(clock) if id.startswith("alpaca") else BinanceDouble(clock)
    async with serving({id: venue}) as base:
        try:
            yield Link(http, clock, id, f"{base}/{id}", VENUES[id].pause_s), venue, clock
        finally:
            await http.close()


@asynccontextmanager
async def joined(id: str, secret: str = SECRET) -> AsyncIterator[tuple[Broker, Any, HeldClock]]:
    """A broker by a key, its double, and the clock of both."""
    async with linked(id) as (link, venue, clock):
        yield VENUES[id].join(link, KEY, secret), venue, clock


def ticket(client_id: str = "ord_1", **given: Any) -> Ticket:
    values: dict[str, Any] = {
        "client_id": client_id, "instrument": BTC, "side": Side.BUY, "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC, "quantity": D("0.5"), "limit_price": D(100),
    }  # fmt: skip
    return Ticket(**values | given)


def ref(client_id: str = "ord_1", broker_id: str | None = None) -> Reference:
    return Reference(instrument=BTC, client_id=client_id, broker_id=broker_id)


@pytest.mark.parametrize("id", BOTH)
async def test_an_order_lives_at_both_brokers(id: str) -> None:
    async with joined(id) as (broker, venue, clock):
        placed = await broker.place(ticket())
        assert (placed.client_id, placed.status, placed.filled, placed.limit_price) == (
            "ord_1",
            OrderStatus.ACCEPTED,
            D(0),
            D(100),
        )
        assert (await broker.find(ref())) is not None
        assert await broker.find(ref("ord_2")) is None
        assert [each.client_id for each in await broker.open_orders()] == ["ord_1"]

        replaced = await broker.replace(ref(broker_id=placed.broker_id), ticket("ord_1-1", limit_price=D(101)))
        assert (replaced.client_id, replaced.limit_price) == ("ord_1-1", D(101))
        assert replaced.broker_id != placed.broker_id

        venue.fill(venue.orders[replaced.broker_id], "0.2", "101")
        venue.fill(venue.orders[replaced.broker_id], "0.1", "100.5")
        found = await broker.find(ref(broker_id=replaced.broker_id))
        assert found is not None
        assert (found.status, found.filled) == ("PARTIALLY_FILLED", D("0.3"))
        deals = await broker.deals(ref(broker_id=replaced.broker_id), clock.now() - timedelta(minutes=1))
        assert [(each.quantity, each.price) for each in deals] == [(D("0.2"), 101), (D("0.1"), D("100.5"))]

        await broker.cancel_all([ref(broker_id=replaced.broker_id), ref(broker_id=placed.broker_id)])
        ended = await broker.find(ref(broker_id=replaced.broker_id))
        assert ended is not None
        assert (ended.status, ended.filled) == ("CANCELED", D("0.3"))
        with pytest.raises(BrokerRefused):
            await broker.cancel(ref(broker_id=replaced.broker_id))


async def test_what_took_an_orders_place_counts_for_it_at_alpaca() -> None:
    async with joined("alpaca_paper") as (broker, _, _clock):
        first = await broker.place(ticket())
        second = await broker.replace(ref(broker_id=first.broker_id), ticket("ord_1-1", limit_price=D(101)))
        third = await broker.replace(ref(broker_id=second.broker_id), ticket("ord_1-2", limit_price=D(102)))

        found = await broker.find(ref(broker_id=first.broker_id))

        assert found is not None
        assert (found.broker_id, found.client_id) == (third.broker_id, "ord_1-2")


async def test_what_was_filled_before_an_order_was_replaced_counts_at_alpaca() -> None:
    async with joined("alpaca_paper") as (broker, venue, clock):
        first = await broker.place(ticket())
        venue.fill(venue.orders[first.broker_id], "0.2", "100")
        second = await broker.replace(ref(broker_id=first.broker_id), ticket("ord_1-1", limit_price=D(101)))
        venue.fill(venue.orders[second.broker_id], "0.1", "101")

        found = await broker.find(ref(broker_id=second.broker_id))
        deals = await broker.deals(ref(broker_id=second.broker_id), clock.now() - timedelta(minutes=1))

        assert found is not None
        assert (second.filled, found.filled, [each.quantity for each in deals]) == (
            D("0.2"), D("0.3"), [D("0.2"), D("0.1")]
        )  # fmt: skip
        assert [each.filled for each in await broker.open_orders()] == [D("0.3")]


async def test_a_replacement_after_which_no_more_may_be_asked_is_open_and_not_refused_at_alpaca() -> None:
    async with joined("alpaca_paper") as (broker, venue, _):
        first = await broker.place(ticket())
        venue.left = "5"

        with pytest.raises(OutcomeUnknown, match=r"^alpaca_paper takes no more requests for \d"):
            await broker.replace(ref(broker_id=first.broker_id), ticket("ord_1-1", limit_price=D(101)))

        assert [each.status for each in venue.orders.values()] == ["replaced", "new"]


@pytest.mark.parametrize("id", BOTH)
@pytest.mark.parametrize("what", [LOST, HANG, DOWN, DOWN_AFTER, GARBAGE])
async def test_without_a_clear_answer_the_outcome_is_open_and_nothing_is_sent_again(
    id: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with joined(id) as (broker, venue, _):
        # Connected before: that takes its time on a busy machine.
        await broker.find(ref())
        if what == HANG:
            monkeypatch.setattr(links, "TIMEOUT_S", 0.5)
        venue.faults.append(("POST", "/order" if id.startswith("b") else "/orders", what))

        with pytest.raises(OutcomeUnknown) as error:
            await broker.place(ticket())

        assert sum(method == "POST" for method, _ in venue.asked) == 1
        assert SECRET not in str(error.value)
        assert KEY not in str(error.value)
        monkeypatch.undo()
        found = await broker.find(ref())
        assert (found is None) == (what == DOWN)


@pytest.mark.parametrize("id", BOTH)
@pytest.mark.parametrize("status", [404, 408, 422, 500, 504, 520, 522, 524])
async def test_what_a_proxy_says_decides_nothing(id: str, status: int) -> None:
    async with joined(id) as (broker, venue, _):
        known = ref(broker_id=(await broker.place(ticket())).broker_id)
        venue.proxy = status

        for asked in (
            broker.place(ticket("ord_2")), broker.replace(known, ticket("ord_1-1")), broker.find(known),
            broker.cancel(known),
        ):  # fmt: skip
            with pytest.raises(OutcomeUnknown):
                await asked

        assert {each.client_id for each in venue.orders.values()} == {"ord_1", "ord_2", "ord_1-1"}


async def test_that_alpaca_has_waited_too_long_is_no_refusal() -> None:
    async with joined("alpaca_paper") as (broker, venue, _):
        venue.faults.append(("POST", "/orders", SLOW))

        with pytest.raises(OutcomeUnknown, match=r"^alpaca_paper answered with status 408$"):
            await broker.place(ticket())

        assert len(venue.orders) == 1


@pytest.mark.parametrize("id", BOTH)
async def test_the_same_client_id_makes_no_second_order(id: str) -> None:
    async with joined(id) as (broker, venue, _):
        await broker.place(ticket())

        with pytest.raises(OutcomeUnknown):
            await broker.place(ticket())

        assert len(venue.orders) == 1


@pytest.mark.parametrize("id", BOTH)
async def test_a_refusal_has_the_brokers_words_and_a_bad_key_says_so(id: str) -> None:
    async with joined(id) as (broker, venue, _):
        venue.refuses = "Account has insufficient balance for requested action."
        with pytest.raises(BrokerRefused, match=r"^Account has insufficient balance for requested action\."):
            await broker.place(ticket())
        assert venue.orders == {}

    async with joined(id, secret="another") as (broker, _, _clock):
        with pytest.raises(KeyRefused) as error:
            await broker.place(ticket())
        assert "does not take the key" in str(error.value)
        assert "another" not in f"{error.value} {broker!r}"


async def test_a_key_that_alpaca_has_revoked_is_refused_and_an_order_that_it_forbids_is_not() -> None:
    async with joined("alpaca_paper") as (broker, venue, _):
        venue.refuses = "forbidden."
        with pytest.raises(KeyRefused, match=r"^alpaca_paper does not take the key: forbidden\.$"):
            await broker.place(ticket())

        venue.refuses = "forbidden for this asset"
        with pytest.raises(BrokerRefused) as error:
            await broker.place(ticket())
        assert not isinstance(error.value, KeyRefused)


@pytest.mark.parametrize("id", BOTH)
@pytest.mark.parametrize(("what", "pause"), [(LIMITED, 7), (BANNED, 120)])
async def test_a_broker_that_was_asked_too_often_is_left_alone_for_as_long_as_it_says(
    id: str, what: str, pause: int
) -> None:
    async with joined(id) as (broker, venue, clock):
        await broker.find(ref())
        venue.faults.append(("GET", "/order" if id.startswith("b") else "client_order_id", what))
        with pytest.raises(BrokerBusy) as error:
            await broker.find(ref())
        asked = len(venue.asked)

        with pytest.raises(BrokerBusy):
            await broker.place(ticket())

        assert (error.value.after, broker.busy(), len(venue.asked)) == (pause, pause, asked)
        await clock.turn(pause)
        assert broker.busy() == 0
        await broker.place(ticket())


async def test_whoever_reads_without_a_pause_keeps_no_other_key_from_reading() -> None:
    async with linked("binance_testnet") as (link, venue, clock):
        greedy, other = (VENUES["binance_testnet"].join(link, key, SECRET) for key in (KEY, "another"))
        taken = []

        async def ask() -> None:
            while True:
                await greedy.stock()

        for _ in range(24):
            venue.key, before = KEY, len(venue.asked)
            with pytest.raises(BrokerBusy):
                await ask()
            taken.append(len(venue.asked) - before)
            venue.key = "another"
            await other.open_orders()
            await other.stock()
            await clock.turn(5)

        # All of its share and half of the whole at first, then what is left of 500 each 5 seconds.
        assert taken[:4] == [150, 20, 20, 20]
        assert other.busy() == 0


OFTEN = "Too many new orders; current limit is 50 orders per TEN_SECONDS."
WEIGHT = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."


@pytest.mark.parametrize(
    ("id", "path", "said", "key_cancels", "other_places"),
    [
        ("alpaca_paper", "/orders", {"code": 42910000, "message": "rate limit exceeded"}, False, True),
        ("alpaca_paper", "/orders", {}, False, False),
        ("binance_testnet", "/order", {"code": -1015, "msg": OFTEN}, True, True),
        ("binance_testnet", "/order", {"code": -1003, "msg": WEIGHT}, False, False),
        ("binance_testnet", "/order", {}, False, False),
    ],
)
async def test_a_key_that_has_asked_too_often_keeps_no_other_waiting(
    id: str, path: str, said: dict[str, Any], key_cancels: bool, other_places: bool
) -> None:
    async with linked(id) as (link, venue, clock):
        broker, other = (VENUES[id].join(link, key, SECRET) for key in (KEY, "another"))
        placed = await broker.place(ticket())
        venue.faults.append(("POST", path, LIMITED))
        venue.limited = said

        with pytest.raises(BrokerBusy) as busy:
            await broker.place(ticket("ord_2"))
        asked = len(venue.asked)
        with pytest.raises(BrokerBusy):
            await broker.place(ticket("ord_3"))

        assert (busy.value.after, broker.busy(), len(venue.asked)) == (7, 7, asked)
        assert other.busy() == (0 if other_places else 7)
        with nullcontext() if key_cancels else pytest.raises(BrokerBusy):
            await broker.cancel(ref(broker_id=placed.broker_id))
        await clock.turn(7)
        assert broker.busy() == 0


async def test_binances_clock_is_asked_once_and_again_where_ours_has_gone_wrong() -> None:
    async with joined("binance_testnet") as (broker, venue, _):
        venue.skew = timedelta(seconds=-90)
        await broker.place(ticket())
        await broker.place(ticket("ord_2"))
        assert venue.count("GET", "/time") == 1

        venue.skew = timedelta(seconds=40)
        with pytest.raises(SendAnew) as error:
            await broker.place(ticket("ord_3"))
        await broker.place(ticket("ord_3"))

        told = "Timestamp for this request is outside of the recvWindow. (-1021)"
        assert str(error.value) == f"binance_testnet has refused it for our clock: {told}"
        assert (venue.count("GET", "/time"), venue.count("POST", "/order")) == (2, 4)
        assert len(venue.orders) == 3


async def test_orders_that_never_stop_let_open_ones_be_asked_for_at_alpaca() -> None:
    async with joined("alpaca_paper") as (broker, venue, _):
        venue.left = "200"
        for number in range(200):
            if broker.busy() > 0:
                break
            await broker.place(ticket(f"ord_{number}"))

        found = [await broker.find(ref(f"ord_{number}")) for number in range(36)]

        assert (len(venue.orders), None in found) == (150, False)


async def test_the_brokers_count_tightens_ours() -> None:
    async with joined("alpaca_paper") as (broker, venue, clock):
        for number in range(3):
            await broker.place(ticket(f"ord_{number}"))

        # It said that 150 were left after the first one; a fifth of 200 is kept for orders and for cancelling.
        for _ in range(108):
            await broker.find(ref("ord_0"))
        with pytest.raises(BrokerBusy):
            await broker.find(ref("ord_0"))

        assert (venue.count("GET", "client_order_id"), broker.busy(), clock.slept) == (108, 0, [])


@pytest.mark.parametrize("id", BOTH)
async def test_what_a_broker_holds_is_read(id: str) -> None:
    async with joined(id) as (broker, venue, _):
        venue.cash, venue.units = {"USD": "100.25"}, {"BTCUSD" if id.startswith("a") else "BTC": "0.3"}

        stock = await broker.stock()

        assert {**stock.cash, **stock.units} == {"USD": D("100.25"), "BTCUSD" if id[0] == "a" else "BTC": D("0.3")}
        assert broker.asset_of(parse_instrument("crypto:BTC/USD")) == ("BTCUSD" if id[0] == "a" else "BTC")
