"""How errors leave: expected ones as they are, everything else masked behind an id that the log has."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NotRequired, TypedDict, cast

import structlog
from graphql import GraphQLEnumType, GraphQLError, GraphQLSchema

from schema.errors import MarketgateError, Refusal, docs_of

LOG = structlog.get_logger("marketgate.edge")

# A list of a thousand rows that all fail for one reason must not write a thousand tracebacks.
MAX_LOGGED_FAULTS = 5


_SHOWN = re.compile(
    r"((?:String|ID|Int|Float|Boolean) cannot represent [^:]*"
    r"|to be an? \w+|unknown field '\w+'|required field '\w+')(?:, found|): .*",
    re.DOTALL,
)
_MEANT = re.compile(r" Did you mean .*\?$", re.DOTALL)
_QUOTED, _WORD = re.compile(r"'[^']*'"), re.compile(r"\w+")
_EVERYBODYS = frozenset({
    "Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID", "skip", "include", "if",
})  # fmt: skip
"""Names that every schema has."""
_MISSED = re.compile(r"does not exist in '(\w+)' enum")


class FormattedError(TypedDict):
    """One entry of GraphQL's `errors`."""

    message: str
    locations: NotRequired[list[dict[str, int]]]
    path: NotRequired[list[str | int]]
    extensions: dict[str, object]


class Refused(Exception):
    """A request that is not executed.

    `well_formed` requests failed as GraphQL requests: `application/json` answers those with 200, as the
    specification has it. The others failed as HTTP requests: their status is the same in every media type.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        well_formed: bool = False,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FormattedError] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.extensions = dict(extensions or {})
        self.status, self.well_formed, self.headers = status, well_formed, dict(headers or {})
        self.code = code
        self.errors = list(errors) if errors else [error_of(code, message, details)]

    def again(self) -> Refused:
        """The same refusal for another request, which puts its own id into the errors."""
        errors = [cast(FormattedError, {**each, "extensions": {**each["extensions"]}}) for each in self.errors]
        return Refused(
            self.code, str(self), status=self.status, well_formed=self.well_formed, headers=self.headers, errors=errors,
            extensions=self.extensions,
        )  # fmt: skip


def error_of(code: str, message: str, details: Mapping[str, object] | None = None) -> FormattedError:
    """One error in the shape of GraphQL's `errors`."""
    return {"message": message, "extensions": {"code": code, **(details or {}), "docs": docs_of(code)}}


def stamp(errors: Sequence[FormattedError], request_id: str) -> list[FormattedError]:
    """Every error names the request, so that one line of a client's log is enough to find it here."""
    for error in errors:
        error["extensions"]["requestId"] = request_id
    return list(errors)


def refuse(
    code: str,
    errors: Sequence[GraphQLError],
    schema: GraphQLSchema | None = None,
    words: Collection[str] | None = None,
) -> Refused:
    """Request errors of graphql-core (syntax, validation, variables) under one code.

    Where *words* are given (in production: those that the caller wrote) no other name is told.
    """
    extensions = {"code": code, "docs": docs_of(code)}
    formatted = [_placed(error, told(error.message, schema, words), extensions) for error in errors]
    return Refused(code, formatted[0]["message"], well_formed=True, errors=formatted)


def told(message: str, schema: GraphQLSchema | None, words: Collection[str] | None = None) -> str:
    """graphql-core's words without the value that was sent, which may be a password; an enumeration's values named."""
    message = _SHOWN.sub(r"\1.", message)
    if words is not None:
        known = _EVERYBODYS.union(words)
        return _QUOTED.sub(lambda quoted: _hidden(quoted.group(), known), _MEANT.sub("", message))
    missed = _MISSED.search(message)
    kind = schema.type_map.get(missed.group(1)) if missed and schema else None
    if isinstance(kind, GraphQLEnumType):
        message = f"{message.rstrip('.')}; its values are {', '.join(kind.values)}."
    return message


def words_of(*texts: str) -> frozenset[str]:
    """The words that a caller wrote."""
    return frozenset(word for text in texts for word in _WORD.findall(text))


def _hidden(quoted: str, known: Collection[str]) -> str:
    return _WORD.sub(lambda word: word.group() if word.group() in known else "…", quoted)


@dataclass(slots=True, kw_only=True)
class Faults:
    """The internal faults of one operation: one id for the caller, the tracebacks for the log."""

    request_id: str
    error_id: str = ""
    """Drawn at the first fault: most operations have none."""
    logged: int = 0

    def mask(self, fault: BaseException, path: Sequence[str | int] | None = None) -> FormattedError:
        """Log the fault and say no more than its id."""
        self.error_id = self.error_id or secrets.token_hex(8)
        if self.logged < MAX_LOGGED_FAULTS:
            self.logged += 1
            LOG.error("internal_error", error_id=self.error_id, request_id=self.request_id, path=path, exc_info=fault)
        return error_of("INTERNAL", "Internal error", {"errorId": self.error_id})


def expected(error: MarketgateError) -> Refused:
    """An expected failure before execution began."""
    formatted: FormattedError = {"message": error.message, "extensions": error.extensions()}
    return Refused(error.code, error.message, well_formed=True, errors=[formatted])


def turned_away(refusal: Refusal) -> Refused:
    """A caller who may not, or not now: the HTTP status says so in every media type."""
    formatted: FormattedError = {"message": refusal.message, "extensions": refusal.extensions()}
    headers: dict[str, str] = {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="marketgate"'
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(refusal.retry_after)))
    return Refused(refusal.code, refusal.message, status=refusal.status, headers=headers, errors=[formatted])


def masked(fault: BaseException, faults: Faults) -> Refused:
    """An internal fault that left no answer to send."""
    return Refused("INTERNAL", "Internal error", status=500, errors=[faults.mask(fault)])


def format_errors(errors: Sequence[GraphQLError], faults: Faults) -> list[FormattedError]:
    """What resolvers raised, as the caller may see it."""
    return [_format(error, faults) for error in errors]


def _format(error: GraphQLError, faults: Faults) -> FormattedError:
    cause = _cause(error)
    if isinstance(cause, MarketgateError):
        return _placed(error, cause.message, cause.extensions())
    if isinstance(cause, GraphQLError):
        if cause.extensions and "code" in cause.extensions:
            return _placed(error, cause.message, cause.extensions)
        # graphql-core attaches nodes where it refuses an argument; a value it cannot print has none.
        if cause.nodes:
            return _placed(error, cause.message, {"code": "BAD_USER_INPUT", "docs": docs_of("BAD_USER_INPUT")})
    hidden = faults.mask(cause, error.path)
    return _placed(error, hidden["message"], hidden["extensions"])


def _cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _placed(error: GraphQLError, message: str, extensions: Mapping[str, object]) -> FormattedError:
    formatted: FormattedError = {"message": message, "extensions": dict(extensions)}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    return formatted
