"""`make screenshots`: pictures of a running gateway for the README, taken in Chromium, into docs/images.

The data are the sandbox's, so that no picture shows a provider's; each is small enough for a repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from tests.e2e.page.browser import Page, find_chromium, open_browser
from tests.e2e.page.conftest import free_port, wait_until_ready

FOLDER = Path(__file__).parents[3] / "docs" / "images"
WIDTH, HEIGHT = 1280, 800
LARGEST_BYTES = 200_000
QUERY = """{
  quote(symbol: "BTC/USD") {
    price
    bid
    ask
    provenance { provider mode cacheStatus }
  }
}"""
SHOWN = {
    "landing": (
        "/",
        "document.querySelector('.watch .hint')?.innerText === 'live' && document.querySelector('.big .price')"
        " && document.querySelector('.plot canvas') && document.querySelector('.spent strong')",
    ),
    "console": (
        f"/console?{urlencode({'query': QUERY})}",
        "document.querySelector('.graphiql-query-editor .view-line')?.innerText",
    ),
}
"""Name of a picture: its address, and what is there once it is whole."""


@contextmanager
def gateway() -> Iterator[str]:
    """A gateway as `make run` starts it."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        port = free_port()
        settings = {"MARKETGATE_ENV": "development", "MARKETGATE_PORT": str(port), "MARKETGATE_DATA_DIR": folder}
        command = [str(Path(sys.executable).with_name("marketgate")), "serve"]
        log = Path(folder) / "log"
        with (
            log.open("wb") as file,
            subprocess.Popen(command, env=os.environ | settings, stdout=file, stderr=file) as process,
        ):
            try:
                url = f"http://127.0.0.1:{port}"
                wait_until_ready(process, url, log)
                yield url
            finally:
                process.terminate()


def take(page: Page, url: str, folder: Path) -> Iterator[Path]:
    """Every picture in both colour schemes; the path of each."""
    page.resize(WIDTH, HEIGHT)
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        for name, (address, whole) in SHOWN.items():
            page.open(f"{url}{address}")
            page.wait(whole)
            if name == "console":
                page.ask("document.querySelector('.graphiql-execute-button').click()")
                page.wait("document.querySelector('.result-window').innerText.includes('SIMULATED')")
            path = folder / f"{name}-{scheme}.png"
            page.view(path)
            yield path


def main() -> int:
    """Take them; 1 where there is no Chromium, or where one is too large."""
    executable = find_chromium()
    if executable is None:
        print("no Chromium on this machine: install the `chromium` package", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open_browser(executable) as socket, gateway() as url:
        page = Page(socket)
        sizes = {path.name: path.stat().st_size for path in take(page, url, FOLDER)}
        page.close()
    print(json.dumps(sizes, indent=2))
    return 1 if max(sizes.values()) > LARGEST_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
