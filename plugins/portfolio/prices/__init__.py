"""Prices of many instruments on common dates, in one currency."""
