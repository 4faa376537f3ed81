"""A book on SQLite for what is the same everywhere, and on both databases for what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.core.store import Store
from tests.plugins.trading.ledger.books import Books


@pytest.fixture
async def books(sqlite_url: str) -> AsyncIterator[Books]:
    """A cash account in USDT."""
    store = Store(sqlite_url)
    opened = Books(store)
    await opened.open()
    yield opened
    await store.close()


@pytest.fixture
async def books_on_both(database: str) -> AsyncIterator[Books]:
    """The same on either database."""
    store = Store(database)
    opened = Books(store)
    await opened.open()
    yield opened
    await store.close()
