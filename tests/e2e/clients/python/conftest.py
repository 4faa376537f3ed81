"""One gateway on the offline market, and clients of it as a user makes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from marketgate_client import Client

from tests.e2e.clients.line import Line
from tests.e2e.market.process import Gateway, running

ANONYMOUS_POINTS = 7


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """As `make run` starts it, but for what callers without a key may ask in a minute."""
    settings = {"ENV": "development", "ANONYMOUS_POINTS": str(ANONYMOUS_POINTS), "SHED_LAG_MS": "0"}
    with running(tmp_path_factory.mktemp("gateway"), **settings) as started:
        yield started


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with Client(gateway.url, api_key=gateway.key, trust_env=False) as made:
        yield made


@pytest.fixture
def line(gateway: Gateway) -> Iterator[Line]:
    with Line(gateway.url) as laid:
        yield laid
