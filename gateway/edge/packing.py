"""A gzip answer of two parts: one that was packed before, and a short one that is written anew and joined to it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import pack as struct_pack

LEVEL = 6
LONGEST_TAIL = 0xFFFF
"""What one stored block can hold."""
OPEN, MIDDLE, CLOSE = b'{"data":', b',"extensions":', b"}"
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A gzip head and deflate blocks that end at a full byte; none of them is the last."""

    body: bytes
    checksum: int
    length: int


def framed(data: bytes) -> bytes:
    """Everything of an answer but its extensions."""
    return OPEN + data + MIDDLE


def unframed(plain: bytes) -> bytes:
    """The data again."""
    return plain[len(OPEN) : -len(MIDDLE)]


def pack(plain: bytes) -> Packed:
    """The framed data, packed."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = _HEAD + packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)
    return Packed(body=body, checksum=zlib.crc32(plain), length=len(plain))


def joined(packed: Packed, extensions: bytes) -> tuple[bytes, bytes]:
    """The whole answer in two parts: the extensions follow as a last block that is not packed.

    https://www.rfc-editor.org/rfc/rfc1951 and https://www.rfc-editor.org/rfc/rfc1952
    """
    tail = extensions + CLOSE
    size = len(tail)
    frame = struct_pack("<BHH", 1, size, size ^ 0xFFFF)
    ends = struct_pack("<II", zlib.crc32(tail, packed.checksum), (packed.length + size) & 0xFFFFFFFF)
    return packed.body, b"".join((frame, tail, ends))
