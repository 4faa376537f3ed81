"""Talking to another gateway over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from graphql import build_schema, print_schema

from gateway.cli.outcome import Stop
from gateway.cli.remote import endpoint_of
from tests.gateway.cli.conftest import ROOT, Run

OFFLINE = "marketgate: offline market: SIMULATED data from sandbox\n"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://gateway.example.com", "https://gateway.example.com/graphql"),
        ("https://gateway.example.com/", "https://gateway.example.com/graphql"),
        ("http://[::1]:8000/graphql", "http://[::1]:8000/graphql"),
        ("https://example.com/behind/a/proxy?tenant=a", "https://example.com/behind/a/proxy?tenant=a"),
    ],
)
def test_a_gateway_is_named_by_its_address_or_by_that_of_graphql(url: str, endpoint: str):
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize("url", ["gateway.example.com", "ftp://gateway", "http://", "http://a:b", "http://[x"])
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(Stop, match="is not an http or https address such as"):
        endpoint_of(url)


def test_history_is_the_same_near_and_far(command: Run, gateway_url: str):
    line = ("candles", "BTC/USD", "-i", "1m", "--start", "2026-06-01", "--end", "2026-06-05")

    near, far = command(*line), command(*line, "--url", gateway_url)

    assert (far.code, far.err) == (0, OFFLINE)
    assert far.out == near.out
    assert len(far.lines) == 1 + 4 * 1440


def test_quotes_that_fail_far_away_are_told_as_near(command: Run, gateway_url: str):
    line = ("quote", "NOSUCH/USD", "kraken:BTC/USD")

    near, far = command(*line), command(*line, "--url", gateway_url)

    assert (far.code, far.out, far.err) == (near.code, near.out, near.err)
    assert far.code == 4


def test_the_schema_of_a_gateway_in_development_can_be_asked(command: Run, gateway_url: str):
    ended = command("schema", "--url", gateway_url)

    committed = build_schema((ROOT / "schema" / "schema.graphql").read_text())
    assert ended.code == 0
    assert print_schema(build_schema(ended.out)) == ended.out.rstrip("\n")
    assert set(build_schema(ended.out).type_map) == set(committed.type_map)


def test_an_address_where_nobody_listens_is_nothing(command: Run):
    ended = command("quote", "BTC/USD", "--url", "http://127.0.0.1:9")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err == (
        "marketgate: http://127.0.0.1:9/graphql cannot be reached (All connection attempts failed): check the address "
        "that --url names\n"
    )


def test_an_address_of_something_else_is_told_apart(command: Run, gateway_url: str):
    ended = command("quote", "BTC/USD", "--url", f"{gateway_url}/static/none.html")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err == "marketgate: BTC/USD: Method Not Allowed (METHOD_NOT_ALLOWED: use POST)\n"


class Portal(BaseHTTPRequestHandler):
    """Answers a web page, and keeps the headers of what it was asked."""

    seen: list[dict[str, str]]

    def do_POST(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(502)
        self.end_headers()
        self.wfile.write(b"<html>bad gateway</html>")

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def portal() -> Iterator[tuple[str, list[dict[str, str]]]]:
    Portal.seen = []
    server = HTTPServer(("127.0.0.1", 0), Portal)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Portal.seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_in_place_of_an_answer_is_named(command: Run, portal: tuple[str, list[dict[str, str]]]):
    url, _ = portal

    ended = command("consensus", "BTC/USD", "--url", url)

    assert (ended.code, ended.out) == (4, "")
    assert ended.err == f"marketgate: {url}/graphql answers 502 without GraphQL: check the address in --url\n"


@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_key_travels_in_a_header_and_is_never_shown(
    command: Run, portal: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch, way: str
):
    url, seen = portal
    if way == "environment":
        monkeypatch.setenv("MARKETGATE_API_KEY", "mg_secret")

    ended = command("quote", "BTC/USD", "--url", url, *(["--api-key", "mg_secret"] if way == "option" else []))

    assert [headers.get("x-api-key") for headers in seen] == ["mg_secret"]
    assert "mg_secret" not in ended.out + ended.err


@pytest.mark.parametrize("key", ["mg_…", "mg_live_4t7x1z3b_ü", "mg_live 4t7x1z3b", "mg_live_4t7x1z3b_s\n"])
@pytest.mark.parametrize("way", ["option", "environment"])
def test_what_cannot_be_a_key_is_named_before_anything_is_asked(
    command: Run, portal: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch, way: str, key: str
):
    url, seen = portal
    if way == "environment":
        monkeypatch.setenv("MARKETGATE_API_KEY", key)

    ended = command("quote", "BTC/USD", "--url", url, *(["--api-key", key] if way == "option" else []))

    assert (ended.code, ended.out, seen) == (2, "", [])
    assert ended.err == (
        "marketgate: --api-key, or MARKETGATE_API_KEY: a key is of letters, digits and _ alone, such as "
        "mg_live_<prefix>_<secret>: give one as it was shown when it was made\n"
    )


def test_the_key_of_the_command_line_is_no_unknown_setting(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_API_KEY", "mg_secret")

    assert command("quote", "BTC/USD").err == OFFLINE
