"""Operators: outside every tenant."""
