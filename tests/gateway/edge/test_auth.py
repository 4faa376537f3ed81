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
