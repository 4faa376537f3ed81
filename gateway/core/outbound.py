"""Requests to services that the operator has configured, such as sign-in providers; see `OutboundHttp`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from gateway import __version__
from gateway.core.ports import Received, Unreachable
from gateway.core.upstream import NetworkTransport, Request, Transport
from schema.errors import UpstreamError

DEADLINE_S = 10.0
LARGEST_BODY = 1024 * 1024
CONNECTIONS = 20


class Outbound:
    """Serves `gateway.core.ports.OutboundHttp` over the network transport; connects at the first use."""

    def __init__(self, transport: Transport | None = None, *, deadline_s: float = DEADLINE_S) -> None:
        self._transport = transport or NetworkTransport(largest_body=LARGEST_BODY, connections=CONNECTIONS)
        self._deadline_s = deadline_s

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Received:
        """See `OutboundHttp`."""
        return await self._send("GET", url, headers or {}, None)

    async def post_form(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None
    ) -> Received:
        """See `OutboundHttp`."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._send("POST", url, {**(headers or {}), **kind}, urlencode(form).encode())

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | None = None,
    ) -> Received:
        """See `OutboundHttp`."""
        return await self._send(method, url, headers or {}, body, within)

    async def close(self) -> None:
        """See `OutboundHttp`."""
        await self._transport.close()

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float | None = None
    ) -> Received:
        parts = urlsplit(url)
        ours = {"accept-encoding": "gzip", "user-agent": f"marketgate/{__version__}"}
        request = Request(
            provider=parts.netloc, method=method, host="", path=parts.path, params=(), url=url, secret_params=(),
            headers={**ours, **headers}, body=body,
        )  # fmt: skip
        patience = self._deadline_s if deadline is None else deadline
        try:
            async with asyncio.timeout(patience):
                reply = await self._transport.send(request)
        except TimeoutError:
            raise Unreachable(f"{parts.netloc} did not answer in {patience:g} s") from None
        except UpstreamError as error:
            raise Unreachable(f"{parts.netloc}: {error.message}") from None
        return Received(status=reply.status, headers=reply.headers, content=reply.content)
