"""The receivers and commands that the docs print, each run against deliveries of a gateway."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.webhooks.clients import PYTHON
from tests.gateway.cli.conftest import ROOT, rest, started
from tests.gateway.cli.gateways import SECRET, SOON_S, Gateway, Local

PAGE = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
RECIPES = {
    re.sub(r"^\W+", "", body.partition("\n")[0]): body
    for body in re.findall(r"^```(?:python|js)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
}
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("marketgate webhooks ")]
# Next.js calls a route with a request of the web platform, and sends the answer: so does this.
ROUTE = """
import { createServer } from "node:http";
import { POST } from "./route.mjs";
createServer(async (incoming, outgoing) => {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  const { method, headers, url } = incoming;
  const answer = await POST(new Request(new URL(url, "http://here"), { method, headers, body: Buffer.concat(parts) }));
  outgoing.writeHead(answer.status).end(await answer.text());
}).listen(process.env.PORT);
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(tmp_path_factory.mktemp("state"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the recipes import, from npm's registry."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no npm on this machine")
    folder = tmp_path_factory.mktemp("packages")
    (folder / "package.json").write_text('{"private": true}')
    names = ("express@5", "standardwebhooks@1")
    done = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", *names],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH", done.stderr):
        pytest.skip("npm's registry cannot be reached")
    assert done.returncode == 0, done.stderr
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, words: list[str], port: int) -> Iterator[subprocess.Popen[str]]:
    """A receiver, once it listens."""
    env = {**os.environ, "WEBHOOK_SECRET": SECRET, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for _ in range(400):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def check(gateway: Gateway, folder: Path, words: list[str], port: int) -> None:
    """It takes a delivery once, and nothing that the gateway has not signed."""
    url = f"http://127.0.0.1:{port}/webhooks"
    with running(folder, words, port) as process:
        create = """mutation($url: String!, $secret: String!) { r: webhookEndpointCreate(input: {
          url: $url, secret: $secret, eventTypes: ["*"]}) { webhookEndpoint { id } userErrors { message } } }"""
        endpoint = gateway.ask(create, url=url, secret=SECRET)["r"]["webhookEndpoint"]["id"]
        send = """mutation($id: ID!, $type: String) { r: webhookEndpointTest(input: {id: $id, eventType: $type}) {
          delivery { id } userErrors { message } } }"""
        for kind in ("provider.degraded", "webhook.test"):
            first = gateway.ask(send, id=endpoint, type=kind)["r"]["delivery"]["id"]
            assert statuses(gateway, endpoint, first, 1) == [204]
            again = "mutation($id: ID!) { webhookDeliveryResend(input: {id: $id}) { userErrors { message } } }"
            gateway.ask(again, id=first)
            assert statuses(gateway, endpoint, first, 2) == [204, 204]
        headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,Zm9v"}
        forged = httpx.post(url, content=b'{"type":"provider.degraded"}', headers={
            **headers, "content-type": "application/json",
        })  # fmt: skip
        process.kill()
        told = process.communicate()[0]

    assert forged.status_code == 400, told
    assert told.count("degraded: kraken") == 1, told
    assert told.count("degraded:") == 1, told


def statuses(gateway: Gateway, endpoint: str, delivery: str, number: int) -> list[Any]:
    """What the receiver answered, once it has so many times."""
    query = """query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { deliveries(first: 5) { nodes {
      id attempts { responseStatus } } } } } }"""
    until = time.monotonic() + SOON_S
    while True:
        nodes = gateway.ask(query, id=endpoint)["node"]["deliveries"]["nodes"]
        found = [each["responseStatus"] for node in nodes if node["id"] == delivery for each in node["attempts"]]
        if len(found) >= number or time.monotonic() > until:
            return found
        time.sleep(0.05)


def test_the_printed_receiver_for_starlette_works(gateway: Gateway, tmp_path: Path):
    (tmp_path / "receiver.py").write_text(RECIPES["receiver.py"], encoding="utf-8")
    port = free_port()

    check(gateway, tmp_path, [sys.executable, "-m", "uvicorn", "receiver:app", "--port", str(port)], port)


def test_the_printed_receiver_for_express_works(gateway: Gateway, packages: Path):
    (packages / "receiver.mjs").write_text(RECIPES["receiver.mjs"], encoding="utf-8")

    check(gateway, packages, ["node", "receiver.mjs"], free_port())


def test_the_printed_receiver_for_next_works(gateway: Gateway, packages: Path):
    (packages / "route.mjs").write_text(RECIPES["app/webhooks/route.js"], encoding="utf-8")
    (packages / "serve.mjs").write_text(ROUTE, encoding="utf-8")

    check(gateway, packages, ["node", "serve.mjs"], free_port())


def test_the_printed_receiver_with_the_python_client_works(gateway: Gateway, tmp_path: Path):
    (tmp_path / "verified.py").write_text(RECIPES["verified.py"], encoding="utf-8")
    shutil.copytree(PYTHON, tmp_path / PYTHON.name)
    port = free_port()

    check(gateway, tmp_path, [sys.executable, "-m", "uvicorn", "verified:app", "--port", str(port)], port)


def test_the_printed_receiver_with_the_typescript_client_works(gateway: Gateway, typescript_client: Path):
    (typescript_client / "route.mjs").write_text(RECIPES["app/verified/route.js"], encoding="utf-8")
    (typescript_client / "serve.mjs").write_text(ROUTE, encoding="utf-8")

    check(gateway, typescript_client, ["node", "serve.mjs"], free_port())


def test_the_printed_commands_do_what_the_page_says(gateway: Gateway):
    listen, straight, through = COMMANDS
    with Local.open() as local:
        create = """mutation($url: String!) { r: webhookEndpointCreate(input: {url: $url, eventTypes: ["*"]}) {
          webhookEndpoint { id } } }"""
        hook = gateway.ask(create, url=f"{local.url}/in")["r"]["webhookEndpoint"]["id"]

        def words(line: str) -> list[str]:
            line = line.replace("http://127.0.0.1:3000", local.url).replace("https://gateway.example.com", gateway.url)
            line = line.replace("mg_…", gateway.key).replace("whsec_…", SECRET).replace("hook_…", hook)
            given = shlex.split(line)[1:]
            return given if "--url" in given else [*given, "--url", gateway.url]

        listening = started(*words(listen))
        assert listening.stdout is not None
        assert listening.stdout.readline().startswith("time\t")
        listening.send_signal(signal.SIGINT)
        _, told = rest(listening)
        ended = []
        for line in (straight, through):
            process = started(*words(line))
            ended.append((rest(process)[1], process.returncode))
            local.next()

    assert listening.returncode == 130
    assert "signing secret whsec_" in told
    assert ended == [("", 0), ("", 0)]
