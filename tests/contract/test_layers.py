"""What an adapter's source may hold, and what loading all of them costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.core.check.provider import module_file, own_source_findings
from gateway.core.check.source import source_findings
from providers import adapter_modules, provider_in
from providers.contract import Provider
from tests.contract.suite import PROVIDERS

ROOT = Path(__file__).parents[2]
HEAVY = ("aiohttp", "exchange_calendars", "httpx", "numpy", "pandas", "redis", "sqlalchemy", "starlette.applications")
MOST_MODULES = 60
"""Without the adapters, of which each is one, their shared dialects and the words that they answer in."""
COUNT = f"""
import sys
import strawberry
before = set(sys.modules)
from providers import discover
discover(third_party=False)
new = [name for name in set(sys.modules) - before if not name.startswith(("providers.", "schema.words."))]
print(len(new), *[name for name in {HEAVY!r} if name in sys.modules])
"""


@pytest.mark.parametrize("cls", PROVIDERS.values(), ids=PROVIDERS)
def test_an_adapter_only_states_facts_and_parses(cls: type[Provider]):
    assert own_source_findings(cls) == []


@pytest.mark.parametrize("module", adapter_modules())
def test_an_adapter_module_has_one_provider_named_like_its_file(module: str):
    cls = provider_in(module)

    assert cls.profile.id == module_file(cls).stem


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("import os", "line 1: imports os"),
        ("from pathlib import Path", "line 1: imports from pathlib"),
        ("import urllib.request", "line 1: imports urllib.request"),
        ("from asyncio import sleep", "line 1: imports asyncio.sleep"),
        ("import asyncio\nasyncio.sleep(1)", "line 2: uses asyncio.sleep; only TaskGroup and gather are for adapters"),
        ("from gateway.core import upstream", "line 1: imports from gateway.core"),
        ("from . import row", "line 1: imports from ."),
        ("import httpx", "line 1: imports httpx"),
        ("open('key')", "line 1: calls open()"),
        ("price = float('1.5')", "line 1: calls float(); prices are Decimal from the bytes to the wire"),
        ("datetime.now()", "line 1: reads the clock with datetime.now(); time comes from self.clock"),
        ("dt.date.today()", "line 1: reads the clock with date.today(); time comes from self.clock"),
        ("try:\n    pass\nfinally:\n    pass", "line 1: has a try; the gateway handles what goes wrong"),
    ],
)
def test_what_an_adapter_may_not_do_is_named_with_its_line(line: str, finding: str):
    assert source_findings(line) == [finding]


@pytest.mark.parametrize(
    "line",
    [
        "from providers.row import Row",
        "from schema.words.quotes import QUOTES",
        "from gateway.sdk import Provider",
        "import asyncio\nasyncio.gather()",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "self.clock.now()",
    ],
)
def test_what_an_adapter_needs_is_allowed(line: str):
    assert source_findings(line) == []


def test_a_simulated_exchange_may_count_in_floats():
    assert source_findings("float('1.5')", simulated=True) == []


def test_loading_all_adapters_adds_few_modules_and_none_of_the_heavy_ones():
    done = subprocess.run([sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, check=True)
    count, *heavy = done.stdout.split()

    assert heavy == []
    assert int(count) <= MOST_MODULES
