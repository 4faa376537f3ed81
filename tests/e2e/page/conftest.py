"""The page's stub and a running gateway for the tests of this folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from tests.e2e.page.stub import Script, serve

START_SECONDS = 120


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def stub_url(chromium: ClientConnection, script: Script) -> Iterator[str]:
    with serve(script) as url:
        yield url


@pytest.fixture(scope="session")
def gateway_url(chromium: ClientConnection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway as `make run` starts it: development, offline market."""
    folder = tmp_path_factory.mktemp("gateway")
    port = free_port()
    settings = {"MARKETGATE_ENV": "development", "MARKETGATE_PORT": str(port), "MARKETGATE_DATA_DIR": str(folder)}
    command = [str(Path(sys.executable).with_name("marketgate")), "serve"]
    with (folder / "log").open("w+b") as log:
        process = subprocess.Popen(command, env=os.environ | settings, cwd=folder, stdout=log, stderr=log)
        with process:
            try:
                url = f"http://127.0.0.1:{port}"
                wait_until_ready(process, url, folder / "log")
                yield url
            finally:
                process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    # A proxy in the environment has no business between a test and its own machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(START_SECONDS * 10):
        with suppress(urllib.error.URLError), direct.open(f"{url}/readyz", timeout=5):
            return
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"the gateway ended with status {process.wait(timeout=0.1)}:\n{log.read_text()}")
    pytest.fail(f"the gateway was not ready after {START_SECONDS} s:\n{log.read_text()}")
