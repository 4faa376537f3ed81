"""What our mails say. Nothing in them was written by the receiver: they cannot carry a stranger's words."""

from __future__ import annotations

from datetime import datetime

from gateway.core.ports import Mail


def disabled(address: str, to: str, endpoint_id: str, reason: str, since: datetime | None) -> Mail:
    """To those who look after an organisation."""
    failing = "" if since is None else f"\n\nIts deliveries have failed since {since:%Y-%m-%d %H:%M} UTC."
    text = (
        f"Marketgate sends nothing to your webhook endpoint {endpoint_id} any more: {reason}.{failing}\n\n"
        "Events go on being written to your organisation's log for 30 days. Once the receiver works again, enable the "
        f"endpoint and replay what it has missed: {address}/\n\nMarketgate\n"
    )
    return Mail(to=to, subject="A webhook endpoint was disabled", text=text)
