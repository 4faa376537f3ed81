"""Where an endpoint is, and what is sent along: whether the gateway may, in words of its refusals."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.contract import Host
from gateway.core.ports import AddressNotAllowed, BadHeader, BadUrl, Egress, Unreachable
from schema.words.problems import Refused


async def check_url(host: Host, url: str) -> None:
    """Refused unless it may be sent to as far as can be told now: its spelling, and what its name resolves to."""
    try:
        await host.service(Egress).resolve(url)
    except AddressNotAllowed as bad:
        told = f"The URL cannot be sent to: {bad}. Give an address that the public internet reaches."
        raise Refused("URL_NOT_ALLOWED", told, "url") from None
    except BadUrl as bad:
        raise Refused("URL_INVALID", f"The URL {bad}.", "url") from None
    except Unreachable as error:
        told = f"The URL cannot be reached: {error}. Create the name first."
        raise Refused("URL_UNREACHABLE", told, "url") from None


def check_sendable(host: Host, headers: Mapping[str, str]) -> None:
    """Refused where a header cannot be sent, or is the gateway's to set."""
    try:
        host.service(Egress).check_headers(headers)
    except BadHeader as bad:
        told = str(bad)
        raise Refused("HEADER_INVALID", f"{told[:1].upper()}{told[1:]}.", "headers") from None
