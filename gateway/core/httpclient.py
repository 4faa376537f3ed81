"""aiohttp's ways, put into ours: certificates, addresses, requests sent once, headers, errors that hold no address."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING

from schema.errors import ConnectionFailed, Malformed, Timeout, UpstreamError

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
    from yarl import URL

    from gateway.core.upstream import Request

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def trusting() -> ssl.SSLContext:
    """The certificates that SSL_CERT_FILE or SSL_CERT_DIR name, else certifi's."""
    found = ssl.get_default_verify_paths()
    file = found.cafile if found.cafile != found.openssl_cafile else None
    folder = found.capath if found.capath != found.openssl_capath else None
    if file or folder:
        return ssl.create_default_context(cafile=file, capath=folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


async def sent_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """aiohttp would send a GET again when its connection ends, below our retry budget: hide that from it."""
    try:
        return await handler(request)
    except _ended() as error:
        from aiohttp import ClientConnectionError

        raise ClientConnectionError from error


def _ended() -> tuple[type[Exception], ...]:
    from aiohttp import ClientOSError, ServerDisconnectedError

    return ClientOSError, ServerDisconnectedError


def merged(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case names; a header that came more than once is one, its values parted by commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key = str(name, "latin-1").lower()
        try:
            text = str(value, "utf-8")
        except UnicodeDecodeError:
            text = str(value, "latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def as_upstream_error(provider: str, error: Exception) -> UpstreamError:
    """In our own words: the client's hold URLs."""
    import aiohttp

    # What `sent_once` has hidden.
    cause = error.__cause__ if type(error) is aiohttp.ClientConnectionError and error.__cause__ else error
    if isinstance(cause, TimeoutError):
        return Timeout(provider, "no answer in time")
    if isinstance(cause, aiohttp.ClientResponseError):
        return Malformed(provider, "the reply is not HTTP")
    if isinstance(cause, aiohttp.InvalidURL):
        return Malformed(provider, "its address is not a URL")
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return ConnectionFailed(provider, "its host name cannot be resolved")
    if isinstance(cause, aiohttp.ClientSSLError):
        return ConnectionFailed(provider, "no TLS connection could be made")
    if isinstance(cause, OSError) and cause.errno:
        return ConnectionFailed(provider, os.strerror(cause.errno).lower())
    if isinstance(error, aiohttp.ClientPayloadError):
        return ConnectionFailed(provider, "the connection ended within the body")
    return ConnectionFailed(provider, "the connection ended before the reply")


def address_of(request: Request) -> URL:
    """Encoded once, here; parameters take the place of a query that the address has of its own."""
    from yarl import URL

    try:
        if _CONTROL.search(request.url):
            raise ValueError
        url = URL(request.url.replace(" ", "%20"))
        params = (*request.params, *request.secret_params)
        return url.with_query(params) if params else url
    except ValueError:
        raise Malformed(request.provider, "its address is not a URL") from None
