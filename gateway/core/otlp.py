"""OpenTelemetry: spans leave in batches from a thread of its own, by OTLP over HTTP, with every secret masked.

Loaded only where MARKETGATE_OTLP_ENDPOINT is set: it brings sixty modules and an HTTP client along.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as Recorded
from opentelemetry.trace import Tracer as Recorder

from gateway import __version__
from gateway.core.secrets import Redactor
from gateway.core.settingrules import read_headers
from gateway.core.settings import Settings
from gateway.core.tracing import UNTRACED, Kind, Span, Value

PATH = "/v1/traces"
SEND_S = 5.0
DELAY_MS = 2_000
KINDS = {kind.name.lower(): kind for kind in SpanKind}
_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def begin(settings: Settings, redact: Redactor) -> OtlpTracer:
    """A tracer that sends to the endpoint of the settings."""
    headers = read_headers(settings.otlp_headers.get_secret_value()) if settings.otlp_headers else {}
    base, credential = _parted(settings.otlp_endpoint)
    if credential and not any(name.lower() == "authorization" for name in headers):
        headers = {**headers, "authorization": credential}
    exporter = OTLPSpanExporter(
        endpoint=base if base.endswith(PATH) else base + PATH, headers=headers, timeout=SEND_S,
        compression=Compression.Gzip,
    )  # fmt: skip
    return traced_to(Redacting(exporter, redact), settings.trace_ratio, settings.env)


def _parted(endpoint: str) -> tuple[str, str]:
    """The endpoint, and a header for the name and password in it: there they would displace that of the settings."""
    parts = urlsplit(endpoint)
    named, _, place = parts.netloc.rpartition("@")
    if not named:
        return endpoint, ""
    return parts._replace(netloc=place).geturl(), f"Basic {b64encode(unquote(named).encode()).decode()}"


def traced_to(exporter: SpanExporter, ratio: float, env: str) -> OtlpTracer:
    """A tracer whose spans an exporter is given in batches."""
    resource = Resource({
        "service.name": "marketgate", "service.version": __version__, "service.instance.id": str(uuid4()),
        "deployment.environment.name": env,
    })  # fmt: skip
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MS))
    return OtlpTracer(provider, ratio)


class OtlpTracer:
    """Serves `gateway.core.tracing.Tracer`."""

    def __init__(self, provider: TracerProvider, ratio: float = 1.0) -> None:
        self._provider, self._ratio = provider, ratio
        # It picks traces and guards nothing.
        self._dice = Random()
        self._recorder: Recorder = provider.get_tracer("marketgate", __version__)

    def begin(self, name: str, kind: Kind, parent: Span | str | None, attributes: dict[str, Value]) -> Span:
        """See `Tracer`. What is not sent is decided at the first span of a trace, before anything is made for it."""
        if parent is UNTRACED:
            return UNTRACED
        under = parent.recorded if isinstance(parent, OtlpSpan) else _caller(parent)
        if under is None and self._dice.random() >= self._ratio:
            return UNTRACED
        if under is not None and not under.get_span_context().trace_flags.sampled:
            return UNTRACED
        context = set_span_in_context(under or INVALID_SPAN)
        known = {key: value for key, value in attributes.items() if value is not None}
        return OtlpSpan(self._recorder.start_span(name, context, KINDS[kind], known))

    def close(self) -> None:
        """See `Tracer`."""
        self._provider.shutdown()


class OtlpSpan:
    """Serves `gateway.core.tracing.Span`."""

    __slots__ = ("recorded", "span_id", "trace_id")

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        context = recorded.get_span_context()
        self.trace_id, self.span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"

    @property
    def traceparent(self) -> str:
        """See `Span`."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.recorded.get_span_context().trace_flags):02x}"

    def set(self, name: str, value: Value) -> None:
        """See `Span`."""
        if value is not None:
            self.recorded.set_attribute(name, value)

    def event(self, name: str, **attributes: Value) -> None:
        """See `Span`."""
        known = {f"marketgate.{key}": value for key, value in attributes.items() if value is not None}
        self.recorded.add_event(name, known)

    def fail(self, code: str) -> None:
        """See `Span`."""
        self.recorded.set_attribute("error.type", code)
        self.recorded.set_status(StatusCode.ERROR)

    def end(self) -> None:
        """See `Span`."""
        self.recorded.end()


def _caller(traceparent: Span | str | None) -> Recorded | None:
    """The span that a caller names; None where it names none."""
    found = _PARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if found is None:
        return None
    trace, span, flags = (int(each, 16) for each in found.groups())
    context = SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(flags & 1))
    return NonRecordingSpan(context) if context.is_valid else None


class Redacting(SpanExporter):
    """Masks every text of a span before it is sent; in the thread that sends."""

    def __init__(self, exporter: SpanExporter, redact: Redactor) -> None:
        self._exporter, self._redact = exporter, redact

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter`."""
        return self._exporter.export([self._masked(span) for span in spans])

    def shutdown(self) -> None:
        """See `SpanExporter`."""
        self._exporter.shutdown()

    def _masked(self, span: ReadableSpan) -> ReadableSpan:
        events = [Event(each.name, self._values(each.attributes), each.timestamp) for each in span.events]
        return ReadableSpan(
            name=self._redact(span.name), context=span.context, parent=span.parent, resource=span.resource,
            attributes=self._values(span.attributes), events=events, links=span.links, kind=span.kind,
            status=span.status, start_time=span.start_time, end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )  # fmt: skip

    def _values(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        found = (attributes or {}).items()
        return {key: self._redact(value) if isinstance(value, str) else cast(Any, value) for key, value in found}
