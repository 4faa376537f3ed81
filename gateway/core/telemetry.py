"""What a process tells of itself: its log, and where they are set its traces and its faults; every secret is masked."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import sys
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import structlog

from gateway.core import tracing
from gateway.core.logfile import LogFile, Stderr
from gateway.core.redaction import masked, redactor_of
from gateway.core.secrets import Redactor
from gateway.core.settings import PREFIX, Settings, SettingsError

LAST_S = 3.0
"""How long what is not sent yet may take when the process ends."""
FAULTS: list[Callable[[Mapping[str, Any]], None]] = []
"""Who is told of a line that carries an exception: Sentry, where it is set."""
QUIET = (
    "httpx", "httpcore", "aiohttp", "aiosqlite", "alembic", "asyncpg", "opentelemetry", "sentry_sdk", "sqlalchemy",
    "urllib3", "uvicorn.access",
)  # fmt: skip
"""Libraries that at lower levels write whole URLs, or statements with their values."""
PLAIN = frozenset({int, float, bool, type(None)})
LAYOUT = "\n\t"
"""What stands between the lines of a traceback, and before them."""
_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")


def begin(settings: Settings) -> None:
    """Set up all three; SettingsError where one of them cannot be."""
    redact = redactor_of(settings)
    configure_logging(settings.log_level, settings.log_format, redact, settings.log_file)
    if settings.sentry_dsn is not None:
        from gateway.core import sentry

        FAULTS[:] = [sentry.begin(settings.sentry_dsn.get_secret_value(), redact, settings.env)]
    if settings.otlp_endpoint:
        from gateway.core import otlp

        tracing.TRACES.tracer = otlp.begin(settings, redact)


async def end() -> None:
    """Send what waits, and no more afterwards; whoever does not take it in `LAST_S` seconds does not get it."""
    tracer, tracing.TRACES.tracer = tracing.TRACES.tracer, None
    told, FAULTS[:] = bool(FAULTS), []
    closing = [] if tracer is None else [Thread(target=tracer.close, daemon=True)]
    if told:
        from gateway.core import sentry

        closing.append(Thread(target=sentry.end, args=(LAST_S,), daemon=True))
    for thread in closing:
        thread.start()
    # Not the loop's own threads: those are waited for without end.
    until = asyncio.get_running_loop().time() + LAST_S
    while any(thread.is_alive() for thread in closing) and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def legible(text: str, keep: str = "") -> str:
    """Every character that a reader or a terminal would not show as itself is escaped, but those to *keep*."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


class _Masked(logging.Formatter):
    """The standard library's loggers, tracebacks included."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s")
        self._redact = redact

    def formatMessage(self, record: logging.LogRecord) -> str:
        return legible(self._redact(super().formatMessage(record)))

    def format(self, record: logging.LogRecord) -> str:
        return legible(self._redact(super().format(record)), keep=LAYOUT)


def configure_logging(level: str, form: Literal["text", "json"], redact: Redactor, path: Path | None = None) -> None:
    """Set up structlog and the standard library's loggers; httpx prints whole URLs, so it is kept quiet."""
    out: Any = Stderr(sys.stderr) if path is None else _opened(path)
    colors = path is None and sys.stderr.isatty()

    def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        # Spelled out: most values are words and numbers, and each answer has a line.
        return {
            name: redact(value) if type(value) is str else value if type(value) in PLAIN else masked(value, redact)
            for name, value in event.items()
        }

    def mask_line(_: Any, __: str, line: Any) -> str:
        """Once more when the line is written: one value may end where the next one begins."""
        return redact(str(line))

    named: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            *named, _with_fault, structlog.processors.format_exc_info, mask, *_rendering(form, colors, mask_line)
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )  # fmt: skip
    for before in logging.getLogger().handlers:
        if isinstance(stream := getattr(before, "stream", None), LogFile):
            stream.close()
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Masked(redact) if form == "text" else _foreign(named, mask, mask_line))
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for noisy in QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def mind_hangups() -> None:
    """What rotates logs may send SIGHUP, which would end the process at once: the log is opened anew. From a terminal
    it tells that this is gone, and the process goes as if it were asked to."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        return
    leaves = sys.stdin is not None and sys.stdin.isatty()
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM) if leaves else reopen())


def reopen() -> None:
    """Open the log's file anew with the next line."""
    for handler in logging.getLogger().handlers:
        if isinstance(stream := getattr(handler, "stream", None), LogFile):
            stream.reopen()


def _opened(path: Path) -> LogFile:
    try:
        return LogFile(path)
    except OSError as error:
        raise SettingsError(f"{PREFIX}LOG_FILE: {path} cannot be written ({type(error).__name__})") from None


def _rendering(form: Literal["text", "json"], colors: bool, mask_line: Any) -> list[Any]:
    """From the words of a line to its text."""
    if form == "json":
        return [structlog.processors.JSONRenderer(), mask_line]
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    return [_without_escapes, console, mask_line, _legible_line]


def _without_escapes(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """So that those in the line are the renderer's own."""
    return {name: value.replace("\x1b", r"\x1b") if isinstance(value, str) else value for name, value in event.items()}


def _legible_line(_: Any, __: str, line: str) -> str:
    return "".join(part if place % 2 else legible(part, keep=LAYOUT) for place, part in enumerate(_STYLE.split(line)))


def _foreign(named: list[Any], mask: Any, mask_line: Any) -> logging.Formatter:
    """Lines of the standard library's loggers in the same form as ours."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*named, structlog.stdlib.add_logger_name, structlog.processors.format_exc_info],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, structlog.processors.JSONRenderer(),
            mask_line,
        ],
    )  # fmt: skip


def _with_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line names the trace that it belongs to, where there is one."""
    span = tracing.CURRENT.get() if tracing.TRACES.tracer is not None else None
    if span is not None and span.trace_id:
        event["trace_id"], event["span_id"] = span.trace_id, span.span_id
    return event


def _with_fault(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if FAULTS and event.get("exc_info") and level in ("error", "exception", "critical"):
        for told in FAULTS:
            told(event)
    return event
