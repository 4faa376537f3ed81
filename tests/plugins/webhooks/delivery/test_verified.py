"""Receivers verify deliveries with the libraries that they have."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.clock import SystemClock
from tests.plugins.webhooks.delivery.office import SECRET, Office
from tests.plugins.webhooks.delivery.receivers import Got, answer

OTHER = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()


@pytest.fixture
async def present(office: Office) -> Office:
    """The libraries look at the machine's clock."""
    office.house.clock.turn((SystemClock().now() - office.house.clock.now()).total_seconds())
    return office


def verified(got: Got, secret: str) -> str:
    """The event's type, once each library has let it through: they raise where they do not."""
    svix.webhooks.Webhook(secret).verify(got.body, got.headers)
    read = standardwebhooks.Webhook(secret).verify(got.body, got.headers)
    return str(read["type"])


async def test_each_attempt_verifies_with_both_libraries(present: Office):
    present.receiver.answers["/a"] = [answer(500), answer(204)]
    await present.endpoint("/a")

    await present.happen(capability='quotes "é" \u2028')
    await present.deliver()
    await present.later(6.1)

    assert [verified(got, SECRET) for got in present.receiver.got] == ["provider.degraded"] * 2


async def test_a_changed_body_does_not_verify(present: Office):
    await present.endpoint("/a")
    await present.happen()
    await present.deliver()

    [got] = present.receiver.got
    changed = replace(got, body=got.body.replace(b"kraken", b"krakem"))
    with pytest.raises(svix.webhooks.WebhookVerificationError):
        verified(changed, SECRET)


async def test_during_a_rotation_a_receiver_may_have_either_secret(present: Office):
    until = present.house.clock.now() + timedelta(hours=24)
    await present.endpoint("/a", secret=OTHER, previous_secret=SECRET, previous_until=until)

    await present.happen()
    await present.deliver()
    [got] = present.receiver.got

    assert len(got.headers["webhook-signature"].split(" ")) == 2
    assert verified(got, OTHER) == verified(got, SECRET) == "provider.degraded"


async def test_after_it_the_old_secret_signs_no_more(office: Office):
    until = office.house.clock.now() + timedelta(hours=24)
    await office.endpoint("/a", secret=OTHER, previous_secret=SECRET, previous_until=until)

    office.house.clock.turn(24 * 3_600)
    await office.happen()
    await office.deliver()

    [got] = office.receiver.got
    assert len(got.headers["webhook-signature"].split(" ")) == 1


async def test_with_ed25519_there_are_both_signatures(present: Office):
    key = Ed25519PrivateKey.generate()
    private = "whsk_" + base64.b64encode(key.private_bytes_raw()).decode()
    await present.endpoint("/a", signing="ed25519", signing_key=private)

    await present.happen()
    await present.deliver()

    [got] = present.receiver.got
    shared, public = got.headers["webhook-signature"].split(" ")
    version, _, signature = public.partition(",")
    content = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key.public_key().verify(base64.b64decode(signature), content)
    assert (shared.partition(",")[0], version) == ("v1", "v1a")
    assert verified(got, SECRET) == "provider.degraded"
