"""A subscription over graphql-transport-ws: one operation on one socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from gateway.cli.link import Answer, Lost, read_answer
from gateway.cli.outcome import Stop
from gateway.edge.messages import PROTOCOL, CloseCode

ANSWER_S = 20.0
"""How long a gateway may take to greet, and between two signs of life: it sends pings more often than twice as much."""
SILENT_S = 60.0
LARGEST = 16 * 1024 * 1024
FINAL = frozenset(
    {CloseCode.INVALID, CloseCode.UNAUTHORIZED, CloseCode.FORBIDDEN, CloseCode.SUBPROTOCOL, CloseCode.TOO_BIG}
)
"""Closed with one of these, the same would be said to the same again."""


async def messages(
    url: str, headers: Mapping[str, str], query: str, variables: Mapping[str, Any], after: str | None
) -> AsyncGenerator[Answer]:
    """See `gateway.cli.link.Link.listen`."""
    payload: dict[str, Any] = {"query": query, "variables": dict(variables)}
    if after is not None:
        payload["extensions"] = {"after": after}
    try:
        async with connect(
            url, subprotocols=[PROTOCOL], additional_headers=dict(headers), max_size=LARGEST,  # type: ignore[list-item]
            open_timeout=ANSWER_S, close_timeout=1.0,
        ) as socket:  # fmt: skip
            await socket.send(json.dumps({"type": "connection_init"}))
            await _until(socket, "connection_ack", ANSWER_S)
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            while True:
                message = await _until(socket, "next", SILENT_S)
                if message is None:
                    return
                yield read_answer(message["payload"])
    except ConnectionClosed as closed:
        raise _ended(url, closed) from None
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise Lost(f"{url} cannot be reached ({str(error) or type(error).__name__})") from None
    except (InvalidURI, ValueError, KeyError, TypeError) as error:
        raise Stop(f"{url} speaks no {PROTOCOL} ({error}): check the address in --url") from None


async def _until(socket: ClientConnection, kind: str, within_s: float) -> Mapping[str, Any] | None:
    """The next message of a kind; None where the stream is complete. Pings are answered meanwhile."""
    while True:
        async with asyncio.timeout(within_s):
            message: dict[str, Any] = json.loads(await socket.recv())
        match message["type"]:
            case "ping":
                await socket.send(json.dumps({"type": "pong"}))
            case "complete":
                return None
            case "error":
                raise read_answer({"errors": message["payload"]}).problems[0].stop()
            case found if found == kind:
                return message


def _ended(url: str, closed: ConnectionClosed) -> Exception:
    code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "without a word")
    told = f"{url} closed the connection: {reason or code}"
    return Stop(told) if code in FINAL else Lost(told)
