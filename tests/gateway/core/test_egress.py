"""The guarded way out against real servers: what is sent, over which connections, until when."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from gateway import __version__
from gateway.core.egress import pool
from gateway.core.egress.counts import REQUESTS
from gateway.core.egress.port import BadHeader
from gateway.core.ports import Unreachable
from tests.gateway.core.loopback import SHORT, Call, Upstream, ok
from tests.gateway.core.receivers import PATIENCE, Names, egress, listener, posted, receiver


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(4_000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


def counted(end: str) -> float:
    return float(REQUESTS.labels(end)._value.get())


async def test_an_event_is_posted_with_what_the_caller_gave_and_what_is_ours(upstream: Upstream):
    upstream.answers["/hook"] = ok(b"thanks", "202 Accepted", X_Seen="1", Set_Cookie="a=b")

    async with egress() as way:
        found = await posted(way, f"{upstream.base}/hook?a=%20b", headers={"Content-Type": "x/y", "Webhook-Id": "m1"})

    (call,) = upstream.calls
    assert (found.status, found.body, found.truncated) == (202, b"thanks", False)
    assert found.headers == {"content-length": "6", "x-seen": "1", "set-cookie": "a=b"}
    assert 0 < found.latency_s < PATIENCE
    assert (call.method, call.target, call.body) == ("POST", "/hook?a=%20b", b'{"a":1}')
    assert call.headers == {
        "host": f"127.0.0.1:{upstream.port}", "content-type": "x/y", "webhook-id": "m1", "content-length": "7",
        "accept": "*/*", "accept-encoding": "identity", "user-agent": f"marketgate/{__version__}",
    }  # fmt: skip


async def test_a_path_goes_out_as_it_was_written(upstream: Upstream):
    path = "/a/../b//%2e%2E/%C3%BC;c=(d)@e:f!$&'*+,="
    upstream.answers[path] = ok()

    async with egress() as way:
        await posted(way, f"{upstream.base}{path}?x=%2B+%26&&=")

    assert upstream.calls[0].target == f"{path}?x=%2B+%26&&="


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 X", "308 X"])
async def test_a_redirect_is_an_answer_and_is_not_followed(upstream: Upstream, status: str):
    upstream.answers = {"/": ok(b"", status, location=f"{upstream.base}/elsewhere"), "/elsewhere": ok()}

    async with egress() as way:
        found = await posted(way, f"{upstream.base}/")

    assert found.status == int(status[:3])
    assert [call.target for call in upstream.calls] == ["/"]


async def test_neither_proxies_nor_credentials_of_the_environment_are_used(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    (tmp_path / "netrc").write_text("default login a password b\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    upstream.answers["/"] = ok()

    async with egress() as way:
        await posted(way, f"{upstream.base}/")

    assert "authorization" not in upstream.calls[0].headers


async def test_cookies_of_one_answer_are_not_sent_with_the_next_event(upstream: Upstream):
    upstream.answers["/"] = ok(set_cookie="session=1")

    async with egress(Names(hooks_test=[["127.0.0.1"]])) as way:
        await posted(way, f"http://hooks.test:{upstream.port}/")
        await posted(way, f"http://hooks.test:{upstream.port}/")

    assert "cookie" not in upstream.calls[1].headers


@pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"Host": "a"}, {"content-length": "1"}, {"a\r\nb": "c"}])
async def test_a_header_that_would_break_the_message_is_refused_and_nothing_is_sent(
    upstream: Upstream, headers: dict[str, str]
):
    upstream.answers["/"] = ok()
    before = counted("refused")

    async with egress() as way:
        with pytest.raises(BadHeader):
            await posted(way, f"{upstream.base}/", headers=headers)

    assert (upstream.connections, counted("refused")) == (0, before + 1)


# --- Connections


async def test_events_to_one_receiver_share_a_connection(upstream: Upstream):
    upstream.answers["/"] = ok(b"thanks")

    async with egress() as way:
        for _ in range(5):
            await posted(way, f"{upstream.base}/")

    assert [call.connection for call in upstream.calls] == [1] * 5


async def test_a_kept_connection_that_has_ended_is_replaced_within_the_same_attempt(upstream: Upstream):
    def answer(call: Call) -> bytes | None:
        return ok() if len(upstream.calls) != 2 else None

    upstream.answers["/"] = answer

    async with egress() as way:
        await posted(way, f"{upstream.base}/", body=b"first")
        found = await posted(way, f"{upstream.base}/", body=b"second")

    assert found.status == 200
    assert [(call.connection, call.body) for call in upstream.calls] == [(1, b"first"), (1, b"second"), (2, b"second")]


async def test_a_receiver_that_hangs_up_on_a_new_connection_is_not_asked_again(upstream: Upstream):
    upstream.answers["/"] = lambda call: None

    async with egress() as way:
        with pytest.raises(Unreachable):
            await posted(way, f"{upstream.base}/")

    assert len(upstream.calls) == 1


async def test_idle_connections_are_bounded(upstream: Upstream):
    upstream.answers["/"] = ok()
    names = Names(**{f"{name}_test": [["127.0.0.1"]] for name in "abcde"})

    async with egress(names, kept=2) as way:
        for name in "abcde":
            await posted(way, f"http://{name}.test:{upstream.port}/")
        await eventually(lambda: upstream.alive == 2)

        assert upstream.connections == 5


async def test_a_hanging_receiver_has_so_many_connections_and_no_more_and_others_go_on(upstream: Upstream):
    hanging = asyncio.Event()

    async def hang(call: Call) -> bytes:
        await hanging.wait()
        return ok()

    upstream.answers = {"/slow": hang, "/": ok()}
    names = Names(slow_test=[["127.0.0.1"]], fast_test=[["127.0.0.1"]])

    async with egress(names, connections=4, per_host=2) as way, asyncio.TaskGroup() as group:
        slow = [group.create_task(posted(way, f"http://slow.test:{upstream.port}/slow")) for _ in range(6)]
        await eventually(lambda: upstream.open == 2)
        for _ in range(10):
            assert (await posted(way, f"http://fast.test:{upstream.port}/")).status == 200
        assert upstream.open == 2
        hanging.set()
        assert [found.status for found in await asyncio.gather(*slow)] == [200] * 6

    assert upstream.most_at_once <= 3


# --- The deadline


async def test_a_receiver_that_does_not_answer_is_given_up_at_the_deadline_and_hung_up_on():
    before = counted("late")

    async with listener() as heard, egress() as way:
        with pytest.raises(Unreachable) as late:
            await posted(way, f"http://127.0.0.1:{heard.port}/secret-path?token=hunter22", deadline_s=SHORT)
        await asyncio.wait_for(heard.gone.wait(), PATIENCE)

    assert str(late.value) == f"127.0.0.1: no answer in {SHORT:g} s"
    assert counted("late") == before + 1


async def test_a_head_that_drips_does_not_outlast_the_deadline():
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            writer.write(b"y")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with receiver(drip) as port, egress() as way:
        with pytest.raises(Unreachable, match=r"no answer in 0\.3 s"):
            await posted(way, f"http://127.0.0.1:{port}/", deadline_s=SHORT)


async def test_promises_to_go_on_do_not_outlast_the_deadline():
    async def promise(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with receiver(promise) as port, egress() as way:
        with pytest.raises(Unreachable, match=r"no answer in 0\.3 s"):
            await posted(way, f"http://127.0.0.1:{port}/", deadline_s=SHORT)


async def test_a_name_server_that_is_silent_does_not_outlast_the_deadline():
    async def silent(name: str) -> list[str]:
        await asyncio.sleep(PATIENCE)
        return []

    async with egress(silent) as way:  # type: ignore[arg-type]
        with pytest.raises(Unreachable, match=r"^hooks\.test: no answer in 0\.3 s"):
            await posted(way, "http://hooks.test:9000/", deadline_s=SHORT)
        with pytest.raises(Unreachable, match=r"^hooks\.test: its name was not resolved in 0\.3 s"):
            await way.resolve("http://hooks.test:9000/", deadline_s=SHORT)


async def test_a_receiver_that_does_not_read_does_not_outlast_the_deadline():
    # Nobody accepts: the system takes a little for itself, then there is no room.
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        async with egress() as way:
            with pytest.raises(Unreachable, match=r"no answer in 0\.3 s"):
                await posted(way, url, body=bytes(900_000), deadline_s=SHORT)


async def test_no_handshake_is_waited_for_beyond_the_deadline():
    async with listener() as heard, egress() as way:
        with pytest.raises(Unreachable, match=r"no answer in 0\.3 s"):
            await posted(way, f"https://127.0.0.1:{heard.port}/", deadline_s=SHORT)
        await asyncio.wait_for(heard.gone.wait(), PATIENCE)


async def test_a_caller_that_stops_waiting_leaves_no_connection_behind():
    async with listener() as heard, egress() as way:
        task = asyncio.create_task(posted(way, f"http://127.0.0.1:{heard.port}/"))
        await asyncio.wait_for(heard.asked.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(heard.gone.wait(), PATIENCE)


async def test_who_waits_for_a_turn_when_the_gateway_closes_has_no_answer():
    async with listener() as heard, egress(per_host=1) as way:
        tasks = [asyncio.create_task(posted(way, f"http://127.0.0.1:{heard.port}/")) for _ in range(3)]
        await asyncio.wait_for(heard.asked.wait(), PATIENCE)
        await way.close()

        ends = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(end) for end in ends] == [Unreachable] * 3
    assert str(ends[2]) == "127.0.0.1: the connection ended before the reply"


async def test_a_body_that_drips_is_cut_and_the_status_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "BODY_S", SHORT)
    gone = asyncio.Event()

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        try:
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            gone.set()

    before = counted("cut")
    async with receiver(drip) as port, egress() as way:
        started = asyncio.get_running_loop().time()
        found = await posted(way, f"http://127.0.0.1:{port}/")
        lasted = asyncio.get_running_loop().time() - started

        assert (found.status, found.truncated, found.body.strip(b".")) == (200, True, b"")
        assert lasted < 10
        await asyncio.wait_for(gone.wait(), PATIENCE)
    assert counted("cut") == before + 1


async def test_the_deadline_ends_a_body_before_its_own_time(upstream: Upstream):
    upstream.answers["/"] = b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{"

    async with egress() as way:
        found = await asyncio.wait_for(posted(way, f"{upstream.base}/", deadline_s=SHORT), pool.BODY_S)

    assert (found.status, found.body, found.truncated) == (500, b"{", True)
