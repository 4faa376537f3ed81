"""Revocations: at once in the process that did it, within a second elsewhere, within ten without messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cachetools import TTLCache
from sqlalchemy import event

from gateway.core.bus import LocalBus, Message
from gateway.core.identity import Principal, Role
from gateway.core.ports import Authenticator, Presented
from gateway.core.redis import RedisBus
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.sessions.authenticator import MOST_HELD, AccountAuthenticator
from plugins.accounts.sessions.desk import Issued, SessionDesk, Spoiled
from plugins.accounts.sessions.news import named_in
from plugins.accounts.sessions.standing import Standing
from plugins.accounts.sessions.watches import CHANGED, EXPIRED, REVOKED, SUSPENDED
from plugins.billing.plans.catalog import BUILT_IN, PlanRow
from plugins.billing.plans.desk import PlanDesk
from schema.errors import Unauthenticated
from tests.gateway.doubles import ManualClock
from tests.house import House, open_house
from tests.plugins.accounts.keys.holders import UPDATE, holder
from tests.plugins.accounts.sessions.people import Person, browser, join, settle, sign_in
from tests.servers import restartable_valkey

LEAVE = "mutation { r: organisationLeave { userErrors { code } } }"
SWITCH = "mutation($id: ID!) { r: organisationSwitch(input: {id: $id}) { userErrors { code } } }"


class LinkedBus(LocalBus):
    """Delivers to the buses of other processes too."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[LocalBus] = []

    async def publish(self, topic: str, message: Message) -> None:
        await super().publish(topic, message)
        for other in self.others:
            await LocalBus.publish(other, topic, message)


async def soon(check: Callable[[], Awaitable[bool]], seconds: float = 1.0) -> bool:
    """Whether something is so within a time that a test can wait."""
    for _ in range(int(seconds * 100)):
        if await check():
            return True
        await asyncio.sleep(0.01)
    return False


@dataclass
class Stream:
    """What a socket knows of its end."""

    reasons: list[str] = field(default_factory=list)

    async def ended(self) -> list[str]:
        """After a second at most; the streams' own looks are under way."""
        await soon(self.has_ended)
        return self.reasons

    async def has_ended(self) -> bool:
        return bool(self.reasons)


Pair = tuple[House, House]


async def pair(database: str, folder: Path, buses: tuple[Any, Any]) -> AsyncIterator[Pair]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(open_house(database, folder, clock=clock, bus=bus)) for bus in buses
        ]
        yield first, second


@pytest.fixture
async def linked(database: str, tmp_path: Path) -> AsyncIterator[Pair]:
    buses = LinkedBus(), LinkedBus()
    buses[0].others.append(buses[1])
    buses[1].others.append(buses[0])
    async for houses in pair(database, tmp_path, buses):
        yield houses


@pytest.fixture
async def deaf(database: str, tmp_path: Path) -> AsyncIterator[Pair]:
    async for houses in pair(database, tmp_path, (LocalBus(), LocalBus())):
        yield houses


@pytest.fixture
async def apart(database: str, tmp_path: Path, redis_url: str) -> AsyncIterator[Pair]:
    """Two processes that hear each other through a real Redis."""
    buses = RedisBus(redis_url), RedisBus(redis_url)
    async for houses in pair(database, tmp_path, buses):

        async def connected() -> bool:
            return all(bus.connected for bus in buses)

        assert await soon(connected, 5)
        yield houses


async def known(house: House, token: str) -> Principal | None:
    try:
        return await house.host.service(Authenticator).authenticate(
            Presented(authorization=f"Bearer {token}", client_ip="127.0.0.1")
        )
    except Unauthenticated:
        return None


async def watched(house: House, token: str) -> Stream:
    principal, stream = await known(house, token), Stream()
    assert principal is not None
    house.host.service(Authenticator).watch(principal, stream.reasons.append)
    return stream


async def revoke(house: House, session: str) -> None:
    async with house.store.write() as tx:
        await house.host.service(SessionDesk).revoke(tx, session, "revoked")


async def test_a_revocation_holds_at_once_here_and_with_the_message_elsewhere(linked: Pair):
    first, _ = linked
    issued = await sign_in(first, await settle(first))
    assert [await known(house, issued.access_token) is not None for house in linked] == [True, True]
    streams = [await watched(house, issued.access_token) for house in linked]

    await revoke(first, issued.session_id)

    assert [await known(house, issued.access_token) for house in linked] == [None, None]
    assert [await stream.ended() for stream in streams] == [[REVOKED], [REVOKED]]


async def test_through_redis_a_revocation_holds_elsewhere_within_a_second(apart: Pair):
    first, second = apart
    issued = await sign_in(first, await settle(first))
    streams = [await watched(house, issued.access_token) for house in apart]

    await revoke(first, issued.session_id)

    assert await known(first, issued.access_token) is None

    async def unknown() -> bool:
        return await known(second, issued.access_token) is None

    assert await soon(unknown)
    assert [await stream.ended() for stream in streams] == [[REVOKED], [REVOKED]]


async def test_without_messages_a_revocation_holds_within_ten_seconds(deaf: Pair):
    first, second = deaf
    issued = await sign_in(first, await settle(first))
    await known(second, issued.access_token)
    stream = await watched(second, issued.access_token)

    await revoke(first, issued.session_id)
    here, elsewhere = await known(first, issued.access_token), await known(second, issued.access_token)
    first.clock.turn(10)
    after = await known(second, issued.access_token)
    await second.host.service(AccountAuthenticator).recheck()

    assert (here, elsewhere is not None, after) == (None, True, None)
    assert stream.reasons == [REVOKED]


async def test_after_a_gap_nothing_that_is_held_is_believed(deaf: Pair, monkeypatch: pytest.MonkeyPatch):
    first, second = deaf
    issued = await sign_in(first, await settle(first))
    stream = await watched(second, issued.access_token)
    await revoke(first, issued.session_id)

    second.host.service(AccountAuthenticator)._missed()

    assert await known(second, issued.access_token) is None
    assert await stream.ended() == [REVOKED]


async def test_a_message_during_the_look_is_not_overtaken_by_it(house: House, monkeypatch: pytest.MonkeyPatch):
    issued = await sign_in(house, await settle(house))
    authenticator = house.host.service(AccountAuthenticator)
    limits = authenticator._limits

    async def slow(*given: Any) -> Any:
        monkeypatch.setattr(authenticator, "_limits", limits)
        found = await limits(*given)
        await revoke(house, issued.session_id)
        return found

    monkeypatch.setattr(authenticator, "_limits", slow)

    assert await known(house, issued.access_token) is None
    assert await known(house, issued.access_token) is None


async def test_streams_of_a_suspended_organisation_close_and_those_of_others_go_on(house: House):
    ada, eve = await settle(house), await settle(house, "eve@example.com", "Elsewhere")
    tokens = [(await sign_in(house, person)).access_token for person in (ada, eve)]
    async with house.store.write() as tx:
        _, key = await house.host.service(KeyDesk).create(
            tx, ada.tenant, name="robot", scopes=["market:read"], created_by=ada.id
        )
    streams = [await watched(house, text) for text in (tokens[0], key, tokens[1])]

    async with house.store.write() as tx:
        await house.host.service(OrganisationDesk).set_status(tx, ada.tenant, "suspended", None)

    assert [await stream.ended() for stream in streams[:2]] == [[SUSPENDED], [SUSPENDED]]
    assert streams[2].reasons == []


async def test_another_plan_closes_streams_which_would_keep_the_old_limits(house: House):
    person = await settle(house)
    issued = await sign_in(house, person)
    stream = await watched(house, issued.access_token)

    async with house.store.write() as tx:
        await house.host.service(OrganisationDesk).set_plan(tx, person.tenant, "pro")

    ended, found = await stream.ended(), await known(house, issued.access_token)
    assert (ended, found is not None and found.limits.plan) == ([CHANGED], "pro")


async def test_a_plan_that_is_redefined_holds_at_once_and_closes_its_streams_alone(house: House):
    ada, eve = await settle(house), await settle(house, "eve@example.com", "Elsewhere")
    plans, desk = house.host.service(PlanDesk), house.host.service(OrganisationDesk)
    row = PlanRow(**{**{name: getattr(BUILT_IN["pro"], name) for name in PlanRow.__slots__}, "name": "house"})
    async with house.store.write() as tx:
        await plans.define(tx, row)
        await desk.set_plan(tx, ada.tenant, "house")
    tokens = [(await sign_in(house, person)).access_token for person in (ada, eve)]
    streams = [await watched(house, token) for token in tokens]

    async with house.store.write() as tx:
        await plans.define(tx, replace(row, points_per_minute=7))

    found = await known(house, tokens[0])
    assert found is not None
    assert found.limits.points_per_minute == 7
    assert [await streams[0].ended(), streams[1].reasons] == [[CHANGED], []]


@pytest.mark.parametrize("change", [{"networks": ["203.0.113.0/24"]}, {"origins": ["https://example.com"]}])
async def test_another_place_that_a_key_is_good_from_closes_its_streams(house: House, change: dict[str, Any]):
    acme = await holder(house)
    stream = await watched(house, acme.secret)

    await acme.ask(UPDATE, id=acme.id, **change)

    assert await stream.ended() == [CHANGED]


@pytest.mark.parametrize("way", ["leave", "switch"])
async def test_who_goes_elsewhere_leaves_no_browsers_token_behind(house: House, way: str):
    owner = await settle(house)
    member = await join(house, owner, "eve@example.com", Role.ADMIN)
    elsewhere = await settle(house, "eve@example.com", "Elsewhere")
    issued = await sign_in(house, member)
    async with house.store.write() as tx:
        _, text = await house.host.service(KeyDesk).mint(
            tx, owner.tenant, parent=issued.session_id, scopes=["members:read"], expires_at=issued.expires_at
        )
    stream = await watched(house, text)

    if way == "leave":
        answer = await house.ask(LEAVE, token=issued.access_token)
    else:
        answer = await house.ask(SWITCH, {"id": elsewhere.tenant}, token=issued.access_token)

    assert answer["data"]["r"] == {"userErrors": []}
    assert await known(house, text) is None
    assert await stream.ended() == [REVOKED]


async def test_what_expires_while_a_message_is_heard_stops_nobody(house: House):
    authenticator, owner = house.host.service(AccountAuthenticator), await settle(house)
    now = 0.0

    def passing() -> float:
        nonlocal now
        now += 0.001
        return now

    held: TTLCache[bytes, Standing] = TTLCache(MOST_HELD, 2.0, passing)
    authenticator._good = held
    for number in range(1_000):
        principal = Principal(tenant=owner.tenant, user=f"usr_{number}", session=f"ses_{number}")
        held[number.to_bytes(2)] = Standing(principal=principal, named=named_in(principal))

    authenticator._heard({"kind": "tenant", "id": owner.tenant})

    assert len(held) == 0


async def test_without_the_database_a_stream_ends_with_its_access_token(house: House, monkeypatch: pytest.MonkeyPatch):
    issued = await sign_in(house, await settle(house))
    house.clock.turn(899.8)
    stream = await watched(house, issued.access_token)

    def away() -> None:
        raise ConnectionRefusedError("away")

    monkeypatch.setattr(house.store, "read", away)
    house.host.service(AccountAuthenticator)._missed()
    await asyncio.sleep(0.01)
    before = list(stream.reasons)
    house.clock.turn(0.2)

    assert (before, await stream.ended()) == ([], [EXPIRED])


async def test_a_failed_write_forgets_no_use(house: House, monkeypatch: pytest.MonkeyPatch):
    issued, authenticator = await sign_in(house, await settle(house)), house.host.service(AccountAuthenticator)
    house.clock.turn(120)
    assert await known(house, issued.access_token) is not None
    write = house.store.write

    def away() -> None:
        raise ConnectionRefusedError("away")

    monkeypatch.setattr(house.store, "write", away)
    with pytest.raises(ConnectionRefusedError):
        await authenticator.write_seen()
    monkeypatch.setattr(house.store, "write", write)
    await authenticator.write_seen()

    async with house.store.read() as tx:
        row = await house.host.service(SessionDesk).sessions.find(tx, issued.session_id)
    assert row is not None
    assert row.last_seen_at == house.clock.now()


async def test_two_processes_that_write_the_same_uses_do_not_block_each_other(linked: Pair):
    person, seats = await settle(linked[0]), 30
    tokens = [(await sign_in(linked[0], person)) for _ in range(seats)]
    for round_ in range(3):
        linked[0].clock.turn(120)
        for house, order in zip(linked, (tokens, tokens[::-1]), strict=True):
            house.host.service(AccountAuthenticator)._missed()
            for issued in order:
                assert await known(house, issued.access_token) is not None, round_
        await asyncio.gather(*(house.host.service(AccountAuthenticator).write_seen() for house in linked))


async def test_switching_and_refreshing_at_once_do_not_block_each_other(house: House):
    person, desk = await settle(house), house.host.service(SessionDesk)

    async def switch(issued: Issued) -> Issued:
        async with house.store.write() as tx:
            return await desk.switch(tx, issued.session_id, person.tenant)

    async def refresh(issued: Issued) -> Issued | Spoiled:
        async with house.store.write() as tx:
            return await desk.refresh(tx, issued.refresh_token or "")

    for _ in range(10):
        issued = await sign_in(house, person)
        switched, _ = await asyncio.gather(switch(issued), refresh(issued))
        assert switched.refresh_token is not None


async def test_with_a_redis_that_hangs_many_revocations_hold_at_once_and_end_soon(sqlite_url: str, tmp_path: Path):
    with restartable_valkey() as server:
        async with open_house(sqlite_url, tmp_path, bus=RedisBus(server.url)) as house:
            person = await settle(house)
            tokens = [(await sign_in(house, person)).access_token for _ in range(40)]
            assert None not in [await known(house, token) for token in tokens]
            server.freeze()
            begun = time.perf_counter()

            async def revoke_all() -> None:
                async with house.store.write() as tx:
                    await house.host.service(SessionDesk).revoke_user(tx, person.id, "stolen")

            revoking = asyncio.create_task(revoke_all())
            await asyncio.sleep(0.25)
            left = [await known(house, token) for token in tokens]
            await revoking
            took = time.perf_counter() - begun
            server.thaw()

    assert left == [None] * 40
    assert took < 1.5


async def test_many_streams_are_looked_at_by_a_few_queries(house: House):
    person = await settle(house)
    principal = await known(house, (await sign_in(house, person)).access_token)
    assert principal is not None
    authenticator, streams = house.host.service(AccountAuthenticator), [Stream() for _ in range(600)]
    for number, stream in enumerate(streams):
        authenticator.watch(replace(principal, session=f"ses_gone{number}"), stream.reasons.append)
    asked: list[str] = []
    engine = house.store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    await authenticator.recheck()

    assert all(stream.reasons == [REVOKED] for stream in streams)
    assert len([text for text in asked if "accounts_sessions" in text]) == 2


async def test_a_lesser_role_closes_streams_and_a_greater_one_does_not(house: House):
    owner = await settle(house)
    member = await join(house, owner, "eve@example.com", Role.ANALYST)
    issued = await sign_in(house, member)
    desk, sessions = house.host.service(OrganisationDesk), house.host.service(SessionDesk)
    seen = []
    for role in (Role.TRADER, Role.VIEWER):
        stream = await watched(house, issued.access_token)
        async with house.store.write() as tx:
            await desk.members.set_role(tx, owner.tenant, member.id, role)
            await sessions.credential_revoked(tx, "user", member.id)
        await house.host.service(AccountAuthenticator).recheck()
        seen.append(list(stream.reasons))

    assert seen == [[], [CHANGED]]


async def test_a_stream_ends_with_its_access_token(house: House):
    issued = await sign_in(house, await settle(house))
    stream = await watched(house, issued.access_token)
    authenticator = house.host.service(AccountAuthenticator)

    house.clock.turn(899)
    await authenticator.recheck()
    before = list(stream.reasons)
    house.clock.turn(1)
    await authenticator.recheck()

    assert (before, stream.reasons) == ([], [EXPIRED])


async def test_a_browsers_stream_lives_as_long_as_its_session_is_used(house: House):
    issued = await sign_in(house, await settle(house), cookie=True)
    authenticator, stream = house.host.service(AccountAuthenticator), Stream()

    async def asked() -> Principal:
        headers = browser(issued)["cookie"]
        cookies = dict(each.split("=", 1) for each in headers.split("; "))
        return await authenticator.authenticate(Presented(cookies=cookies))

    authenticator.watch(await asked(), stream.reasons.append)
    for _ in range(3):
        house.clock.turn(6 * 86_400)
        await asked()
        await authenticator.write_seen()
        await authenticator.recheck()
    lived = list(stream.reasons)
    house.clock.turn(7 * 86_400)
    await authenticator.recheck()

    assert (lived, stream.reasons) == ([], [REVOKED])


async def test_a_timer_ends_a_stream_where_no_worker_looks(house: House):
    issued = await sign_in(house, await settle(house))
    house.clock.turn(899.9)
    stream = await watched(house, issued.access_token)
    house.clock.turn(0.1)

    assert await stream.ended() == [EXPIRED]


async def test_who_stopped_watching_hears_nothing(house: House):
    issued = await sign_in(house, await settle(house))
    principal, stream = await known(house, issued.access_token), Stream()
    assert principal is not None
    end = house.host.service(Authenticator).watch(principal, stream.reasons.append)

    end()
    await revoke(house, issued.session_id)
    await house.host.service(AccountAuthenticator).recheck()

    assert stream.reasons == []


async def test_only_so_many_credentials_are_held(house: House):
    authenticator = house.host.service(AccountAuthenticator)

    assert (authenticator._good.maxsize, authenticator._bad.maxsize) == (10_000, 10_000)
    assert (authenticator._good.ttl, authenticator._bad.ttl) == (9.0, 9.0)


async def test_a_token_of_a_browser_ends_with_the_session_that_minted_it(house: House):
    person: Person = await settle(house)
    issued = await sign_in(house, person)
    async with house.store.write() as tx:
        _, text = await house.host.service(KeyDesk).mint(
            tx, person.tenant, parent=issued.session_id, scopes=["market:read"], expires_at=issued.expires_at
        )
    stream = await watched(house, text)

    await revoke(house, issued.session_id)

    assert await known(house, text) is None
    assert await stream.ended() == [REVOKED]
