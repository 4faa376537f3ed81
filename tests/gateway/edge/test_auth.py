"""What a request shows of its sender: headers, cookies in any form, the payload of `connection_init`."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.ports import Presented
from gateway.edge.auth import cookies_of, presented_by
from gateway.edge.execute import RequestFacts
from gateway.edge.http import headers_of


def shown(headers: dict[str, str] | None = None, connection: dict[str, Any] | None = None) -> Presented:
    return presented_by(
        RequestFacts(request_id="r", transport="websocket", headers=headers or {}, connection=connection)
    )


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, {}),
        ("", {}),
        ("mg_session=abc", {"mg_session": "abc"}),
        ("mg_session=abc; mg_csrf=def", {"mg_session": "abc", "mg_csrf": "def"}),
        ("theme=dark;mg_session=abc;  lang=en", {"mg_session": "abc"}),
        ('mg_session="abc"', {"mg_session": "abc"}),
        ("__Host-mg_session=abc; mg_session=planted", {"__Host-mg_session": "abc", "mg_session": "planted"}),
        ("mg_session=abc; mg_session=abc", {"mg_session": "abc"}),
        ("mg_session=abc; mg_session=planted", {}),
        ("mg_session=abc; mg_session=planted; mg_session=abc", {}),
        ("bad name=1; {json: 1}; mg_session=abc; =; ;;; \x00=\xff", {"mg_session": "abc"}),
        ("mg_session", {}),
        ("mg_session=", {}),
        ("mg_session=" + "x" * 501, {}),
        ("MG_SESSION=abc", {}),
        ("x=1, mg_session=abc", {}),
        ("mg_session=a=b=", {"mg_session": "a=b="}),
    ],
)
def test_our_cookies_are_found_among_any_others(header: str | None, found: dict[str, str]):
    assert cookies_of(header) == found


def test_cookies_that_came_in_several_headers_are_one_list():
    scope = {"headers": [(b"cookie", b"mg_session=abc"), (b"cookie", b"mg_csrf=def")]}

    headers = headers_of(scope)

    assert cookies_of(headers["cookie"]) == {"mg_session": "abc", "mg_csrf": "def"}


def test_two_headers_of_one_name_make_no_credential_of_either():
    scope = {"headers": [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]}

    assert shown(headers_of(scope)).authorization == "Bearer a, Bearer b"


@pytest.mark.parametrize(
    ("payload", "authorization", "api_key"),
    [
        ({}, None, None),
        ({"authorization": "Bearer a"}, "Bearer a", None),
        ({"Authorization": "Bearer a"}, "Bearer a", None),
        ({"apiKey": "mg_a"}, None, "mg_a"),
        ({"X-API-Key": "mg_a"}, None, "mg_a"),
        ({"x-api-key": "mg_a", "authorization": "Bearer a"}, "Bearer a", "mg_a"),
        ({"authorization": None, "apiKey": ""}, None, None),
        ({"authorization": 5}, "not a text", None),
        ({"apiKey": {"a": 1}}, None, "not a text"),
    ],
)
def test_connection_init_may_carry_a_credential(
    payload: dict[str, Any], authorization: str | None, api_key: str | None
):
    presented = shown(connection=payload)

    assert (presented.authorization, presented.api_key) == (authorization, api_key)


def test_a_header_counts_before_connection_init():
    assert shown({"authorization": "Bearer a"}, {"authorization": "Bearer b"}).authorization == "Bearer a"


def test_what_the_same_sender_shows_again_is_worked_out_once_and_only_for_that_sender():
    def by(client_ip: str, **headers: str) -> Presented:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return presented_by(RequestFacts(request_id="r", transport="http", client_ip=client_ip, headers=named))

    first = by("192.0.2.1", x_api_key="mg_one", user_agent="x")

    assert first == Presented(api_key="mg_one", client_ip="192.0.2.1")
    assert by("192.0.2.1", x_api_key="mg_one") is first
    assert by("192.0.2.2", x_api_key="mg_one") == Presented(api_key="mg_one", client_ip="192.0.2.2")
    assert by("192.0.2.1", authorization="mg_one") == Presented(authorization="mg_one", client_ip="192.0.2.1")
    assert by("192.0.2.1", x_api_key="mg_one", origin="https://a.example").origin == "https://a.example"
    assert by("192.0.2.1", x_api_key="mg_one", cookie="mg_session=abc").cookies == {"mg_session": "abc"}
    assert by("192.0.2.1", x_api_key="", authorization="") == Presented(client_ip="192.0.2.1")


def test_a_credential_too_long_to_be_one_is_not_remembered():
    facts = [RequestFacts(request_id="r", transport="http", headers={"x-api-key": "x" * 1001}) for _ in range(2)]

    one, other = map(presented_by, facts)

    assert one == other == Presented(api_key="x" * 1001)
    assert one is not other
