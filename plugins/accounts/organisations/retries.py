"""A request with the idempotency key of an earlier one makes no second thing."""

from __future__ import annotations

from gateway.core.contract import Context
from gateway.core.store import Tx
from plugins.accounts.organisations.rules import KEPT_RETRIES
from plugins.accounts.organisations.store import RetryStore
from schema.errors import BadInput
from schema.idempotency import digest, is_same
from schema.words.problems import Refused

LONGEST_KEY = 128


async def earlier(
    context: Context, tx: Tx, act: str, key: str | None, target: str, *, wanted: object, tenant: str | None = None
) -> str | None:
    """The id of what this caller's request with the same key made within a day; None for the first, which makes
    *target*. Of two at once one waits for the other. The caller is told apart within the tenant that they act in,
    or within *tenant*: "" is for what a person does wherever they act. What is *wanted* is what the first wanted."""
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadInput("idempotencyKey", f"must be 1 to {LONGEST_KEY} printable ASCII characters")
    now, store = context.host.clock.now(), RetryStore()
    tenant = context.tenant if tenant is None else tenant
    await store.forget(tx, tenant, now - KEPT_RETRIES)
    caller = context.principal.user or context.principal.actor
    first = await store.claim(
        tx, tenant, caller=caller, act=act, key=key, target=target, input=digest(wanted), now=now
    )  # fmt: skip
    if first is not None and not is_same(first.input, wanted):
        told = "This idempotencyKey came with other input within 24 hours: repeat that input, or give another key."
        raise Refused("IDEMPOTENCY_MISMATCH", told, "idempotencyKey")
    return None if first is None else first.target
