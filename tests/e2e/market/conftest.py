"""One upstream double and one live gateway for each module of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.market.process import Gateway, running
from tests.e2e.market.upstream import Upstream
from tests.e2e.market.world import KEY, WORLD


@pytest.fixture(scope="module")
def one_upstream() -> Iterator[Upstream]:
    with Upstream(WORLD).running() as upstream:
        yield upstream


@pytest.fixture
def upstream(one_upstream: Upstream) -> Iterator[Upstream]:
    """On a good day, with an empty log."""
    one_upstream.calm()
    yield one_upstream
    one_upstream.calm()


@pytest.fixture(scope="module")
def gateway(one_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Live, in production, every upstream replaced by the double; the key must never show."""
    folder = tmp_path_factory.mktemp("live")
    settings = {
        "ENV": "production",
        "UPSTREAM_BASE": one_upstream.url,
        "PROVIDERS": ",".join((*WORLD, "sandbox")),
        "KEY_ALPHAVANTAGE": KEY,
        "UPSTREAM_QUOTAS": "false",
        # A thousand at once on a busy machine is what shedding refuses: it has tests of its own.
        "SHED_LAG_MS": "0",
    }
    with running(folder, **settings) as gateway:
        yield gateway
        assert KEY not in gateway.log
