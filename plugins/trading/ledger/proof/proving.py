"""`verify`: every account that is asked for, one after the other."""

from __future__ import annotations

from gateway.core.store import Tx
from plugins.trading.ledger.book import by_entry
from plugins.trading.ledger.proof.carrying import carrying_findings
from plugins.trading.ledger.proof.entries import ledger_findings
from plugins.trading.ledger.proof.findings import Finding, Found
from plugins.trading.ledger.proof.loading import Kept, ProofDirectory, ProofStore
from plugins.trading.ledger.proof.trades import trade_findings


async def verify(tx: Tx, tenant: str | None = None, account_id: str | None = None) -> list[Finding]:
    """All differences; by default of all accounts of all tenants."""
    store = ProofStore()
    found: list[Finding] = []
    for account in await ProofDirectory().accounts(tx, tenant, account_id):
        kept = await store.kept(tx, account.tenant_id, account.id)
        found += [] if kept is None else findings_of(kept)
    return found


def findings_of(kept: Kept) -> list[Finding]:
    """The same of one account. Pure."""
    tenant, account = kept.account.tenant_id, kept.account.id
    lines = by_entry(kept.lines)
    found = [*ledger_findings(kept), *trade_findings(kept), *carrying_findings(kept, lines), *_shared_key(kept)]
    return [Finding(tenant=tenant, account=account, subject=subject, message=message) for subject, message in found]


def _shared_key(kept: Kept) -> list[Found]:
    """Accounts that were opened before a second one at a broker was refused go on: whoever keeps them is told."""
    first, broker = kept.first, kept.account.broker
    if first is None or first.id == kept.account.id:
        return []
    told = f"a second open account at {broker} beside {first.id}, for one key: all the broker's money is booked in both"
    return [("account", f"it is {told}. Cancel its orders, close what it holds, then delete it")]
