"""Revocations: at once in the process that did it, within a second elsewhere, within ten without messages."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.core.identity import Role
from gateway.core.redis import RedisBus
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.sessions.authenticator import AccountAuthenticator
from plugins.accounts.sessions.desk import Issued, SessionDesk, Spoiled
from plugins.accounts.sessions.watches import REVOKED
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import Person, join, settle, sign_in
from tests.plugins.accounts.sessions.watching import Pair, known, revoke, soon, watched
from tests.servers import restartable_valkey

LEAVE = "mutation { r: organisationLeave { userErrors { code } } }"
SWITCH = "mutation($id: ID!) { r: organisationSwitch(input: {id: $id}) { userErrors { code } } }"


async def test_a_revocation_holds_at_once_here_and_with_the_message_elsewhere(linked: Pair):
    first, _ = linked
    issued = await sign_in(first, await settle(first))
    assert [await known(house, issued.access_token) is not None for house in linked] == [True, True]
    streams = [await watched(house, issued.access_token) for house in linked]

    await revoke(first, issued.session_id)

    assert [await known(house, issued.access_token) for house in linked] == [None, None]
    assert [await stream.ended() for stream in streams] == [[REVOKED], [REVOKED]]


async def test_through_redis_a_revocation_holds_elsewhere_by_itself(apart: Pair):
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
    # One time-out for each of them would be ten seconds and more.
    assert took < 5


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
