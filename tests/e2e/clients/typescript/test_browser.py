"""The TypeScript client in Chromium, on a page of another origin than the gateway's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.market.process import Gateway
from tests.e2e.page.browser import Page
from tests.e2e.webhooks.clients import run

APP = """
import * as client from "@marketgate/client";
globalThis.client = client;
"""


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def origin(page_port: int, typescript_client: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An application's page with the bundled client."""
    folder = tmp_path_factory.mktemp("application")
    (typescript_client / "browser.mjs").write_text(APP)
    run(
        typescript_client, "node_modules/.bin/esbuild", "browser.mjs", "--bundle", "--minify", "--format=esm",
        f"--outfile={folder}/app.js", "--log-level=warning",
    )  # fmt: skip
    (folder / "index.html").write_text(
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="app.js"></script>'
    )
    with ThreadingHTTPServer(("127.0.0.1", page_port), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{page_port}"
        server.shutdown()
        thread.join()


def test_a_page_asks_and_listens(page: Page, origin: str, offline: Gateway):
    page.open(f"{origin}/")
    found = page.ask(f"""(async () => {{
        const {{ createClient, format, QuoteDocument, QuoteStreamDocument }} = globalThis.client;
        const mine = createClient({{ url: "{offline.url}/graphql" }});
        const {{ quote }} = await mine.query(QuoteDocument, {{ symbol: "BTC/USD" }});
        const cursors = [];
        for await (const {{ quotes }} of mine.subscribe(QuoteStreamDocument, {{ symbols: ["BTC/USD"] }})) {{
            if (cursors.push(quotes.cursor) === 2) break;
        }}
        const {{ fault }} = await mine.tryQuery(QuoteDocument, {{ symbol: "NO/SUCH" }});
        return [quote.instrument.id, format(quote.price, {{ locale: "en-US", maxDigits: 0 }}).length > 4,
            new Set(cursors).size, fault.code];
    }})()""")

    assert found == ["crypto:BTC/USD", True, 2, "NOT_RECORDED"]
    # The first time, the gateway does not know the hash.
    assert [each for each in page.errors if "status of 400" not in each] == []
