"""Marketgate: one GraphQL endpoint over many market-data providers."""

__version__ = "0.1.0"
