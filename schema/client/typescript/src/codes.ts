// Written by `make gen` from the code; edit there.

/** Data that did not come. */
export type DataCode =
  /** The provider could not be reached, took too long or answered with a server error; or its circuit breaker is open, so that nothing was sent. The gateway retried once where time allowed, then asked the next provider. */
  | "UPSTREAM_UNAVAILABLE"
  /** The provider asks to slow down. It is left alone until `retryAfterMs` is over. */
  | "UPSTREAM_THROTTLED"
  /** The allowance of the provider's plan is used up until it resets. */
  | "UPSTREAM_QUOTA"
  /** The provider's answer does not have the documented shape; the message names the path that broke. It is never shown as data. */
  | "UPSTREAM_MALFORMED"
  /** The provider refuses the credential that is set for it. */
  | "PROVIDER_MISCONFIGURED"
  /** The provider needs a credential and none is set. */
  | "PROVIDER_KEY_MISSING"
  /** No provider that may be asked offers this: the capability, asset class, interval, range or adjustment. `attempts` says why each one is left out. */
  | "NOT_COVERED"
  /** The text is no symbol, or no provider that was asked lists the instrument. */
  | "UNKNOWN_INSTRUMENT"
  /** A short spelling, or the number of a security with several listings, means more than one instrument; `candidates` lists them. */
  | "AMBIGUOUS_INSTRUMENT"
  /** The newest value is older than `maxAgeMs` allows. */
  | "DATA_STALE"
  /** Fewer usable sources than `quorum`: the others failed, are delayed, too old, or price something else. `attempts` names each reason. */
  | "QUORUM_NOT_MET"
  /** The time that the caller or the gateway allows for the operation is over. */
  | "DEADLINE_EXCEEDED"
  /** The offline market answers from recordings and has none of this ask; the message lists what is recorded. */
  | "NOT_RECORDED";

/** Requests that were refused. */
export type RequestCode =
  /** An argument or variable is malformed or out of its range; `field` names it. */
  | "BAD_USER_INPUT"
  /** The HTTP request is not a GraphQL request: not JSON, not UTF-8, nested too deep, a parameter of a wrong type, or no document. */
  | "BAD_REQUEST"
  /** The document is not valid GraphQL; `locations` says where. */
  | "GRAPHQL_PARSE_FAILED"
  /** The document does not fit the schema: an unknown field or argument, a wrong type, a missing selection. */
  | "GRAPHQL_VALIDATION_FAILED"
  /** The document holds no operation, several without `operationName`, or none of that name. */
  | "OPERATION_RESOLUTION_FAILURE"
  /** A subscription came as an HTTP request that takes one answer. */
  | "SUBSCRIPTION_NOT_SUPPORTED"
  /** The document is larger than allowed; `limit` names the bound and `max` its value. */
  | "LIMIT_EXCEEDED"
  /** An array of requests is empty or too long. */
  | "BATCH_LIMIT_EXCEEDED"
  /** The gateway does not hold a document with this hash (any more). */
  | "PERSISTED_QUERY_NOT_FOUND"
  /** `sha256Hash` is not the SHA-256 of the document that came with it. */
  | "PERSISTED_QUERY_HASH_MISMATCH"
  /** This gateway executes listed documents only (`MARKETGATE_TRUSTED_ONLY`), and this one is not listed. */
  | "DOCUMENT_NOT_TRUSTED"
  /** This HTTP method does not work here; GET carries queries only. */
  | "METHOD_NOT_ALLOWED"
  /** The `Accept` header names neither GraphQL's media type nor JSON. */
  | "NOT_ACCEPTABLE"
  /** The request's body is not JSON in UTF-8, or it is compressed. */
  | "UNSUPPORTED_MEDIA_TYPE"
  /** The request's body is larger than allowed. */
  | "PAYLOAD_TOO_LARGE"
  /** The query string of a GET is longer than allowed. */
  | "URI_TOO_LONG"
  /** The request's body did not arrive in time. */
  | "REQUEST_TIMEOUT"
  /** A browser could have sent this GET for another site. */
  | "CSRF_PREVENTED"
  /** Nothing is at this address. */
  | "NOT_FOUND"
  /** No credential came where one is needed, or it is not valid: unknown, expired, revoked. Why is not told. */
  | "UNAUTHENTICATED"
  /** The caller lacks a permission; `missingScope` names the scope. */
  | "FORBIDDEN"
  /** The credential is valid, but not from this place: a secret key in a browser, or an address that is not on the key's list. */
  | "CREDENTIAL_NOT_ALLOWED"
  /** A browser's session cookie came without the header that proves that the page is ours. */
  | "CSRF_FAILED"
  /** The operator has suspended the organisation. Its data stays. */
  | "TENANT_SUSPENDED"
  /** Too much at once; `limit` says of what. */
  | "RATE_LIMITED"
  /** The gateway has more to do than it can; whoever asks most is refused first. Nothing was executed or charged. */
  | "OVERLOADED"
  /** The data do not allow the figure: too few observations, a constant series, a price that is missing. */
  | "NOT_COMPUTABLE"
  /** No portfolio satisfies all constraints; the message names those that collide. */
  | "INFEASIBLE"
  /** A computation has ended without an answer: it needed more memory than it may use, or its process crashed. */
  | "COMPUTING_FAILED"
  /** Redis, which counts limits for all processes, is away, and `MARKETGATE_LIMITS_WITHOUT_REDIS` is `closed`. */
  | "LIMITS_UNAVAILABLE"
  /** The database is away, or was lost on the way: then a mutation may have been done, or not. */
  | "DATABASE_UNAVAILABLE"
  /** The points of the plan's month are used up. */
  | "QUOTA_EXCEEDED";

/** Faults of the gateway. */
export type InsideCode =
  /** A fault of the gateway. Nothing of it is shown; the log has it under the `errorId`. */
  | "INTERNAL";

/** Every code of an error's `extensions`. */
export type ErrorCode = DataCode | RequestCode | InsideCode;
