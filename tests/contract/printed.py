"""Code as pages print it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks_of(text: str) -> list[tuple[str, str]]:
    """Language and body of each block, in the order of the page."""
    return [(kind, body) for kind, body in FENCE.findall(text)]


@cache
def blocks_of_clients() -> frozenset[str]:
    """What the READMEs of the clients print; tests of their own run all of it."""
    pages = (ROOT / "schema" / "client").glob("*/README.md")
    return frozenset(body for page in pages for _, body in blocks_of(page.read_text(encoding="utf-8")))
