"""Crypto exchanges and aggregators."""
