"""What can go wrong, from the caller's point of view; every class knows its GraphQL code and its rules.

* MarketgateError                     code, message, and what belongs in GraphQL's `extensions`
  + BadInput                          BAD_USER_INPUT: an argument is out of its range; names the field and the way out
  + UnknownProvider                   BAD_USER_INPUT: a pinned provider that is not in the registry
  + AmbiguousInstrument               AMBIGUOUS_INSTRUMENT: lists the candidates
  + NoAnswer                          every provider failed: lists each attempt in order
  + QuorumNotMet                      QUORUM_NOT_MET: too few usable sources for a consensus
  + DeadlineExceeded                  DEADLINE_EXCEEDED: the caller's own time ran out
  + Refusal                           the caller may not do this; each class has its HTTP status
    - Unauthenticated                 UNAUTHENTICATED: no credential, or one that is not valid (401)
    - Forbidden                       FORBIDDEN: names the missing scope (403)
    - CredentialNotAllowed            CREDENTIAL_NOT_ALLOWED: a valid credential from the wrong place (403)
    - CsrfFailed                      CSRF_FAILED: a cookie without the header that proves the page is ours (403)
    - TenantSuspended                 TENANT_SUSPENDED: the operator has suspended the organisation (403)
    - RateLimited                     RATE_LIMITED: too much at once; says when to try again (429)
    - QuotaExceeded                   QUOTA_EXCEEDED: the plan's month is used up (429)
    - LimitsUnavailable               LIMITS_UNAVAILABLE: limits cannot be counted, and are closed then (503)
  + UpstreamError                     one provider could not answer
    - Timeout, ConnectionFailed       UPSTREAM_UNAVAILABLE: retried once, counted by the breaker
    - Overloaded                      UPSTREAM_UNAVAILABLE: 5xx, retried once with backoff, counted
    - CircuitOpen                     UPSTREAM_UNAVAILABLE: the breaker is open, nothing was sent
    - SwitchedOff                     UPSTREAM_UNAVAILABLE: paused by the operator, nothing was sent
    - Throttled                       UPSTREAM_THROTTLED: the provider is paused, Retry-After is honoured
    - QuotaExhausted                  UPSTREAM_QUOTA: paused until the reset
    - QuotaReached                    UPSTREAM_QUOTA: our own count has no room in time, nothing was sent
    - BudgetReached                   RATE_LIMITED: the plan has no more upstream calls for now, nothing was sent
    - KeyMissing                      PROVIDER_KEY_MISSING: no credential is set
    - Unauthorized                    PROVIDER_MISCONFIGURED: the credential is refused
    - NotCovered                      NOT_COVERED: not offered for this class, range or adjustment
      . Blocked                       NOT_COVERED: refused to this country; the provider is paused
    - UnknownInstrument               UNKNOWN_INSTRUMENT: the provider does not list it
    - Malformed                       UPSTREAM_MALFORMED: the payload broke the parser, counted
    - Stale                           DATA_STALE: older than the caller accepts
    - NotRecorded                     NOT_RECORDED: the offline market has no recording of it

All upstream errors fail over to the next provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from schema.model import choices

if TYPE_CHECKING:
    from schema.provenance import ProviderFailure

DOCS = "/docs/errors/"
LONGEST_DETAIL = 1_000


@choices(
    "Why one provider, or all of them, did not answer.",
    UPSTREAM_UNAVAILABLE="The provider does not answer, fails, or is not asked because it failed.",
    UPSTREAM_THROTTLED="The provider asks to slow down.",
    UPSTREAM_QUOTA="The provider's own limit is used up.",
    RATE_LIMITED="The caller's plan has no more requests for now.",
    UPSTREAM_MALFORMED="The provider's answer cannot be read.",
    PROVIDER_MISCONFIGURED="The provider refuses the key.",
    PROVIDER_KEY_MISSING="The provider needs a key and none is set.",
    NOT_COVERED="The provider does not offer it.",
    UNKNOWN_INSTRUMENT="The provider does not know the instrument.",
    AMBIGUOUS_INSTRUMENT="The symbol means several instruments.",
    DATA_STALE="The value is older than was asked for.",
    QUORUM_NOT_MET="Too few providers answered to agree.",
    DEADLINE_EXCEEDED="The time for the answer was over.",
    NOT_RECORDED="The offline market has no recording of it.",
)
class FailureCode(StrEnum):
    """Codes that stand in `failures`, in `attempts` and in the `extensions.code` of an error."""

    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UPSTREAM_THROTTLED = "UPSTREAM_THROTTLED"
    UPSTREAM_QUOTA = "UPSTREAM_QUOTA"
    RATE_LIMITED = "RATE_LIMITED"
    UPSTREAM_MALFORMED = "UPSTREAM_MALFORMED"
    PROVIDER_MISCONFIGURED = "PROVIDER_MISCONFIGURED"
    PROVIDER_KEY_MISSING = "PROVIDER_KEY_MISSING"
    NOT_COVERED = "NOT_COVERED"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    AMBIGUOUS_INSTRUMENT = "AMBIGUOUS_INSTRUMENT"
    DATA_STALE = "DATA_STALE"
    QUORUM_NOT_MET = "QUORUM_NOT_MET"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_RECORDED = "NOT_RECORDED"


def docs_of(code: str) -> str:
    """The page of a code, a path on the gateway that answered: a client joins it to the address it asked."""
    return f"{DOCS}{code}"


class MarketgateError(Exception):
    """Base of every expected failure: it may be shown to the caller as it is."""

    code: str = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def extensions(self) -> dict[str, object]:
        """What GraphQL's `errors[].extensions` says besides the message."""
        return {"code": str(self.code), "docs": docs_of(self.code)}


class BadInput(MarketgateError):
    """An argument is malformed or out of range; `field` names it."""

    code = "BAD_USER_INPUT"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field

    def extensions(self) -> dict[str, object]:
        return {**super().extensions(), "field": self.field}


class UnknownProvider(BadInput):
    """A provider id that is not in the registry."""


class AmbiguousInstrument(MarketgateError):
    """A short spelling means more than one instrument."""

    code = FailureCode.AMBIGUOUS_INSTRUMENT

    def __init__(self, symbol: str, candidates: Sequence[str], way_out: str = ", or give assetClass") -> None:
        listed = ", ".join(candidates)
        super().__init__(f"{symbol!r} may mean {listed}: write one of these{way_out}")
        self.symbol, self.candidates = symbol, tuple(candidates)

    def extensions(self) -> dict[str, object]:
        return {**super().extensions(), "symbol": self.symbol, "candidates": list(self.candidates)}


class UnknownSymbol(MarketgateError):
    """A text that cannot be read as any instrument."""

    code = FailureCode.UNKNOWN_INSTRUMENT

    def __init__(self, symbol: str, message: str) -> None:
        super().__init__(message)
        self.symbol = symbol

    def extensions(self) -> dict[str, object]:
        return {**super().extensions(), "symbol": self.symbol, "candidates": []}


class DeadlineExceeded(MarketgateError):
    """The time that the caller allowed is over."""

    code = FailureCode.DEADLINE_EXCEEDED


class Refusal(MarketgateError):
    """The caller may not do this, or not now; nothing was executed.

    `retry_after` is in seconds, None where waiting does not help.
    """

    status: ClassVar[int] = 403
    retry_after: float | None = None

    def extensions(self) -> dict[str, object]:
        found = super().extensions()
        if self.retry_after is not None:
            found["retryAfterMs"] = max(int(self.retry_after * 1000), 1)
        return found


class Unauthenticated(Refusal):
    """No credential where one is needed, or one that is not valid: why is not told, so that nothing can be probed."""

    code = "UNAUTHENTICATED"
    status = 401

    def __init__(self, message: str = "The credential is not valid: sign in again, or send another API key.") -> None:
        super().__init__(message)


class Forbidden(Refusal):
    """A scope is missing; `missing` names it."""

    code = "FORBIDDEN"

    def __init__(self, message: str, *, missing: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.missing, self.field = missing, field

    def extensions(self) -> dict[str, object]:
        told = {"missingScope": self.missing, "field": self.field}
        return {**super().extensions(), **{name: value for name, value in told.items() if value is not None}}


class CredentialNotAllowed(Refusal):
    """A credential that is valid elsewhere: a secret key in a browser, an address or origin that is not on its list."""

    code = "CREDENTIAL_NOT_ALLOWED"


class CsrfFailed(Refusal):
    """A cookie came without the header that proves that the page is ours."""

    code = "CSRF_FAILED"


class TenantSuspended(Refusal):
    """The operator has suspended the organisation; its data stays."""

    code = "TENANT_SUSPENDED"


class RateLimited(Refusal):
    """Too much at once."""

    code = "RATE_LIMITED"
    status = 429

    def __init__(self, message: str, *, limit: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.limit, self.retry_after = limit, retry_after

    def extensions(self) -> dict[str, object]:
        return {**super().extensions(), "limit": self.limit}


class QuotaExceeded(RateLimited):
    """A hard quota of the plan is used up; `retry_after` reaches to the next month."""

    code = "QUOTA_EXCEEDED"


class LimitsUnavailable(RateLimited):
    """What is left of the limits cannot be known just now, and the operator has chosen to refuse then."""

    code = "LIMITS_UNAVAILABLE"
    status = 503

    def __init__(self, *, retry_after: float) -> None:
        told = "The limits cannot be counted just now, so nothing is executed: try again in a moment."
        super().__init__(told, limit="limits", retry_after=retry_after)


class DatabaseUnavailable(Refusal, ConnectionError):
    """The database cannot be reached, or was lost on the way: what was to be committed then may be, or may not."""

    code = "DATABASE_UNAVAILABLE"
    status = 503
    retry_after = 1.0

    def __init__(self) -> None:
        super().__init__("The database cannot be reached just now: look whether it was done, or try again in a moment.")


class NoAnswer(MarketgateError):
    """Nobody answered; `attempts` says who was asked, in order, and why that did not do."""

    def __init__(self, symbol: str, code: FailureCode, message: str, attempts: Sequence[ProviderFailure]) -> None:
        super().__init__(message)
        self.code = code
        self.symbol, self.attempts = symbol, tuple(attempts)

    def extensions(self) -> dict[str, object]:
        found: dict[str, object] = {**super().extensions(), "symbol": self.symbol}
        found["attempts"] = [
            {"provider": a.provider, "code": str(a.code), "message": a.message, "retryAfterMs": a.retry_after_ms}
            for a in self.attempts
        ]
        # The provider and the wait are those that the code belongs to.
        telling = [attempt for attempt in self.attempts if attempt.code == self.code] or self.attempts
        if telling:
            found["provider"] = telling[-1].provider
        waits = _waits(telling) or _waits(self.attempts)
        if waits:
            found["retryAfterMs"] = min(waits)
        return found


def _waits(attempts: Sequence[ProviderFailure]) -> list[int]:
    return [attempt.retry_after_ms for attempt in attempts if attempt.retry_after_ms is not None]


class QuorumNotMet(NoAnswer):
    """Fewer usable sources than the caller's quorum."""


class UpstreamError(MarketgateError):
    """One provider could not answer; the class says what the gateway does about it."""

    code: str = FailureCode.UPSTREAM_UNAVAILABLE
    retried: ClassVar[bool] = False
    counted: ClassVar[bool] = False
    pauses: ClassVar[bool] = False

    def __init__(self, provider: str, detail: str, *, retry_after: float | None = None) -> None:
        # What an upstream says is passed on, never at any length.
        shown = detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]}…"
        super().__init__(f"{provider}: {shown}")
        self.provider, self.detail, self.retry_after = provider, shown, retry_after

    def retold(self, detail: str, *, retry_after: float | None = None) -> UpstreamError:
        """The same kind of error in other words; subclasses may have constructors of their own."""
        made = type(self).__new__(type(self))
        UpstreamError.__init__(made, self.provider, detail, retry_after=retry_after or self.retry_after)
        return made

    def extensions(self) -> dict[str, object]:
        found = {**super().extensions(), "provider": self.provider}
        if self.retry_after is not None:
            found["retryAfterMs"] = int(self.retry_after * 1000)
        return found


class Timeout(UpstreamError):
    """No answer within the time that was left."""

    retried = counted = True


class ConnectionFailed(UpstreamError):
    """Refused, reset, unresolvable, TLS failure."""

    retried = counted = True


class Overloaded(UpstreamError):
    """The upstream answered 5xx."""

    retried = counted = True


class CircuitOpen(UpstreamError):
    """The breaker is open: nothing was sent."""


class SwitchedOff(UpstreamError):
    """The operator has paused the provider: nothing was sent."""


class Throttled(UpstreamError):
    """The upstream asks to slow down (429, 418, or a note in a 200)."""

    code = FailureCode.UPSTREAM_THROTTLED
    pauses = True


class QuotaExhausted(UpstreamError):
    """The plan's allowance is used up."""

    code = FailureCode.UPSTREAM_QUOTA
    pauses = True


class QuotaReached(UpstreamError):
    """Our own count of the upstream's limits has no room for the call in time: nothing was sent."""

    code = FailureCode.UPSTREAM_QUOTA


class BudgetReached(UpstreamError):
    """The caller's plan has no more requests to upstreams for now: nothing was sent."""

    code = FailureCode.RATE_LIMITED


class KeyMissing(UpstreamError):
    """The provider needs a credential and none is set."""

    code = FailureCode.PROVIDER_KEY_MISSING


class Unauthorized(UpstreamError):
    """The credential is refused."""

    code = FailureCode.PROVIDER_MISCONFIGURED


class NotCovered(UpstreamError):
    """Not offered: capability, asset class, interval, range or adjustment."""

    code = FailureCode.NOT_COVERED


class Blocked(NotCovered):
    """Refused to everybody here, for legal reasons or by country: nothing else need be asked for a while."""

    pauses = True


class UnknownInstrument(UpstreamError):
    """The provider does not list the instrument."""

    code = FailureCode.UNKNOWN_INSTRUMENT


class Malformed(UpstreamError):
    """The payload does not have the documented shape."""

    code = FailureCode.UPSTREAM_MALFORMED
    counted = True


class Stale(UpstreamError):
    """The newest value is older than the caller accepts."""

    code = FailureCode.DATA_STALE


class NotRecorded(UpstreamError):
    """The offline market holds no recording of this ask."""

    code = FailureCode.NOT_RECORDED
