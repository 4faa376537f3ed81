"""Chains and decentralised finance as a plugin."""

from __future__ import annotations

from gateway.core.contract import Plugin
from plugins.onchain.query import OnchainQuery

plugin = Plugin(name="onchain", query=OnchainQuery)
