"""Traces that stay in this process, and a gateway that makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.core.otlp import OtlpTracer
from gateway.core.tracing import TRACES
from tests.house import House, open_house


@dataclass
class Told:
    """The spans that have ended."""

    exporter: InMemorySpanExporter
    provider: TracerProvider

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        """The only one of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def parent(self, span: ReadableSpan) -> str | None:
        """The name of the span that it belongs to."""
        known = {each.context.span_id: each.name for each in self.spans}
        return None if span.parent is None else known.get(span.parent.span_id)

    def way(self, name: str) -> list[str]:
        """Names from a span up to the first of its trace."""
        found, span = [name], self.named(name)
        while span.parent is not None:
            (span,) = [each for each in self.spans if each.context.span_id == span.parent.span_id]
            found.append(span.name)
        return found


@pytest.fixture
def told() -> Iterator[Told]:
    """Everything is traced from here on."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    TRACES.tracer = OtlpTracer(provider)
    yield Told(exporter, provider)
    TRACES.tracer = None
    provider.shutdown()


@pytest.fixture
async def traced_house(told: Told, sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose every operation is traced."""
    async with open_house(sqlite_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def app(traced_house: House) -> Starlette:
    """Its edge."""
    return create_app(traced_house.host.settings, gateway=traced_house.gateway)


def client(app: Starlette, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Who asks from an address."""
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway.test")
