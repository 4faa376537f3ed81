"""Questions over HTTP without the sending: what goes out, what an answer says, when to try again."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from marketgate_client.errors import ConnectionFailed, MarketgateError, are_written, error_of, wait_of
from marketgate_client.wire import moment

ACCEPT = "application/graphql-response+json, application/json;q=0.9"
AGAIN = frozenset({"RATE_LIMITED", "OVERLOADED", "LIMITS_UNAVAILABLE", "DATABASE_UNAVAILABLE"})
PASSING = frozenset({429, 502, 503, 504})
"""Statuses with which a balancer answers in a gateway's place, for a while."""
_HIDDEN = re.compile(r'"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\\n])*"|#[^\n\r]*', re.DOTALL)
_INNERMOST = re.compile(r"\{[^{}]*\}|\([^()]*\)")
_MUTATION = re.compile(r"(?:^|;)[\s,\ufeff]*mutation\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Points of the plan's minute."""

    requested: int
    actual: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a free-form operation brought, as JSON."""

    data: Mapping[str, Any]
    request_id: str | None
    cost: Cost | None
    mode: str = "live"
    """What the gateway's answers rest on: `recorded` is its offline market."""

    def __getitem__(self, field: str) -> Any:
        return self.data[field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and after how many seconds, what was refused or did not arrive is sent again."""

    attempts: int = 4
    """All sendings of one question together."""
    first_s: float = 0.5
    """The wait after a lost connection, or a balancer's 429, 502, 503 or 504; it doubles each time. A refusal says
    itself how long to wait."""
    longest_s: float = 60.0
    """What asks for more patience than this is raised at once."""
    reconnects: int = 20
    """Connections of a stream that may fail one after the other, before it gives up."""
    chance: Callable[[], float] = field(default=random.random, repr=False)
    """0 to 1: up to a tenth is added to each wait, so that clients do not come back together."""

    def wait(self, error: MarketgateError, attempt: int, writes: bool) -> float | None:
        """Seconds until the next attempt after so many; None where there is none."""
        if attempt >= self.attempts:
            return None
        if isinstance(error, ConnectionFailed):
            asked = None if error.retry_after_ms is None else error.retry_after_ms / 1000
            seconds = (asked or self.backoff(attempt)) if _may_repeat(error, writes) else None
        else:
            seconds = _asked_wait(error, writes)
        if seconds is None or seconds > self.longest_s:
            return None
        return seconds * (1 + self.chance() / 10)

    def backoff(self, attempt: int) -> float:
        """The wait after so many failures in a row, without its random part."""
        return min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 30))


def body_of(document: str, variables: Mapping[str, object], name: str | None) -> bytes:
    """The body of a POST, of variables as JSON."""
    body: dict[str, object] = {"query": document, "variables": variables}
    if name is not None:
        body["operationName"] = name
    return json.dumps(body, ensure_ascii=False).encode()


def headers_of(api_key: str | None, token: str | None) -> dict[str, str]:
    """What every request carries."""
    headers = {"Accept": ACCEPT, "Content-Type": "application/json"}
    if api_key is not None:
        headers["X-API-Key"] = api_key
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def writes(document: str) -> bool:
    """Whether one of its operations is a mutation, whatever a comment, a text or a name says."""
    before, bare = "", _HIDDEN.sub(" ", document)
    while bare != before:
        before, bare = bare, _INNERMOST.sub(lambda part: ";" if part[0][0] == "{" else "", bare)
    return _MUTATION.search(bare) is not None


def answer_of(response: httpx.Response) -> Answer:
    """The answer, or the error that it is."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    match body:
        case {"errors": [_, *_] as errors} if are_written(errors) and isinstance(body.get("data"), dict | None):
            raise error_of(errors, body.get("data"))
        case {"data": dict() as data} if not body.get("errors"):
            told = body.get("extensions")
            extensions = told if isinstance(told, dict) else {}
            id = extensions.get("requestId")
            return Answer(
                data=data,
                request_id=id if isinstance(id, str) else None,
                cost=_cost(extensions.get("cost")),
                mode=response.headers.get("Marketgate-Mode", "live"),
            )
    raise _no_answer(response)


def failure_of(error: httpx.TransportError) -> ConnectionFailed:
    """What httpx raised, as this client's error."""
    code = "TIMED_OUT" if isinstance(error, httpx.TimeoutException) else "CONNECTION_FAILED"
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return ConnectionFailed(str(error) or type(error).__name__, code=code, extensions={"sent": sent})


def _may_repeat(error: ConnectionFailed, writes: bool) -> bool:
    """What was not sent, and questions that a broken connection or a balancer kept from an answer.

    Who waited for an answer in vain has waited enough.
    """
    if error.extensions.get("sent") is False:
        return True
    passes = error.code == "CONNECTION_FAILED" or error.extensions.get("status") in PASSING
    return passes and not writes


def _asked_wait(error: MarketgateError, writes: bool) -> float | None:
    """What a refusal asks for, where nothing of the operation has run or a question may be put twice."""
    told = [each.get("extensions") or {} for each in error.errors]
    codes = {str(each.get("code")) for each in told}
    came = any(value is not None for value in (error.data or {}).values())
    begun = error.data is not None or "DATABASE_UNAVAILABLE" in codes
    if not codes <= AGAIN or came or (writes and begun):
        return None
    waits = [wait_of(each) for each in told]
    known = [each for each in waits if each is not None]
    return max(known) / 1000 if len(known) == len(waits) else None


def _no_answer(response: httpx.Response) -> ConnectionFailed:
    """Something else than a gateway has answered; a balancer may say in seconds when to come back."""
    extensions: dict[str, Any] = {"status": response.status_code}
    seconds = response.headers.get("Retry-After", "")
    if re.fullmatch("[0-9]{1,12}", seconds):
        extensions["retryAfterMs"] = int(seconds) * 1000
    told = f"status {response.status_code} without a GraphQL answer: is {response.request.url} a gateway's /graphql?"
    return ConnectionFailed(told, code="NO_GATEWAY", extensions=extensions)


def _cost(told: object) -> Cost | None:
    match told:
        case {"requested": int() as requested, "actual": int() as actual, "remaining": int() as remaining,
              "resetsAt": str() as text}:  # fmt: skip
            with suppress(ValueError):
                return Cost(requested=requested, actual=actual, remaining=remaining, resets_at=moment(text))
    return None
