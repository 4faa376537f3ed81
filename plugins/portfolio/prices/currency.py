"""What stands for a currency that nobody tells."""

from __future__ import annotations

UNKNOWN = "XXX"
"""ISO 4217: no currency, or one that nobody tells."""
