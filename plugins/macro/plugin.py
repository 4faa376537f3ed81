"""Economic data as a plugin."""

from __future__ import annotations

from gateway.core.contract import Plugin
from plugins.macro.query import MacroQuery

plugin = Plugin(name="macro", query=MacroQuery)
