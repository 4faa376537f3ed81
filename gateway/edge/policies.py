"""What makes answers differ between callers, as the response cache's keys have it."""

from __future__ import annotations

from gateway.core.account import Account, Accounts
from gateway.core.identity import Principal
from gateway.edge.responses import Policy


class AccountPolicies:
    """Policies from accounts: plan (providers, history), routing, scopes; own keys keep a tenant to itself."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def at_once(self, principal: Principal) -> Policy | None:
        """None where the tenant's keys must be read first."""
        account = self._accounts.at_once(principal)
        return None if account is None else _policy(principal, account)

    async def find(self, principal: Principal) -> Policy:
        """Read what is not known."""
        return _policy(principal, await self._accounts.find(principal))


def _policy(principal: Principal, account: Account) -> Policy:
    seen = (principal.scopes, principal.limits.providers, account.history_days, account.reach)
    return Policy(fingerprint=seen, public=not account.keys)
