"""Portfolios: price panels, universes, transactions, valuation and performance."""
