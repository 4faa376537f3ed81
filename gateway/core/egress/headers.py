"""Which headers may be sent: their form, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.core.egress.port import BadHeader

MOST_HEADERS = 20
LONGEST_VALUE, LONGEST_ALL = 4_096, 8_192
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
_FRAMING = frozenset({
    "accept-encoding", "connection", "content-encoding", "content-length", "expect", "host", "http2-settings",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "via",
})  # fmt: skip
"""They say how the message is sent, which is nobody's but ours."""
_OURS = frozenset({"accept", "content-type", "date", "forwarded", "user-agent", "x-real-ip"})
_OUR_BEGINNINGS = ("proxy-", "sec-", "svix-", "webhook-", "x-forwarded-", "x-marketgate-")


def check_headers(headers: Mapping[str, str]) -> None:
    """Of a user: see `Egress.check_headers`."""
    if len(headers) > MOST_HEADERS:
        raise BadHeader(f"there are more than {MOST_HEADERS} headers")
    if len({name.lower() for name in headers}) < len(headers):
        raise BadHeader("a header stands there twice")
    for name in headers:
        lower = name.lower()
        if lower in _OURS or lower.startswith(_OUR_BEGINNINGS):
            raise BadHeader(f"the header {name[:64]!r} is set by the gateway")
    check_form(headers)
    if sum(len(name) + len(value) + 4 for name, value in headers.items()) > LONGEST_ALL:
        raise BadHeader(f"the headers are longer than {LONGEST_ALL} bytes together")


def check_form(headers: Mapping[str, str]) -> None:
    """Of a plugin: whatever a request may carry. A value may be a secret, so it is never told."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise BadHeader("a header's name must be letters, digits and hyphens, 64 at most")
        if name.lower() in _FRAMING:
            raise BadHeader(f"the header {name!r} is set by the gateway")
        if len(value) > LONGEST_VALUE:
            raise BadHeader(f"the value of the header {name!r} is longer than {LONGEST_VALUE} bytes")
        if not _VALUE.fullmatch(value):
            raise BadHeader(f"the value of the header {name!r} must be printable ASCII without spaces at its ends")
