"""Imported by the process that gateways are forked from: everything that a start imports, and nothing that runs."""

from gateway.app import create_app
from gateway.cli import app, serve
from gateway.core.migrations import runner
from gateway.domains import load_plugins
from providers import discover

__all__ = ["app", "create_app", "runner", "serve"]

load_plugins(third_party=False)
discover(third_party=False)
