"""What the tests of receivers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.webhooks.clients import built


@pytest.fixture(scope="session")
def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has `@marketgate/client` installed."""
    return built(tmp_path_factory.mktemp("typescript"))
