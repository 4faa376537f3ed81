"""Search of the web as a plugin."""

from __future__ import annotations

from gateway.core.contract import Plugin
from plugins.search.query import SearchQuery

plugin = Plugin(name="search", query=SearchQuery)
