"""Sockets of a whole gateway: credentials at `connection_init`, cookies, limits, and what ends a credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import strawberry
from sqlalchemy import select

from gateway.app import create_app
from gateway.core.contract import Ctx, Plugin
from gateway.domains import load_plugins
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.sessions.authenticator import AccountAuthenticator
from plugins.accounts.sessions.desk import SessionDesk
from plugins.accounts.tables import attempts, sessions
from schema.facts import facts
from schema.scopes import Scope
from tests.gateway.edge.sockets import Peer, dialled, serving, settled
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import Person, browser, settle, sign_in

INIT = {"type": "connection_init"}
VIEWER = "{ viewer { user { email } } }"
TENANT = "{ viewer { tenant { name } } }"
MARKET = '{ instruments(search: "bitcoin", first: 1) { nodes { id } } }'
PULSE = "subscription { pulse }"
END = "mutation { sessionEnd { session { id } } }"
NOT_VALID = (4401, "UNAUTHENTICATED: The credential is not valid: sign in again, or send another API key.")


@strawberry.type
class Query:
    idle: bool = strawberry.field(resolver=lambda: True, metadata=facts())


async def resolve_pulse(info: Ctx) -> AsyncGenerator[int]:
    yield 1
    await asyncio.Event().wait()


@strawberry.type
class Subscription:
    pulse = strawberry.subscription(resolver=resolve_pulse, metadata=facts(needs=Scope.STREAM_READ))


@dataclass
class Place:
    """A gateway that serves sockets, and its first person."""

    house: House
    url: str
    person: Person

    @property
    def origin(self) -> str:
        return f"http://{self.url.split('/')[2]}"


@pytest.fixture
async def place(database: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        found = [*load_plugins(third_party=False), Plugin(name="pulse", query=Query, subscription=Subscription)]
        house = await stack.enter_async_context(open_house(database, tmp_path, found=found, anonymous=False))
        app = create_app(house.gateway.settings, gateway=house.gateway)
        url = await stack.enter_async_context(serving(app))
        yield Place(house, url, await settle(house))


async def begin(peer: Peer) -> None:
    """Open the stream; it lives when its first event has come."""
    await peer.ask(PULSE, "pulse")
    assert (await peer.hear())["payload"]["data"] == {"pulse": 1}


async def code_of(peer: Peer, document: str) -> str | None:
    """The code of an operation's first error; None for an answer."""
    await peer.ask(document, "asked")
    answer = await peer.hear()
    if answer["type"] == "error":
        return str(answer["payload"][0]["extensions"]["code"])
    assert await peer.hear() == {"type": "complete", "id": "asked"}
    errors = answer["payload"].get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else None


async def make_key(place: Place, *scopes: Scope) -> tuple[str, str]:
    """Id and text of an API key."""
    async with place.house.store.write() as tx:
        row, text = await place.house.host.service(KeyDesk).create(
            tx, place.person.tenant, name="feed", scopes=[scope.value for scope in scopes], created_by=place.person.id
        )
    return row.id, text


async def test_a_person_a_key_and_a_browser_are_known_on_a_socket(place: Place):
    issued = await sign_in(place.house, place.person)
    page = await sign_in(place.house, place.person, cookie=True)
    _, key = await make_key(place, Scope.MARKET_READ, Scope.STREAM_READ)
    ways: list[tuple[dict[str, str], dict[str, str], str]] = [
        ({"Authorization": f"Bearer {issued.access_token}"}, {}, VIEWER),
        ({}, {"authorization": f"Bearer {issued.access_token}"}, VIEWER),
        ({"apiKey": key}, {}, MARKET),
        ({}, {"x-api-key": key}, MARKET),
        ({}, {"cookie": browser(page)["cookie"], "origin": place.origin}, VIEWER),
    ]

    for payload, headers, document in ways:
        async with dialled(place.url, headers=headers) as peer:
            await peer.initialise(payload)
            data = await peer.answer(document)

        if document == VIEWER:
            assert data == {"viewer": {"user": {"email": "ada@example.com"}}}


async def test_a_key_may_on_a_socket_what_its_scopes_allow(place: Place):
    _, key = await make_key(place, Scope.MARKET_READ)

    async with dialled(place.url) as peer:
        await peer.initialise({"apiKey": key})

        assert await code_of(peer, MARKET) is None
        assert await code_of(peer, PULSE) == "FORBIDDEN"


async def test_nobody_gets_a_socket_and_nothing_else_where_anonymous_callers_get_nothing(place: Place):
    async with dialled(place.url) as peer:
        await peer.initialise()

        assert await code_of(peer, MARKET) == "UNAUTHENTICATED"
        assert await code_of(peer, PULSE) == "UNAUTHENTICATED"


def forged(place: Place, token: str, **changes: Any) -> dict[str, str]:
    """Tokens that must not be believed, by what is wrong with them."""
    claims = jwt.decode(token, options={"verify_signature": False})
    now, key = int(place.house.clock.now().timestamp()), place.house.host.vault.keys("jwt")[0]

    def signed(secret: bytes = key, **otherwise: Any) -> str:
        return jwt.encode({**claims, **otherwise}, secret, algorithm="HS256")

    return {
        "alg none": jwt.encode(claims, "", algorithm="none"),
        "another key": signed(b"x" * 32),
        "expired": signed(exp=now - 1),
        "not yet valid": signed(nbf=now + 600),
        "another audience": signed(aud="elsewhere"),
        "another issuer": signed(iss="https://evil.example"),
        "another session": signed(sid="ses_00000000000000000000"),
        "10 kB": signed(padding="x" * 10_000),
        "cut off": token[:-2],
        "no token": "nonsense",
        "not ASCII": "ü",
        "empty": "",
    }


async def test_tokens_that_are_not_to_be_believed_are_refused_alike(place: Place):
    issued = await sign_in(place.house, place.person)
    heard = {}

    for name, token in forged(place, issued.access_token).items():
        async with dialled(place.url) as peer:
            await peer.say({**INIT, "payload": {"authorization": f"Bearer {token}"}})
            await peer.ask(END)
            heard[name] = await peer.end()
    for name, payload in {
        "a number": {"authorization": 7},
        "a list": {"apiKey": ["x"]},
        "basic": {"authorization": "Basic eDp4"},
    }.items():
        async with dialled(place.url) as peer:
            await peer.say({**INIT, "payload": payload})
            heard[name] = await peer.end()

    assert {name: end for name, end in heard.items() if end != NOT_VALID} == {}
    async with dialled(place.url) as peer:
        await peer.initialise({"authorization": f"Bearer {issued.access_token}"})
        assert await code_of(peer, VIEWER) is None


async def test_a_cookie_counts_from_the_gateways_own_page_alone(place: Place):
    page = await sign_in(place.house, place.person, cookie=True)
    cookie = browser(page)["cookie"]

    async with dialled(place.url, headers={"cookie": cookie, "origin": "https://evil.example"}) as peer:
        await peer.say(INIT)
        foreign = await peer.end()
    async with dialled(place.url, headers={"cookie": cookie}) as peer:
        await peer.initialise()
        without_origin = await code_of(peer, END)
    async with dialled(place.url, headers={"cookie": cookie, "origin": place.origin}) as peer:
        await peer.initialise()
        own = await peer.answer(END)

    assert foreign[0] == 4403
    assert without_origin == "CSRF_FAILED"
    assert own == {"sessionEnd": {"session": {"id": page.session_id}}}


async def test_a_secret_key_does_not_belong_into_a_page(place: Place):
    _, key = await make_key(place, Scope.MARKET_READ)

    async with dialled(place.url, headers={"origin": "https://app.example"}) as peer:
        await peer.say({**INIT, "payload": {"apiKey": key}})
        code, reason = await peer.end()

    assert code == 4403
    assert reason.startswith("CREDENTIAL_NOT_ALLOWED: ")


# --- What ends a credential


async def end_session(place: Place, issued: Any, key_id: str) -> None:
    async with place.house.store.write() as tx:
        await place.house.host.service(SessionDesk).revoke(tx, issued.session_id, "signed_out")


async def end_key(place: Place, issued: Any, key_id: str) -> None:
    document = "mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { userErrors { code } } }"
    answer = await place.house.ask(document, {"input": {"id": key_id}}, token=issued.access_token)
    assert answer["data"]["apiKeyRevoke"]["userErrors"] == []


async def suspend(place: Place, issued: Any, key_id: str) -> None:
    async with place.house.store.write() as tx:
        await place.house.host.service(OrganisationDesk).set_status(tx, place.person.tenant, "suspended", "unpaid")


ENDS = [(end_session, "person"), (end_key, "key"), (suspend, "person"), (suspend, "key")]


@pytest.mark.parametrize(("act", "who"), ENDS, ids=["session", "key", "suspended person", "suspended key"])
async def test_a_socket_ends_with_its_credential_within_a_second(place: Place, act: Any, who: str):
    issued = await sign_in(place.house, place.person)
    other = await sign_in(place.house, await settle(place.house, "grace@example.com", "Compilers"))
    key_id, key = await make_key(place, Scope.STREAM_READ)
    shown = {"person": {"authorization": f"Bearer {issued.access_token}"}, "key": {"apiKey": key}}[who]

    async with dialled(place.url) as peer, dialled(place.url) as bystander:
        await peer.initialise(shown)
        await bystander.initialise({"authorization": f"Bearer {other.access_token}"})
        await begin(peer)
        await begin(bystander)
        await act(place, issued, key_id)
        async with asyncio.timeout(10):
            code, reason = await peer.end()

        assert code == 4403
        assert ("suspended" in reason) is (act is suspend)
        assert await code_of(bystander, TENANT) is None


async def test_a_socket_ends_when_its_token_expires(place: Place):
    issued = await sign_in(place.house, place.person)

    async with dialled(place.url) as peer:
        await peer.initialise({"authorization": f"Bearer {issued.access_token}"})
        await begin(peer)
        place.house.clock.turn(901)
        await place.house.host.service(AccountAuthenticator).recheck()
        code, reason = await peer.end()

    assert code == 4403
    assert "expired" in reason


async def test_a_tenant_has_as_many_streams_as_its_plan_allows(place: Place):
    issued = await sign_in(place.house, place.person)
    shown = {"authorization": f"Bearer {issued.access_token}"}

    async with dialled(place.url) as first, dialled(place.url) as second:
        await first.initialise(shown)
        await second.initialise(shown)
        await begin(first)
        await begin(second)
        await first.ask(PULSE, "third")
        refused = await first.hear()
        await second.say({"type": "complete", "id": "pulse"})
        under_way = place.house.gateway.allowances._under_way
        await settled(lambda: under_way.get(("streams", f"tenant:{place.person.tenant}")) == 1)
        await first.ask(PULSE, "third")
        allowed = await first.hear()

    assert (refused["type"], refused["id"]) == ("error", "third")
    extensions = refused["payload"][0]["extensions"]
    assert (extensions["code"], extensions["limit"]) == ("RATE_LIMITED", "streams")
    assert allowed["payload"]["data"] == {"pulse": 1}
    await settled(lambda: not under_way)


async def test_a_tenant_has_only_so_many_sockets(place: Place):
    issued = await sign_in(place.house, place.person)
    shown = {"authorization": f"Bearer {issued.access_token}"}

    async with AsyncExitStack() as stack:
        for _ in range(20):
            peer = await stack.enter_async_context(dialled(place.url))
            await peer.initialise(shown)
        one_more = await stack.enter_async_context(dialled(place.url))
        await one_more.say({**INIT, "payload": shown})
        end = await one_more.end()
        await peer.connection.close()
        under_way = place.house.gateway.allowances._under_way
        await settled(lambda: under_way.get(("sockets", f"tenant:{place.person.tenant}")) == 19)
        instead = await stack.enter_async_context(dialled(place.url))
        await instead.initialise(shown)

    assert end == (
        4403, "RATE_LIMITED: 20 sockets at a time are allowed, and as many are open: use one of them, or close one.",
    )  # fmt: skip
    await settled(lambda: not under_way)


async def test_a_socket_opens_no_session_for_a_browser_because_it_carries_no_cookie_back(place: Place):
    document = """mutation { sessionCreate(input: {email: "ada@example.com", password: "a wrong one 7", cookie: true}) {
      session { id } userErrors { code field message } } }"""

    async with dialled(place.url) as peer:
        await peer.initialise({})
        data = await peer.answer(document)

    told = "A browser's session comes with a cookie, which a WebSocket cannot set: send it over HTTP."
    error = {"code": "COOKIE_NEEDS_HTTP", "field": ["input", "cookie"], "message": told}
    assert data == {"sessionCreate": {"session": None, "userErrors": [error]}}
    async with place.house.store.read() as tx:
        assert await tx.values(select(sessions.c.id)) == []
        assert await tx.values(select(attempts.c.id)) == []
