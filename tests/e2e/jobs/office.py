"""A gateway's process that works on jobs, as `marketgate serve` does: `work([FILE, hang|do])`.

With `hang` it begins a job and writes its id to the file while it works on it without end; with `do` it does what it
finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvloop

from gateway.app import build_gateway, own_workers, start
from gateway.core.contract import Context
from gateway.core.identity import LOCAL
from gateway.core.ports import Backstage, JobKind, JobKinds, Jobs, Progress
from gateway.core.settings import load_settings
from gateway.core.working import working


async def main(file: Path, deed: str) -> None:
    gateway = build_gateway(load_settings(dotenv=None).settings)
    host, began = gateway.host, asyncio.Event()

    async def run(context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        began.set()
        if deed == "hang":
            await asyncio.Event().wait()
        return {"value": given["value"], "warnings": []}

    await start(gateway)
    host.service(JobKinds).register([JobKind(name="trial", run=run, show=dict)])  # type: ignore[arg-type]
    async with working(host, own_workers(gateway)):
        if deed == "hang":
            job = await host.service(Jobs).start(host.service(Backstage).context(LOCAL), "trial", {"value": 7})
            await began.wait()
            file.write_text(job.id)  # noqa: ASYNC240 - nothing else runs here
        await asyncio.Event().wait()


def work(arguments: list[str]) -> None:
    """Without end."""
    uvloop.run(main(Path(arguments[0]), arguments[1]))
