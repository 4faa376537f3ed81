"""Requests to what the operator has configured, against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.outbound import Outbound
from gateway.core.ports import Unreachable
from tests.gateway.core.loopback import Call, Upstream, ok


async def test_a_request_goes_out_once_as_it_was_asked(upstream: Upstream) -> None:
    outbound = Outbound()
    upstream.answers["/v2/orders/7"] = ok(b"short and stout", "418 I am a teapot", x_left="3")

    got = await outbound.request(
        "DELETE", f"{upstream.base}/v2/orders/7?b=2&a=-_.1&signature=00ff", body=b'{"x": 1}', headers={"x-key": "k"}
    )
    await outbound.close()

    (call,) = upstream.calls
    assert (call.method, call.target) == ("DELETE", "/v2/orders/7?b=2&a=-_.1&signature=00ff")
    assert (call.headers["x-key"], call.body) == ("k", b'{"x": 1}')
    assert (got.status, got.headers["x-left"], got.content) == (418, "3", b"short and stout")


async def test_a_request_without_an_answer_is_not_sent_again_and_tells_no_secret(upstream: Upstream) -> None:
    outbound, told = Outbound(), []

    async def late(_: Call) -> bytes:
        await asyncio.sleep(0.3)
        return ok()

    upstream.answers |= {"/late": late, "/reset": None}
    for path in ("/late", "/reset"):
        with pytest.raises(Unreachable) as error:
            await outbound.request("POST", f"{upstream.base}{path}?signature=hush", within=0.2)
        told.append(str(error.value))
    await outbound.close()

    assert [call.target.partition("?")[0] for call in upstream.calls] == ["/late", "/reset"]
    assert told[0].endswith("did not answer in 0.2 s")
    assert "hush" not in "".join(told)
