"""Events at a receiver on this machine: from a real gateway that dies, from one that plays a part, and as samples."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import standardwebhooks
from graphql import build_schema, parse, validate
from websockets.sync.server import ServerConnection

from gateway.cli import forwarding, triggering
from tests.gateway.cli.conftest import ROOT, Run, rest, started
from tests.gateway.cli.gateways import SECRET, Gateway, Local

HEADER = "time\tid\ttype\tstatus\tlatencyMs\terror"


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    with Local.open() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(tmp_path_factory.mktemp("state"))
    yield made
    made.kill()


def test_the_documents_fit_the_schema():
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())

    for document in (forwarding.QUERY, triggering.TYPES, triggering.TEST):
        assert validate(schema, parse(document)) == []


def test_what_happens_while_a_gateway_is_killed_and_started_again_is_forwarded_once(gateway: Gateway, local: Local):
    gateway.happen(local)
    before = len(gateway.log())
    process = started(
        "webhooks", "listen", "--forward-to", f"{local.url}/in", "--url", gateway.url, "--secret", SECRET,
        "--types", "webhook.endpoint.*", "--count", "3", MARKETGATE_API_KEY=gateway.key,
    )  # fmt: skip
    assert process.stdout is not None
    head = process.stdout.readline()

    gateway.happen(local)
    got = [local.next()]
    gateway.kill()
    gateway.start()
    gateway.happen(local)
    got.append(local.next())
    gateway.happen(local)
    got.append(local.next())
    out, err = rest(process)

    log = gateway.log()[before:]
    assert (process.returncode, head) == (0, f"{HEADER}\n")
    assert local.got.empty()
    assert [body.decode() for _, body in got] == [each["delivery"] for each in log]
    assert [headers["webhook-id"] for headers, _ in got] == [each["node"]["id"] for each in log]
    for headers, body in got:
        assert standardwebhooks.Webhook(SECRET).verify(body, headers)["type"] == "webhook.endpoint.disabled"
    assert [line.split("\t")[1:4] for line in out.splitlines()] == [
        [each["node"]["id"], "webhook.endpoint.disabled", "204"] for each in log
    ]
    assert err.startswith(f"marketgate: signing with the secret given\nmarketgate: forwarding to {local.url}/in\n")


def says(cursor: str, number: int | None = None, notices: tuple[dict[str, Any], ...] = ()) -> str:
    """A message of the subscription."""
    event = {"id": f"evt_{number}", "type": "shelf.filled", "occurredAt": "2026-11-20T12:00:00Z"}
    update = {
        "cursor": cursor, "event": event if number else None, "delivery": f'{{"number":{number}}}' if number else None,
        "notices": list(notices),
    }  # fmt: skip
    return json.dumps({"id": "1", "type": "next", "payload": {"data": {"events": update}}})


Scripted = Callable[..., tuple[str, list[dict[str, Any]]]]


def test_it_goes_on_behind_the_last_event_however_the_stream_ended(
    command: Run, scripted: Scripted, local: Local, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(forwarding, "PAUSE", (0.001, 0.001))

    def lost(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(says("c0"))
        socket.send(says("c1", 1))
        socket.close(1001, "going away")

    def completed(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(says("c1"))
        socket.send(says("c2", 2, ({"code": "GAP", "message": "5 events are gone"},)))
        socket.send(json.dumps({"id": "1", "type": "complete"}))

    def busy(socket: ServerConnection, asked: dict[str, Any]) -> None:
        error = {"message": "too much", "extensions": {"code": "OVERLOADED", "retryAfterMs": 1}}
        socket.send(json.dumps({"id": "1", "type": "error", "payload": [error]}))

    def last(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(says("c2"))
        socket.send(says("c3", 3))
        socket.recv()

    url, seen = scripted(lost, completed, busy, last)
    ended = command(
        "webhooks", "listen", "--forward-to", local.url, "--url", url, "--api-key", "mg_secret", "--count", "3",
        "--json", "--secret", SECRET,
    )  # fmt: skip

    assert ended.code == 0
    assert [json.loads(line)["id"] for line in ended.lines] == ["evt_1", "evt_2", "evt_3"]
    assert [local.next()[1] for _ in range(3)] == [b'{"number":1}', b'{"number":2}', b'{"number":3}']
    assert [each.get("extensions") for each in seen] == [None, {"after": "c1"}, {"after": "c2"}, {"after": "c2"}]
    assert {each["key"] for each in seen} == {"mg_secret"}
    told = [re.sub(r"(?:ws|http)://\S+", "…", line) for line in ended.err.splitlines()]
    assert told[2:] == [
        "marketgate: … closed the connection: going away; trying again in 0.0 s",
        "marketgate: 5 events are gone (GAP)",
        "marketgate: the gateway ended the stream; trying again in 0.0 s",
        "marketgate: too much (OVERLOADED: wait for `retryAfterMs`, then try again; run more processes where it "
        "happens often); trying again in 0.0 s",
        "marketgate: --after c3 goes on from here",
    ]


def test_a_receiver_that_does_not_take_an_event_is_a_line_and_the_next_one_comes(
    command: Run, scripted: Scripted, local: Local
):
    def script(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(says("c0"))
        socket.send(says("c1", 1))
        socket.send(says("c2", 2))
        socket.recv()

    url, seen = scripted(script, script)
    failing = command("webhooks", "listen", "--forward-to", f"{local.url}/500", "--url", url, "--count", "2", "--csv")
    nowhere = command(
        "webhooks", "listen", "--forward-to", "http://127.0.0.1:9", "--url", url, "--after", "c7", "--count", "2"
    )

    assert [failing.code, nowhere.code] == [0, 0]
    assert [line.split(",")[1:4] for line in failing.lines[1:]] == [
        ["evt_1", "shelf.filled", "500"], ["evt_2", "shelf.filled", "500"],
    ]  # fmt: skip
    assert [(row[3], bool(row[5])) for row in (line.split("\t") for line in nowhere.lines[1:])] == [("", True)] * 2
    assert [each.get("extensions") for each in seen] == [None, {"after": "c7"}]
    made = re.search(r"marketgate: signing secret (whsec_\S+)\n", failing.err)
    assert made
    assert made[1] not in nowhere.err


def test_an_interrupt_ends_it_with_the_place_to_go_on_from(gateway: Gateway, local: Local):
    process = started(
        "webhooks", "listen", "--forward-to", local.url, "--url", gateway.url, "--secret", SECRET,
        MARKETGATE_API_KEY=gateway.key,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    gateway.happen(local)
    headers, _ = local.next()
    line = process.stdout.readline()

    process.send_signal(signal.SIGINT)
    out, err = rest(process)
    gateway.happen(local)

    assert (process.returncode, out, line.split("\t")[1]) == (130, "", headers["webhook-id"])
    *_, told = err.splitlines()
    found = re.fullmatch(r"marketgate: --after (\S+) goes on from here", told)
    assert found, err
    (missed,) = gateway.ask(
        "query($after: Cursor) { events(after: $after) { nodes { id } } }", after=found[1]
    )["events"]["nodes"]  # fmt: skip
    assert missed["id"] == gateway.log()[-1]["node"]["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--forward-to", "localhost:3000"), 2, "--forward-to: 'localhost:3000' is not an http or https address"),
        (("--forward-to", "http://127.0.0.1:9", "--secret", "hush"), 2, "--secret is none: whsec_ and 24 to 64 bytes"),
        (("--forward-to", "http://127.0.0.1:9", "--types", "shelf.*"), 2, "types.0: 'shelf.*' is no type of event"),
        (("--forward-to", "http://127.0.0.1:9", "--after", "yesterday"), 2, "is not a cursor of this subscription"),
        (("--forward-to", "http://127.0.0.1:9", "--api-key", "mg_dev_a_b"), 4, "UNAUTHENTICATED"),
        (("--forward-to", "http://127.0.0.1:9", "--url", "http://127.0.0.1:9"), 4, "check the address that --url"),
    ],
)  # fmt: skip
def test_what_cannot_be_listened_for_ends_with_one_line(
    command: Run, gateway: Gateway, arguments: tuple[str, ...], code: int, told: str
):
    ended = command("webhooks", "listen", "--url", gateway.url, "--api-key", gateway.key, *arguments)

    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert told in ended.err


def test_a_sample_arrives_signed_under_an_id_of_its_own(command: Run, gateway: Gateway, local: Local):
    arguments = (
        "webhooks",
        "trigger",
        "provider.degraded",
        "--to",
        local.url,
        "--url",
        gateway.url,
        "--secret",
        SECRET,
    )
    ended = [command(*arguments, "--json"), command(*arguments, "--json")]

    got = [local.next(), local.next()]
    read = [standardwebhooks.Webhook(SECRET).verify(body, headers) for headers, body in got]
    ids = [headers["webhook-id"] for headers, _ in got]
    assert [each.code for each in ended] == [0, 0]
    assert [json.loads(each.out)["id"] for each in ended] == ids
    assert len({*ids}) == 2
    for each, id in zip(read, ids, strict=True):
        assert list(each) == ["type", "timestamp", "data"]
        assert (each["type"], each["timestamp"]) == ("provider.degraded", each["data"]["occurredAt"])
        data = each["data"]
        assert (data["id"], data["mode"], data["provider"]) == (id, "SIMULATED", "kraken")
        assert id.startswith("test_")


def test_a_receiver_that_refuses_the_sample_is_nothing(command: Run, gateway: Gateway, local: Local):
    ended = command(
        "webhooks", "trigger", "webhook.test", "--to", f"{local.url}/400", "--url", gateway.url, "--secret", SECRET
    )

    assert (ended.code, ended.lines[1].split("\t")[2:4]) == (4, ["webhook.test", "400"])


def test_a_gateway_delivers_the_sample_to_an_endpoint(command: Run, gateway: Gateway, local: Local):
    create = """mutation($url: String!) { r: webhookEndpointCreate(input: {url: $url, eventTypes: ["*"]}) {
      webhookEndpoint { id } secret } }"""
    made = gateway.ask(create, url=f"{local.url}/in")["r"]

    ended = command(
        "webhooks", "trigger", "provider.degraded", "--endpoint", made["webhookEndpoint"]["id"], "--url", gateway.url,
        "--api-key", gateway.key,
    )  # fmt: skip

    headers, body = local.next()
    assert standardwebhooks.Webhook(made["secret"]).verify(body, headers)["type"] == "provider.degraded"
    assert (ended.code, ended.lines[0]) == (0, "id\teventId\teventType\tstatus")
    assert ended.lines[1].split("\t")[1:] == [headers["webhook-id"], "provider.degraded", "PENDING"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("provider.degradd", "--to", "http://127.0.0.1:9", "--secret", SECRET), 2, "did you mean provider.degraded"),
        (("provider.degraded",), 2, "give one of --to and --endpoint"),
        (("provider.degraded", "--to", "http://127.0.0.1:9", "--endpoint", "hook_1"), 2, "give one of --to and"),
        (("provider.degraded", "--to", "http://127.0.0.1:9"), 2, "--to needs the receiver's secret"),
        (("provider.degraded", "--endpoint", "hook_1"), 4, "No endpoint of your organisation has this id"),
    ],
)  # fmt: skip
def test_a_sample_that_cannot_be_sent_ends_with_one_line(
    command: Run, gateway: Gateway, arguments: tuple[str, ...], code: int, told: str
):
    ended = command("webhooks", "trigger", *arguments, "--url", gateway.url, "--api-key", gateway.key)

    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert told in ended.err
