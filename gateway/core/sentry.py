"""Sentry: the faults of the gateway itself, each with its line of the log, and with nothing of a request.

Loaded only where MARKETGATE_SENTRY_DSN is set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from gateway import __version__
from gateway.core.redaction import masked
from gateway.core.secrets import Redactor
from gateway.core.settings import PREFIX, SettingsError

KEPT = ("exception", "level", "logger", "logentry", "message", "tags", "environment", "release", "platform", "sdk")
"""Parts of an event that are sent, besides its own id and time; none of them knows of a request, or of the machine."""
SENDERS = ("opentelemetry", "sentry_sdk", "urllib3")
"""Their loggers tell of a collector that is away, once for each batch: that is no fault of the gateway."""
TAGS = ("request_id", "trace_id", "error_id", "provider", "capability", "worker", "plugin", "kind")
"""What of a line of the log an event can be found by."""


def begin(dsn: str, redact: Redactor, env: str) -> Callable[[Mapping[str, Any]], None]:
    """Send from now on; whom to tell of lines that carry an exception. SettingsError where the package is missing."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.logging import EventHandler
    except ImportError:
        raise SettingsError(
            f"{PREFIX}SENTRY_DSN: the package is not installed: pip install 'marketgate[sentry]'"
        ) from None

    def before_send(event: Any, _: Any) -> Any:
        kept = {key: event[key] for key in ("event_id", "timestamp", *KEPT) if key in event}
        return masked(kept, redact)

    # Personal data is off by default; what is sent is chosen in `before_send` besides.
    sentry_sdk.init(
        dsn=dsn, environment=env, release=f"marketgate@{__version__}", max_request_body_size="never",
        include_local_variables=False, include_source_context=False, default_integrations=False,
        auto_enabling_integrations=False, max_breadcrumbs=0, before_send=before_send, send_client_reports=False,
        auto_session_tracking=False, server_name="",
    )  # fmt: skip
    faults = EventHandler(level=logging.ERROR)
    faults.addFilter(lambda record: not record.name.startswith(SENDERS))
    logging.getLogger().addHandler(faults)
    return _told


def end(seconds: float) -> None:
    """Send what waits, for so many seconds at most, and nothing more."""
    import sentry_sdk

    sentry_sdk.get_client().close(timeout=seconds)


def _told(event: Mapping[str, Any]) -> None:
    """A line of the log that carries an exception."""
    import sentry_sdk

    found = event["exc_info"]
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("event", str(event.get("event")))
        for name in TAGS:
            if event.get(name) is not None:
                scope.set_tag(name, str(event[name]))
        scope.capture_exception(found if isinstance(found, BaseException | tuple) else None)
