"""The TypeScript client's types, its README, and its weight, as an application has them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.webhooks.clients import TYPESCRIPT, run

MOST_BYTES = 15_360
SNIPPETS = re.findall(r"^```ts\n(.+?)^```$", (TYPESCRIPT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
OPTIONS = {
    "target": "ES2022", "lib": ["ES2022", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    "module": "NodeNext", "moduleResolution": "NodeNext", "moduleDetection": "force", "types": ["node"],
    "strict": True, "exactOptionalPropertyTypes": True, "noUncheckedIndexedAccess": True, "noEmit": True,
    "skipLibCheck": False,
}  # fmt: skip
QUOTE_AND_STREAM = """
import { createClient, format, QuoteDocument, QuoteStreamDocument } from "@marketgate/client";
const client = createClient({ url: "/graphql" });
const { quote } = await client.query(QuoteDocument, { symbol: "BTC/USD" });
if (quote) document.title = format(quote.price);
for await (const { quotes } of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) {
  for (const each of quotes.quotes) document.title = format(each.price);
}
"""


@pytest.fixture
def app(typescript_client: Path, tmp_path: Path) -> Path:
    """A folder of an application's sources beside the installed client."""
    made = Path(shutil.copytree(typescript_client / "node_modules", tmp_path / "node_modules", symlinks=True)).parent
    (made / "package.json").write_text('{"type": "module"}')
    return made


def bundled(app: Path, source: str) -> bytes:
    (app / "app.js").write_text(source)
    flags = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--outfile=out.js", "--log-level=warning")
    run(app, "node_modules/.bin/esbuild", "app.js", *flags)
    return (app / "out.js").read_bytes()


def test_what_should_compile_does_and_what_should_not_does_not_and_so_does_the_readme(app: Path):
    shutil.copy(Path(__file__).with_name("types.ts"), app)
    for number, snippet in enumerate(SNIPPETS):
        (app / f"readme{number}.ts").write_text(snippet, encoding="utf-8")
    (app / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "include": ["*.ts"]}))

    assert run(app, "node_modules/.bin/tsc", "--pretty", "false") == ""
    assert len(SNIPPETS) == 8


def test_an_application_with_a_quote_and_a_stream_is_small(app: Path):
    assert len(bundled(app, QUOTE_AND_STREAM)) <= MOST_BYTES


def test_what_an_application_does_not_use_is_left_out(app: Path):
    bundle = bundled(app, 'import { toBar } from "@marketgate/client"; console.log(toBar(JSON.parse("{}")));')

    assert len(bundle) < 400


def test_the_client_needs_no_other_package():
    package = json.loads((TYPESCRIPT / "package.json").read_text())

    assert {"dependencies", "peerDependencies", "optionalDependencies"} & set(package) == set()


@pytest.mark.parametrize("folder", [TYPESCRIPT, TYPESCRIPT / "codegen"], ids=["client", "codegen"])
def test_the_locks_name_no_registry(folder: Path):
    lock = json.loads((folder / "package-lock.json").read_text())

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
