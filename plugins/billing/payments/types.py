"""GraphQL types of payments."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from schema.model import described, model
from schema.refusals import refusals
from schema.words.problems import UserError


@strawberry.input(description="Who gets the organisation's invoices from the payment provider.")
class PaymentSetupInput:
    """Set again it replaces what was set."""

    email: str = strawberry.field(description="Address that invoices are mailed to.")
    name: str | None = strawberry.field(
        description="Name on the invoices; by default the organisation's.", default=None
    )


@refusals(
    "Why payments are not set up.",
    PAYMENTS_OFF="The gateway has no payment provider.",
    PAYMENT_UNAVAILABLE="The payment provider did not take it; later it may.",
)
class PaymentSetupErrorCode(StrEnum):
    """Codes of `paymentSetup`."""

    PAYMENTS_OFF = "PAYMENTS_OFF"
    EMAIL_INVALID = "EMAIL_INVALID"
    NAME_INVALID = "NAME_INVALID"
    PAYMENT_UNAVAILABLE = "PAYMENT_UNAVAILABLE"


@model("The customer at the payment provider, or why there is none.")
class PaymentSetupPayload:
    """Answer of `paymentSetup`."""

    customer: str | None = described("Id of the customer at the payment provider.", default=None)
    user_errors: list[UserError[PaymentSetupErrorCode]] = described("What to mend; empty when it is done.")
