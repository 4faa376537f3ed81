"""A gateway elsewhere, over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from gateway.cli.link import Answer, read_answer
from gateway.cli.listening import messages
from gateway.cli.outcome import Stop, say, usage

TIMEOUT_S = 60.0
MEDIA = "application/graphql-response+json, application/json;q=0.9"
KEY = re.compile(r"[!-~]+")
"""What can travel in a header; whether it is a key, the gateway says."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class RemoteLink:
    """POSTs operations; one connection pool a command."""

    def __init__(self, client: httpx.AsyncClient, endpoint: str) -> None:
        self._client, self._endpoint, self.offline = client, endpoint, False

    @classmethod
    def open(cls, url: str, api_key: str | None) -> RemoteLink:
        """Check the address; the key travels in a header."""
        endpoint = endpoint_of(url)
        headers = {"Accept": MEDIA, "User-Agent": "marketgate-cli"}
        if api_key:
            if not KEY.fullmatch(api_key):
                raise usage(
                    "--api-key, or MARKETGATE_API_KEY: a key is of letters, digits and _ alone, such as "
                    "mg_live_<prefix>_<secret>: give one as it was shown when it was made"
                )
            headers["X-Api-Key"] = api_key
            parts = urlsplit(endpoint)
            if parts.scheme == "http" and parts.hostname not in LOOPBACK:
                say(f"warning: the API key goes to {parts.netloc} unencrypted; use https")
        return cls(httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S), endpoint)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """See `Link`."""
        try:
            reply = await self._client.post(self._endpoint, json={"query": query, "variables": dict(variables or {})})
        except httpx.TimeoutException:
            raise Stop(f"{self._endpoint} did not answer within {TIMEOUT_S:g} s: try again, or ask for less") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            told = str(error) or type(error).__name__
            raise Stop(f"{self._endpoint} cannot be reached ({told}): check the address that --url names") from None
        self.offline = reply.headers.get("marketgate-mode", "live") != "live"
        return read_answer(self._body(reply))

    async def listen(
        self, query: str, variables: Mapping[str, Any], after: str | None = None
    ) -> AsyncGenerator[Answer]:  # fmt: skip
        """See `Link`."""
        headers = {name: value for name, value in self._client.headers.items() if name in ("x-api-key", "user-agent")}
        told = messages("ws" + self._endpoint.removeprefix("http"), headers, query, variables, after)
        async with aclosing(told) as found:
            async for answer in found:
                yield answer

    def _body(self, reply: httpx.Response) -> Mapping[str, Any]:
        try:
            body = reply.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not ({"data", "errors"} & body.keys()):
            raise Stop(f"{self._endpoint} answers {reply.status_code} without GraphQL: check the address in --url")
        return body

    async def close(self) -> None:
        """See `Link`."""
        await self._client.aclose()


def endpoint_of(url: str) -> str:
    """The address of GraphQL below a gateway's own."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known:
        raise usage(f"--url: {url!r} is not an http or https address such as https://gateway.example.com")
    path = parts.path if parts.path.strip("/") else "/graphql"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
