"""One subscription in `graphql-transport-ws` without its socket: what to say, what a message means, how to go on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException

from marketgate_client.errors import ConnectionFailed, MarketgateError, error_of, shaped
from marketgate_client.http import AGAIN, Retry
from marketgate_client.wire import Operation, T, arguments_of, variables_of

PROTOCOL = "graphql-transport-ws"
SILENCE_S = 60.0
"""The gateway pings every 25 s: nothing for so long is a dead connection."""
LARGEST = 16 * 2**20
"""Bytes of a message."""
BROKEN = (WebSocketException, OSError, MarketgateError)
"""What ends a connection; `Conversation.pause` knows whether another one helps."""
FINAL = {4400: "BAD_REQUEST", 4401: "UNAUTHENTICATED", 4403: "FORBIDDEN", 4406: "BAD_REQUEST", 4409: "BAD_REQUEST",
         4429: "BAD_REQUEST"}  # fmt: skip
"""Close codes after which the same would happen again."""
_NAMED = re.compile(r"([A-Z_]{4,}): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[T]):
    """What follows from a message."""

    send: str | None = None
    message: T | None = None
    ended: bool = False


class Conversation(Generic[T]):
    """Its state outlives connections: the cursor that the next one resumes behind."""

    def __init__(
        self,
        operation: Operation[T],
        variables: Mapping[str, object],
        *,
        after: str | None,
        credential: Mapping[str, str],
        retry: Retry,
    ) -> None:
        self.operation, self.cursor = operation, after
        self.lost = self.reconnects = 0
        self._variables = arguments_of(variables) if operation.name else variables_of(variables)
        self._credential, self._retry = credential, retry
        self._failures = 0

    def opening(self) -> str:
        """The first words on a new connection."""
        return json.dumps({"type": "connection_init", "payload": dict(self._credential)})

    def take(self, text: str | bytes) -> Step[T]:
        """What a message means; raises the error that it is, ConnectionFailed where it is none of the protocol."""
        return shaped(self._meaning, text)

    def _meaning(self, text: str | bytes) -> Step[T]:
        said = json.loads(text)
        match said["type"]:
            case "connection_ack":
                return Step(send=self._subscribe())
            case "ping":
                return Step(send='{"type":"pong"}')
            case "next":
                return Step(message=self._read(said["payload"]))
            case "error":
                raise error_of(said["payload"])
            case "complete":
                return Step(ended=True)
        return Step()

    def pause(self, error: Exception) -> float:
        """Seconds until the next connection after this one broke; raises where it would not help."""
        self._failures += 1
        found, wait = self._judged(error)
        if wait is None or self._failures > self._retry.reconnects or wait > self._retry.longest_s:
            raise found from (None if found is error else error)
        self.reconnects += 1
        return wait * (1 + self._retry.chance() / 10)

    def _subscribe(self) -> str:
        payload: dict[str, Any] = {"query": self.operation.document, "variables": self._variables}
        if self.operation.name:
            payload["operationName"] = self.operation.name
        if self.cursor is not None:
            payload["extensions"] = {"after": self.cursor}
        return json.dumps({"type": "subscribe", "id": "1", "payload": payload}, ensure_ascii=False)

    def _read(self, payload: Mapping[str, Any]) -> T:
        data = payload.get("data")
        root = None if data is None else next(iter(data.values()), None)
        if root is None and payload.get("errors"):
            raise error_of(payload["errors"], data)
        self._failures = 0
        self.lost += (payload.get("extensions") or {}).get("skipped", 0)
        if isinstance(root, dict) and isinstance(root.get("cursor"), str):
            self.cursor = root["cursor"]
        return self.operation.read(root if self.operation.field else data)

    def _judged(self, error: Exception) -> tuple[MarketgateError, float | None]:
        if isinstance(error, MarketgateError):
            wait = error.retry_after_ms if error.code in AGAIN else None
            return error, None if wait is None else wait / 1000
        backoff = self._retry.backoff(self._failures)
        if isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code in FINAL:
            return _refusal(error.rcvd.code, error.rcvd.reason), None
        failed = ConnectionFailed(str(error) or type(error).__name__, code="CONNECTION_FAILED")
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            return failed, backoff if status >= 500 or status == 429 else None
        final = isinstance(error, InvalidURI) or (isinstance(error, InvalidHandshake) and _settled(error))
        return failed, None if final else backoff


def _refusal(code: int, reason: str) -> MarketgateError:
    """The gateway's reasons are `CODE: words`, or words."""
    named = _NAMED.fullmatch(reason)
    name, words = named.groups() if named else (FINAL[code], reason or f"closed with {code}")
    return error_of([{"message": words, "extensions": {"code": name}}])


def _settled(error: InvalidHandshake) -> bool:
    """A handshake that came to its end, and was no gateway's; one that broke off comes without a cause of its own."""
    return error.__cause__ is None
