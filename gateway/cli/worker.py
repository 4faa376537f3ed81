"""`marketgate worker`: one process that works, and serves nothing but its own figures where it is given a port."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn

from gateway.cli.outcome import Code, Stop
from gateway.cli.serve import bind, read_settings, settle, tell, url_of
from gateway.core import telemetry
from gateway.core.settings import PREFIX, Settings, SettingsError
from gateway.edge.workerfigures import figures_app


def run() -> Code:
    """Work until a signal ends it; what is under way may finish."""
    settings = read_settings()
    tell(settings)
    telemetry.mind_hangups()
    try:
        settings.root_secrets()
        import uvloop

        with suppress(KeyboardInterrupt):
            uvloop.run(_work(settings))
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    return Code.ALL


async def _work(settings: Settings) -> None:
    from gateway.app import build_gateway, own_workers, start
    from gateway.cli.database import prepare
    from gateway.core.working import working

    gateway = build_gateway(settings)
    await prepare(settings, gateway.host.plugins)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await start(gateway)
        settle()
        async with answering(settings) as url, working(gateway.host, own_workers(gateway)):
            print(f"Worker        {', '.join(sorted(each.name for each in gateway.host.plugins if each.workers))}")
            if url is not None:
                print(f"Metrics       {url}/metrics", flush=True)
            await ended.wait()
    finally:
        await gateway.close()
        await telemetry.end()


@asynccontextmanager
async def answering(settings: Settings) -> AsyncIterator[str | None]:
    """For as long as the block, who asks for figures is answered; the address, None where no port is set."""
    if settings.worker_port is None:
        yield None
        return
    listener = bind(settings.host, settings.worker_port, f"{PREFIX}WORKER_PORT or {PREFIX}HOST")
    config = uvicorn.Config(
        figures_app(settings), access_log=False, server_header=False, proxy_headers=False, log_config=None,
        log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url_of(settings, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Signals are the worker's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
