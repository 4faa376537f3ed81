"""`marketgate serve`: one process that serves HTTP."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from gateway.cli.outcome import Code, Stop, say
from gateway.core import telemetry
from gateway.core.settings import Settings, SettingsError, load_settings
from gateway.edge.frames import CLOSE, FramesProtocol
from gateway.edge.whole import WholeProtocol
from providers import collector_resting

if TYPE_CHECKING:
    from gateway.core.contract import Host
    from gateway.edge.execute import Executor

GRACE_S = 10
TICK_S = 0.1
"""uvicorn's: headers that all answers have are made anew every ten of them."""
BACKLOG = 2048
LARGEST_MESSAGE = 1024 * 1024
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what it means, listens nowhere
COLLECT = (20_000, 10, 50)
"""New objects until the youngest are looked at: a request in flight holds hundreds that would only be moved on."""
SWITCH_S = 0.001
"""How long a thread that computes, such as the reader of long documents, keeps the event loop waiting each time."""
ROOT = Path(__file__).parents[2]
FIRST_QUERY = json.dumps({"query": '{ quote(symbol: "BTC/USD") { price provenance { provider mode } } }'})
MODES = {"recorded": "OFFLINE: SIMULATED and RECORDED data", "live": "LIVE"}


def run(host: str | None, port: int | None) -> Code:
    """Serve until a signal ends it; what is under way may finish."""
    settings = read_settings(host=host, port=port)
    tell(settings)
    telemetry.mind_hangups()
    # What a start makes stays, and `settle` looks through it once.
    with collector_resting():
        server, listener = _made(settings)
    server.run(sockets=[listener])
    return Code.ALL


def _made(settings: Settings) -> tuple[_Server, socket.socket]:
    """All but serving; Stop says in one line what stands in the way."""
    from gateway.app import build_gateway, create_app
    from gateway.cli.database import prepare

    try:
        settings.root_secrets()
        gateway = build_gateway(settings)
        app = create_app(settings, gateway=gateway)
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    # Here, where a refusal is one line; inside the server it would be a traceback.
    asyncio.run(prepare(settings, gateway.host.plugins))
    listener = bind(settings.host, settings.port)
    return _Server(_config(app), gateway.host, app.state.executor), listener


def tell(settings: Settings) -> None:
    """Begin the log, and traces and Sentry where they are set; Stop says what stands in the way."""
    try:
        telemetry.begin(settings)
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None


def read_settings(**given: str | int | None) -> Settings:
    """From the environment, with what the command line gives instead; Stop names what is wrong."""
    try:
        loaded = load_settings()
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    return loaded.settings.model_copy(update={name: value for name, value in given.items() if value is not None})


def bind(host: str, port: int, other: str = "--port or --host") -> socket.socket:
    """A socket that listens; Stop says what stands in the way."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise Stop(f"MARKETGATE_HOST: {host!r} is no address of this machine ({error})", Code.USAGE) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        told = error.strerror or str(error)
        raise Stop(f"cannot listen on {host} port {port} ({told}): choose another with {other}") from None
    return listener


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, http=WholeProtocol, loop="uvloop", ws=FramesProtocol, ws_per_message_deflate=False, ws_ping_interval=None,
        ws_max_size=LARGEST_MESSAGE, access_log=False, server_header=False, proxy_headers=False, log_config=None,
        log_level="warning", lifespan="on", backlog=BACKLOG, timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """Says where it listens once it does; told to go away, it drains, then ends answers without an end."""

    def __init__(self, config: uvicorn.Config, host: Host, executor: Executor) -> None:
        super().__init__(config)
        self._host, self._executor = host, executor

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        if self.started and sockets:
            url = url_of(self._host.settings, sockets[0].getsockname()[1])
            announce(self._host.settings, url, await welcome(self._host, url))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._drain()
        self._executor.leaving.set()
        await super().shutdown(sockets)
        # Here: once the server has ended, the signal that ended it ends the process.
        await telemetry.end()

    async def _drain(self) -> None:
        """Serve on until balancers have noticed; every answer ends its connection, an interrupt ends it all."""
        ticks = round(self._host.settings.drain_s / TICK_S)
        if ticks:
            self._executor.draining = True
            self.config.encoded_headers.append(CLOSE)
        for tick in range(ticks):
            if self.force_exit:
                return
            await self.on_tick(tick)
            await asyncio.sleep(TICK_S)


def settle() -> None:
    """What the start has made stays: a full collection that looked at it again would stop every request for 0.1 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    sys.setswitchinterval(SWITCH_S)


def url_of(settings: Settings, port: int) -> str:
    """The address to open."""
    shown = WILDCARDS.get(settings.host, settings.host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


async def welcome(host: Host, url: str) -> list[tuple[str, str]]:
    """What plugins have to say to a developer; they say nothing in production."""
    found: list[tuple[str, str]] = []
    for plugin in host.plugins if host.settings.development else ():
        found += await plugin.welcome(host, url) if plugin.welcome else ()
    return found


def places(url: str) -> list[tuple[str, str]]:
    """What a gateway has besides its page."""
    return [
        ("WebSocket", f"ws{url.removeprefix('http')}/graphql (graphql-transport-ws)"),
        ("Console", f"{url}/console (GraphiQL, with the schema's documentation)"),
        ("Health", f"{url}/health"),
        ("Metrics", f"{url}/metrics"),
    ]


def program() -> str:
    """What starts this command once more: its name where PATH leads to it, else as it was started."""
    started = sys.argv[0]
    if os.path.basename(started) == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m gateway"
    name = os.path.basename(started)
    found = shutil.which(name)
    return name if found and os.path.realpath(found) == os.path.realpath(started) else shlex.quote(started)


def first_steps(url: str) -> list[tuple[str, str]]:
    """Commands to copy, and where the documentation is in a checkout."""
    found = [
        ("With curl", f"curl -s {url}/graphql -H 'content-type: application/json' -d '{FIRST_QUERY}'"),
        ("With its CLI", f"{program()} quote BTC/USD ETH/USD --url {url}"),
    ]
    return [*found, ("Docs", f"README.md and docs in {ROOT}")] if (ROOT / "docs").is_dir() else found


def announce(settings: Settings, url: str, lines: Sequence[tuple[str, str]]) -> None:
    """The address of the page, what kind of data it shows, and what plugins say; to a developer where all else is."""
    told = [("Marketgate", f"{url}/"), ("GraphQL", f"{url}/graphql")]
    if settings.development:
        told += places(url)
    told += lines
    if settings.development:
        told += first_steps(url)
    for label, text in (*told, ("Mode", MODES[settings.mode])):
        print(f"{label:<13} {text}")
    if settings.host in WILDCARDS:
        print(f"Listening on  all addresses of this machine, port {url.rpartition(':')[2]}")
    sys.stdout.flush()
