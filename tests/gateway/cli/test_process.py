"""The command as a process: what it prints, how it ends, and what it has to load."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.serve import COLLECT, program, settle
from tests.gateway.cli.conftest import ROOT, announced, rest, started
from tests.gateway.doubles import ROOT_SECRET

UNWANTED = (
    "aiohttp", "aiosmtplib", "alembic", "argon2", "asyncpg", "authlib", "clarabel", "cryptography", "email_validator",
    "exchange_calendars", "gateway.core.migrations.runner", "gateway.core.smtp", "gateway.core.stripe", "h2", "httpx",
    "limits", "mako", "numpy", "opentelemetry", "pandas", "pyarrow", "redis", "scipy", "slowapi",
    "sqlalchemy.dialects.postgresql", "xml.etree", "yaml", "zxcvbn",
)  # fmt: skip
"""What a start on a migrated embedded database, up to the first answer, does without; together they are 100 MB."""
MOST_MODULES = 1_990
"""Without the adapters, of which each is one. Thirty are the metrics, whose library brings an HTTP server along; fifty
are the words, fields and streams of the families beside prices; twenty are jobs and the pool that computes; a hundred
 are portfolios and risk; ten are telemetry, while nothing is sent; five are the pages of errors and archives."""
START = f"""
import asyncio, sys
from gateway.app import build_gateway, create_app
from gateway.cli import app as commands, serve
from gateway.cli.database import prepare
from gateway.core.settings import load_settings
from gateway.edge.execute import OperationRequest, RequestFacts

settings = load_settings().settings
gateway = build_gateway(settings)
app = create_app(settings, gateway=gateway)
config = serve._config(app)
config.load()
config.get_loop_factory()

async def run():
    await prepare(settings, gateway.host.plugins)
    async with app.router.lifespan_context(app):
        asked = OperationRequest(query='{{ quote(symbol: "BTC/USD") {{ provenance {{ provider }} }} }}')
        result = await app.state.executor.execute(asked, RequestFacts(request_id="req_1", transport="http"))
        return result.body()["data"]["quote"]["provenance"]["provider"]

provider = asyncio.run(run())
others = [name for name in sys.modules if not name.startswith("providers.")]
print(provider, len(others), *[name for name in {UNWANTED!r} if name in sys.modules])
"""


def ask(url: str, query: str) -> Any:
    request = urllib.request.Request(
        f"{url}/graphql", json.dumps({"query": query}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)["data"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_serving_prints_the_real_port_and_the_mode_answers_and_ends_quietly(sent: signal.Signals, code: int):
    process = started("serve", "--port", "0", MARKETGATE_LOG_LEVEL="warning")
    url = announced(process)

    answer = ask(url, '{ quote(symbol: "BTC/USD") { provenance { provider mode } } }')
    process.send_signal(sent)
    out, err = rest(process)

    assert answer == {"quote": {"provenance": {"provider": "sandbox", "mode": "SIMULATED"}}}
    graphql, socket, console, health, metrics, key, link, curl, command, docs, mode = out.splitlines()
    assert (graphql, socket.split()[:2], console.split()[:2]) == (
        f"GraphQL       {url}/graphql", ["WebSocket", f"ws{url[4:]}/graphql"], ["Console", f"{url}/console"],
    )  # fmt: skip
    assert (health, metrics) == (f"Health        {url}/health", f"Metrics       {url}/metrics")
    assert re.fullmatch(r"API key       mg_dev_\S{40,}", key)
    assert re.fullmatch(rf"Signed in     {url}/sign-in\?token=\S{{43}}", link)
    query = r"""{"query": "{ quote(symbol: \"BTC/USD\") { price provenance { provider mode } } }"}"""
    assert curl == f"With curl     curl -s {url}/graphql -H 'content-type: application/json' -d '{query}'"
    assert command == f"With its CLI  {sys.executable} -m gateway quote BTC/USD ETH/USD --url {url}"
    assert docs == f"Docs          README.md and docs in {ROOT}"
    assert mode == "Mode          OFFLINE: SIMULATED and RECORDED data"
    assert (process.returncode, err) == (code, "")


def test_the_command_to_copy_is_named_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = tmp_path / "bin" / "marketgate"
    script.parent.mkdir()
    script.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/marketgate"])
    monkeypatch.setenv("PATH", str(tmp_path))
    elsewhere = program()
    monkeypatch.setenv("PATH", str(script.parent))
    found = program()
    monkeypatch.setattr(sys, "argv", ["a folder/marketgate"])

    assert (elsewhere, found, program()) == ("bin/marketgate", "marketgate", "'a folder/marketgate'")


def test_live_mode_in_production_is_announced_without_a_console(sqlite_url: str):
    process = started(
        "serve", "--port", "0", MARKETGATE_ENV="production", MARKETGATE_PROT="1", MARKETGATE_DATABASE_URL=sqlite_url,
        MARKETGATE_SECRET_KEY=ROOT_SECRET,
    )  # fmt: skip
    url = announced(process)

    process.send_signal(signal.SIGINT)
    out, err = rest(process)

    assert out.splitlines() == [f"GraphQL       {url}/graphql", "Mode          LIVE"]
    assert err == "marketgate: warning: MARKETGATE_PROT is not a setting; did you mean MARKETGATE_PORT?\n"


def test_a_wrong_setting_and_a_taken_port_stop_the_start_with_one_line(gateway_url: str):
    port = gateway_url.rpartition(":")[2]

    wrong = rest(started("serve", MARKETGATE_UPSTREAM_BASE="nowhere"))
    taken = started("serve", "--port", port)

    assert wrong == (
        "",
        "marketgate: MARKETGATE_UPSTREAM_BASE: must be an http or https URL without query, such as "
        "http://127.0.0.1:9000 (got 'nowhere')\n",
    )
    assert rest(taken) == (
        "",
        f"marketgate: cannot listen on 127.0.0.1 port {port} (Address already in use): choose another with --port or "
        "--host\n",
    )
    assert taken.returncode == 4


def test_a_reader_that_has_enough_ends_the_command_quietly():
    process = started("candles", "BTC/USD", "-i", "1m", "--start", "2026-01-01", "--csv")
    assert process.stdout is not None
    assert process.stderr is not None

    header = process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert header == "openTime,sessionDate,open,high,low,close,volume,closed\n"
    assert process.wait() == 130
    assert "Traceback" not in err


def test_an_interrupted_command_ends_quietly_and_leaves_whole_lines():
    process = started("candles", "BTC/USD", "-i", "1m", "--start", "2025-01-01", "--json")
    assert process.stdout is not None

    begin = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    end, err = rest(process)

    series = json.loads(begin + end)["candles"]
    assert (process.returncode, "Traceback" in err) == (130, False)
    assert series["rows"][0]["openTime"] == "2025-01-01T00:00:00Z"


def test_a_plain_start_loads_few_modules_and_none_of_the_unwanted_ones(sqlite_url: str, tmp_path: Path):
    given = {"ENV": "development", "DATABASE_URL": sqlite_url, "DATA_DIR": str(tmp_path)}
    environ = {**os.environ, **{f"MARKETGATE_{name}": value for name, value in given.items()}}

    done = subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    provider, count, *unwanted = done.stdout.split()
    assert (provider, unwanted) == ("sandbox", [])
    assert int(count) <= MOST_MODULES


def test_what_the_start_has_made_is_never_looked_at_again() -> None:
    before = gc.get_threshold()
    try:
        settle()

        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == COLLECT
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
