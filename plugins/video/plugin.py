"""Videos as a plugin."""

from __future__ import annotations

from gateway.core.contract import Plugin
from plugins.video.query import VideoQuery

plugin = Plugin(name="video", query=VideoQuery)
