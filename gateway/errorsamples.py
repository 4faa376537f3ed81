"""One error of every code as a caller gets it, made by the classes and functions that make the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.core.computing.refusals import ComputingFailed
from gateway.core.quant.refusals import Infeasible, NotComputable
from gateway.edge.errors import FormattedError, error_of, stamp
from schema import errors
from schema.errors import FailureCode, MarketgateError, NoAnswer, Refusal, UpstreamError
from schema.provenance import ProviderFailure

REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An entry of `errors`; `status` is HTTP's where it is the whole answer, None where it stands beside data."""

    error: FormattedError
    status: int | None = None


def sample_of(code: str) -> Sample:
    """The sample of a code of `gateway.cli.codes`; KeyError for another."""
    sample = SAMPLES[code]()
    stamp([sample.error], REQUEST_ID)
    return sample


def _raised(error: MarketgateError) -> Sample:
    status = error.status if isinstance(error, Refusal) else None
    return Sample(error={"message": error.message, "extensions": error.extensions()}, status=status)


def _unanswered(error: UpstreamError, symbol: str = "BTC/USD") -> Sample:
    """An ask that one provider was asked for, and could not answer."""
    wait = None if error.retry_after is None else int(error.retry_after * 1000)
    attempt = ProviderFailure(
        provider=error.provider, code=FailureCode(error.code), message=error.detail, retry_after_ms=wait
    )
    message = f"no provider answered for {symbol}: {error.message}"
    return _raised(NoAnswer(symbol, FailureCode(error.code), message, [attempt]))


def _refused(
    code: str, message: str, status: int = 400, details: Mapping[str, object] | None = None
) -> Callable[[], Sample]:
    return lambda: Sample(error=error_of(code, message, details), status=status)


SAMPLES: dict[str, Callable[[], Sample]] = {
    FailureCode.UPSTREAM_UNAVAILABLE: lambda: _unanswered(errors.Timeout("kraken", "no answer within 2 s")),
    FailureCode.UPSTREAM_THROTTLED: lambda: _unanswered(
        errors.Throttled("alphavantage", "asks to slow down", retry_after=30.0), "AAPL"
    ),
    FailureCode.UPSTREAM_QUOTA: lambda: _unanswered(
        errors.QuotaExhausted("alphavantage", "25 requests a day are used up", retry_after=36_000.0), "AAPL"
    ),
    FailureCode.UPSTREAM_MALFORMED: lambda: _unanswered(
        errors.Malformed("coingecko", "$.bitcoin.usd is not a number (got None)")
    ),
    FailureCode.PROVIDER_MISCONFIGURED: lambda: _unanswered(
        errors.Unauthorized("finnhub", "refuses the credential"), "AAPL"
    ),
    FailureCode.PROVIDER_KEY_MISSING: lambda: _unanswered(
        errors.KeyMissing("finnhub", "set MARKETGATE_KEY_FINNHUB"), "AAPL"
    ),
    FailureCode.NOT_COVERED: lambda: _unanswered(errors.NotCovered("kraken", "does not offer candles of S1")),
    FailureCode.UNKNOWN_INSTRUMENT: lambda: _raised(errors.UnknownSymbol("???", "'???' is no symbol")),
    FailureCode.AMBIGUOUS_INSTRUMENT: lambda: _raised(
        errors.AmbiguousInstrument("SOL", ["crypto:SOL/USD", "equity:SOL"])
    ),
    FailureCode.DATA_STALE: lambda: _unanswered(errors.Stale("kraken", "its value is 5200 ms old, 1000 are allowed")),
    FailureCode.QUORUM_NOT_MET: lambda: _raised(
        errors.QuorumNotMet(
            "BTC/USD", FailureCode.QUORUM_NOT_MET, "2 of 3 sources count, 3 are needed",
            [ProviderFailure(
                provider="okx", code=FailureCode.UPSTREAM_UNAVAILABLE, message="answered 503", retry_after_ms=None
            )],
        )
    ),
    FailureCode.DEADLINE_EXCEEDED: _refused(FailureCode.DEADLINE_EXCEEDED, "The operation took longer than 30 s.", 504),
    FailureCode.NOT_RECORDED: lambda: _unanswered(
        errors.NotRecorded("kraken", "no recording of it; recorded are crypto:BTC/USD, crypto:ETH/USD"), "SOL/USD"
    ),
    "BAD_USER_INPUT": lambda: _raised(errors.BadInput("first", "1 to 5000 is allowed, not 100000")),
    "BAD_REQUEST": _refused("BAD_REQUEST", "The request has no query: send the document in the parameter 'query'."),
    "GRAPHQL_PARSE_FAILED": _refused("GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
    "GRAPHQL_VALIDATION_FAILED": _refused(
        "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'prize' on type 'Quote'. Did you mean 'price'?"
    ),
    "OPERATION_RESOLUTION_FAILURE": _refused(
        "OPERATION_RESOLUTION_FAILURE", "The document holds several operations: say which one in operationName."
    ),
    "SUBSCRIPTION_NOT_SUPPORTED": _refused(
        "SUBSCRIPTION_NOT_SUPPORTED",
        "A subscription needs a stream: open a WebSocket at /graphql with the subprotocol graphql-transport-ws, "
        "or POST it with Accept: text/event-stream.",
    ),
    "LIMIT_EXCEEDED": _refused(
        "LIMIT_EXCEEDED", "The document is deeper than 20.", details={"limit": "depth", "max": 20}
    ),
    "BATCH_LIMIT_EXCEEDED": _refused("BATCH_LIMIT_EXCEEDED", "A batch holds 1 to 10 requests, not 0."),
    "PERSISTED_QUERY_NOT_FOUND": _refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"),
    "PERSISTED_QUERY_HASH_MISMATCH": _refused(
        "PERSISTED_QUERY_HASH_MISMATCH", "The sha256Hash is not the hash of the query."
    ),
    "DOCUMENT_NOT_TRUSTED": _refused(
        "DOCUMENT_NOT_TRUSTED",
        "This gateway executes trusted documents only, and this is none of them: send the SHA-256 of a listed document "
        "as `documentId` or in `extensions.persistedQuery.sha256Hash`, or have this one added to the list.",
        403,
    ),
    "METHOD_NOT_ALLOWED": _refused(
        "METHOD_NOT_ALLOWED", "A mutation must be sent by POST; GET is for queries only.", 405
    ),
    "NOT_ACCEPTABLE": _refused(
        "NOT_ACCEPTABLE",
        "The answer can be application/graphql-response+json or application/json; accept one of them.",
        406,
    ),
    "UNSUPPORTED_MEDIA_TYPE": _refused(
        "UNSUPPORTED_MEDIA_TYPE", "Compressed request bodies are not supported: send the JSON as it is.", 415
    ),
    "PAYLOAD_TOO_LARGE": _refused("PAYLOAD_TOO_LARGE", "The request body is larger than 1048576 bytes.", 413),
    "URI_TOO_LONG": _refused("URI_TOO_LONG", "The URL is too long: use POST.", 414),
    "REQUEST_TIMEOUT": _refused("REQUEST_TIMEOUT", "The request body did not arrive within 15 s.", 408),
    "CSRF_PREVENTED": _refused(
        "CSRF_PREVENTED",
        "This GET could come from another site: add the header GraphQL-Require-Preflight: 1, or use POST.",
        403,
    ),
    "NOT_FOUND": _refused("NOT_FOUND", "Nothing is here; GraphQL is at /graphql.", 404),
    "UNAUTHENTICATED": lambda: _raised(errors.Unauthenticated()),
    "FORBIDDEN": lambda: _raised(
        errors.Forbidden("alertCreate needs the scope alerts:write", missing="alerts:write", field="alertCreate")
    ),
    "CREDENTIAL_NOT_ALLOWED": lambda: _raised(
        errors.CredentialNotAllowed("The key is not accepted from this address.")
    ),
    "CSRF_FAILED": lambda: _raised(errors.CsrfFailed("Send the value of the cookie mg_csrf in X-CSRF-Token.")),
    "TENANT_SUSPENDED": lambda: _raised(errors.TenantSuspended("The organisation is suspended.")),
    "RATE_LIMITED": lambda: _raised(
        errors.RateLimited(
            "51 points are needed, 49 of 100 a minute are left", limit="pointsPerMinute", retry_after=19.0
        )
    ),
    "OVERLOADED": _refused(
        "OVERLOADED",
        "The gateway has more to do than it can: try again after retryAfterMs.",
        503,
        {"retryAfterMs": 1000},
    ),
    "NOT_COMPUTABLE": lambda: _raised(NotComputable("BTC/USD has 1 return; a volatility needs 2")),
    "INFEASIBLE": lambda: _raised(Infeasible("maxWeight 0.2 of 3 instruments holds 0.6 of the portfolio")),
    "COMPUTING_FAILED": lambda: _raised(ComputingFailed("The computation needed more memory than it may use.")),
    "LIMITS_UNAVAILABLE": lambda: _raised(errors.LimitsUnavailable(retry_after=1.0)),
    "DATABASE_UNAVAILABLE": lambda: _raised(errors.DatabaseUnavailable()),
    "QUOTA_EXCEEDED": lambda: _raised(
        errors.QuotaExceeded("The month's 3000000 points are used up", limit="pointsPerMonth", retry_after=86_400.0)
    ),
    "INTERNAL": _refused("INTERNAL", "Internal error", 500, {"errorId": "5f2d1c9a7b3e4680"}),
}  # fmt: skip
