"""Alerts: conditions on the markets that somebody wants to be told of."""
