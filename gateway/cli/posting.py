"""Events to a receiver of the user's own, signed as a gateway signs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from gateway import __version__
from gateway.cli.outcome import usage
from gateway.core.clock import Clock, SystemClock
from plugins.webhooks.delivery.signing import signed_headers, signer_of
from plugins.webhooks.keys import LONGEST, SHORTEST, read_secret
from schema.words.problems import Refused

DEADLINE_S = 15.0
"""As long as a gateway waits for a receiver."""
READ = 64 * 1024
"""Bytes of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to, and what it verifies with."""

    url: str
    secret: str = field(repr=False)
    made: bool = False
    """Whether the secret is a new one, which the receiver does not know yet."""

    @classmethod
    def read(cls, option: str, url: str, secret: str | None) -> Target:
        """Stop where the address or the secret is none."""
        try:
            parts = urlsplit(url)
            known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        if not known:
            raise usage(f"{option}: {url!r} is not an http or https address such as http://127.0.0.1:3000/webhooks")
        try:
            return cls(url=url, secret=read_secret(secret), made=secret is None)
        except Refused:
            told = f"--secret is none: whsec_ and {SHORTEST} to {LONGEST} bytes in base64"
            raise usage(told) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came of one."""

    status: int | None
    """None without an answer."""
    latency_ms: int
    error: str = ""

    @property
    def taken(self) -> bool:
        """Whether a gateway would call it delivered."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Posts one after the other over connections that are kept."""

    def __init__(self, client: httpx.AsyncClient, target: Target, clock: Clock) -> None:
        self._client, self._target, self._clock = client, target, clock
        self._signers = (signer_of(target.secret),)

    @classmethod
    @asynccontextmanager
    async def open(cls, target: Target, clock: Clock | None = None) -> AsyncIterator[Sender]:
        """Redirects are not followed, and no proxy stands between."""
        headers = {"content-type": "application/json", "user-agent": f"Marketgate/{__version__}"}
        async with httpx.AsyncClient(headers=headers, timeout=DEADLINE_S, trust_env=False) as client:
            yield cls(client, target, clock or SystemClock())

    async def post(self, id: str, body: str) -> Posted:
        """Whatever becomes of it."""
        began, status, error = self._clock.monotonic(), None, ""
        try:
            async with asyncio.timeout(DEADLINE_S):
                status = await self._answered(id, body.encode())
        except TimeoutError:
            error = f"no answer within {DEADLINE_S:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as fault:
            error = str(fault) or type(fault).__name__
        return Posted(status=status, error=error, latency_ms=round((self._clock.monotonic() - began) * 1_000))

    async def _answered(self, id: str, body: bytes) -> int:
        headers = signed_headers(id, int(self._clock.now().timestamp()), body, self._signers)
        async with self._client.stream("POST", self._target.url, content=body, headers=headers) as answer:
            read = 0
            async for part in answer.aiter_raw():
                read += len(part)
                if read > READ:
                    break
            return answer.status_code
