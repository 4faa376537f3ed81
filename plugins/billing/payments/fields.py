"""Root fields of payments."""

from __future__ import annotations

from typing import Annotated

from gateway.core.contract import Ctx
from gateway.core.payments import PaymentFailed, PaymentPort
from gateway.core.ports import Audit, Organisations
from plugins.billing.payments.desk import PaymentDesk
from plugins.billing.payments.store import CustomerRow, CustomerRows
from plugins.billing.payments.types import PaymentSetupErrorCode as Code
from plugins.billing.payments.types import PaymentSetupInput, PaymentSetupPayload
from schema.arguments import says
from schema.words.problems import UserError

LONGEST_NAME = 200


async def resolve_payment_setup(
    info: Ctx, input: Annotated[PaymentSetupInput, says("Who gets the invoices.")]
) -> PaymentSetupPayload:
    """The provider is asked first; what it knows twice does no harm, what we would lose does."""
    port = info.context.service(PaymentDesk).port
    if port is None:
        told = "This gateway has no payment provider: invoices are paid as its operator says."
        return _refused(None, Code.PAYMENTS_OFF, told)
    email = _address(input.email)
    if email is None:
        return _refused("email", Code.EMAIL_INVALID, "That is no e-mail address: write one such as ada@example.com.")
    if input.name is not None and not (0 < len(input.name.strip()) <= LONGEST_NAME and input.name.isprintable()):
        return _refused("name", Code.NAME_INVALID, f"A name has 1 to {LONGEST_NAME} printable characters.")
    try:
        customer = await _set_up(info, port, email, input.name)
    except PaymentFailed as failed:
        told = f"The payment provider did not take it, try again later: {failed}"
        return _refused(None, Code.PAYMENT_UNAVAILABLE, told)
    return PaymentSetupPayload(customer=customer.customer_id if customer else None, user_errors=[])


async def _set_up(info: Ctx, port: PaymentPort, email: str, name: str | None) -> CustomerRow | None:
    context, rows = info.context, CustomerRows()
    async with context.host.store.read() as tx:
        known = await rows.find(tx, context.tenant)
        organisation = await context.service(Organisations).find(tx, context.tenant)
    shown = name or (organisation.name if organisation else context.tenant)
    customer = await port.customer(context.tenant, name=shown, email=email, known=known.customer_id if known else None)
    async with context.host.store.write() as tx:
        await rows.put(tx, context.tenant, customer, context.now)
        act = context.act("payment.set_up", customer, after={"name": shown, "email": email})
        await context.service(Audit).record(tx, act)
        return await rows.find(tx, context.tenant)


def _address(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _refused(field: str | None, code: Code, message: str) -> PaymentSetupPayload:
    path = None if field is None else ["input", field]
    return PaymentSetupPayload(user_errors=[UserError(field=path, code=code, message=message)])
