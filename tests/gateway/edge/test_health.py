"""Probes and the health report."""

from __future__ import annotations


async def test_a_living_process_says_so_even_when_it_is_not_ready(connect, world):
    world.missing.append("the database is not migrated")

    answer = await connect().get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


async def test_readiness_names_what_is_missing(connect, world):
    client = connect()

    ready = await client.get("/readyz")
    world.missing.append("the database is not migrated")
    unready = await client.get("/readyz")

    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})
    assert unready.status_code == 503
    assert unready.json() == {"status": "unready", "missing": ["the database is not migrated"]}


async def test_the_report_lists_every_provider(connect):
    answer = await connect().get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "mode": "recorded",
        "env": "test",
        "version": "0.1.0",
        "providers": [{"id": "kraken", "name": "Kraken", "status": "READY", "reason": None}],
    }
