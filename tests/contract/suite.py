"""What the contract tests run over: every provider of this repository, in order of its id."""

from __future__ import annotations

from providers import discover
from providers.contract import Provider

PROVIDERS: dict[str, type[Provider]] = dict(sorted(discover(third_party=False).classes.items()))
