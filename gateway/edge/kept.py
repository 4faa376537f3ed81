"""An answer from the response cache on the wire: the same status, headers and bytes whichever path it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.edge.middleware.compression import MINIMUM_BYTES
from gateway.edge.packing import CLOSE, LONGEST_TAIL, joined
from gateway.edge.replies import Reply, encode
from gateway.edge.responses import Entry, Place, ResponseCache

Header = tuple[bytes, bytes]

VARY = (b"vary", b"Accept, Accept-Encoding, Authorization, X-API-Key, Cookie, Origin")
GZIP = (b"content-encoding", b"gzip")
NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How the caller takes its answer."""

    media: str
    gzip: bool = False
    get: bool = False
    private: bool = True
    """A credential was sent: no shared cache may store the answer."""
    fixed: tuple[Header, ...] = field(init=False)
    """Headers that every such answer has."""
    content: Header = field(init=False)
    """What it has besides where it has a body."""

    def __post_init__(self) -> None:
        # No cache stores answers to POST by itself; this says so to those that might be told to.
        stored = () if self.get else ((b"cache-control", b"private, no-store" if self.private else b"no-store"),)
        object.__setattr__(self, "fixed", (VARY, *stored))
        object.__setattr__(self, "content", (b"content-type", f"{self.media}; charset=utf-8".encode()))


def rendered(
    responses: ResponseCache, entry: Entry, wanted: Wanted, extensions: Mapping[str, object],
    told: Iterable[Header], known: str | None = None,
) -> tuple[int, list[Header], tuple[bytes, ...]]:  # fmt: skip
    """Status, headers and the body's parts; *told* are the headers about limits, *known* a GET's `If-None-Match`."""
    now = responses.clock.monotonic()
    headers = [*wanted.fixed, (b"etag", entry.etag), (b"age", b"%d" % (now - entry.made))]
    if wanted.get and not wanted.private:
        # A shared cache repeats the answer to others: what is said of this caller's request is none of it.
        told, extensions = (), {}
    headers += told
    if wanted.get:
        scope = b"private" if wanted.private else b"public"
        headers.append((b"cache-control", scope + b", max-age=%d" % (entry.until - entry.made)))
        if known is not None and _matches(known, entry.etag.decode()):
            return NOT_MODIFIED, headers, ()
    written = encode(extensions)
    headers.append(wanted.content)
    if wanted.gzip and len(entry.framed) >= MINIMUM_BYTES and len(written) < LONGEST_TAIL:
        headers.append(GZIP)
        kept, tail = joined(responses.packed(entry), written)
    else:
        kept, tail = entry.framed, written + CLOSE
    headers.append((b"content-length", b"%d" % (len(kept) + len(tail))))
    return 200, headers, (kept, tail)


def reply_of(
    responses: ResponseCache, place: Place, entry: Entry, wanted: Wanted, extensions: Mapping[str, object],
    told: Mapping[str, str], known: str | None = None,
) -> Reply:  # fmt: skip
    """The same as a reply."""
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    status, headers, body = rendered(responses, entry, wanted, extensions, lines, known)
    return Reply(status=status, body=b"".join(body), whole=headers, kept=(place, entry))


def _matches(known: str, etag: str) -> bool:
    """Weak comparison: https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match"""
    strong = etag.removeprefix("W/")
    return known.strip() == "*" or any(each.strip().removeprefix("W/") == strong for each in known.split(","))
