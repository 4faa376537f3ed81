"""Many clients deal on the same accounts, and the gateway is killed meanwhile: every account stays whole.

Each on the database where it is harder; larger ones on either are run by hand, see `storm.py` and `killing.py`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.trading import killing, storm
from tests.e2e.trading.dealing import Server, Trial


def test_accounts_stay_whole_under_many_clients(empty_postgresql_url: str, tmp_path: Path):
    trial = Trial(database=empty_postgresql_url, folder=tmp_path, operations=120, clients=8)

    found = asyncio.run(storm.run(trial, Server(trial)))

    assert found == []
    assert len(trial.placed) > 20
    assert len(trial.fills) > 7
    assert trial.standings.keys() == trial.margin.keys()


def test_nothing_acknowledged_is_lost_or_doubled_when_the_gateway_is_killed(sqlite_url: str, tmp_path: Path):
    trial = Trial(database=sqlite_url, folder=tmp_path, operations=80, clients=4, seed=2)

    found = asyncio.run(killing.run(trial, Server(trial), 2))

    assert found == []
    assert trial.outcomes["again: no answer"] > 0
    assert len(trial.placed) > 20
