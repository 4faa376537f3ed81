"""Stripe's wire: what is sent, what a repeated attempt does, and whose messages are believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateway.core.payments import Bill, BillLine, PaymentFailed, PaymentForged, PaymentNews
from gateway.core.stripe import StripePayments, in_smallest_unit
from gateway.core.upstream import NetworkTransport
from tests.gateway.doubles import NOON, ManualClock
from tests.plugins.billing.stripe_double import KEY, WEBHOOK_SECRET, StripeDouble, event, signed, stripe_double

AT = NOON.timestamp()


@pytest.fixture
async def stripe() -> AsyncIterator[StripeDouble]:
    async with stripe_double() as made:
        yield made


@pytest.fixture
async def payments(stripe: StripeDouble) -> AsyncIterator[StripePayments]:
    made = StripePayments(NetworkTransport(), ManualClock(), key=KEY, base=stripe.base, webhook_secret=WEBHOOK_SECRET)
    yield made
    await made.close()


def bill(customer: str = "cus_1", attempt: int = 1, amounts: tuple[str, ...] = ("29.00", "0.37")) -> Bill:
    lines = [
        BillLine(id=f"line_{n}", description=f"Plan pro & more, {n}", amount=Decimal(amount))
        for n, amount in enumerate(amounts)
    ]
    return Bill(
        id="invoice_a", number="MG-2026-11-000001", customer=customer, currency="USD", lines=lines, attempt=attempt
    )


async def test_an_invoice_is_drafted_filled_and_finished_in_minor_units(stripe, payments) -> None:
    sent = await payments.send(bill())

    invoice = stripe.objects[sent]
    assert [(asked.method, asked.path) for asked in stripe.asked] == [
        ("POST", "/v1/invoices"), ("POST", "/v1/invoiceitems"), ("POST", "/v1/invoiceitems"),
        ("POST", f"/v1/invoices/{sent}/finalize"),
    ]  # fmt: skip
    assert [asked.headers["idempotency-key"] for asked in stripe.asked] == [
        "invoice_a", "line_0", "line_1", "invoice_a-finalize",
    ]  # fmt: skip
    assert {asked.headers["stripe-version"] for asked in stripe.asked} == {"2024-06-20"}
    assert {asked.headers["content-type"] for asked in stripe.asked} == {"application/x-www-form-urlencoded"}
    assert stripe.asked[0].form == {
        "customer": "cus_1", "currency": "usd", "collection_method": "send_invoice", "days_until_due": "14",
        "auto_advance": "false", "pending_invoice_items_behavior": "exclude", "description": "MG-2026-11-000001",
        "metadata[marketgate_invoice]": "invoice_a",
    }  # fmt: skip
    assert [(item["amount"], item["description"]) for item in stripe.of("invoiceitem")] == [
        ("2900", "Plan pro & more, 0"), ("37", "Plan pro & more, 1"),
    ]  # fmt: skip
    assert (invoice["status"], invoice["total"], invoice["auto_advance"]) == ("open", 2937, "true")


async def test_the_same_attempt_twice_makes_one_invoice(stripe, payments) -> None:
    first = await payments.send(bill())

    assert await payments.send(bill()) == first
    assert len(stripe.of("invoice")) == 1
    assert len(stripe.of("invoiceitem")) == 2


async def test_a_later_attempt_takes_a_finished_invoice_as_it_is(stripe, payments) -> None:
    first = await payments.send(bill())
    stripe.replays.clear()

    assert await payments.send(bill(attempt=2)) == first
    assert len(stripe.of("invoice")) == 1


async def test_a_later_attempt_replaces_a_draft_that_broke_off(stripe, payments) -> None:
    stripe.failing["POST /v1/invoiceitems"] = (500, {"error": {"type": "api_error", "message": "try again"}})
    with pytest.raises(PaymentFailed, match="Stripe answered 500: api_error try again"):
        await payments.send(bill())
    (draft,) = stripe.of("invoice")

    sent = await payments.send(bill(attempt=2))

    assert sent != draft["id"]
    assert [(each["id"], each["total"]) for each in stripe.of("invoice")] == [(sent, 2937)]


async def test_a_customer_is_made_once_and_then_changed(stripe, payments) -> None:
    made = await payments.customer("org_a", name="Ada & Co", email="ada@example.com", known=None)
    again = await payments.customer("org_a", name="Ada & Co", email="ada@example.com", known=None)
    changed = await payments.customer("org_a", name="Ada & Co", email="bill@example.com", known=made)
    back = await payments.customer("org_a", name="Ada & Co", email="ada@example.com", known=made)

    assert made == again == changed == back
    assert len(stripe.of("customer")) == 1
    assert stripe.objects[made]["email"] == "ada@example.com"
    assert stripe.objects[made]["metadata"] == {"marketgate_tenant": "org_a"}


async def test_a_refused_key_does_not_show_in_the_message(stripe) -> None:
    payments = StripePayments(NetworkTransport(), ManualClock(), key="sk_live_wrongwrong", base=stripe.base)

    with pytest.raises(PaymentFailed) as caught:
        await payments.send(bill())

    assert str(caught.value) == "Stripe answered 401: invalid_request_error Invalid API Key provided: Bearer ***"
    assert stripe.objects == {}
    await payments.close()


async def test_a_server_that_is_not_there_is_named(payments) -> None:
    gone = StripePayments(NetworkTransport(), ManualClock(), key=KEY, base="http://127.0.0.1:9")

    with pytest.raises(PaymentFailed, match=r"^stripe: connection refused$"):
        await gone.send(bill())

    await gone.close()


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("12.34", "EUR", 1234), ("500", "JPY", 500), ("5", "ISK", 500), ("5.120", "KWD", 5120), ("0", "USD", 0)],
)
def test_amounts_are_in_the_unit_that_stripe_counts(amount: str, currency: str, units: int) -> None:
    assert in_smallest_unit(Decimal(amount), currency) == units


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "USD"), ("5.124", "KWD"), ("1.5", "JPY")])
def test_an_amount_that_stripe_cannot_count_is_refused_and_not_rounded(amount: str, currency: str) -> None:
    with pytest.raises(PaymentFailed, match=f"cannot take {amount} {currency}"):
        in_smallest_unit(Decimal(amount), currency)


async def test_an_amount_that_cannot_be_sent_sends_nothing(stripe, payments) -> None:
    with pytest.raises(PaymentFailed):
        await payments.send(bill(amounts=("1.00", "0.001")))

    assert stripe.asked == []


PAID = {"id": "in_1", "object": "invoice", "metadata": {"marketgate_invoice": "invoice_a"}}


def test_a_signed_message_says_what_became_of_an_invoice(payments) -> None:
    body = event("invoice.paid", PAID)

    assert payments.news(body, signed(body, AT)) == PaymentNews(invoice="invoice_a", external="in_1", status="PAID")


def test_while_the_secret_is_changed_one_of_several_signatures_is_enough(payments) -> None:
    body = event("invoice.voided", PAID)
    both = signed(body, AT, "whsec_other") + "," + signed(body, AT).partition(",")[2]

    found = payments.news(body, both)

    assert found is not None
    assert found.status == "VOID"


@pytest.mark.parametrize("apart", [-300, 300])
def test_a_message_may_be_five_minutes_old(payments, apart: int) -> None:
    body = event("invoice.paid", PAID)

    assert payments.news(body, signed(body, AT + apart)) is not None


@pytest.mark.parametrize(
    "signature",
    [
        "", "t=,v1=", "v1=00", f"t={int(AT)}", f"t={int(AT)},v1=00", f"t={int(AT)},v0=00", "t=٣,v1=00", "é",
        "t=-1,v1=00", f"t={'9' * 5000},v1=00",
    ],
)  # fmt: skip
def test_a_signature_that_does_not_fit_is_refused(payments, signature: str) -> None:
    with pytest.raises(PaymentForged):
        payments.news(event("invoice.paid", PAID), signature)


def test_a_changed_body_an_old_message_and_another_secret_are_refused(payments) -> None:
    body = event("invoice.paid", PAID)
    stamped_twice = signed(body, AT) + f",t={int(AT)}"

    for given, signature in (
        (body + b" ", signed(body, AT)), (body, signed(body, AT - 301)), (body, signed(body, AT + 301)),
        (body, signed(body, AT, "whsec_other")), (body, stamped_twice),
    ):  # fmt: skip
        with pytest.raises(PaymentForged):
            payments.news(given, signature)


def test_without_a_secret_nothing_is_believed() -> None:
    payments = StripePayments(NetworkTransport(), ManualClock(), key=KEY, base="http://127.0.0.1:9")
    body = event("invoice.paid", PAID)

    with pytest.raises(PaymentForged):
        payments.news(body, signed(body, AT, ""))


@pytest.mark.parametrize(
    "body",
    [
        event("invoice.created", PAID), event("invoice.paid", {"id": "in_2", "metadata": {}}), b"[]", b"{", b"null",
        event("invoice.paid", {"id": "in_2", "metadata": None}), b'{"type": "invoice.paid", "data": 1}', b"\xff",
        b'{"type": ["invoice.paid"], "data": {"object": {}}}',
    ],
)  # fmt: skip
def test_a_message_that_does_not_concern_us_is_no_news(payments, body: bytes) -> None:
    assert payments.news(body, signed(body, AT)) is None
