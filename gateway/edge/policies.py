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
        keys, account = self._accounts.held(principal), self._accounts.at_once(principal)
        return None if keys is None or account is None else _policy(principal, account, keys)

    async def find(self, principal: Principal) -> Policy:
        """Read what is not known."""
        account = await self._accounts.find(principal)
        return _policy(principal, account, self._accounts.held(principal))

    def holds(self, principal: Principal, policy: Policy) -> bool:
        """Whether a policy found before is still the same caller's."""
        return self._accounts.held(principal) is policy.keys


def _policy(principal: Principal, account: Account, keys: object) -> Policy:
    limits = principal.limits
    seen = (principal.scopes, limits.providers, account.history_days, account.reach)
    return Policy(fingerprint=seen, public=not keys, keys=keys)
