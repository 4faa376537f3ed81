"""`verify`: every account that is asked for, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.store import Tx
from plugins.trading.ledger.proof.carrying import carrying_findings
from plugins.trading.ledger.proof.entries import ledger_findings
from plugins.trading.ledger.proof.findings import Finding, Found
from plugins.trading.ledger.proof.loading import Kept, ProofDirectory, ProofStore
from plugins.trading.ledger.proof.trades import trade_findings
from plugins.trading.rows import AccountRow
from schema.errors import MarketgateError

UNREADABLE = (ValueError, ArithmeticError, LookupError, TypeError, MarketgateError)
"""What comes of a value that is none: it is a finding of its account, and the others are proved all the same."""


async def verify(tx: Tx, tenant: str | None = None, account_id: str | None = None) -> list[Finding]:
    """All differences; by default of all accounts of all tenants."""
    found: list[Finding] = []
    for account in await ProofDirectory().accounts(tx, tenant, account_id):
        found += await prove(tx, account)
    return found


async def prove(tx: Tx, account: AccountRow) -> list[Finding]:
    """The same of one account, as it is by now."""
    try:
        kept = await ProofStore().kept(tx, account.tenant_id, account.id)
    except UNREADABLE as error:
        return _told(account, [_unreadable(error)])
    return [] if kept is None else findings_of(kept)


def findings_of(kept: Kept) -> list[Finding]:
    """The same of what is kept of it. Pure."""
    found: list[Found] = []
    for part in (ledger_findings, trade_findings, carrying_findings, _shared_key):
        try:
            found += part(kept)
        except UNREADABLE as error:
            found.append(_unreadable(error))
    return _told(kept.account, found)


def _told(account: AccountRow, found: Iterable[Found]) -> list[Finding]:
    return [
        Finding(tenant=account.tenant_id, account=account.id, subject=subject, message=message)
        for subject, message in found
    ]  # fmt: skip


def _unreadable(error: Exception) -> Found:
    return "account", f"something of it cannot be read, and what follows is not proved: {type(error).__name__} {error}"


def _shared_key(kept: Kept) -> list[Found]:
    """Accounts that were opened before a second one at a broker was refused go on: whoever keeps them is told."""
    first, broker = kept.first, kept.account.broker
    if first is None or first.id == kept.account.id:
        return []
    told = f"a second open account at {broker} beside {first.id}, for one key: all the broker's money is booked in both"
    return [("account", f"it is {told}. Cancel its orders, close what it holds, then delete it")]
