"""From a mutation to a receiver: what was asked for through GraphQL arrives, signed with what GraphQL showed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.core.identity import Role
from gateway.core.ports import Outbox
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.delivery.fanout import FanOut
from plugins.webhooks.events import WebhookEndpointDisabled
from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.webhooks.delivery.receivers import Got, Receiver, answer, listening
from tests.plugins.webhooks.hooks import CREATE, DELIVERIES, RESEND, ROTATE, TEST, UPDATE

SOON_S = 3.0
"""Sooner than the dispatcher looks by itself."""


@pytest.fixture
async def company(house: House) -> Company:
    made = await found(house)
    await made.hire("bob", Role.VIEWER)
    await made.upgrade()
    return made


@pytest.fixture
async def receiver(house: House) -> AsyncIterator[Receiver]:
    """Beside a dispatcher that runs."""
    dispatcher = house.host.service(Dispatcher)
    async with listening() as listener:
        running = asyncio.create_task(dispatcher.run())
        yield listener
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await dispatcher.finish()


async def arrival(receiver: Receiver, number: int = 1) -> Got:
    """The request of a number, once it is there."""
    come = asyncio.Event()
    receiver.on_got = lambda _: come.set()
    async with asyncio.timeout(SOON_S):
        while len(receiver.got) < number:
            await come.wait()
            come.clear()
    return receiver.got[number - 1]


def signature(secret: str, got: Got) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


async def make(company: Company, url: str, **given: Any) -> tuple[dict[str, Any], str]:
    payload = await company.ask("ada", CREATE, url=url, eventTypes=["*"], **given)
    assert payload["userErrors"] == []
    return payload["webhookEndpoint"], payload["secret"]


async def test_a_test_arrives_at_once_signed_and_with_the_endpoints_headers(company: Company, receiver: Receiver):
    endpoint, secret = await make(
        company, receiver.url("/in"), signing="ED25519", headers=[{"name": "Authorization", "value": "Bearer s3cret"}]
    )

    delivery = (await company.ask("ada", TEST, id=endpoint["id"], eventType="provider.degraded"))["delivery"]

    got = await arrival(receiver)
    assert (got.path, got.id, got.headers["authorization"]) == ("/in", delivery["eventId"], "Bearer s3cret")
    body = json.loads(got.body)
    assert (body["type"], body["data"]["id"], body["data"]["mode"]) == ("provider.degraded", got.id, "SIMULATED")
    shared, asymmetric = got.headers["webhook-signature"].split(" ")
    if shared.startswith("v1a"):
        shared, asymmetric = asymmetric, shared
    assert shared == signature(secret, got)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(endpoint["publicKey"].removeprefix("whpk_")))
    signed = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key.verify(base64.b64decode(asymmetric.removeprefix("v1a,")), signed)


async def test_what_failed_is_seen_and_arrives_again_under_the_same_id(company: Company, receiver: Receiver):
    receiver.answers["/in"] = [answer(500, b"not now"), answer(204)]
    endpoint, _ = await make(company, receiver.url("/in"))
    delivery = (await company.ask("ada", TEST, id=endpoint["id"]))["delivery"]
    await arrival(receiver)
    first = await settled(company, endpoint["id"], "RETRYING")
    company.house.clock.turn(1)

    await company.ask("ada", RESEND, id=delivery["id"])

    again = await arrival(receiver, 2)
    assert [got.id for got in receiver.got] == [delivery["eventId"]] * 2
    assert again.headers["webhook-timestamp"] > receiver.got[0].headers["webhook-timestamp"]
    shown = await settled(company, endpoint["id"], "SUCCEEDED")
    line = first["attempts"][0]
    assert line["url"] == receiver.url("/in")
    assert (line["responseStatus"], line["error"], line["responseExcerpt"]) == (500, "it answered 500", "not now")
    assert [each["responseStatus"] for each in shown["attempts"]] == [500, 204]
    assert shown["nextAttemptAt"] is None


async def settled(company: Company, id: str, status: str) -> dict[str, Any]:
    """The newest delivery, once it is so."""
    async with asyncio.timeout(SOON_S):
        while True:
            body = await company.house.ask(DELIVERIES, {"id": id}, token=company.tokens["ada"])
            node: dict[str, Any] = body["data"]["node"]["deliveries"]["nodes"][0]
            if node["status"] == status:
                return node
            await asyncio.sleep(0.01)


async def test_while_both_secrets_sign_each_of_them_verifies(company: Company, receiver: Receiver):
    endpoint, old = await make(company, receiver.url("/in"))
    # What was read of the endpoint before a change is not used after it.
    await company.ask("ada", TEST, id=endpoint["id"])
    await arrival(receiver)
    await settled(company, endpoint["id"], "SUCCEEDED")
    company.house.clock.turn(1)
    new = (await company.ask("ada", ROTATE, id=endpoint["id"]))["secret"]

    await company.ask("ada", TEST, id=endpoint["id"])

    got = await arrival(receiver, 2)
    assert set(got.headers["webhook-signature"].split(" ")) == {signature(new, got), signature(old, got)}


async def test_a_change_of_the_url_is_followed_at_once(company: Company, receiver: Receiver):
    endpoint, _ = await make(company, receiver.url("/in"))
    await company.ask("ada", TEST, id=endpoint["id"])
    await arrival(receiver)
    await settled(company, endpoint["id"], "SUCCEEDED")
    company.house.clock.turn(1)
    await company.ask("ada", UPDATE, id=endpoint["id"], url=receiver.url("/elsewhere"))

    await company.ask("ada", TEST, id=endpoint["id"])

    assert (await arrival(receiver, 2)).path == "/elsewhere"


async def test_a_dispatcher_that_is_stopped_just_as_news_comes_stops(house: House):
    dispatcher = house.host.service(Dispatcher)
    await dispatcher.drain()
    running = asyncio.create_task(dispatcher.run())
    for _ in range(5):
        await asyncio.sleep(0)

    dispatcher.due(["hook_00000000000000000000"])
    running.cancel()

    async with asyncio.timeout(SOON_S):
        await asyncio.wait([running])
    assert running.cancelled()


async def test_the_log_shows_the_bytes_that_were_delivered(company: Company, receiver: Receiver):
    await make(company, receiver.url("/in"))
    event = replace(WebhookEndpointDisabled.sample(), reason='it said "nö" \u2028')
    async with company.house.store.write() as tx:
        company.house.host.service(Outbox).emit(tx, event, tenant=company.tenant)
    await company.house.host.service(FanOut).take()

    got = await arrival(receiver)
    body = await company.house.ask("{ events { edges { delivery } } }", token=company.tokens["ada"])

    assert [each["delivery"].encode() for each in body["data"]["events"]["edges"]] == [got.body]
