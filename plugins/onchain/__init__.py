"""Chains and decentralised finance."""
