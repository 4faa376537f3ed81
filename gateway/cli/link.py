"""The way to a gateway: the same GraphQL in this process or over HTTP, so that commands need not know which."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.cli.codes import with_remedy
from gateway.cli.outcome import Code, Stop, say, usage

LONGEST_REASON = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which gateway is asked; without `url` one in this process, `offline` over the offline market."""

    url: str | None = None
    api_key: str | None = None
    offline: bool = False


class Later(Stop):
    """For a reason that passes: who has time may try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One entry of GraphQL's `errors`."""

    message: str
    code: str
    details: Mapping[str, Any]

    @property
    def retry_after(self) -> float | None:
        """Seconds, where the gateway says when to try again."""
        wait = self.details.get("retryAfterMs")
        return wait / 1000 if isinstance(wait, int) else None

    def stop(self, about: str = "") -> Stop:
        """How the command ends with it."""
        code = Code.USAGE if self.code == "BAD_USER_INPUT" else Code.NOTHING
        kind = Stop if self.retry_after is None else Later
        return kind(told(about, self.message, self.code, self.details.get("attempts") or ()), code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one operation."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()

    def root(self, field: str, about: str = "") -> Any:
        """The value of a root field; Stop where there is none."""
        value = self.data.get(field)
        if value is None:
            raise self.problems[0].stop(about) if self.problems else Stop(f"{about}: the gateway answers nothing")
        return value


class Link(Protocol):
    """An open way; `offline` tells a gateway over the offline market, once it has answered."""

    offline: bool

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """Execute one operation; Stop where the gateway cannot be asked at all."""

    def listen(self, query: str, variables: Mapping[str, Any], after: str | None = None) -> AsyncGenerator[Answer]:
        """The messages of a subscription, from behind a cursor where there is one.

        Stop where the gateway refuses it; Lost where the way breaks off, and it may be tried again.
        """

    async def close(self) -> None:
        """Let go of everything."""


class Lost(Exception):
    """A stream broke off, for a reason that may pass."""


@asynccontextmanager
async def connect(where: Where) -> AsyncIterator[Link]:
    """Open the way that the options name."""
    link = _open(where)
    try:
        yield link
    finally:
        await link.close()


def _open(where: Where) -> Link:
    if where.url is None:
        from gateway.cli.local import LocalLink

        return LocalLink.open(offline=where.offline)
    if where.offline:
        raise usage("--offline and --url exclude each other: the other gateway has its own mode")
    from gateway.cli.remote import RemoteLink

    return RemoteLink.open(where.url, where.api_key)


def read_answer(body: Mapping[str, Any]) -> Answer:
    """A GraphQL response as an Answer."""
    return Answer(data=body.get("data") or {}, problems=tuple(map(_problem, body.get("errors") or ())))


def _problem(error: Mapping[str, Any]) -> Problem:
    details = error.get("extensions") or {}
    return Problem(message=str(error.get("message")), code=str(details.get("code", "UNKNOWN")), details=details)


def told(about: str, message: str, code: str, attempts: Sequence[Mapping[str, Any]]) -> str:
    """A failure in one line of bearable length: what, who was asked and why that did not do, what to do."""
    if attempts:
        reasons = [f"{attempt['provider']}: {short(attempt['message'])}" for attempt in attempts]
        message = f"nobody answers: {'; '.join(reasons)}"
    named = f"{about}: " if about and about not in message else ""
    return with_remedy(f"{named}{message}", code)


def short(text: str) -> str:
    """The first statement of a message that lists more."""
    text = text.partition("; ")[0]
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def say_origin(link: Link, provenances: Sequence[Mapping[str, Any] | None]) -> None:
    """In the offline market, one line on stderr that says so and names who answered."""
    found: dict[str, dict[str, None]] = {}
    for made in provenances:
        if made is not None and made["mode"] != "LIVE":
            found.setdefault(made["mode"], {})[made["provider"]] = None
    if found:
        told = "; ".join(f"{mode} data from {', '.join(providers)}" for mode, providers in sorted(found.items()))
        say(f"offline market: {told}" if link.offline else told)
    elif link.offline:
        say("offline market: all data is SIMULATED or RECORDED")
