"""The landing page, the account page, the console and their files, served from memory after the first request."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.edge.limits import EdgeSettings

# Python's own table depends on files of the operating system, and browsers refuse a script of the wrong type.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
PACKED = {".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".ttf", ".txt", ".wasm"}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

WITHOUT_PAGES = """Marketgate

GraphQL   POST /graphql
Health    GET /health, /livez, /readyz

The pages are not built into this installation.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file, ready to send."""

    content: bytes
    packed: bytes | None
    etag: str
    content_type: str
    cache_control: str


class StaticFolder:
    """Files under one folder, by the names found at the start: a path that is not among them does not exist."""

    def __init__(self, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        self._paths = {path.relative_to(folder).as_posix(): path for path in files}
        self._assets: dict[str, Asset] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    async def respond(self, name: str, request: Request) -> Response:
        """The file, or 304 if the caller has it already."""
        asset = self._assets.get(name)
        if asset is None:
            path = self._paths.get(name)
            if path is None:
                raise HTTPException(404)
            asset = self._assets[name] = await asyncio.to_thread(_load, name, path)
        headers = {"ETag": asset.etag, "Cache-Control": asset.cache_control, "Vary": "Accept-Encoding"}
        if asset.etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = asset.content
        if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = asset.packed, "gzip"
        return Response(content, 200, headers, asset.content_type)


def page_routes(settings: EdgeSettings) -> list[Route]:
    """`/`, `/account`, `/console` where it is on, and `/static/...`."""
    folder = StaticFolder(settings.static)

    async def page(name: str, request: Request) -> Response:
        if name in folder:
            return await folder.respond(name, request)
        return PlainTextResponse(WITHOUT_PAGES, headers={"Cache-Control": REVALIDATE})

    async def landing(request: Request) -> Response:
        return await page("index.html", request)

    async def account(request: Request) -> Response:
        return await page("account.html", request)

    async def console(request: Request) -> Response:
        if not settings.console:
            raise HTTPException(404)
        return await page("console.html", request)

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name.endswith(".html"):  # pages have addresses of their own, and the console may be off
            raise HTTPException(404)
        return await folder.respond(name, request)

    return [
        Route("/", landing), Route("/account", account), Route("/console", console),
        Route("/static/{name:path}", static),
    ]  # fmt: skip


def _load(name: str, path: Path) -> Asset:
    content = path.read_bytes()
    packed = gzip.compress(content, 9, mtime=0) if path.suffix in PACKED and len(content) > 1024 else None
    return Asset(
        content=content,
        packed=packed,
        # Weak: each packing has the same, and some are made behind this module's back.
        etag=f'W/"{hashlib.sha256(content).hexdigest()[:32]}"',
        content_type=CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
        # The build names its assets after their content.
        cache_control=IMMUTABLE if name.startswith("assets/") else REVALIDATE,
    )
