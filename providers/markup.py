"""Texts that upstreams send with mark-up, as plain text."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"</?(?:p|br|hr|div|li|ul|ol|pre|h[1-6]|tr|td|table|blockquote)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)


def without_markup(text: str | None) -> str | None:
    """Tags taken out, entities read, white space joined; None where nothing is left."""
    if text is None:
        return None
    bare = _TAG.sub("", _BREAK.sub(" ", text))
    return " ".join(html.unescape(bare).split()) or None
