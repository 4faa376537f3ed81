"""Who asks, and what each may do: scopes, the roles' permission tables, plan limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schema.scopes import MEANINGS as MEANINGS
from schema.scopes import Scope as Scope


class Role(StrEnum):
    """A member's role in an organisation, from all rights to the fewest."""

    OWNER = "owner"
    ADMIN = "admin"
    TRADER = "trader"
    ANALYST = "analyst"
    VIEWER = "viewer"


_VIEWER = frozenset({
    Scope.MARKET_READ, Scope.STREAM_READ, Scope.WATCHLISTS_READ, Scope.WATCHLISTS_WRITE, Scope.ALERTS_READ,
    Scope.PORTFOLIO_READ, Scope.TRADING_READ, Scope.MEMBERS_READ,
})  # fmt: skip
_ANALYST = _VIEWER | {Scope.ALERTS_WRITE, Scope.PORTFOLIO_WRITE, Scope.USAGE_READ, Scope.ASSISTANT_WRITE}
_TRADER = _ANALYST | {Scope.TRADING_WRITE}
_ADMIN = _TRADER | {
    Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE, Scope.MEMBERS_WRITE, Scope.KEYS_READ, Scope.KEYS_WRITE,
    Scope.PROVIDER_KEYS_READ, Scope.PROVIDER_KEYS_WRITE, Scope.AUDIT_READ, Scope.BILLING_READ,
}  # fmt: skip
_OWNER = _ADMIN | {Scope.BILLING_WRITE, Scope.ORGANISATION_WRITE}

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.OWNER: _OWNER, Role.ADMIN: _ADMIN, Role.TRADER: _TRADER, Role.ANALYST: _ANALYST, Role.VIEWER: _VIEWER,
}  # fmt: skip
"""The permission table of organisations."""

TENANT_SCOPES = _OWNER
"""All that an API key of an organisation may carry; operator scopes are not among them."""


class OperatorRole(StrEnum):
    """The role of an operator's key: outside every tenant."""

    OPERATOR = "operator"
    AUDITOR = "auditor"


OPERATOR_SCOPES: dict[OperatorRole, frozenset[Scope]] = {
    OperatorRole.OPERATOR: frozenset({Scope.MARKET_READ, Scope.OPERATOR_READ, Scope.OPERATOR_WRITE}),
    OperatorRole.AUDITOR: frozenset({Scope.MARKET_READ, Scope.OPERATOR_READ}),
}
"""The permission table of operators."""

ANONYMOUS_SCOPES = frozenset({Scope.MARKET_READ, Scope.STREAM_READ})
"""What callers without a credential may do where the setting allows them at all."""


class CallerKind(StrEnum):
    """How the caller is known."""

    ANONYMOUS = "anonymous"
    USER = "user"
    API_KEY = "api_key"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a kind
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """What a tenant's plan allows; None means without limit."""

    plan: str
    points_per_minute: int
    concurrency: int
    streams: int
    webhooks: int
    history_days: int | None = None
    providers: frozenset[str] | None = None
    points_per_month: int | None = None
    """Hard quota: beyond it operations are refused until the next month."""
    soft_points_per_month: int | None = None
    """Soft quota: beyond it operations go on and the tenant is told."""
    upstream_calls_per_minute: int | None = None
    """Requests to upstreams with the platform's keys; answers that are held cost none."""
    upstream_weight: int = 1
    """The share of an upstream's quota where tenants wait for it."""


UNLIMITED = PlanLimits(
    plan="unlimited", points_per_minute=1_000_000_000, concurrency=1_000_000, streams=1_000_000, webhooks=1_000_000
)
"""For the command line and for tests that measure something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The verified caller of an operation. Ids are opaque texts; an operator has no tenant (empty text)."""

    tenant: str
    kind: CallerKind = CallerKind.USER
    scopes: frozenset[Scope] = frozenset()
    limits: PlanLimits = UNLIMITED
    role: Role | None = None
    user: str | None = None
    session: str | None = None
    """The signed-in session (one refresh family)."""
    key: str | None = None
    """The API key; for an access token the key or session that minted it stands in `parent`."""
    token: str | None = None
    """The access token of a browser."""
    max_points: int | None = None
    """What is the most that an access token may spend in its life."""
    expires_at: datetime | None = None
    cookie: bool = False
    """Known by a browser's cookie: mutations need the CSRF header."""
    origins: frozenset[str] = field(default_factory=frozenset)
    networks: frozenset[str] = field(default_factory=frozenset)
    """The only ones that a key is good from; none means everywhere."""
    suspended: str | None = None
    """Why the organisation is closed to this person: what needs a scope is refused, one's own account is not."""

    @property
    def actor(self) -> str:
        """Who did it, for the audit trail: the most precise id there is."""
        return self.token or self.key or self.user or self.kind.value

    def may(self, scope: Scope) -> bool:
        """Whether a scope was granted."""
        return scope in self.scopes


ANONYMOUS = Principal(tenant="anonymous", kind=CallerKind.ANONYMOUS, scopes=ANONYMOUS_SCOPES)
"""A caller without a credential, and without limits: what tests use."""

LOCAL = Principal(
    tenant="local", kind=CallerKind.ANONYMOUS, scopes=frozenset(s for s in TENANT_SCOPES if s.endswith(":read"))
)
"""The command line in its own process: it may read everything, nothing limits it and nobody meters it."""
