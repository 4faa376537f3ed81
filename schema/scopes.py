"""What a caller may be allowed: a closed list, `<area>:<read|write>`."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """Everything that a caller may be allowed; the list is closed, `<area>:<read|write>`."""

    MARKET_READ = "market:read"
    STREAM_READ = "stream:read"
    WATCHLISTS_READ = "watchlists:read"
    WATCHLISTS_WRITE = "watchlists:write"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    PORTFOLIO_READ = "portfolio:read"
    PORTFOLIO_WRITE = "portfolio:write"
    TRADING_READ = "trading:read"
    TRADING_WRITE = "trading:write"
    ASSISTANT_WRITE = "assistant:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    USAGE_READ = "usage:read"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    PROVIDER_KEYS_READ = "providerkeys:read"
    PROVIDER_KEYS_WRITE = "providerkeys:write"
    AUDIT_READ = "audit:read"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    ORGANISATION_WRITE = "organisation:write"
    OPERATOR_READ = "operator:read"
    OPERATOR_WRITE = "operator:write"


MEANINGS: dict[Scope, str] = {
    Scope.MARKET_READ: "ask for data: prices, instruments, companies, chains, economies, news, videos, providers",
    Scope.STREAM_READ: "open subscriptions",
    Scope.WATCHLISTS_READ: "read one's own watchlists",
    Scope.WATCHLISTS_WRITE: "change one's own watchlists",
    Scope.ALERTS_READ: "read alerts",
    Scope.ALERTS_WRITE: "create, change and delete alerts",
    Scope.PORTFOLIO_READ: "read portfolios and their analytics",
    Scope.PORTFOLIO_WRITE: "change portfolios and record transactions",
    Scope.TRADING_READ: "read trading accounts, orders and positions",
    Scope.TRADING_WRITE: "place, replace and cancel orders",
    Scope.ASSISTANT_WRITE: "ask language models, which costs money at their providers",
    Scope.WEBHOOKS_READ: "read webhook endpoints, deliveries and the organisation's events",
    Scope.WEBHOOKS_WRITE: "create, change and delete webhook endpoints; replay deliveries",
    Scope.USAGE_READ: "read the organisation's usage",
    Scope.MEMBERS_READ: "read the organisation's members and invitations",
    Scope.MEMBERS_WRITE: "invite, remove and change the role of members",
    Scope.KEYS_READ: "list API keys, never their secrets",
    Scope.KEYS_WRITE: "create, change, rotate and revoke API keys; mint access tokens",
    Scope.PROVIDER_KEYS_READ: "see for which providers the organisation has keys of its own, and whom it prefers",
    Scope.PROVIDER_KEYS_WRITE: "set, test and remove the organisation's provider keys; change whom it prefers",
    Scope.AUDIT_READ: "read and export the organisation's audit trail",
    Scope.BILLING_READ: "read plans, metered lines and invoices",
    Scope.BILLING_WRITE: "change the payment method",
    Scope.ORGANISATION_WRITE: "rename, export, transfer, delete and restore the organisation",
    Scope.OPERATOR_READ: "read across tenants",
    Scope.OPERATOR_WRITE: "create, suspend and re-plan tenants, pause providers, trip breakers",
}
"""What each scope allows, in words; printed into the documentation."""
