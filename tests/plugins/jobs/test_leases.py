"""Jobs of processes that end, on both databases."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

from sqlalchemy import update

from plugins.jobs.runner import LEASE, JobRunner
from plugins.jobs.tables import jobs
from tests.gateway.doubles import NOON
from tests.plugins.jobs.office import Office


async def lapse(office: Office) -> None:
    """As if the process that works had died."""
    async with office.host.store.write() as tx:
        await tx.run(update(jobs).where(jobs.c.state == "RUNNING").values(leased_until=office.host.clock.now()))


async def test_a_job_of_a_process_that_died_is_begun_once_more_and_then_given_up(office: Office):
    job = await office.start("wait")
    await office.runner.turn()
    await office.trial.begun.wait()
    await lapse(office)
    other = JobRunner(office.host, office.runner._kinds, office.runner._news)
    await other.turn()
    second = await office.row(job.id)
    await lapse(office)
    await other.turn()
    third = await office.job(job.id)

    assert (second.state, second.tries) == ("RUNNING", 2)
    assert third is not None
    assert (third["state"], third["error"]["code"]) == ("FAILED", "COMPUTING_FAILED")
    assert third["error"]["message"] == (
        "It was begun twice, and both times the process that ran it has ended: ask for less, or try again later."
    )
    office.trial.gate.set()
    await office.done()
    await asyncio.gather(*(each.task for each in other._running.values() if each.task))
    assert (await office.row(job.id)).state == "FAILED"


async def test_who_has_lost_its_lease_stops(office: Office):
    job = await office.start("wait")
    await office.runner.turn()
    await office.trial.begun.wait()
    running = office.runner._running[job.id]
    async with office.host.store.write() as tx:
        await tx.run(update(jobs).values(lease="another"))
    running.tell(0.5, "half")
    async with asyncio.timeout(10):
        await office.done()

    assert office.trial.stopped == 1
    assert ((await office.row(job.id)).state, (await office.row(job.id)).progress) == ("RUNNING", 0.0)


async def test_a_lease_is_renewed_with_the_progress(office: Office):
    office.trial.tells = [(0.25, "reading")]
    job = await office.start("wait")
    await office.runner.turn()
    before = await office.row(job.id)
    office.company.house.clock.turn(30)
    async with asyncio.timeout(10), aclosing(office.stream(job.id)) as states:
        async for state in states:
            if state["data"]["job"]["progress"] == 0.25:
                break
    after = await office.row(job.id)
    office.trial.gate.set()
    await office.done()

    assert before.leased_until == NOON + LEASE
    assert after.leased_until == NOON + timedelta(seconds=30) + LEASE


async def test_a_process_that_stops_gives_its_jobs_back(office: Office):
    job = await office.start("wait")
    await office.runner.turn()
    await office.trial.begun.wait()
    await office.runner.finish()
    row = await office.row(job.id)

    assert office.trial.stopped == 1
    assert (row.state, row.tries, row.lease, row.leased_until) == ("QUEUED", 0, None, None)


async def test_two_processes_never_take_the_same_job(office: Office):
    for _ in range(6):
        await office.start("wait")
    other = JobRunner(office.host, office.runner._kinds, office.runner._news)
    await asyncio.gather(office.runner.turn(), other.turn())
    # Who finds all rows in the other's hands takes what is left, or nothing, and looks again.
    await office.runner.turn()
    await other.turn()

    mine, theirs = set(office.runner._running), set(other._running)
    assert not mine & theirs
    assert len(mine | theirs) == 6
    office.trial.gate.set()
    await asyncio.gather(*(each.task for r in (office.runner, other) for each in r._running.values() if each.task))
