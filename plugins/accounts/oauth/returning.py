"""Where a browser goes after signing in: a place on this gateway, never elsewhere."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

LONGEST = 2_000
ERROR = "signInError"


def is_place_here(path: str) -> bool:
    """Whether a text is a path that every browser reads as one of this host.

    `//host` and `/\\host` are other hosts; browsers drop tabs and line breaks before they look, so that these may hide
    the second slash.
    """
    if not 0 < len(path) <= LONGEST or not path.isascii() or any(c <= " " or c in "\x7f\\" for c in path):
        return False
    parts = urlsplit(path)
    # `/.//host` and `/x/..//host` become `//host` once a browser has resolved the dots.
    if "//" in path.partition("?")[0].partition("#")[0]:
        return False
    return path.startswith("/") and not parts.scheme and not parts.netloc


def failure(code: str) -> str:
    """The page, told why nobody was signed in."""
    return f"/account?{urlencode({ERROR: code})}"


def second_factor(return_to: str) -> str:
    """The page, told to ask for a code."""
    return f"/account?{urlencode({'secondFactor': 'required', 'returnTo': return_to})}"
