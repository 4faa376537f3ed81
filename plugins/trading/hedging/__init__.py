"""Hedges of what accounts hold: proposed, executed, closed."""
