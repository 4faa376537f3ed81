"""News as a plugin."""

from __future__ import annotations

from gateway.core.contract import Plugin
from plugins.news.live import NewsSubscription
from plugins.news.query import NewsQuery

plugin = Plugin(name="news", query=NewsQuery, subscription=NewsSubscription)
