"""CONTRIBUTING's five steps, carried out as printed on a scratch provider in a copy of the sources."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
STEPS = PAGE.partition("in five steps")[2].partition("\n## ")[0]
SOURCES = ("gateway", "plugins", "providers", "schema", "docs", "deploy")


def printed(language: str) -> list[str]:
    return [dedent(block) for block in re.findall(rf"^ *```{language}\n(.*?)^ *```", STEPS, re.MULTILINE | re.DOTALL)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in SOURCES:
        copytree(ROOT / name, tmp_path / name, ignore=ignore_patterns("node_modules"))
    copy(ROOT / "README.md", tmp_path)
    return tmp_path


def run(checkout: Path, module: str, *line: str) -> str:
    # Compiled files came along, and hold as long as their sources do.
    env = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-m", module, *line], cwd=checkout, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(checkout: Path) -> dict[str, bytes]:
    return {str(path.relative_to(checkout)): path.read_bytes() for path in checkout.rglob("*") if path.is_file()}


def test_the_five_steps_add_a_provider_and_touch_nothing_else(checkout: Path) -> None:
    before = files(checkout)
    scaffold, check, *_ = [block.strip() for block in printed("sh")]

    run(checkout, "gateway", *shlex.split(scaffold)[1:])
    (method,) = printed("python")
    module = (checkout / "providers" / "crypto" / "demoex.py").read_text()
    verdict = run(checkout, "gateway", *shlex.split(check)[1:], "--json")
    run(checkout, "gateway.generate")
    quote = json.loads(run(checkout, "gateway", "quote", "BTC/USD", "--providers", "demoex", "--offline", "--json"))

    assert indent(method, "    ") in module
    assert json.loads(verdict) == {"verdicts": [{"provider": "demoex", "cases": 2, "findings": []}]}
    assert quote["quotes"]["nodes"][0]["price"] == "101.123456789012345678"
    after = files(checkout)
    assert {name for name in before if before[name] != after[name]} == {"README.md", "docs/providers.md"}
    assert after.keys() - before.keys() == {"providers/crypto/demoex.py", "providers/recordings/demoex/quotes.json"}
