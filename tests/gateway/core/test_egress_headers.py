"""Headers that users may have sent along."""

from __future__ import annotations

import pytest

from gateway.core.clock import SystemClock
from gateway.core.egress.guarded import GuardedEgress
from gateway.core.egress.port import BadHeader


def check(headers: dict[str, str]) -> None:
    GuardedEgress((), development=False, clock=SystemClock()).check_headers(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer abc.def"},
        {"X-Tenant": "a", "x-trace": "b c\td"},
        {"X-Long": "v" * 4096},
        {f"x-{n}": "v" for n in range(20)},
    ],
)
def test_ordinary_headers_are_allowed(headers: dict[str, str]):
    check(headers)


@pytest.mark.parametrize(
    "name",
    [
        "Host", "host", "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Connection", "Keep-Alive", "Upgrade",
        "Expect", "Via", "HTTP2-Settings", "Proxy-Authorization", "Proxy-Connection", "Accept-Encoding",
        "Content-Encoding", "Content-Type", "User-Agent", "Accept", "Date", "Forwarded", "X-Forwarded-For",
        "X-Forwarded-Host", "X-Real-IP", "Webhook-Id", "WEBHOOK-SIGNATURE", "webhook-timestamp", "webhook-x", "Svix-Id",
        "Sec-Fetch-Site", "X-Marketgate-Key",
    ],
)  # fmt: skip
def test_a_header_that_is_the_gateways_is_refused(name: str):
    with pytest.raises(BadHeader) as refused:
        check({name: "x"})

    assert str(refused.value) == f"the header {name!r} is set by the gateway"


@pytest.mark.parametrize(
    "name", ["", " ", "x y", "x:", "x\r\ny", "x\n", "x\0", "é", "x\u2028", "(x)", "x/y", ":path", "a" * 65]
)
def test_a_name_that_is_no_token_is_refused(name: str):
    with pytest.raises(BadHeader, match="a header's name must be letters, digits and hyphens, 64 at most"):
        check({name: "x"})


@pytest.mark.parametrize(
    "value",
    ["", " ", "secret\r\nx: y", "secret\n", "secret\r", "secret\0", " secret", "secret\t", "secret\x7f", "secreté",
     "secret\u010a", "secret\u2028"],
)  # fmt: skip
def test_a_value_that_could_break_out_is_refused_and_not_told(value: str):
    with pytest.raises(BadHeader) as refused:
        check({"x-key": value})

    assert str(refused.value) == "the value of the header 'x-key' must be printable ASCII without spaces at its ends"


def test_headers_are_bounded_in_size_and_number():
    with pytest.raises(BadHeader, match="the value of the header 'x-big' is longer than 4096 bytes"):
        check({"x-big": "v" * 10_240})
    with pytest.raises(BadHeader, match="the headers are longer than 8192 bytes together"):
        check({f"x-{n}": "v" * 3_000 for n in range(3)})
    with pytest.raises(BadHeader, match="there are more than 20 headers"):
        check({f"x-{n}": "v" for n in range(21)})


def test_a_header_that_stands_there_twice_is_refused():
    with pytest.raises(BadHeader, match="a header stands there twice"):
        check({"X-Key": "a", "x-key": "b"})
