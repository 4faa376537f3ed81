"""One gateway on the offline market, and one process of Node, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients.line import Line
from tests.e2e.clients.typescript.node import Node
from tests.e2e.market.process import Gateway, free_port, running


@pytest.fixture(scope="session")
def page_port() -> int:
    """Where the gateway lets a page of another origin come from."""
    return free_port()


@pytest.fixture(scope="session")
def offline(page_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """In development, so that callers without a credential have the smallest plan; `key` has no limits."""
    settings = {"ENV": "development", "CORS_ORIGINS": f"http://127.0.0.1:{page_port}"}
    with running(tmp_path_factory.mktemp("offline"), **settings) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def node(typescript_client: Path) -> Iterator[Node]:
    made = Node(typescript_client)
    yield made
    made.close()


@pytest.fixture(scope="module")
def line(offline: Gateway) -> Iterator[Line]:
    """A line to the gateway that can be cut."""
    with Line(offline.url) as laid:
        yield laid
