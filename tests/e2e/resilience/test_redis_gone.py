"""Redis is killed, frozen and started anew while clients ask: what they notice is what was set, and no restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.market.process import running
from tests.e2e.market.upstream import Upstream
from tests.e2e.market.world import WORLD
from tests.e2e.resilience.load import ANSWERED, Load, connected, loaded, wait_for_return
from tests.servers import RestartableValkey, restartable_valkey

ENOUGH = 60


@contextmanager
def shared(folder: Path, **settings: str) -> Iterator[tuple[RestartableValkey, Load]]:
    """A gateway whose limits are counted in a Redis of one's own, and clients that ask it."""
    with (
        Upstream(WORLD).running() as upstream,
        restartable_valkey() as server,
        running(folder, UPSTREAM_BASE=upstream.url, REDIS_URL=server.url, **settings) as gateway,
        loaded(gateway) as load,
    ):
        load.more(ENOUGH)
        assert connected(server)
        yield server, load


def test_no_query_fails_while_redis_is_killed_frozen_and_started_anew(tmp_path: Path) -> None:
    with shared(tmp_path, ANONYMOUS="true", ANONYMOUS_POINTS="1000000") as (server, load):
        server.stop()
        load.more(ENOUGH)
        server.start()
        wait_for_return(server, load)
        load.more(ENOUGH)
        server.freeze()
        load.more(ENOUGH)
        server.thaw()
        load.more(ENOUGH)
        wait_for_return(server, load)

    assert set(load.outcomes) == {ANSWERED}
    assert load.asked >= 5 * ENOUGH


def test_closed_limits_refuse_in_their_own_words_until_redis_is_back(tmp_path: Path) -> None:
    with shared(tmp_path, ANONYMOUS="true", ANONYMOUS_POINTS="1000000", LIMITS_WITHOUT_REDIS="closed") as (
        server,
        load,
    ):
        assert set(load.outcomes) == {ANSWERED}

        server.stop()
        load.until("LIMITS_UNAVAILABLE", ENOUGH)
        server.start()
        load.until_none("LIMITS_UNAVAILABLE", ENOUGH)

    assert set(load.outcomes) == {ANSWERED, "LIMITS_UNAVAILABLE"}
