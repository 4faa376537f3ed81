"""`marketgate worker`: one process that works and serves nothing."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from gateway.cli.outcome import Code, Stop
from gateway.cli.serve import read_settings, settle, tell
from gateway.core import telemetry
from gateway.core.settings import Settings, SettingsError


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
        async with working(gateway.host, own_workers(gateway)):
            print(f"Worker        {', '.join(sorted(each.name for each in gateway.host.plugins if each.workers))}")
            await ended.wait()
    finally:
        await gateway.close()
        await telemetry.end()
