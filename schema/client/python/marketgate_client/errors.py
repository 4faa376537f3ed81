"""What can go wrong: a class for each family of codes.

* MarketgateError          any code that this client does not know yet
  + DataError              data did not come: UPSTREAM_…, PROVIDER_…, NOT_COVERED, DATA_STALE, QUORUM_NOT_MET, …
    - InstrumentError      the symbol: UNKNOWN_INSTRUMENT, AMBIGUOUS_INSTRUMENT with its candidates
  + RequestError           the question is wrong as it stands: BAD_USER_INPUT, GRAPHQL_…, LIMIT_EXCEEDED, …
  + AccessError            the credential: UNAUTHENTICATED, FORBIDDEN, TENANT_SUSPENDED, …
  + LimitError             the plan's limits: RATE_LIMITED, QUOTA_EXCEEDED
  + UnavailableError       the gateway cannot work now: OVERLOADED, DATABASE_UNAVAILABLE, LIMITS_UNAVAILABLE
  + ComputationError       a figure cannot be had: NOT_COMPUTABLE, INFEASIBLE, COMPUTING_FAILED
  + InternalError          a fault of the gateway, with its errorId
  + ConnectionFailed       no answer of a gateway came back: CONNECTION_FAILED, TIMED_OUT, NO_GATEWAY
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marketgate_client.generated.models import ProviderFailure


class MarketgateError(Exception):
    """An operation that failed."""

    codes: ClassVar[frozenset[str]] = frozenset()
    """The codes of the family."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        extensions: Mapping[str, Any] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.message, self.code = message, code
        self.extensions: Mapping[str, Any] = extensions or {}
        """All that the gateway says of the error."""
        self.errors = tuple(errors)
        """All errors of the answer as they came; this one is the first."""
        self.data = data
        """What came nevertheless."""

    @property
    def docs(self) -> str | None:
        """Where the code is explained, with what to do about it."""
        return self.extensions.get("docs")

    @property
    def request_id(self) -> str | None:
        """The gateway's name for the request, for its operator."""
        return self.extensions.get("requestId")

    @property
    def retry_after_ms(self) -> int | None:
        """When to try again; None where waiting does not help, or nobody knows."""
        return self.extensions.get("retryAfterMs")


class DataError(MarketgateError):
    """The data did not come."""

    codes = frozenset({
        "UPSTREAM_UNAVAILABLE", "UPSTREAM_THROTTLED", "UPSTREAM_QUOTA", "UPSTREAM_MALFORMED", "PROVIDER_MISCONFIGURED",
        "PROVIDER_KEY_MISSING", "NOT_COVERED", "DATA_STALE", "QUORUM_NOT_MET", "DEADLINE_EXCEEDED", "NOT_RECORDED",
    })  # fmt: skip

    @property
    def attempts(self) -> tuple[ProviderFailure, ...]:
        """Which providers were asked, in order, and what each one said."""
        return tuple([
            ProviderFailure.read({"retryAfterMs": None, **each}) for each in self.extensions.get("attempts", ())
        ])  # fmt: skip


class InstrumentError(DataError):
    """The symbol means nothing, or too much."""

    codes = frozenset({"UNKNOWN_INSTRUMENT", "AMBIGUOUS_INSTRUMENT"})

    @property
    def candidates(self) -> tuple[str, ...]:
        """What it may mean."""
        return tuple(self.extensions.get("candidates", ()))


class RequestError(MarketgateError):
    """The question is wrong as it stands."""

    codes = frozenset({
        "BAD_USER_INPUT", "BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED",
        "OPERATION_RESOLUTION_FAILURE", "SUBSCRIPTION_NOT_SUPPORTED", "BATCH_LIMIT_EXCEEDED", "DOCUMENT_NOT_TRUSTED",
        "PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_HASH_MISMATCH", "METHOD_NOT_ALLOWED", "NOT_ACCEPTABLE",
        "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE", "URI_TOO_LONG", "REQUEST_TIMEOUT", "CSRF_PREVENTED", "NOT_FOUND",
    })  # fmt: skip

    @property
    def field(self) -> str | None:
        """The argument that is wrong."""
        return self.extensions.get("field")


class AccessError(MarketgateError):
    """The credential does not open this."""

    codes = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "CREDENTIAL_NOT_ALLOWED", "CSRF_FAILED", "TENANT_SUSPENDED"})

    @property
    def missing_scope(self) -> str | None:
        """The scope that the credential lacks."""
        return self.extensions.get("missingScope")


class LimitError(MarketgateError):
    """More than the plan allows; without `retry_after_ms` waiting does not help."""

    codes = frozenset({"RATE_LIMITED", "QUOTA_EXCEEDED"})


class UnavailableError(MarketgateError):
    """The gateway cannot work now."""

    codes = frozenset({"OVERLOADED", "LIMITS_UNAVAILABLE", "DATABASE_UNAVAILABLE"})


class ComputationError(MarketgateError):
    """The data do not allow the figure."""

    codes = frozenset({"NOT_COMPUTABLE", "INFEASIBLE", "COMPUTING_FAILED"})


class InternalError(MarketgateError):
    """A fault of the gateway: report `error_id`."""

    codes = frozenset({"INTERNAL"})

    @property
    def error_id(self) -> str | None:
        """What the gateway's log has it under."""
        return self.extensions.get("errorId")


class ConnectionFailed(MarketgateError):
    """No answer of a gateway came back."""

    codes = frozenset({"CONNECTION_FAILED", "TIMED_OUT", "NO_GATEWAY"})


FAMILIES = (
    DataError, InstrumentError, RequestError, AccessError, LimitError, UnavailableError, ComputationError,
    InternalError, ConnectionFailed,
)  # fmt: skip
_CLASSES = {code: family for family in FAMILIES for code in family.codes}


def error_of(errors: Sequence[Mapping[str, Any]], data: Mapping[str, Any] | None = None) -> MarketgateError:
    """The first of an answer's errors, as its class."""
    first = errors[0]
    extensions = first.get("extensions") or {}
    code = str(extensions.get("code", "UNKNOWN"))
    family = _CLASSES.get(code, MarketgateError)
    return family(str(first.get("message", "")), code=code, extensions=extensions, errors=errors, data=data)
