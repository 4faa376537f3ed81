"""Marketgate: one GraphQL endpoint over many market-data providers."""

from importlib.metadata import version

__version__ = version("marketgate")
