"""Secrets that every test's gateways hold, and that nothing a test prints may show."""

from __future__ import annotations

ROOT_SECRET = "a root secret for tests, thirty-two bytes or more"
PLANTED = (ROOT_SECRET, "a-header-planted-for-the-collector")
"""The second goes to every process: it is part of its settings and is used by nothing there."""


def shown_in(text: str) -> list[str]:
    """Those that a text holds."""
    return [secret for secret in PLANTED if secret in text]
