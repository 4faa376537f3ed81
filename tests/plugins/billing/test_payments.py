"""Payment through a provider: off until configured, each invoice sent once, its word taken only when signed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from plugins.billing.invoices.desk import InvoiceDesk
from plugins.billing.invoices.periods import PeriodKeeper
from plugins.billing.payments.desk import PaymentDesk
from tests.house import House, open_house
from tests.plugins.billing.people import OPERATOR, acts, ask, count, data, define, found, member
from tests.plugins.billing.stripe_double import KEY, WEBHOOK_SECRET, StripeDouble, event, signed, stripe_double
from tests.plugins.billing.test_invoices import CLOSING, NOVEMBER, SETTLE, invoices_of, turn_to

SETUP = """
mutation Setup($email: String!, $name: String) {
  paymentSetup(input: {email: $email, name: $name}) { customer userErrors { field code message } }
}"""


@pytest.fixture
async def stripe() -> AsyncIterator[StripeDouble]:
    async with stripe_double() as made:
        yield made


@pytest.fixture
async def paying(database: str, tmp_path: Path, stripe: StripeDouble) -> AsyncIterator[House]:
    """A gateway with payments on."""
    settings: dict[str, Any] = {"stripe_key": KEY, "stripe_base": stripe.base, "stripe_webhook_secret": WEBHOOK_SECRET}
    async with open_house(database, tmp_path, **settings) as opened:
        yield opened


async def set_up(house: House, tenant: str, email: str = "ada@example.com", **more: Any) -> Any:
    return (await data(house, member(tenant), SETUP, email=email, **more))["paymentSetup"]


async def billed(house: House, *, pays: bool = True) -> str:
    """A tenant on `gold` whose November is invoiced."""
    await define(house)
    tenant = await found(house, "Ada & Co", "gold")
    if pays:
        await set_up(house, tenant)
    await house.host.service(PeriodKeeper).look()
    turn_to(house, CLOSING)
    await house.host.service(InvoiceDesk).close(NOVEMBER)
    return tenant


async def send(house: House) -> None:
    await house.host.service(PaymentDesk).send_due()


@asynccontextmanager
async def wire(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application, asked as HTTP."""
    app = create_app(house.gateway.settings, gateway=house.gateway)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        yield client


async def test_without_a_provider_payments_are_off(house: House) -> None:
    tenant = await billed(house, pays=False)

    refused = await set_up(house, tenant)
    await send(house)
    async with wire(house) as client:
        answer = await client.post("/billing/stripe", content=b"{}")

    assert (refused["customer"], [e["code"] for e in refused["userErrors"]]) == (None, ["PAYMENTS_OFF"])
    assert answer.status_code == 404
    assert [invoice["status"] for invoice in await invoices_of(house, tenant)] == ["OPEN"]
    assert await count(house, "billing_customers") == 0


async def test_a_tenant_has_one_customer_that_can_be_changed(paying: House, stripe: StripeDouble) -> None:
    tenant = await found(paying, "Ada & Co", "free")

    first = await set_up(paying, tenant)
    second = await set_up(paying, tenant, "bill@example.com", name="Ada Ltd")

    (customer,) = stripe.of("customer")
    assert first == second == {"customer": customer["id"], "userErrors": []}
    assert (customer["name"], customer["email"]) == ("Ada Ltd", "bill@example.com")
    assert await acts(paying, "payment.set_up") == [(tenant, "payment.set_up")] * 2


async def test_a_wrong_address_or_name_is_refused_and_nothing_sent(paying: House, stripe: StripeDouble) -> None:
    tenant = await found(paying, "Ada", "free")

    answers = [
        await set_up(paying, tenant, "ada"),
        await set_up(paying, tenant, name=" "),
        await set_up(paying, tenant, name="a" * 201),
    ]

    assert [e["code"] for each in answers for e in each["userErrors"]] == [
        "EMAIL_INVALID",
        "NAME_INVALID",
        "NAME_INVALID",
    ]
    assert stripe.asked == []
    assert await acts(paying, "payment.set_up") == []


async def test_a_provider_that_fails_is_told_without_its_secret(paying: House, stripe: StripeDouble) -> None:
    tenant = await found(paying, "Ada", "free")
    stripe.failing["POST /v1/customers"] = (500, {"error": {"type": "api_error", "message": f"key {KEY}"}})

    refused = await set_up(paying, tenant)

    assert [error["code"] for error in refused["userErrors"]] == ["PAYMENT_UNAVAILABLE"]
    assert refused["userErrors"][0]["message"].endswith("Stripe answered 500: api_error key ***")
    assert await count(paying, "billing_customers") == 0


async def test_an_open_invoice_is_sent_once_by_however_many_processes(paying: House, stripe: StripeDouble) -> None:
    tenant = await billed(paying)
    desks = [PaymentDesk(paying.host) for _ in range(4)]

    await asyncio.gather(*(desk.send_due() for desk in desks))
    await send(paying)

    (sent,), (own,) = stripe.of("invoice"), await invoices_of(paying, tenant)
    assert (sent["status"], sent["total"], sent["currency"], sent["description"]) == (
        "open",
        1100,
        "usd",
        own["number"],
    )
    assert sent["metadata"] == {"marketgate_invoice": own["id"]}
    assert [call.path for call in stripe.asked].count("/v1/invoices") == 1
    assert await acts(paying, "invoice.sent") == [(tenant, "invoice.sent")]


async def test_who_set_up_no_payment_is_sent_nothing(paying: House, stripe: StripeDouble) -> None:
    await billed(paying, pays=False)

    await send(paying)

    assert stripe.asked == []


async def test_what_could_not_be_sent_is_tried_again_later(paying: House, stripe: StripeDouble) -> None:
    await billed(paying)
    stripe.failing["POST /v1/invoiceitems"] = (503, {"error": {"type": "api_error", "message": "busy"}})
    await send(paying)
    (draft,) = stripe.of("invoice")
    asked = len(stripe.asked)
    await send(paying)
    waited = len(stripe.asked)
    paying.clock.turn(15 * 60)

    await send(paying)

    (sent,) = stripe.of("invoice")
    assert (draft["status"], asked, waited) == ("draft", waited, asked)
    assert sent["id"] != draft["id"]
    assert (sent["status"], sent["total"]) == ("open", 1100)


async def test_a_signed_message_settles_the_invoice_once(paying: House, stripe: StripeDouble) -> None:
    tenant = await billed(paying)
    await send(paying)
    (sent,) = stripe.of("invoice")
    body, void = event("invoice.paid", sent), event("invoice.voided", sent)
    now = paying.clock.now().timestamp()

    async with wire(paying) as client:
        answers = [
            await client.post("/billing/stripe", content=given, headers={"stripe-signature": signed(given, now)})
            for given in (body, body, void)
        ]

    assert [(answer.status_code, answer.json()["changed"]) for answer in answers] == [
        (200, True), (200, False), (200, False),
    ]  # fmt: skip
    assert [invoice["status"] for invoice in await invoices_of(paying, tenant)] == ["PAID"]
    assert await acts(paying, "invoice.settled") == [(tenant, "invoice.settled")]


async def test_a_message_that_is_not_believed_changes_nothing(paying: House, stripe: StripeDouble) -> None:
    tenant = await billed(paying)
    await send(paying)
    (sent,) = stripe.of("invoice")
    body = event("invoice.paid", sent)
    now = paying.clock.now().timestamp()
    foreign = event("invoice.paid", {**sent, "id": "in_other"})

    async with wire(paying) as client:
        statuses = [
            (await client.post("/billing/stripe", content=given, headers={"stripe-signature": signature})).status_code
            for given, signature in (
                (body, ""), (body, signed(body, now, "whsec_other")), (body, signed(body, now - 301)),
                (body + b" ", signed(body, now)), (b"x" * (256 * 1024 + 1), ""), (foreign, signed(foreign, now)),
            )
        ]  # fmt: skip
        read = (await client.get("/billing/stripe")).status_code

    assert statuses == [400, 400, 400, 400, 413, 200]
    assert read == 405
    assert [invoice["status"] for invoice in await invoices_of(paying, tenant)] == ["OPEN"]
    assert await acts(paying, "invoice.settled") == []


async def test_the_operator_leaves_sent_invoices_to_the_provider(paying: House) -> None:
    tenant = await billed(paying)
    await send(paying)
    (invoice,) = await invoices_of(paying, tenant)

    refused = (await data(paying, OPERATOR, SETTLE, id=invoice["id"], outcome="VOID"))["invoiceSettle"]

    assert [error["code"] for error in refused["userErrors"]] == ["AT_PAYMENT_PROVIDER"]
    assert [each["status"] for each in await invoices_of(paying, tenant)] == ["OPEN"]


async def test_payment_is_for_who_may_change_it(paying: House, stripe: StripeDouble) -> None:
    body = await ask(paying, OPERATOR, SETUP, email="ada@example.com")

    assert [error["extensions"]["missingScope"] for error in body["errors"]] == ["billing:write"]
    assert stripe.asked == []
