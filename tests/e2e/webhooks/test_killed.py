"""Processes that send webhooks are killed at random: no acknowledged event is lost."""

from __future__ import annotations

from tests.e2e.webhooks.killing import Trial, run


async def test_no_acknowledged_event_is_lost_whoever_is_killed(database: str):
    trial = await run(Trial(database=database, events=60, endpoints=3, kills=2))

    assert len(trial.acknowledged) >= 60
    assert trial.lost == 0
    assert all(set(got) >= trial.acknowledged for got in trial.received.values())
