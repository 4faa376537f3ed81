"""Forwarded headers: believed from trusted peers alone, and only as far as those wrote them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from gateway.edge.addresses import origin_of
from gateway.edge.http import facts_of, headers_of
from gateway.edge.middleware.proxies import TrustedProxies, read_address

OURS = tuple(map(ip_network, ("10.0.0.0/8", "fd00::/8")))


async def through(
    *headers: tuple[str, str], peer: str | None = "10.0.0.1", kind: str = "http", trusted: Any = OURS
) -> tuple[str | None, str]:
    """The client and the scheme that the application sees."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    scope = {
        "type": kind, "scheme": "http" if kind == "http" else "ws", "client": (peer, 4711) if peer else None,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }  # fmt: skip
    await TrustedProxies(app, trusted)(scope, None, None)  # type: ignore[arg-type]
    return (seen["client"][0] if seen["client"] else None), seen["scheme"]


def forwarded(value: str) -> tuple[str, str]:
    return ("X-Forwarded-For", value)


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7, 10.0.0.2, 10.9.9.9", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8::7]:443, fd00::2", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.5, 10.0.0.2", "10.0.0.5"),
        ("", "10.0.0.1"),
        (" , ,", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("1.2.3.4, unknown", "10.0.0.1"),
        ("1.2.3.4, unknown, 10.0.0.2", "10.0.0.2"),
        ("1.2.3.4, 999.1.1.1", "10.0.0.1"),
        ("203.0.113.7; DROP TABLE", "10.0.0.1"),
        ("<script>", "10.0.0.1"),
    ],
)
async def test_behind_a_proxy_the_client_is_the_right_most_address_that_is_none_of_ours(chain, client):
    assert await through(forwarded(chain)) == (client, "http")


async def test_several_headers_are_one_list():
    assert await through(forwarded("1.2.3.4"), forwarded("203.0.113.7")) == ("203.0.113.7", "http")


@pytest.mark.parametrize("peer", ["203.0.113.9", "192.168.0.1", "not an address", None])
async def test_from_anybody_else_the_headers_say_nothing(peer):
    headers = (forwarded("1.2.3.4"), ("X-Forwarded-Proto", "https"))

    assert await through(*headers, peer=peer) == (peer, "http")


async def test_without_trusted_proxies_the_headers_say_nothing():
    assert await through(forwarded("1.2.3.4"), ("X-Forwarded-Proto", "https"), trusted=()) == ("10.0.0.1", "http")


async def test_a_peer_that_comes_as_ipv4_within_ipv6_is_known():
    assert (await through(forwarded("203.0.113.7"), peer="::ffff:10.0.0.1"))[0] == "203.0.113.7"


@pytest.mark.parametrize(
    ("kind", "told", "scheme"),
    [
        ("http", "https", "https"),
        ("http", "HTTPS", "https"),
        ("http", "http", "http"),
        ("websocket", "https", "wss"),
        ("websocket", "http", "ws"),
        ("http", "https, http", "http"),
        ("http", "gopher", "http"),
        ("http", "", "http"),
    ],
)
async def test_the_scheme_is_what_the_nearest_proxy_says(kind, told, scheme):
    assert (await through(("X-Forwarded-Proto", told), kind=kind))[1] == scheme


def test_addresses_are_read_in_all_their_forms():
    assert [str(read_address(text)) for text in ('"203.0.113.7"', "[::1]", "[::1]:80", "1.2.3.4:5", "x", "")] == [
        "203.0.113.7", "::1", "::1", "1.2.3.4", "None", "None",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        (None, True),
        ("http://edge.test", True),
        ("https://market.example", True),
        ("https://market.example.evil", False),
        ("http://market.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_our_own_if_it_is_the_host_that_was_asked_or_the_public_address(origin, own):
    headers = [(b"host", b"edge.test"), *([(b"origin", origin.encode())] if origin is not None else [])]
    scope = {"type": "http", "scheme": "http", "headers": headers, "client": ("192.0.2.1", 1)}

    facts = facts_of(scope, headers_of(scope), "https://market.example")

    assert facts.same_origin is own


def test_without_a_public_address_an_empty_origin_is_not_ours():
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", b"edge.test"), (b"origin", b"")]}

    assert facts_of(scope, headers_of(scope)).same_origin is False


def test_the_public_address_becomes_an_origin_as_browsers_write_it():
    urls = ("", "https://Market.Example/app", "https://market.example:443", "http://[::1]:8000", "http://x:80/")

    assert [origin_of(url) for url in urls] == [
        "", "https://market.example", "https://market.example", "http://[::1]:8000", "http://x",
    ]  # fmt: skip
