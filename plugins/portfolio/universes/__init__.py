"""Universes: instruments that are looked at together."""
