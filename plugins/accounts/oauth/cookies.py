"""Cookies of a sign-in under way; a session's own are `plugins.accounts.sessions.cookies`."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.contract import Host
from plugins.accounts.sessions.desk import SessionDesk

BROWSER, SECOND_FACTOR = "mg_oauth", "mg_second_factor"


def cookie(host: Host, plain: str, value: str, seconds: int, same_site: str) -> str:
    """A `Set-Cookie` value that scripts cannot read. Behind https no other host of the domain can plant one."""
    name = host.service(SessionDesk).cookies.name(plain)
    secure = "; Secure" if name.startswith("__Host-") else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"


def cleared(host: Host, plain: str) -> str:
    """A `Set-Cookie` value that removes it."""
    return cookie(host, plain, "", 0, "Lax")


def value_in(host: Host, plain: str, cookies: Mapping[str, str]) -> str:
    """What a request brought; empty for nothing."""
    return cookies.get(host.service(SessionDesk).cookies.name(plain), "")
