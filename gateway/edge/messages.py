"""The messages of the graphql-transport-ws protocol and the codes that a socket is closed with.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from gateway.edge.body import parse_json
from gateway.edge.errors import Refused

PROTOCOL = "graphql-transport-ws"
LONGEST_ID = 1_000
"""An id comes back in every message of its operation."""
LONGEST_REASON = 123
"""Bytes that fit into a close frame."""


class CloseCode(IntEnum):
    """Why a socket was closed."""

    TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013
    INVALID = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL = 4406
    TIMEOUT = 4408
    DUPLICATE = 4409
    TOO_MANY_INITS = 4429
    INTERNAL = 4500


class Closed(Exception):
    """The end of a socket; without a code the client has already left."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = None if code is None else int(code)
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class Kind(StrEnum):
    """What a client may send."""

    INIT = "connection_init"
    PING = "ping"
    PONG = "pong"
    SUBSCRIBE = "subscribe"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from the client, of the right shape; `id` is empty where its kind has none."""

    kind: Kind
    id: str = ""
    payload: Mapping[str, Any] | None = None


def read_message(text: str | None) -> Message:
    """A text frame as a message; whatever the protocol does not know closes the socket with 4400."""
    if text is None:
        raise _invalid("binary frames are not part of the protocol")
    try:
        value = parse_json(text, "message")
    except Refused as refused:
        raise _invalid(str(refused)) from None
    if not isinstance(value, dict):
        raise _invalid("a message must be a JSON object")
    try:
        kind = Kind(str(value.get("type")))
    except ValueError:
        raise _invalid("unknown message type") from None
    payload = value.get("payload")
    if kind is Kind.COMPLETE:
        return Message(kind=kind, id=_id(value))
    if kind is Kind.SUBSCRIBE:
        return Message(kind=kind, id=_id(value), payload=_request(payload))
    if payload is not None and not isinstance(payload, dict):
        raise _invalid(f"the payload of {kind.value} must be an object")
    return Message(kind=kind, payload=payload)


def _id(value: Mapping[str, Any]) -> str:
    found = value.get("id")
    if not isinstance(found, str) or not found:
        raise _invalid("the id must be a string that is not empty")
    if len(found) > LONGEST_ID:
        raise _invalid(f"the id must have at most {LONGEST_ID} characters")
    return found


def _request(payload: object) -> Mapping[str, Any]:
    if not isinstance(payload, dict):
        raise _invalid("the payload of subscribe must be an object")
    if not isinstance(payload.get("query"), str):
        raise _invalid("query must be a string")
    if not isinstance(payload.get("operationName"), str | None):
        raise _invalid("operationName must be a string")
    for name in ("variables", "extensions"):
        if not isinstance(payload.get(name), dict | None):
            raise _invalid(f"{name} must be an object")
    return payload


def _invalid(why: str) -> Closed:
    return Closed(CloseCode.INVALID, f"Invalid message: {why}")
