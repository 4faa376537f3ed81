"""What refusals say in words, for upstreams whose status or code does not tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

from providers.row import Row
from schema.errors import UpstreamError

Refusals = Iterable[tuple[str, type[UpstreamError], str]]
"""What stands in the text (lower-case), what it means, and that in our own words: theirs may hold the key."""


def said(body: Row, *names: str) -> str:
    """What a body says under any of *names*, or as a whole where it is a text; lower-case."""
    if isinstance(body.value, str):
        return body.value.lower()
    members = (body.get(name) for name in names)
    return " ".join(str(member.value).lower() for member in members if member is not None)


def refused(provider: str, text: str, refusals: Refusals) -> UpstreamError | None:
    """The first of *refusals* whose words are in *text*; None where none is."""
    for words, kind, why in refusals:
        if words in text:
            return kind(provider, why)
    return None
