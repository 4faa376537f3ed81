"""`marketgate serve`: one process that serves HTTP."""

from __future__ import annotations

import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from gateway.cli.outcome import Code, Stop, say
from gateway.core.settings import Settings, SettingsError, load_settings
from gateway.core.telemetry import configure_logging

GRACE_S = 10
BACKLOG = 2048
LARGEST_MESSAGE = 1024 * 1024
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what it means, listens nowhere
MODES = {"recorded": "OFFLINE: SIMULATED and RECORDED data", "live": "LIVE"}


def run(host: str | None, port: int | None) -> Code:
    """Serve until a signal ends it; what is under way may finish."""
    settings = _settings(host, port)
    configure_logging(settings.log_level, settings.log_format, settings.keyring().redactor())
    from gateway.app import create_app

    try:
        app = create_app(settings)
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    listener = bind(settings.host, settings.port)
    _Server(_config(app), settings).run(sockets=[listener])
    return Code.ALL


def _settings(host: str | None, port: int | None) -> Settings:
    try:
        loaded = load_settings()
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    given = {"host": host, "port": port}
    return loaded.settings.model_copy(update={name: value for name, value in given.items() if value is not None})


def bind(host: str, port: int) -> socket.socket:
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
        raise Stop(f"cannot listen on {host} port {port} ({told}): choose another with --port or --host") from None
    return listener


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, http="httptools", loop="uvloop", ws="auto", ws_max_size=LARGEST_MESSAGE, access_log=False,
        server_header=False, log_config=None, log_level="warning", lifespan="on", backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            announce(self._settings, sockets[0].getsockname()[1])


def announce(settings: Settings, port: int) -> None:
    """The address of the page and what kind of data it shows."""
    shown = WILDCARDS.get(settings.host, settings.host)
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    print(f"Marketgate    {url}/")
    print(f"GraphQL       {url}/graphql")
    if settings.development:
        print(f"Console       {url}/console")
    print(f"Mode          {MODES[settings.mode]}")
    if shown != settings.host:
        print(f"Listening on  all addresses of this machine, port {port}")
    sys.stdout.flush()
