"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.core.contract import Host, Plugin, Worker
from gateway.core.ports import JobKinds, Jobs
from gateway.core.store import Tx
from plugins.jobs.desk import JobDesk, Kinds
from plugins.jobs.fields import JobMutation, JobQuery, JobSubscription, find_job
from plugins.jobs.news import JobNews
from plugins.jobs.runner import Clearing, JobRunner
from plugins.jobs.store import JobStore
from plugins.jobs.tables import TABLES
from schema.words.jobs import JobResult

AGAIN_S, CLEAR_EVERY_S = 1.0, 3_600.0
_HIDDEN = {"tenant_id", "lease", "leased_until", "idempotency_key"}


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    kinds, news = Kinds(), JobNews(host)
    desk = JobDesk(host, kinds, news)
    return {JobKinds: kinds, Jobs: desk, JobDesk: desk, JobRunner: JobRunner(host, kinds, news)}


def workers(host: Host) -> Sequence[Worker]:
    """Any process of the fleet may work on jobs, and any number."""
    runner = host.service(JobRunner)
    return [
        Worker(name="jobs", every=AGAIN_S, run=runner.run, finish=runner.finish, anywhere=True),
        Worker(name="jobs_clear", every=CLEAR_EVERY_S, run=Clearing(host).run, anywhere=True),
    ]


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Every job of the organisation that is kept, with its result."""
    rows = [asdict(row) for row in await JobStore().whole(tx, tenant)]
    return {"jobs": [{name: value for name, value in row.items() if name not in _HIDDEN} for row in rows]}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Every job of the organisation; what runs is stopped when its lease is renewed."""
    await JobStore().erase(tx, tenant)


plugin = Plugin(
    name="jobs", query=JobQuery, mutation=JobMutation, subscription=JobSubscription, types=(JobResult,),
    services=services, workers=workers, tables=TABLES, migrations=Path(__file__).parent / "migrations",
    nodes={"job": find_job}, export=export, erase=erase,
)  # fmt: skip
