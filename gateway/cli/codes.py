"""Every error code: what it means and what to do; shown by the command line, written out as docs/errors.md."""

from __future__ import annotations

from dataclasses import dataclass

from schema.errors import FailureCode


@dataclass(frozen=True, slots=True)
class Explained:
    """A code in words; `remedy` fits behind a message."""

    meaning: str
    remedy: str


DATA: dict[str, Explained] = {
    FailureCode.UPSTREAM_UNAVAILABLE: Explained(
        "The provider could not be reached, took too long or answered with a server error; or its circuit breaker is "
        "open, so that nothing was sent. The gateway retried once where time allowed, then asked the next provider.",
        "try again; `marketgate doctor --online` shows who can be reached, `--offline` asks the offline market",
    ),
    FailureCode.UPSTREAM_THROTTLED: Explained(
        "The provider asks to slow down. It is left alone until `retryAfterMs` is over.",
        "wait for `retryAfterMs`, ask less often, or give the provider a key with a larger allowance",
    ),
    FailureCode.UPSTREAM_QUOTA: Explained(
        "The allowance of the provider's plan is used up until it resets.",
        "wait for the reset, or move to a larger plan with MARKETGATE_TIER_<PROVIDER ID>",
    ),
    FailureCode.UPSTREAM_MALFORMED: Explained(
        "The provider's answer does not have the documented shape; the message names the path that broke. It is never "
        "shown as data.",
        "pin another provider, and report the message: the provider may have changed its format",
    ),
    FailureCode.PROVIDER_MISCONFIGURED: Explained(
        "The provider refuses the credential that is set for it.",
        "check MARKETGATE_KEY_<PROVIDER ID> and MARKETGATE_TIER_<PROVIDER ID>",
    ),
    FailureCode.PROVIDER_KEY_MISSING: Explained(
        "The provider needs a credential and none is set.",
        "set MARKETGATE_KEY_<PROVIDER ID>; `marketgate providers --status key_missing` lists them",
    ),
    FailureCode.NOT_COVERED: Explained(
        "No provider that may be asked offers this: the capability, asset class, interval, range or adjustment. "
        "`attempts` says why each one is left out.",
        "`marketgate providers` lists who answers what",
    ),
    FailureCode.UNKNOWN_INSTRUMENT: Explained(
        "The text is no symbol, or no provider that was asked lists the instrument.",
        "check the spelling; `instruments(search:)` finds symbols by name",
    ),
    FailureCode.AMBIGUOUS_INSTRUMENT: Explained(
        "A short spelling, or the number of a security with several listings, means more than one instrument; "
        "`candidates` lists them.",
        "write one of the candidates; or give `assetClass`, or behind a number the listing's venue (`@XETR`)",
    ),
    FailureCode.DATA_STALE: Explained(
        "The newest value is older than `maxAgeMs` allows.",
        "allow a greater age, or ask when the market is open",
    ),
    FailureCode.QUORUM_NOT_MET: Explained(
        "Fewer usable sources than `quorum`: the others failed, are delayed, too old, or price something else. "
        "`attempts` names each reason.",
        "lower the quorum, or name further providers",
    ),
    FailureCode.DEADLINE_EXCEEDED: Explained(
        "The time that the caller or the gateway allows for the operation is over.",
        "allow more with `timeoutMs`, or ask for less at once",
    ),
    FailureCode.NOT_RECORDED: Explained(
        "The offline market answers from recordings and has none of this ask; the message lists what is recorded.",
        "ask for something recorded, leave `sandbox` among the providers, or set MARKETGATE_UPSTREAMS=live",
    ),
}
"""Why data did not come: in `failures`, in `attempts` and in `extensions.code`."""

REQUESTS: dict[str, Explained] = {
    "BAD_USER_INPUT": Explained(
        "An argument or variable is malformed or out of its range; `field` names it.",
        "correct the value that the message names",
    ),
    "BAD_REQUEST": Explained(
        "The HTTP request is not a GraphQL request: not JSON, not UTF-8, nested too deep, a parameter of a wrong type, "
        "or no document.",
        "send a JSON object with `query` and, where needed, `variables` and `operationName`",
    ),
    "GRAPHQL_PARSE_FAILED": Explained(
        "The document is not valid GraphQL; `locations` says where.", "correct the document at that place"
    ),
    "GRAPHQL_VALIDATION_FAILED": Explained(
        "The document does not fit the schema: an unknown field or argument, a wrong type, a missing selection.",
        "compare it with schema/schema.graphql",
    ),
    "OPERATION_RESOLUTION_FAILURE": Explained(
        "The document holds no operation, several without `operationName`, or none of that name.",
        "name the operation that should run",
    ),
    "SUBSCRIPTION_NOT_SUPPORTED": Explained(
        "A subscription came as an HTTP request that takes one answer.",
        "open a WebSocket at /graphql with the subprotocol graphql-transport-ws, or POST it with `Accept: "
        "text/event-stream`",
    ),
    "LIMIT_EXCEEDED": Explained(
        "The document is larger than allowed; `limit` names the bound and `max` its value.",
        "split the document into several",
    ),
    "BATCH_LIMIT_EXCEEDED": Explained(
        "An array of requests is empty or too long.", "send fewer operations in one request"
    ),
    "PERSISTED_QUERY_NOT_FOUND": Explained(
        "The gateway does not hold a document with this hash (any more).",
        "send the document along with its hash; clients of automatic persisted queries do so by themselves",
    ),
    "PERSISTED_QUERY_HASH_MISMATCH": Explained(
        "`sha256Hash` is not the SHA-256 of the document that came with it.", "compute the hash of the exact text sent"
    ),
    "DOCUMENT_NOT_TRUSTED": Explained(
        "This gateway executes listed documents only (`MARKETGATE_TRUSTED_ONLY`), and this one is not listed.",
        "send the id of a listed document, or have this one added to `MARKETGATE_TRUSTED_DOCUMENTS`",
    ),
    "METHOD_NOT_ALLOWED": Explained(
        "This HTTP method does not work here; GET carries queries only.", "use POST"
    ),
    "NOT_ACCEPTABLE": Explained(
        "The `Accept` header names neither GraphQL's media type nor JSON.",
        "accept application/graphql-response+json or application/json",
    ),
    "UNSUPPORTED_MEDIA_TYPE": Explained(
        "The request's body is not JSON in UTF-8, or it is compressed.", "send application/json as it is"
    ),
    "PAYLOAD_TOO_LARGE": Explained("The request's body is larger than allowed.", "send less at once"),
    "URI_TOO_LONG": Explained("The query string of a GET is longer than allowed.", "use POST"),
    "REQUEST_TIMEOUT": Explained("The request's body did not arrive in time.", "send it again"),
    "CSRF_PREVENTED": Explained(
        "A browser could have sent this GET for another site.",
        "add the header GraphQL-Require-Preflight: 1, or use POST",
    ),
    "NOT_FOUND": Explained("Nothing is at this address.", "GraphQL is at /graphql"),
    "UNAUTHENTICATED": Explained(
        "No credential came where one is needed, or it is not valid: unknown, expired, revoked. Why is not told.",
        "sign in again, or send an API key in the header X-API-Key",
    ),
    "FORBIDDEN": Explained(
        "The caller lacks a permission; `missingScope` names the scope.",
        "use a credential that carries the scope, or ask an owner for a role that has it",
    ),
    "CREDENTIAL_NOT_ALLOWED": Explained(
        "The credential is valid, but not from this place: a secret key in a browser, or an address that is not on the "
        "key's list.",
        "mint a browser token with accessTokenCreate, or extend the key's lists",
    ),
    "CSRF_FAILED": Explained(
        "A browser's session cookie came without the header that proves that the page is ours.",
        "send the value of the cookie mg_csrf in the header X-CSRF-Token",
    ),
    "TENANT_SUSPENDED": Explained(
        "The operator has suspended the organisation. Its data stays.", "ask the operator of the gateway"
    ),
    "RATE_LIMITED": Explained(
        "Too much at once; `limit` says of what.",
        "wait for `retryAfterMs`, or move to a larger plan. Without `retryAfterMs` waiting does not help: ask for less "
        "at once",
    ),
    "OVERLOADED": Explained(
        "The gateway has more to do than it can; whoever asks most is refused first. Nothing was executed or charged.",
        "wait for `retryAfterMs`, then try again; run more processes where it happens often",
    ),
    "NOT_COMPUTABLE": Explained(
        "The data do not allow the figure: too few observations, a constant series, a price that is missing.",
        "choose a longer range, or leave out the instruments that the message names",
    ),
    "INFEASIBLE": Explained(
        "No portfolio satisfies all constraints; the message names those that collide.",
        "loosen one of the constraints",
    ),
    "COMPUTING_FAILED": Explained(
        "A computation has ended without an answer: it needed more memory than it may use, or its process crashed.",
        "ask for fewer instruments, a shorter range or a longer interval",
    ),
    "LIMITS_UNAVAILABLE": Explained(
        "Redis, which counts limits for all processes, is away, and `MARKETGATE_LIMITS_WITHOUT_REDIS` is `closed`.",
        "try again after `retryAfterMs`; the operator sees to Redis, or sets `open`",
    ),
    "DATABASE_UNAVAILABLE": Explained(
        "The database is away, or was lost on the way: then a mutation may have been done, or not.",
        "try again after `retryAfterMs`, with the same `idempotencyKey` where there is one; the operator sees to it",
    ),
    "QUOTA_EXCEEDED": Explained(
        "The points of the plan's month are used up.", "move to a larger plan, or wait for the next month"
    ),
}  # fmt: skip
"""Why a request was refused before anything was asked."""

INSIDE: dict[str, Explained] = {
    "INTERNAL": Explained(
        "A fault of the gateway. Nothing of it is shown; the log has it under the `errorId`.",
        "report the `errorId`; MARKETGATE_LOG_LEVEL=debug makes the command line show the cause",
    ),
}
"""What is nobody's fault but ours."""

CODES: dict[str, Explained] = {**DATA, **REQUESTS, **INSIDE}


SAID = frozenset({FailureCode.AMBIGUOUS_INSTRUMENT, "BAD_USER_INPUT"})
"""Their messages name the way out themselves."""


def with_remedy(message: str, code: str) -> str:
    """The message with its code and what to do."""
    known = None if code in SAID else CODES.get(code)
    return f"{message} ({code}{f': {known.remedy}' if known else ''})"
