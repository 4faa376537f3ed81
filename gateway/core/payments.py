"""The port to a payment provider, and what goes through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of a bill; `id` is the same whenever the line is sent."""

    id: str
    description: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """An invoice on its way to the payment provider. `attempt` counts from 1; a later one looks for what is there."""

    id: str
    number: str
    customer: str
    currency: str
    lines: Sequence[BillLine]
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNews:
    """What the payment provider says of an invoice of ours: `PAID` or `VOID`."""

    invoice: str
    external: str
    status: str


class PaymentFailed(Exception):
    """The payment provider refused or could not be reached; the message may be shown and holds no secret."""


class PaymentForged(Exception):
    """A message that is not the payment provider's, or an old one."""


class PaymentPort(Protocol):
    """A payment provider; served only where one is configured."""

    async def customer(self, tenant: str, *, name: str, email: str, known: str | None) -> str:
        """Make a customer, or change the *known* one; its id there. Raises PaymentFailed."""

    async def send(self, bill: Bill) -> str:
        """Make the invoice there, once, and have it sent; its id there. Raises PaymentFailed."""

    def news(self, body: bytes, signature: str) -> PaymentNews | None:
        """What a message says; None for what does not concern us. Raises PaymentForged."""

    async def close(self) -> None:
        """Let go of connections."""
