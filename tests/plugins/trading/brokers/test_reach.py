"""A broker out of reach is asked by a few; accounts that alone get no answer delay no others."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.port import AskedTooOften, OutcomeUnknown, Report, Stock
from plugins.trading.brokers.reconciling import Reconciler
from plugins.trading.rows import AccountRow
from plugins.trading.tables import accounts, orders
from tests.plugins.trading import rowsof
from tests.plugins.trading.brokers.room import Room


async def _others(room: Room) -> None:
    """Thirty more accounts at the broker of `tacc_a`, each of an organisation of its own."""
    async with room.house.store.write() as tx:
        for n in range(30):
            row = rowsof.account(id=f"tacc_x{n:02}", tenant_id=f"org_{n:02}", kind="LIVE", broker="alpaca_paper")
            await tx.run(accounts.insert().values(**asdict(row)))


async def _work(room: Room) -> None:
    """An order works in each, so that each is asked about with every look."""
    await room.place("tacc_a")
    (placed,) = await room.orders("tacc_a")
    async with room.house.store.write() as tx:
        for n in range(30):
            there = room.venue("tacc_a").add(
                client_id=f"ord_x{n:02}", symbol="BTC/USD", side="buy", type="limit", tif="gtc",
                quantity=placed.quantity, price="100",
            )  # fmt: skip
            another = {"account_id": f"tacc_x{n:02}", "tenant_id": f"org_{n:02}", "broker_order_id": there.id}
            await tx.run(orders.insert().values(**asdict(placed) | another | {"id": there.client_id}))


class Quiet:
    """A broker at which nothing happens. Some organisations never get an answer, and nobody behind so many accounts:
    they give up once all others are done."""

    def __init__(self, room: Room, monkeypatch: pytest.MonkeyPatch, *mute: str) -> None:
        self._room, self._mute, self.answers = room, frozenset(mute), 31 - len(mute)
        self._account, quiet = Reconciler._account, self

        async def account(reconciler: Reconciler, *given: Any) -> None:
            await quiet._counted(reconciler, *given)

        monkeypatch.setattr(Reconciler, "_account", account)
        monkeypatch.setattr(room.house.host.service(Brokers), "of", self._of)

    async def look(self) -> tuple[int, int]:
        """How many accounts are answered, all of them due, and how many are asked about side by side."""
        self.asked = self._answered = self._most = self._now = 0
        self._done = asyncio.Event()
        self._count()
        self._room.house.clock.turn(300)
        async with asyncio.timeout(5):
            await self._room.house.host.service(Reconciler).look("alpaca_paper")
        return self._answered, self._most

    async def _counted(self, reconciler: Reconciler, *given: Any) -> None:
        seen = given[-1].seen[given[1].id]
        self._now += 1
        self._most = max(self._most, self._now)
        await self._account(reconciler, *given)
        self._now -= 1
        self._answered += seen.whole_at == self._room.house.clock.monotonic()
        self._count()

    def _count(self) -> None:
        if self._answered == self.answers:
            self._done.set()

    async def _of(self, account: AccountRow, *_: Any) -> SimpleNamespace:
        listed = partial(self._open_orders, account.tenant_id)
        return SimpleNamespace(id=account.broker, open_orders=listed, stock=self._stock, asset_of=str)

    async def _open_orders(self, tenant: str) -> list[Report]:
        self.asked += 1
        mute = tenant in self._mute or self.asked - len(self._mute) > self.answers
        await asyncio.sleep(0)
        if mute:
            await self._done.wait()
            raise OutcomeUnknown("no answer")
        return []

    async def _stock(self) -> Stock:
        return Stock()


async def test_accounts_of_a_broker_out_of_reach_rest_but_for_a_few_and_each_has_its_turn(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    a, b = room.venue("tacc_a"), room.venue("tacc_b")
    goes_on, asked = asyncio.Event(), list[str]()

    async def hangs(request: web.Request) -> web.Response:
        asked.append(request.path)
        await goes_on.wait()
        return web.json_response({"message": "no"}, status=504)

    answers = a.answer
    monkeypatch.setattr(a, "answer", hangs)
    placed = (await room.place("tacc_b"))["order"]
    b.fill(b.by_client_id(placed["id"]), "1", "100")

    slow = asyncio.create_task(room.house.host.service(Reconciler).look("alpaca_paper"))
    await room.house.host.service(Reconciler).look("binance_testnet")
    status = (await room.order(placed["id"])).status
    goes_on.set()
    await slow
    rounds = [len(asked)]
    for _ in range(3):
        await room.look()
        rounds.append(len(asked))
    monkeypatch.setattr(a, "answer", answers)
    whole = a.count("GET", "/positions")
    await room.look()

    assert status == "FILLED"
    assert rounds == [8, 10, 12, 14]
    assert a.count("GET", "/positions") == whole + 31


async def test_all_accounts_that_were_to_be_asked_are_looked_at_as_a_whole_once_their_broker_is_back(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    await _work(room)
    a = room.venue("tacc_a")
    for _ in range(2):
        await room.look()
    assert a.count("GET", "/positions") == 31
    answers, asked = a.answer, list[str]()

    async def fails(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"message": "no"}, status=504)

    monkeypatch.setattr(a, "answer", fails)
    for _ in range(3):
        await room.look()
    monkeypatch.setattr(a, "answer", answers)
    assert len(asked) < 31
    for _ in range(5):
        # Its limits allow for some with each look.
        await room.look()

    assert a.count("GET", "/positions") == 31 + 31


async def test_two_accounts_that_never_get_an_answer_delay_no_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    quiet = Quiet(room, monkeypatch, "org_28", "org_29")

    looks = [await quiet.look() for _ in range(3)]

    assert looks == [(29, 8)] * 3


async def test_two_accounts_that_were_left_without_an_answer_come_behind_all_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    quiet = Quiet(room, monkeypatch, "org_00", "org_01")

    looks = [await quiet.look() for _ in range(3)]

    assert looks == [(29, 8)] * 3


async def test_from_the_first_answer_on_all_accounts_of_a_broker_that_is_back_are_looked_at(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    quiet = Quiet(room, monkeypatch)
    quiet.answers = 0
    away = [await quiet.look() for _ in range(2)]
    quiet.answers = 31

    back = await quiet.look()

    assert away == [(0, 8), (0, 2)]
    assert back == (31, 8)


async def test_a_broker_that_is_lost_in_the_midst_of_a_look_is_asked_no_further(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    quiet = Quiet(room, monkeypatch)
    quiet.answers = 9

    look = await quiet.look()

    assert look == (9, 8)
    assert quiet.asked <= 9 + 8 + 8


async def test_a_key_that_has_asked_too_often_again_and_again_comes_before_no_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    quiet, asked = Quiet(room, monkeypatch), list[str]()

    async def listed(quiet: Quiet, tenant: str) -> list[Report]:
        asked.append(tenant)
        if tenant == "org_05":
            raise AskedTooOften("too often", 60)
        return []

    monkeypatch.setattr(Quiet, "_open_orders", listed)
    for _ in range(2):
        await quiet.look()

    assert asked[31:] == asked[:31]
    assert asked[5] == "org_05"


async def test_a_fault_in_one_account_keeps_no_other_of_its_broker_from_being_looked_at(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _others(room)
    looked = []

    async def account(reconciler: Reconciler, brokers: Brokers, row: AccountRow, *given: Any) -> None:
        looked.append(row.id)
        if row.id == "tacc_a":
            given[-1].seen[row.id].cut = True
            raise RuntimeError("a fault")

    monkeypatch.setattr(Reconciler, "_account", account)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="a fault"):
            await room.house.host.service(Reconciler).look("alpaca_paper")

    assert (len(looked), looked[31]) == (62, "tacc_a")
