"""What several folders share: the TypeScript client as it is installed, and a browser."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from tests.e2e.page.browser import Page, find_chromium, open_browser
from tests.e2e.webhooks.clients import DONE, built


@pytest.fixture(scope="session")
def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has `@marketgate/client` installed: one for all workers of a run, made by the first."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "typescript"
    with (shared / "typescript.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            built(folder)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[ClientConnection]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on this machine: install the `chromium` package to run the browser tests")
    with open_browser(executable) as socket:
        yield socket


@pytest.fixture
def page(chromium: ClientConnection) -> Iterator[Page]:
    tab = Page(chromium)
    tab.resize(1400, 1000)
    yield tab
    tab.close()
