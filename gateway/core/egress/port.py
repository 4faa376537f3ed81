"""What plugins see of the guarded way out; `gateway.core.ports` hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

LARGEST_EXCERPT = 64 * 1024


class EgressRefused(Exception):
    """What is not sent; the message says why in words for whoever gave the address, and holds nothing secret."""


class BadUrl(EgressRefused):
    """An address that is not read: its spelling, its scheme, its port."""


class AddressNotAllowed(BadUrl):
    """An address, or a name whose every address, that is not of the public internet nor of an allowed network."""


class BadHeader(EgressRefused):
    """A header that cannot be sent, or is not the caller's to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A receiver's answer: status, lower-case headers, the beginning of the body as it was sent (never decoded).

    `latency_s` counts to the status line. `truncated` says that the body was longer, slower, or ended badly.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_s: float
    truncated: bool = False


class Egress(Protocol):
    """Requests to addresses that users give: public ones and those of allowed networks, whatever a name resolves to.

    Redirects are never followed, proxies and cookies never used, answers never decoded.
    """

    def check(self, url: str) -> None:
        """All that can be said of a URL without asking a name server; raises BadUrl, or AddressNotAllowed of its kind.
        An address literal is decided here."""

    async def resolve(self, url: str, *, deadline_s: float = 5.0) -> None:
        """`check`, and whether the name has an address now that may be reached. Raises BadUrl, AddressNotAllowed, or
        Unreachable where it cannot be resolved in time."""

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Whether a user may have these sent along with each request; raises BadHeader."""

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline_s: float, most: int = LARGEST_EXCERPT
    ) -> Posted:
        """One POST, given up after *deadline_s* seconds from name to status line; at most *most* bytes of the answer's
        body are read, and not for long. It may arrive twice where a kept connection ends before any answer.

        Raises EgressRefused, and then nothing was sent, or `Unreachable`: no address, no connection, no TLS, no answer
        in time, or one that is not HTTP.
        """

    async def close(self) -> None:
        """Let go of connections."""
