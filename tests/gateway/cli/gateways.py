"""A gateway's process with a key to it, and a receiver of webhooks beside it."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import httpx

from tests.gateway.cli.conftest import announced, started

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
KEY = re.compile(r"\bmg_dev_[0-9A-Za-z]+_[0-9A-Za-z]+\b")
SOON_S = 30.0


class Local:
    """A receiver: it takes everything but what comes to a path that is a status."""

    def __init__(self) -> None:
        self.got: Queue[tuple[dict[str, str], bytes]] = Queue()
        local = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = self.path.strip("/")
                if not status.isdigit():
                    local.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(int(status) if status.isdigit() else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Local]:
        made = cls()
        thread = threading.Thread(target=made.server.serve_forever)
        thread.start()
        yield made
        made.server.shutdown()
        thread.join()
        made.server.server_close()

    def next(self) -> tuple[dict[str, str], bytes]:
        return self.got.get(timeout=SOON_S)


class Gateway:
    """A process that may be killed and started again over the same state, and what happens in it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port, self.key, self.endpoint = folder, "0", "", ""
        self.start()

    def start(self) -> None:
        self.process = started("serve", "--port", self._port, MARKETGATE_DATA_DIR=str(self._folder))
        self.url = announced(self.process)
        self._port = self.url.rpartition(":")[2]
        assert self.process.stdout is not None
        if not self.key:
            self.key = next(found[0] for line in self.process.stdout if (found := KEY.search(line)))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        asked = {"query": query, "variables": variables}
        reply = httpx.post(f"{self.url}/graphql", json=asked, headers={"x-api-key": self.key}, timeout=SOON_S).json()
        assert "errors" not in reply, reply
        found: dict[str, Any] = reply["data"]
        return found

    def happen(self, local: Local) -> None:
        """An endpoint says that it is gone, and is disabled."""
        if not self.endpoint:
            made = self.ask(
                """mutation($url: String!) { r: webhookEndpointCreate(input: {url: $url, eventTypes: ["*"]}) {
                  webhookEndpoint { id } } }""",
                url=f"{local.url}/410",
            )
            self.endpoint = made["r"]["webhookEndpoint"]["id"]
        before = len(self.log())
        change = "mutation($id: ID!) { webhookEndpoint%s(input: {id: $id}) { userErrors { message } } }"
        self.ask(change % "Enable", id=self.endpoint)
        self.ask(change % "Test", id=self.endpoint)
        while len(self.log()) == before:
            time.sleep(0.02)

    def log(self) -> list[dict[str, Any]]:
        edges: list[dict[str, Any]] = self.ask("{ events { edges { delivery node { id type } } } }")["events"]["edges"]
        return edges
