"""A server on loopback that speaks Stripe's wire for customers, invoice items and invoices: form in, JSON out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_51Hloopback"
WEBHOOK_SECRET = "whsec_loopback_secret"

Answer = tuple[int, dict[str, Any]]


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class StripeDouble:
    """Keeps what it is told; a repeated idempotency key repeats the answer, as Stripe does for a day."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    replays: dict[str, tuple[dict[str, str], Answer]] = field(default_factory=dict)
    failing: dict[str, Answer] = field(default_factory=dict)
    """Answers instead, by `METHOD path`, each once."""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects.values() if each["object"] == kind]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            sent = asked.headers.get("authorization", "")
            return 401, _error("invalid_request_error", None, f"Invalid API Key provided: {sent}")
        failing = self.failing.pop(f"{asked.method} {asked.path}", None)
        if failing is not None:
            return failing
        key = asked.headers.get("idempotency-key")
        if key in self.replays:
            form, answer = self.replays[key]
            if form == asked.form:
                return answer
            return 400, _error("idempotency_error", None, "Keys for idempotent requests can only be used with the same")
        answer = self._act(asked)
        if key is not None:
            self.replays[key] = (asked.form, answer)
        return answer

    def _act(self, asked: Asked) -> Answer:
        match [asked.method, *asked.path.strip("/").split("/")[1:]]:
            case ["POST", "customers"]:
                return self._make("customer", "cus", asked.form)
            case ["POST", "customers", id] if id in self.objects:
                self.objects[id].update(_nested(asked.form))
                return 200, self.objects[id]
            case ["POST", "invoices"]:
                return self._make("invoice", "in", asked.form, status="draft")
            case ["GET", "invoices"]:
                own = [each for each in self.of("invoice") if each["customer"] == asked.query["customer"]]
                return 200, {"object": "list", "data": own[::-1], "has_more": False}
            case ["POST", "invoiceitems"]:
                return self._make("invoiceitem", "ii", asked.form)
            case ["POST", "invoices", id, "finalize"] if id in self.objects:
                if self.objects[id]["status"] != "draft":
                    return 400, _error("invalid_request_error", "invoice_not_editable", "already finalized")
                items = [each for each in self.of("invoiceitem") if each["invoice"] == id]
                total = sum(int(item["amount"]) for item in items)
                self.objects[id].update(status="open", total=total, **asked.form)
                return 200, self.objects[id]
            case ["DELETE", "invoices", id] if self.objects.get(id, {}).get("status") == "draft":
                del self.objects[id]
                return 200, {"id": id, "object": "invoice", "deleted": True}
        return 404, _error("invalid_request_error", "resource_missing", f"No such object: {asked.path}")

    def _make(self, kind: str, prefix: str, form: dict[str, str], **more: Any) -> Answer:
        id = f"{prefix}_{len(self.objects) + len(self.replays) + 1:04}"
        self.objects[id] = {"id": id, "object": kind, **_nested(form), **more}
        return 200, self.objects[id]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asking = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = asking.strip().split("\r\n")
                method, target, _ = first.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
                parts = urlsplit(target)
                form = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body)))
                asked = Asked(method, parts.path, dict(parse_qsl(parts.query)), form, headers)
                status, answer = self.answer(asked)
                sent = json.dumps(answer).encode()
                head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
                writer.write(head.encode() + sent)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def _nested(form: dict[str, str]) -> dict[str, Any]:
    """`metadata[a]=b` as Stripe reads it."""
    found: dict[str, Any] = {"metadata": {}}
    for name, value in form.items():
        outer, bracket, inner = name.partition("[")
        if bracket:
            found.setdefault(outer, {})[inner.removesuffix("]")] = value
        else:
            found[name] = value
    return found


def _error(kind: str, code: str | None, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": message}}


def event(kind: str, invoice: dict[str, Any]) -> bytes:
    """The body of a webhook message about an invoice."""
    told = {"id": "evt_1", "object": "event", "api_version": "2024-06-20", "type": kind, "data": {"object": invoice}}
    return json.dumps(told, indent=2).encode()


def signed(body: bytes, at: float, secret: str = WEBHOOK_SECRET) -> str:
    """The `Stripe-Signature` header."""
    stamp = str(int(at))
    return f"t={stamp},v1={hmac.new(secret.encode(), stamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


@asynccontextmanager
async def stripe_double() -> AsyncIterator[StripeDouble]:
    """Listens as long as the block."""
    made = StripeDouble()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
