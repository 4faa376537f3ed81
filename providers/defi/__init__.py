"""Decentralised finance and chains."""
