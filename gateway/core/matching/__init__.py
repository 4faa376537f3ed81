"""Matching of orders against prices: pure, exact decimals, deterministic for a seed and a tape; no numpy, no I/O."""
