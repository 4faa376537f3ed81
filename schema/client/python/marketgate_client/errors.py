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
  + ConnectionFailed       no answer of a gateway came back: CONNECTION_FAILED, TIMED_OUT, NO_GATEWAY,
                           or not what was asked for: ANSWER_UNREADABLE
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from marketgate_client.generated.models import ProviderFailure
from marketgate_client.wire import T

UNSHAPED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading JSON of another shape than expected raises."""


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
        return wait_of(self.extensions)


class DataError(MarketgateError):
    """The data did not come."""

    codes = frozenset({
        "UPSTREAM_UNAVAILABLE", "UPSTREAM_THROTTLED", "UPSTREAM_QUOTA", "UPSTREAM_MALFORMED", "PROVIDER_MISCONFIGURED",
        "PROVIDER_KEY_MISSING", "NOT_COVERED", "DATA_STALE", "QUORUM_NOT_MET", "DEADLINE_EXCEEDED", "NOT_RECORDED",
    })  # fmt: skip

    @property
    def attempts(self) -> tuple[ProviderFailure, ...]:
        """Which providers were asked, in order, and what each one said."""
        with suppress(*UNSHAPED):
            told = self.extensions.get("attempts", ())
            return tuple([ProviderFailure.read({"retryAfterMs": None, **each}) for each in told])
        return ()


class InstrumentError(DataError):
    """The symbol means nothing, or too much."""

    codes = frozenset({"UNKNOWN_INSTRUMENT", "AMBIGUOUS_INSTRUMENT"})

    @property
    def candidates(self) -> tuple[str, ...]:
        """What it may mean."""
        told = self.extensions.get("candidates")
        return tuple(told) if isinstance(told, list) else ()


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

    codes = frozenset({"CONNECTION_FAILED", "TIMED_OUT", "NO_GATEWAY", "ANSWER_UNREADABLE"})


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


def are_written(errors: object) -> bool:
    """Whether they are errors as GraphQL writes them: at least one, and of each the extensions can be read."""
    return isinstance(errors, list) and errors != [] and all(_is_written(each) for each in errors)


def wait_of(extensions: Mapping[str, Any]) -> int | None:
    """How many milliseconds an error asks to wait; None where it does not."""
    told = extensions.get("retryAfterMs")
    return told if type(told) is int and told >= 0 else None


def shaped(read: Callable[[Any], T], value: Any) -> T:
    """What *read* makes of JSON; ConnectionFailed where it has another shape."""
    try:
        return read(value)
    except UNSHAPED as error:
        told = f"the answer has another shape than was asked for ({type(error).__name__}: {error})"
        raise ConnectionFailed(told, code="ANSWER_UNREADABLE") from error


def _is_written(error: object) -> bool:
    return isinstance(error, dict) and isinstance(error.get("extensions"), dict | None)
