"""Prices as they change: in this process, over a socket, and over one that breaks."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from graphql import build_schema, parse, validate
from websockets.sync.server import ServerConnection

import gateway.cli.watch as watching
from tests.gateway.cli.conftest import ROOT, Run, rest, started

OFFLINE = "marketgate: offline market: SIMULATED data from sandbox\n"
SIMULATED = "marketgate: SIMULATED data from sandbox\n"
HEADER = "time\tinstrument\tprice\tcurrency\tbid\task\tchangePercent\tprovider"


def test_the_subscription_fits_the_schema():
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())

    assert validate(schema, parse(watching.QUERY)) == []


def test_a_snapshot_of_all_symbols_comes_first_and_an_unknown_one_is_a_message(command: Run):
    ended = command("watch", "BTC/USD", "ETH/USD", "NO SUCH", "--offline", "--count", "1")

    rows = [line.split("\t") for line in ended.lines]
    assert ended.code == 0
    assert (ended.lines[0], len(rows)) == (HEADER, 3)
    assert [(row[1], row[3], row[7]) for row in rows[1:]] == [
        ("crypto:BTC/USD", "USD", "sandbox"), ("crypto:ETH/USD", "USD", "sandbox"),
    ]  # fmt: skip
    assert ended.err.startswith(OFFLINE + "marketgate: NO SUCH: ")
    assert ended.err.endswith("(UNKNOWN_INSTRUMENT)\n")


def test_far_away_it_is_the_same_and_json_is_a_document_a_line(command: Run, gateway_url: str):
    ended = command("watch", "BTC/USD", "--url", gateway_url, "--count", "1", "--json")

    (line,) = ended.lines
    update = json.loads(line)["quotes"]
    assert (ended.code, ended.err) == (0, SIMULATED)
    assert (update["snapshot"], [quote["instrument"]["id"] for quote in update["quotes"]]) == (True, ["crypto:BTC/USD"])


@pytest.mark.parametrize("far", [False, True])
def test_what_nobody_can_watch_ends_with_one_line(command: Run, gateway_url: str, far: bool):
    ended = command("watch", "NO SUCH", *(["--url", gateway_url] if far else []))

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.count("\n") == 1
    assert "'NO SUCH' has a character that no symbol has" in ended.err


def test_an_address_where_nobody_listens_is_nothing(command: Run):
    ended = command("watch", "BTC/USD", "--url", "http://127.0.0.1:9")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("marketgate: ws://127.0.0.1:9/graphql cannot be reached (")
    assert ended.err.endswith("): check the address that --url names\n")


def test_an_interrupt_ends_it_quietly():
    process = started("watch", "BTC/USD", "--offline")
    assert process.stdout is not None

    first = [process.stdout.readline(), process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    _, err = rest(process)

    assert (first[0], first[1].split("\t")[1]) == (HEADER + "\n", "crypto:BTC/USD")
    assert (process.returncode, err) == (130, OFFLINE)


def says(cursor: str, price: str, notices: Sequence[dict[str, Any]] = (), skipped: int = 0) -> str:
    made = {"provider": "kraken", "mode": "LIVE", "asOf": "2026-11-20T12:00:00Z", "fetchedAt": "2026-11-20T12:00:01Z"}
    quote = {
        "instrument": {"id": "crypto:BTC/USD"}, "price": price, "currency": "USD", "bid": None, "ask": None,
        "changePercent": None, "provenance": made,
    }  # fmt: skip
    update = {"cursor": cursor, "snapshot": False, "skipped": skipped, "quotes": [quote], "notices": list(notices)}
    return json.dumps({"id": "1", "type": "next", "payload": {"data": {"quotes": update}}})


def test_a_lost_connection_is_taken_up_again_behind_the_last_message(
    command: Run, scripted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "PAUSE", (0.001, 0.001))
    notice = {"code": "RECONNECTING", "symbol": "BTC/USD", "provider": "kraken", "message": "the socket broke"}

    def first(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(json.dumps({"type": "ping"}))
        assert json.loads(socket.recv()) == {"type": "pong"}
        socket.send(says("c1", "100"))
        socket.send(says("c2", "101", [notice], skipped=3))
        socket.close(1001, "going away")

    def second(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(says("c3", "102"))
        socket.send(json.dumps({"id": "1", "type": "complete"}))

    url, seen = scripted(first, second)
    ended = command("watch", "BTC/USD", "--url", url, "--api-key", "mg_secret", "--every-ms", "0")

    assert (ended.code, [line.split("\t")[2] for line in ended.lines]) == (0, ["price", "100", "101", "102"])
    address = url.replace("http", "ws") + "/graphql"
    assert ended.err == (
        "marketgate: BTC/USD kraken: the socket broke (RECONNECTING)\n"
        "marketgate: 3 updates were left out: this reader is slower than they come\n"
        f"marketgate: {address} closed the connection: going away; trying again in 0.0 s\n"
    )
    assert [each.get("extensions") for each in seen] == [None, {"after": "c2"}]
    assert {each["key"] for each in seen} == {"mg_secret"}
    assert seen[0]["variables"] == {"symbols": ["BTC/USD"], "everyMs": 0, "route": None}


def test_a_socket_that_is_closed_for_good_ends_it(command: Run, scripted: Callable[..., Any]):
    def first(socket: ServerConnection, asked: dict[str, Any]) -> None:
        socket.send(says("c1", "100"))
        socket.close(4403, "UNAUTHENTICATED: the token has expired")

    url, _ = scripted(first)
    ended = command("watch", "BTC/USD", "--url", url, "--csv")

    assert (ended.code, ended.lines[1]) == (4, "2026-11-20T12:00:00Z,crypto:BTC/USD,100,USD,,,,kraken")
    assert ended.err.endswith("closed the connection: UNAUTHENTICATED: the token has expired\n")
