"""The README of the Python client, snippet by snippet, at a running gateway."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.market.process import Gateway

HOME = Path(__file__).parents[4] / "schema" / "client" / "python"
SNIPPETS = [
    snippet
    for snippet in re.findall(r"```python\n(.*?)```", (HOME / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    # tests/e2e/webhooks starts the receiver.
    if not snippet.startswith("# verified.py")
]
TYPED = """
from datetime import datetime
from decimal import Decimal
from typing import assert_type

from marketgate_client import AsyncClient, CandleFrame, Client, Stream
from marketgate_client.generated import AskFailure, Quote, QuotesUpdate, Viewer


def questions(client: Client, start: datetime) -> None:
    assert_type(client.quote("BTC/USD"), Quote)
    assert_type(client.quote("BTC/USD").bid, Decimal | None)
    assert_type(client.quotes(["BTC/USD"]).failures, tuple[AskFailure, ...])
    assert_type(client.viewer(), Viewer | None)
    assert_type(client.quotes_stream(["BTC/USD"]), Stream[QuotesUpdate])
    assert_type(client.candles(["BTC/USD"], "H1", start), CandleFrame[Decimal])
    assert_type(client.candles(["BTC/USD"], "H1", start, numbers="float64").close[0], float)
    client.quote("BTC/USD").prise  # error: attr-defined
    client.quote(symbols="BTC/USD")  # error: call-arg
    client.candles(["BTC/USD"], "H1", start, numbers="float32")  # error: call-overload


async def later(client: AsyncClient, start: datetime) -> None:
    assert_type(await client.quote("BTC/USD"), Quote)
    assert_type(await client.candles(["BTC/USD"], "H1", start), CandleFrame[Decimal])
    async for message in client.quotes_stream(["BTC/USD"]):
        assert_type(message, QuotesUpdate)
"""


def program(snippet: str, gateway: Gateway) -> str:
    return snippet.replace("http://127.0.0.1:8000", gateway.url).replace("mg_…", gateway.key)


def test_there_are_snippets():
    assert len(SNIPPETS) == 5


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_runs(
    gateway: Gateway, snippet: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    exec(compile(program(snippet, gateway), "README.md", "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out


def test_a_users_program_the_snippets_and_the_client_itself_are_typed(tmp_path: Path):
    (tmp_path / "typed.py").write_text(TYPED)
    for number, snippet in enumerate(SNIPPETS):
        (tmp_path / f"snippet{number}.py").write_text(snippet)
    settings, cache = HOME / "pyproject.toml", tmp_path / "cache"

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", cache,
         *sorted(tmp_path.glob("*.py")), HOME / "marketgate_client"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    found = re.findall(r"^(\S+\.py):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    expected = [
        ("typed.py", str(number), line.rpartition("# error: ")[2])
        for number, line in enumerate(TYPED.splitlines(), 1)
        if "# error: " in line
    ]
    assert found == expected, done.stdout
