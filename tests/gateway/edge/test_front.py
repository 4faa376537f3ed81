"""The short way of plain requests: the same answers as the layers give, and nothing believed that was remembered."""

from __future__ import annotations

import gzip
import json
import zlib
from contextlib import nullcontext
from datetime import timedelta
from ipaddress import ip_network

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.core.ports import CacheDesk
from gateway.edge.front import HITS
from gateway.edge.packing import framed, joined, pack
from schema.errors import RateLimited
from tests.gateway.doubles import priced, venue
from tests.gateway.edge.stall import QUOTE, Stall, edge_of, member, open_stall

SYMBOLS = json.dumps([f"crypto:A{number}/USD" for number in range(40)])
MANY = f"{{ quotes(symbols: {SYMBOLS}) {{ nodes {{ price instrument {{ symbol }} }} }} }}"
LONG = timedelta(seconds=30)


@pytest.fixture
def stall(tmp_path) -> Stall:
    alpha = venue("alpha", fresh_for=LONG)
    return open_stall(tmp_path, alpha, callers={"a": member("org_a"), "b": member("org_b")})


async def hits(stall: Stall, *args, **given) -> tuple[httpx.Response, int]:
    """An answer, and whether it left at once."""
    before = HITS.value
    return await stall.ask(*args, **given), HITS.value - before


async def test_a_known_request_is_answered_at_once_and_charged_like_any_other(stall):
    first, second = await hits(stall), await hits(stall)

    assert (first[1], second[1]) == (0, 1)
    assert second[0].json()["data"] == {"quote": {"price": "1", "provenance": {"provider": "alpha"}}}
    assert [each[0].json()["extensions"]["cost"]["remaining"] for each in (first, second)] == [99, 98]
    assert (stall.gate.admitted, stall.gate.released) == (2, [("org_a", False), ("org_a", False)])


@pytest.mark.parametrize("media", ["application/json", "application/graphql-response+json", "*/*", None])
@pytest.mark.parametrize("encoding", ["identity", "gzip, br", "br"])
@pytest.mark.parametrize("key", ["a", None])
@pytest.mark.parametrize("get", [True, False])
@pytest.mark.parametrize("document", [QUOTE, MANY])
async def test_the_short_way_and_the_layers_give_the_same_answer(document, get, key, encoding, media, stall):
    headers = {"accept-encoding": encoding, "x-request-id": "req-1"}
    if media is not None:
        headers["accept"] = media
    layered = {**headers, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    await stall.ask(document, key, headers=headers, get=get)

    answers = []
    for sent in (headers, layered):
        stall.gate.left.clear()
        answers.append(await hits(stall, document, key, headers=sent, get=get))

    (short, at_once), (long, not_at_once) = answers
    assert (at_once, not_at_once) == (1, 0)
    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert sorted(short.headers.multi_items()) == sorted(long.headers.multi_items())


@pytest.mark.parametrize(
    ("document", "headers"),
    [
        ("{ nothing }", {}),
        ("{", {}),
        (MANY.replace("price", "price provenance { ageMs }"), {"accept-encoding": "br"}),
        (MANY.replace("price", "price provenance { ageMs }"), {"accept-encoding": "gzip"}),
        (QUOTE, {"content-type": "text/plain"}),
        (QUOTE, {"accept": "image/png"}),
        (QUOTE, {"x-api-key": "nobody"}),
        (QUOTE, {"x-request-id": "<script>"}),
    ],
)
async def test_so_do_they_where_nothing_is_kept(document, headers, stall):
    answers = []
    for more in ({}, {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}):
        stall.gate.left.clear()
        answers.append(await stall.ask(document, headers={**headers, **more}))

    short, long = answers
    moving = {"x-request-id", "content-length"}
    assert short.status_code == long.status_code
    assert sorted((n, v) for n, v in short.headers.multi_items() if n not in moving) == sorted(
        (n, v) for n, v in long.headers.multi_items() if n not in moving
    )
    assert short.json().get("data") == long.json().get("data")


async def test_a_revoked_key_is_refused_at_once(stall):
    await stall.ask()
    del stall.gate.callers["a"]

    answer, at_once = await hits(stall)

    assert (answer.status_code, at_once) == (401, 0)
    assert "data" not in answer.json()
    assert stall.gate.admitted == 1


async def test_who_has_no_points_left_is_refused_with_its_own_numbers(stall):
    await stall.ask()
    stall.gate.left["org_a"] = 0

    answer, at_once = await hits(stall)

    assert (answer.json()["errors"][0]["extensions"]["code"], at_once) == ("RATE_LIMITED", 0)
    assert stall.gate.left["org_a"] == 0


async def test_a_gate_that_must_wait_gets_the_whole_way(stall):
    await stall.ask()
    stall.gate.at_once = False

    answer, at_once = await hits(stall)

    assert (answer.json()["data"]["quote"]["price"], at_once) == ("1", 0)
    assert stall.calls == 1


async def test_a_caller_whose_plan_has_changed_is_another_caller(tmp_path):
    stall = open_stall(tmp_path, venue("alpha"), venue("beta", priority=20), callers={"a": member("org_a")})
    stall.wire.handlers |= {"alpha": priced("1"), "beta": priced("2")}
    await stall.ask()
    stall.gate.callers["a"] = member("org_a", providers=frozenset({"beta"}))

    answer, at_once = await hits(stall)

    assert (answer.json()["data"]["quote"]["price"], at_once) == ("2", 0)


async def test_nothing_is_known_of_a_request_for_longer_than_own_keys_are_believed(stall):
    await stall.ask()
    stall.clock.turn(9)

    assert [(await hits(stall))[1] for _ in range(2)] == [0, 1]
    assert stall.calls == 1


async def test_the_next_answer_is_made_when_the_kept_one_is_old(stall):
    await stall.ask()
    stall.wire.handlers["alpha"] = priced("2")
    stall.clock.turn(30)

    answers = [await hits(stall) for _ in range(2)]

    assert [(each[0].json()["data"]["quote"]["price"], each[1]) for each in answers] == [("2", 0), ("2", 1)]


@pytest.mark.parametrize(
    "unusual",
    [
        {"cookie": "mg_session=1"}, {"origin": "https://page.example"}, {"marketgate-cost": "only"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"sec-fetch-mode": "cors"},
        {"content-encoding": "identity"}, {"expect": "100-continue"},
    ],
)  # fmt: skip
async def test_whatever_says_more_takes_the_layers(unusual, stall):
    await stall.ask()

    answer, at_once = await hits(stall, headers=unusual)

    assert (answer.json()["data"]["quote"]["price"], at_once) == ("1", 0)


async def test_two_credentials_are_not_taken_for_one(stall):
    await stall.ask()
    transport = httpx.ASGITransport(app=stall.app)
    before = HITS.value

    async with httpx.AsyncClient(transport=transport, base_url="http://stall.test") as client:
        twice = [("x-api-key", "a"), ("x-api-key", "b"), ("accept-encoding", "identity")]
        answer = await client.post("/graphql", json={"query": QUOTE}, headers=twice)

    assert (answer.status_code, HITS.value - before) == (401, 0)


async def test_a_request_of_another_address_is_another_request(stall):
    await stall.ask()
    transport = httpx.ASGITransport(app=stall.app, client=("192.0.2.9", 1))
    before = HITS.value

    async with httpx.AsyncClient(transport=transport, base_url="http://stall.test") as client:
        sent = {"x-api-key": "a", "accept-encoding": "identity"}
        await client.post("/graphql", json={"query": QUOTE}, headers=sent)

    assert HITS.value == before


async def test_behind_a_trusted_proxy_the_client_is_who_it_says(stall, tmp_path):
    stall.app = edge_of(stall.gateway, stall.gate, tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),))
    seen = [await hits(stall, headers={"x-forwarded-for": ip}) for ip in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]

    assert [each[1] for each in seen] == [0, 1, 0]


async def test_a_get_may_be_stored_by_whom_it_concerns_and_is_not_sent_twice(stall):
    await stall.ask(get=True)
    stall.clock.turn(10.5)
    own, everybodys = await stall.ask(get=True), await stall.ask(key=None, get=True)

    assert (own.headers["cache-control"], everybodys.headers["cache-control"]) == (
        "private, max-age=30", "public, max-age=19",
    )  # fmt: skip
    assert own.headers["vary"] == "Accept, Accept-Encoding, Authorization, X-API-Key, Cookie, Origin"
    assert own.headers["etag"] == everybodys.headers["etag"]

    for known, status in (
        (own.headers["etag"], 304),
        (f'"x", {own.headers["etag"][2:]}', 304),
        ("*", 304),
        ('"x"', 200),
    ):
        again = await stall.ask(get=True, headers={"if-none-match": known})
        assert (again.status_code, again.content == b"") == (status, status == 304)
        assert again.headers["ratelimit"].startswith('"points";r=')


async def test_a_post_is_stored_by_nobody_whatever_it_knows(stall):
    etag = (await stall.ask()).headers["etag"]

    own = await stall.ask(headers={"if-none-match": etag})
    everybodys = await stall.ask(key=None)

    assert (own.status_code, own.headers["cache-control"]) == (200, "private, no-store")
    assert everybodys.headers["cache-control"] == "no-store"


async def test_a_packed_answer_is_packed_once_and_every_decoder_reads_it(stall):
    plain = (await stall.ask(MANY)).json()["data"]
    (entry,) = stall.gateway.responses._entries.values()
    bodies = []
    for _ in range(3):
        answer = await stall.ask(MANY, headers={"accept-encoding": "gzip"})
        assert (answer.headers["content-encoding"], answer.json()["data"]) == ("gzip", plain)
        bodies.append(answer)

    packed = stall.gateway.responses.packed(entry)
    assert packed is stall.gateway.responses.packed(entry)
    assert {int(each.headers["content-length"]) < 1_000 for each in bodies} == {True}
    assert len({each.json()["extensions"]["requestId"] for each in bodies}) == 3


async def test_one_hit_in_so_many_is_logged(stall, tmp_path):
    stall.app = edge_of(stall.gateway, stall.gate, tmp_path, hits_per_log_line=1)
    await stall.ask()
    with capture_logs() as all_of_them:
        await stall.ask()
    stall.app = edge_of(stall.gateway, stall.gate, tmp_path, hits_per_log_line=0)
    await stall.ask()
    with capture_logs() as none_of_them:
        await stall.ask()

    assert [(line["event"], line["kept"], line["status"]) for line in all_of_them] == [("request", True, 200)]
    assert none_of_them == []


async def test_a_batch_may_be_answered_from_kept_bytes(stall):
    await stall.ask()
    transport = httpx.ASGITransport(app=stall.app)

    async with httpx.AsyncClient(transport=transport, base_url="http://stall.test") as client:
        answer = await client.post("/graphql", json=[{"query": QUOTE}] * 2, headers={"x-api-key": "a"})

    assert [each["data"]["quote"]["price"] for each in answer.json()] == ["1", "1"]
    assert stall.calls == 1


async def test_a_batch_takes_no_more_places_than_its_caller_has(tmp_path, monkeypatch):
    stall = open_stall(tmp_path, venue("alpha", fresh_for=LONG), callers={"a": member("org_a", concurrency=2)})
    admit, most = stall.gate.admit, 0

    async def crowded(prepared, principal, facts):
        nonlocal most
        under_way = stall.gate.admitted - len(stall.gate.released)
        if under_way >= principal.limits.concurrency:
            raise RateLimited("Too many at a time.", limit="concurrency", retry_after=1.0)
        most = max(most, under_way + 1)
        return await admit(prepared, principal, facts)

    stall.gate.at_once = False
    monkeypatch.setattr(stall.gate, "admit", crowded)
    body = [{"query": f'{{ quote(symbol: "crypto:A{number}/USD") {{ price }} }}'} for number in range(8)]
    transport = httpx.ASGITransport(app=stall.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://stall.test") as client:
        answers = (await client.post("/graphql", json=body, headers={"x-api-key": "a"})).json()

    assert [answer.get("data") for answer in answers] == [{"quote": {"price": "1"}}] * 8
    assert most == 2


async def test_what_an_operator_drops_is_not_served_from_kept_bytes(stall):
    for _ in range(2):
        await stall.ask()
    assert stall.calls == 1

    await stall.gateway.host.services[CacheDesk].drop("alpha", None, None)

    assert (await hits(stall))[1] == 0
    assert stall.calls == 2


@pytest.mark.parametrize(
    ("said", "fault"),
    [("unable to perform operation on <TCPTransport closed=True>; the handler is closed", False), ("misused", True)],
)
async def test_a_client_that_has_left_is_no_fault_and_a_misused_server_is_one(said, fault, stall):
    async def gone(_: object) -> None:
        raise RuntimeError(said)

    async def body() -> dict[str, object]:
        return {"type": "http.request", "body": json.dumps({"query": QUOTE}).encode(), "more_body": False}

    headers = [(b"content-type", b"application/json"), (b"x-api-key", b"a"), (b"content-length", b"87")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": headers,
        "client": ("1.2.3.4", 1),
        "scheme": "http",
    }
    for number in (1, 2):
        with pytest.raises(RuntimeError, match=said) if fault else nullcontext():
            await stall.app(dict(scope), body, gone)
        assert stall.gate.admitted == number


def test_a_gzip_answer_of_two_parts_is_one_member():
    data = json.dumps({"rows": list(range(3_000))}).encode()
    whole = b"".join(joined(pack(framed(data)), b'{"requestId":"r"}'))

    assert gzip.decompress(whole) == b'{"data":' + data + b',"extensions":{"requestId":"r"}}'
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert (len(reader.decompress(whole)), reader.eof, reader.unused_data) == (len(data) + 40, True, b"")
