"""Stripe behind `PaymentPort`: customers, invoices, webhook messages. Docs: https://docs.stripe.com/api"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import quote, urlencode

from gateway import __version__
from gateway.core.clock import Clock
from gateway.core.payments import Bill, PaymentFailed, PaymentForged, PaymentNews
from gateway.core.secrets import Redactor
from gateway.core.settings import Settings
from gateway.core.upstream import NetworkTransport, RawReply, Request, Transport
from schema.errors import UpstreamError

VERSION = "2024-06-20"
"""Of the wire; Stripe keeps to the one that a request names."""
DEADLINE_S = 30.0
TOLERANCE_S = 300
DAYS_UNTIL_DUE = 14
MARK = "marketgate_invoice"
"""Metadata of an invoice there: our id of it."""
NEWS = {"invoice.paid": "PAID", "invoice.voided": "VOID"}
LONGEST_MESSAGE = 300

# Amounts are in the smallest unit, with exceptions: https://docs.stripe.com/currencies
WITHOUT_DECIMALS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
WITH_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def stripe_payments(settings: Settings, clock: Clock) -> StripePayments:
    """As the settings have it; `stripe_key` is set."""
    key, secret = settings.stripe_key, settings.stripe_webhook_secret
    return StripePayments(
        NetworkTransport(), clock, key=key.get_secret_value() if key else "", base=settings.stripe_base,
        webhook_secret=secret.get_secret_value() if secret else "",
    )  # fmt: skip


class StripePayments:
    """What is created carries an idempotency key of ours, so that a repeated request has no second effect."""

    def __init__(self, transport: Transport, clock: Clock, *, key: str, base: str, webhook_secret: str = "") -> None:
        self._transport, self._clock, self._base = transport, clock, base.rstrip("/")
        self._key, self._secret = key, webhook_secret.encode()
        self._redact = Redactor([key, webhook_secret])

    async def customer(self, tenant: str, *, name: str, email: str, known: str | None) -> str:
        """See `PaymentPort`."""
        form = {"name": name, "email": email, "metadata[marketgate_tenant]": tenant}
        if known is not None:
            # A change has no key: the same one twice is no harm, and a key would keep back a change to what was before.
            return _id(await self._call("POST", f"/v1/customers/{quote(known, safe='')}", form))
        # A key may come again with the same parameters only.
        digest = hashlib.sha256(f"{name}\n{email}".encode()).hexdigest()[:16]
        return _id(await self._call("POST", "/v1/customers", form, key=f"{tenant}-{digest}"))

    async def send(self, bill: Bill) -> str:
        """See `PaymentPort`. A draft of an attempt that broke off is removed; a finished invoice is taken as it is."""
        amounts = [(line, in_smallest_unit(line.amount, bill.currency)) for line in bill.lines]
        if bill.attempt > 1:
            found = await self._find(bill)
            if found is not None:
                return found
        invoice = _id(await self._call("POST", "/v1/invoices", self._draft(bill), key=_key(bill.id, bill)))
        for line, amount in amounts:
            form = {
                "customer": bill.customer, "invoice": invoice, "currency": bill.currency.lower(), "amount": str(amount),
                "description": line.description, "metadata[marketgate_line]": line.id,
            }  # fmt: skip
            await self._call("POST", "/v1/invoiceitems", form, key=_key(line.id, bill))
        await self._finalize(invoice, bill)
        return invoice

    def _draft(self, bill: Bill) -> dict[str, str]:
        return {
            "customer": bill.customer, "currency": bill.currency.lower(), "collection_method": "send_invoice",
            "days_until_due": str(DAYS_UNTIL_DUE), "auto_advance": "false",
            # Only our own lines, not what waits for the customer there.
            "pending_invoice_items_behavior": "exclude", "description": bill.number, f"metadata[{MARK}]": bill.id,
        }  # fmt: skip

    async def _finalize(self, invoice: str, bill: Bill) -> None:
        path = f"/v1/invoices/{quote(invoice, safe='')}/finalize"
        # From here on Stripe sends it, reminds and collects by itself.
        await self._call("POST", path, {"auto_advance": "true"}, key=_key(f"{bill.id}-finalize", bill))

    async def _find(self, bill: Bill) -> str | None:
        params = (("customer", bill.customer), ("limit", "100"))
        listed = await self._call("GET", "/v1/invoices", {}, params=params)
        for each in listed.get("data") or ():
            if (each.get("metadata") or {}).get(MARK) == bill.id:
                if each.get("status") != "draft":
                    return _id(each)
                await self._call("DELETE", f"/v1/invoices/{quote(_id(each), safe='')}", {})
        return None

    async def _call(
        self,
        method: str,
        path: str,
        form: Mapping[str, str],
        *,
        key: str | None = None,
        params: tuple[tuple[str, str], ...] = (),
    ) -> dict[str, Any]:
        headers = {
            "authorization": f"Bearer {self._key}", "stripe-version": VERSION, "accept-encoding": "gzip",
            "user-agent": f"marketgate/{__version__}",
        }  # fmt: skip
        body = None
        if method == "POST":
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        if key is not None:
            headers["idempotency-key"] = key
        request = Request(
            provider="stripe", method=method, host="", path=path, params=params, url=self._base + path,
            secret_params=(), headers=headers, body=body,
        )  # fmt: skip
        try:
            async with asyncio.timeout(DEADLINE_S):
                return self._read(await self._transport.send(request))
        except TimeoutError:
            raise PaymentFailed("Stripe did not answer in time") from None
        except UpstreamError as error:
            raise PaymentFailed(self._redact(error.message)) from None

    def _read(self, reply: RawReply) -> dict[str, Any]:
        try:
            found = json.loads(reply.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise PaymentFailed(f"Stripe answered {reply.status} with something that is not an object")
        if reply.status >= 300:
            error = found.get("error")
            told = error if isinstance(error, dict) else {}
            words = " ".join(str(told[name]) for name in ("type", "code", "message") if told.get(name))
            raise PaymentFailed(f"Stripe answered {reply.status}: {self._redact(words)[:LONGEST_MESSAGE]}")
        return found

    def news(self, body: bytes, signature: str) -> PaymentNews | None:
        """See `PaymentPort`."""
        self._check(body, signature)
        try:
            event = json.loads(body)
            status = NEWS.get(event["type"])
            invoice = event["data"]["object"]
            mark = (invoice.get("metadata") or {}).get(MARK)
            if status is None or not isinstance(mark, str):
                return None
            return PaymentNews(invoice=mark, external=str(invoice["id"]), status=status)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def _check(self, body: bytes, signature: str) -> None:
        """`t=<seconds>,v1=<hexadecimal>`, several `v1` while the secret is changed; nothing else is believed."""
        parts = [part.strip().partition("=") for part in signature.split(",")]
        stamps = [value for name, _, value in parts if name == "t"]
        if not self._secret or len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
            raise PaymentForged
        expected = hmac.new(self._secret, stamps[0].encode() + b"." + body, hashlib.sha256).hexdigest().encode()
        given = [value.encode() for name, _, value in parts if name == "v1"]
        # All are compared, whichever fits: how long it takes tells nothing.
        fits = [hmac.compare_digest(expected, each) for each in given]
        if not any(fits) or abs(self._clock.now().timestamp() - int(stamps[0][:15])) > TOLERANCE_S:
            raise PaymentForged

    async def close(self) -> None:
        """See `PaymentPort`."""
        await self._transport.close()


def in_smallest_unit(amount: Decimal, currency: str) -> int:
    """The amount as Stripe counts it, exactly; PaymentFailed where it cannot."""
    decimals = 0 if currency in WITHOUT_DECIMALS else 3 if currency in WITH_THREE_DECIMALS else 2
    units = Fraction(amount) * 10**decimals
    if units.denominator != 1 or (decimals == 3 and units % 10):
        raise PaymentFailed(f"Stripe cannot take {amount:f} {currency}: it has more decimals than Stripe bills in")
    return int(units)


def _key(id: str, bill: Bill) -> str:
    return id if bill.attempt == 1 else f"{id}-{bill.attempt}"


def _id(found: Mapping[str, Any]) -> str:
    if not isinstance(found.get("id"), str):
        raise PaymentFailed("Stripe answered without an id")
    return str(found["id"])
