"""When a stream that is under way is closed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from cachetools import TTLCache
from sqlalchemy import event

from gateway.core.identity import Principal, Role
from gateway.core.ports import Authenticator, Presented
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.sessions.authenticator import MOST_HELD, AccountAuthenticator
from plugins.accounts.sessions.desk import SessionDesk
from plugins.accounts.sessions.news import named_in
from plugins.accounts.sessions.standing import Standing
from plugins.accounts.sessions.watches import CHANGED, EXPIRED, REVOKED, SUSPENDED
from plugins.billing.plans.catalog import BUILT_IN, PlanRow
from plugins.billing.plans.desk import PlanDesk
from tests.house import House
from tests.plugins.accounts.keys.holders import UPDATE, holder
from tests.plugins.accounts.sessions.people import browser, join, settle, sign_in
from tests.plugins.accounts.sessions.watching import Stream, known, revoke, watched


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
