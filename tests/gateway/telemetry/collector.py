"""An OTLP collector and a Sentry project on loopback, that keep what they are sent."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Collector:
    """Where it listens, and what came."""

    url: str
    requests: list[Received] = field(default_factory=list)

    @property
    def spans(self) -> list[Any]:
        """All spans of all requests."""
        found = []
        for each in self.requests:
            told = ExportTraceServiceRequest.FromString(each.body)
            found += [s for r in told.resource_spans for scope in r.scope_spans for s in scope.spans]
        return found

    @property
    def resources(self) -> list[dict[str, str]]:
        """The attributes of each request's resource."""
        told = [ExportTraceServiceRequest.FromString(each.body) for each in self.requests]
        return [attributes_of(r.resource.attributes) for each in told for r in each.resource_spans]

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        """The events of Sentry's envelopes."""
        found = []
        for each in self.requests:
            lines = each.body.split(b"\n")
            found += [
                json.loads(lines[at + 1])
                for at, line in enumerate(lines)
                if line.startswith(b"{") and json.loads(line).get("type") == "event"
            ]
        return found

    @property
    def text(self) -> str:
        """Everything as text, for looking for what must not be there."""
        return "\n".join([str(span) for span in self.spans] + [str(each) for each in self.resources])


def attributes_of(attributes: Any) -> dict[str, Any]:
    """Names and plain values."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A server for as long as the block."""
    made: Collector

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            elif self.headers.get("content-encoding") == "br":
                body = brotli.decompress(body)
            made.requests.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
