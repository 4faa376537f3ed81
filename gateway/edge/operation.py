"""One operation as transports hand it over, and its answer before it is encoded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from graphql import FieldNode, OperationDefinitionNode, OperationType, StringValueNode, VariableNode

from gateway.core.ports import Presented
from gateway.edge.documents import Document
from gateway.edge.errors import FormattedError, Refused, stamp
from gateway.edge.responses import Entry, Place

if TYPE_CHECKING:
    from gateway.edge.cost import Price

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What a transport knows about the caller; the composition root builds the resolvers' context from it."""

    request_id: str
    transport: str
    client_ip: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    same_origin: bool = True
    """Whether the `Origin` header names this gateway, or is absent."""
    connection: Mapping[str, Any] | None = None
    """The payload of `connection_init`."""
    shown: Presented | None = field(default=None, init=False, repr=False, compare=False)
    """The credentials in it, once they were looked for (`auth.presented_by`)."""
    waited_s: float = field(default=0.0, init=False, repr=False, compare=False)
    """How long its documents have waited to be read: part of the operation's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """The four parameters of a GraphQL request, of the right types."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None

    @property
    def bare(self) -> bool:
        """Whether its document and operation name are all there is to it."""
        return self.variables is None and self.extensions is None

    @classmethod
    def of(cls, payload: object) -> OperationRequest:
        """Read a decoded JSON value; parameters of a wrong type make the request malformed, unknown ones do not."""
        if not isinstance(payload, dict):
            raise Refused("BAD_REQUEST", "A GraphQL request must be a JSON object.")
        return cls(
            query=_parameter(payload, "query", str, "a string"),
            document_id=_parameter(payload, "documentId", str, "a string"),
            operation_name=_parameter(payload, "operationName", str, "a string"),
            variables=_parameter(payload, "variables", dict, "an object"),
            extensions=_parameter(payload, "extensions", dict, "an object"),
        )


@dataclass(slots=True, kw_only=True)
class OperationResult:
    """An answer before it is encoded; `executed` tells an answer with data (even null) from a refusal.

    Whoever has made it may still add to it; `data` is nobody's to change.
    """

    executed: bool
    data: dict[str, Any] | None = None
    errors: list[FormattedError] | None = None
    extensions: dict[str, object]
    status: int = 200
    well_formed: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()
    place: Place | None = None
    """Where the response cache keeps the answer."""
    entry: Entry | None = None
    """What it keeps, if it does; `data` is empty where it was kept before."""

    def body(self) -> dict[str, object]:
        """The GraphQL response; a refused request has no `data` at all."""
        body: dict[str, object] = {}
        if self.errors:
            body["errors"] = self.errors
        if self.executed:
            body["data"] = (
                self.data if self.entry is None or self.data is not None else orjson.Fragment(self.entry.data)
            )
        body["extensions"] = self.extensions
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedOperation:
    """An operation that passed every check that needs no execution."""

    document: Document
    operation: OperationDefinitionNode
    request: OperationRequest
    price: Price | None = field(default=None, init=False, repr=False, compare=False)
    """What it costs with its variables, once that was asked: whoever sends the same again need not have it reckoned."""

    @property
    def is_mutation(self) -> bool:
        return self.operation.operation is OperationType.MUTATION


def refused_result(refused: Refused, request_id: str) -> OperationResult:
    """The answer to a request that was not executed."""
    return OperationResult(
        executed=False,
        errors=stamp(refused.errors, request_id),
        extensions={"requestId": request_id, **refused.extensions},
        status=refused.status,
        well_formed=refused.well_formed,
        headers=refused.headers,
    )


def _parameter(payload: dict[str, Any], name: str, kind: type, words: str) -> Any:
    value = payload.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise Refused("BAD_REQUEST", f"The parameter '{name}' must be {words}.")


def digest_in(text: str | None) -> str | None:
    """The SHA-256 in hexadecimal digits, with or without its name before it."""
    if text is None:
        return None
    digest = text.removeprefix("sha256:")
    if not _SHA256.fullmatch(digest):
        raise Refused("BAD_REQUEST", "documentId must be the SHA-256 of a document, 64 hexadecimal digits.")
    return digest.lower()


def persisted_in(extensions: dict[str, Any] | None) -> str | None:
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise Refused("BAD_REQUEST", "extensions.persistedQuery must be an object with version 1.")
    digest = persisted.get("sha256Hash")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise Refused("BAD_REQUEST", "extensions.persistedQuery.sha256Hash must be 64 hexadecimal digits.")
    return digest.lower()


def resumed_after(prepared: PreparedOperation) -> str | None:
    """The cursor that a client comes back with: in the root field's argument, else beside its variables.

    There it is no part of the question, so that the stream is shared with all who ask the same.
    """
    after = (prepared.request.extensions or {}).get("after")
    if after is not None and not isinstance(after, str):
        raise Refused("BAD_REQUEST", "extensions.after must be the cursor of a message, a string.")
    return _argument_after(prepared) or after


def _argument_after(prepared: PreparedOperation) -> str | None:
    """The argument of the operation's only root field."""
    for root in prepared.operation.selection_set.selections:
        for argument in (root.arguments or ()) if isinstance(root, FieldNode) else ():
            if argument.name.value == "after":
                given = argument.value
                if isinstance(given, StringValueNode):
                    return given.value
                if isinstance(given, VariableNode):
                    value = (prepared.request.variables or {}).get(given.name.value)
                    return value if isinstance(value, str) else None
    return None
