"""What the engine counts."""

from __future__ import annotations

from gateway.core.metrics import counter, gauge, histogram

FANNED = counter("marketgate_webhook_deliveries", "Deliveries that were written: one for each event and endpoint.")
ATTEMPTS = counter("marketgate_webhook_attempts", "Attempts that ended, by what became of the delivery.", "outcome")
LAG = histogram("marketgate_webhook_lag_seconds", "From what happened to the end of its first attempt.")
FLYING = gauge("marketgate_webhook_in_flight", "Attempts under way.")
LANES = gauge("marketgate_webhook_endpoints_remembered", "Endpoints for which something waits, or that failed last.")
DISABLED = counter("marketgate_webhook_endpoints_disabled", "Endpoints that were disabled, by why.", "reason")
