"""What both clients know of their gateway, and how they ask it for a history."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any, get_args
from urllib.parse import urlsplit, urlunsplit

import httpx

from marketgate_client.conversation import Conversation
from marketgate_client.errors import MarketgateError, shaped
from marketgate_client.generated import Interval
from marketgate_client.history import History, Numbers
from marketgate_client.http import Answer, Retry, body_of, headers_of, writes
from marketgate_client.shelf import Shelf
from marketgate_client.streams import Socket
from marketgate_client.wire import Operation, T, arguments_of, variables_of

KEPT_S = 3.0
"""The gateway closes a connection that was idle for 5 s: a mutation that meets its end could not be sent again."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question that is ready to be sent."""

    body: bytes
    writes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Its address, the caller's credential, and the caller's patience."""

    url: str
    """`http(s)://…/graphql`."""
    api_key: str | None
    token: str | None
    timeout_s: float
    retry: Retry
    trust_env: bool
    ssl_context: ssl.SSLContext | None
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        if self.api_key is not None and self.token is not None:
            raise ValueError("give api_key or token, not both")

    @property
    def caller(self) -> str:
        """Whose answers a cache holds, without showing the credential."""
        return sha256(json.dumps([self.api_key, self.token]).encode()).hexdigest()[:16]

    def http_options(self) -> dict[str, Any]:
        """For httpx' clients."""
        return {
            "headers": headers_of(self.api_key, self.token),
            "timeout": self.timeout_s,
            "trust_env": self.trust_env,
            "verify": self.ssl_context or True,
            "limits": httpx.Limits(max_connections=100, keepalive_expiry=KEPT_S),
        }

    def socket(self) -> Socket:
        """The same endpoint for subscriptions."""
        scheme, *rest = urlsplit(self.url)
        url = urlunsplit(({"http": "ws", "https": "wss"}[scheme], *rest))
        return Socket(url=url, timeout_s=self.timeout_s, trust_env=self.trust_env, ssl_context=self.ssl_context)

    def conversation(
        self, operation: Operation[T], variables: Mapping[str, object], after: str | None
    ) -> Conversation[T]:
        """A subscription that has not begun."""
        given = {"apiKey": self.api_key, "authorization": None if self.token is None else f"Bearer {self.token}"}
        credential = {name: value for name, value in given.items() if value is not None}
        return Conversation(operation, variables, after=after, credential=credential, retry=self.retry)

    def history(
        self,
        symbols: Iterable[str],
        interval: Interval | str,
        start: datetime,
        end: datetime | None,
        *,
        options: Mapping[str, object],
        cache: str | os.PathLike[str] | None,
        numbers: Numbers,
        parallel: int,
        chunk: int,
    ) -> History:
        """A range of candles to fetch; ValueError where it is none, or the rest cannot be done."""
        if numbers not in get_args(Numbers):
            raise ValueError(f"numbers must be one of {', '.join(get_args(Numbers))}, not {numbers}")
        if parallel < 1:
            raise ValueError(f"parallel must be 1 or more, not {parallel}")
        if isinstance(symbols, str):
            raise TypeError("symbols is one text: give a list of symbols")
        return History(
            gateway=self.url,
            caller=self.caller,
            symbols=tuple(symbols),
            interval=Interval(interval),
            start=_instant("start", start),
            end=_instant("end", self.now() if end is None else end),
            options=options,
            shelf=None if cache is None else Shelf(cache),
            now=self.now,
            rows=chunk,
        )


def endpoint_of(url: str) -> str:
    """`http://host/graphql` of `http://host`; ValueError where it is no HTTP address."""
    trimmed = url.rstrip("/")
    if urlsplit(trimmed).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} does not begin with http:// or https://")
    return trimmed if trimmed.endswith("/graphql") else trimmed + "/graphql"


def request_of(document: str, variables: Mapping[str, object] | None, name: str | None) -> Request:
    """A free-form operation."""
    return Request(body=body_of(document, variables_of(variables or {}), name), writes=writes(document))


def asked(operation: Operation[Any], variables: Mapping[str, object]) -> Request:
    """A committed operation."""
    body = body_of(operation.document, arguments_of(variables), operation.name)
    return Request(body=body, writes=operation.writes)


def root_of(operation: Operation[Any], answer: Answer) -> Any:
    """The JSON of an operation's only field."""
    value = shaped(itemgetter(operation.field), answer.data)
    if value is None and not operation.nullable:
        raise MarketgateError(f"{operation.field} is null without an error", code="UNKNOWN")
    return value


def subscription_of(document: str) -> Operation[Mapping[str, Any]]:
    """A free-form subscription: its messages are JSON. ValueError where it is a mutation."""
    if writes(document):
        raise ValueError("a mutation is sent by execute: a stream that breaks is opened again")
    return Operation(name="", document=document, field="", read=_same)


def _instant(name: str, time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError(f"{name} has no time zone: give datetime(..., tzinfo=UTC)")
    return time.astimezone(UTC)


def _same(value: Any) -> Mapping[str, Any]:
    return dict(value)
