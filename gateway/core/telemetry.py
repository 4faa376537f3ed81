"""Logging: structured, to stderr, with every secret masked."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from gateway.core.secrets import Redactor


class _Masked(logging.Formatter):
    """The standard library's loggers, tracebacks included."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


QUIET = ("httpx", "httpcore", "aiohttp", "aiosqlite", "alembic", "asyncpg", "sqlalchemy", "uvicorn.access")
"""Libraries that at lower levels write whole URLs, or statements with their values."""


def configure_logging(level: str, form: Literal["text", "json"], redact: Redactor) -> None:
    """Set up structlog and the standard library's loggers; httpx prints whole URLs, so it is kept quiet."""

    def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}

    def mask_line(_: Any, __: str, line: Any) -> str:
        """Once more when the line is written: values may be nested, or objects that print a secret."""
        return redact(str(line))

    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            renderer,
            mask_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Masked(redact))
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
