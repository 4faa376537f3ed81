"""Equities, funds and indices."""
