"""Secrets are planted wherever one can stand, a real process is used, and all that it tells is looked through."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.gateway.cli.conftest import announced, rest, started
from tests.gateway.telemetry.collector import collecting

PLANTED = {
    name: f"planted{number}-{name}-4f9c2b7e8d1a6053f0e1d2c3" for number, name in enumerate((
        "root", "header-key", "query-key", "tenant-key", "password", "cookie", "bearer", "url", "variable", "socket",
        "otlp", "hook-path", "hook-header", "operation",
    ))
}  # fmt: skip
HOOK_SECRET = "whsec_" + base64.b64encode(b"planted webhook secret 32 bytes!").decode()
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256"}', b'{"sub":"planted-jwt-subject"}', b"planted-jwt-signature-bytes")
)
API_KEY = "mg_live_0123456789ab_plantedApiKeyPlantedApiKeyPlantedApiKey0123"
ROW = "planted-row-4f9c2b7e8d"
"""PostgreSQL shows 64 characters of a value."""
QUOTE = """query ($symbol: String!, $providers: [String!]) {
  quote(symbol: $symbol, route: {providers: $providers}) { price }
}"""
SIGN_IN = """mutation ($email: String!, $password: String!) {
  sessionCreate(input: {email: $email, password: $password}) { userErrors { code } }
}"""
SET_KEY = """mutation ($key: String!) {
  providerKeySet(input: {provider: "coingecko", key: $key}) { userErrors { code } providerKey { provider } }
}"""
HOOK = """mutation ($url: String!, $header: String!, $secret: String!) {
  webhookEndpointCreate(input: {
    url: $url, eventTypes: ["*"], headers: [{name: "x-receiver-token", value: $header}], secret: $secret
  }) { webhookEndpoint { id } userErrors { code message } }
}"""
TEST_HOOK = "mutation ($id: ID!) { webhookEndpointTest(input: {id: $id}) { userErrors { code message } } }"


@contextmanager
def refusing(database: str) -> Iterator[None]:
    """PostgreSQL takes no endpoint whose path says `refused`: what it says of one shows the whole row."""

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(database)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run("ALTER TABLE webhooks_endpoints ADD CONSTRAINT planted CHECK (url NOT LIKE '%/refused/%')"))
    try:
        yield
    finally:
        asyncio.run(run("ALTER TABLE webhooks_endpoints DROP CONSTRAINT planted"))


@contextmanager
def echoing() -> Iterator[tuple[str, threading.Event]]:
    """An upstream and a receiver that answer with all that they were sent: at first as a fault, then as no JSON."""
    answered = threading.Event()

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            told = f"<p>You sent {self.path} {dict(self.headers)} {body!r}</p>".encode()
            self.send_response(500 if "hook" in self.path else 200)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)
            if "hook" in self.path:
                answered.set()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", answered
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use(url: str, own_key: str, receiver: str, answered: threading.Event) -> str:
    """Put a secret into every place of requests that there is; what `/metrics` shows afterwards."""

    def ask(document: str, variables: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        found: dict[str, Any] = client.post(
            "/graphql", json={"query": document, "variables": variables}, headers=sent
        ).json()
        return found

    with httpx.Client(base_url=url) as client:
        for symbol, provider in (("BTC/USD", "coingecko"), ("AAPL", "alphavantage"), ("AAPL", "finnhub")):
            told = ask(QUOTE, {"symbol": symbol, "providers": [provider]}, x_api_key=own_key)
            assert told["errors"][0]["extensions"]["code"] == "UPSTREAM_MALFORMED"
        ask(SIGN_IN, {"email": "a@example.com", "password": PLANTED["password"]})
        ask("{ viewer { id } }", authorization=f"Bearer {PLANTED['bearer']}")
        ask("{ viewer { id } }", authorization=f"Bearer {JWT}")
        ask("{ viewer { id } }", x_api_key=API_KEY)
        ask("{ viewer { id } }", cookie=f"__Host-mg_session={PLANTED['cookie']}; mg_session={PLANTED['cookie']}")
        ask(f'{{ quote(symbol: "{PLANTED["operation"]}") {{ price }} }}', x_api_key=own_key)
        ask(QUOTE, {"symbol": PLANTED["variable"], "providers": [PLANTED["variable"]]}, x_api_key=own_key)
        client.get("/graphql", params={"query": QUOTE, "variables": json.dumps({"symbol": PLANTED["url"]})})
        client.get(f"/nothing?token={PLANTED['url']}", headers={"referer": f"http://x/?t={PLANTED['url']}"})
        ask(SET_KEY, {"key": PLANTED["tenant-key"]}, x_api_key=own_key)
        ask(QUOTE, {"symbol": "ETH/USD", "providers": ["coingecko"]}, x_api_key=own_key)
        given = {"url": f"{receiver}/hook/{PLANTED['hook-path']}", "header": PLANTED["hook-header"]}
        made = ask(HOOK, {**given, "secret": HOOK_SECRET}, x_api_key=own_key)["data"]["webhookEndpointCreate"]
        assert made["userErrors"] == []
        refused = {**given, "url": f"{receiver}/refused/{ROW}", "secret": HOOK_SECRET}
        assert ask(HOOK, refused, x_api_key=own_key)["errors"][0]["extensions"]["code"] == "INTERNAL"
        ask(TEST_HOOK, {"id": made["webhookEndpoint"]["id"]}, x_api_key=own_key)
        assert answered.wait(10)
        with connect(f"{url.replace('http', 'ws')}/graphql", subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": PLANTED["socket"]}}))
            with pytest.raises(ConnectionClosed, match="UNAUTHENTICATED"):
                socket.recv()
        return client.get("/metrics").text


def test_nothing_that_a_process_tells_holds_a_planted_secret(empty_postgresql_url: str, tmp_path: Path):
    log = tmp_path / "gateway.log"
    with refusing(empty_postgresql_url), collecting() as collector, echoing() as (upstream, answered):
        process = started(
            "serve", "--port", "0", MARKETGATE_LOG_LEVEL="debug", MARKETGATE_LOG_FORMAT="json",
            MARKETGATE_LOG_FILE=str(log), MARKETGATE_DATABASE_URL=empty_postgresql_url, MARKETGATE_UPSTREAMS="live",
            MARKETGATE_UPSTREAM_BASE=upstream, MARKETGATE_SECRET_KEY=PLANTED["root"],
            MARKETGATE_KEY_COINGECKO=PLANTED["header-key"], MARKETGATE_KEY_ALPHAVANTAGE=PLANTED["query-key"],
            MARKETGATE_KEY_FINNHUB=PLANTED["query-key"], MARKETGATE_OTLP_ENDPOINT=collector.url,
            MARKETGATE_OTLP_HEADERS=f"authorization=Bearer {PLANTED['otlp']}",
            MARKETGATE_SENTRY_DSN=collector.url.replace("http://", "http://key@") + "/1",
        )  # fmt: skip
        url = announced(process)
        assert process.stdout is not None
        own_key = next(key for line in process.stdout if (key := re.search(r"mg_dev_\S+", line)))
        try:
            metrics = use(url, own_key[0], upstream, answered)
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = rest(process)

    events = [request for request in collector.requests if "/envelope/" in request.path]
    collector.requests = [request for request in collector.requests if request.path == "/v1/traces"]
    told = {
        "log": log.read_text(), "stderr": err, "stdout": out, "metrics": metrics, "spans": collector.text,
        "events": "".join(str(each.body) for each in events),
    }  # fmt: skip
    secrets = [*PLANTED.values(), ROW, HOOK_SECRET, JWT, API_KEY, own_key[0]]
    found = {
        (place, secret)
        for place, text in told.items()
        for secret in secrets
        for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
        if form in text
    }
    assert found == set()

    # What was looked through is what there is to tell, not nothing.
    assert all(request.headers["authorization"] == f"Bearer {PLANTED['otlp']}" for request in collector.requests)
    names = {span.name for span in collector.spans}
    assert {"POST /graphql", "query", "mutation", "resolve quote", "call coingecko", "GET", "webhook"} <= names
    assert "" not in names
    written = [json.loads(line) for line in told["log"].splitlines()]
    requests = [line for line in written if line["event"] == "request" and line["path"] == "/graphql"]
    assert len(requests) >= 12
    assert all(len(line["trace_id"]) == 32 and line["request_id"] for line in requests)
    assert "marketgate_provider_calls_total" in metrics
    assert ["violates check constraint" in told[place] for place in ("log", "events")] == [True, True]
