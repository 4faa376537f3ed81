"""Credentials and their redaction: no secret reaches a message, a log line or a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MASK = "***"
_SHORTEST = 4
_SHORTEST_IN_BODY = 8
"""Shorter ones (`demo`) are words that data may hold."""
_PLAIN = re.compile(r"[A-Za-z0-9]+")


class Redactor:
    """Replaces every known secret in a text, plain or with any of its characters escaped for a URL or for JSON."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        # The longest run of plain characters is looked for first: it is the same in every spelling, and fast to find.
        self._known = [(max(_PLAIN.findall(each), key=len, default=""), _pattern(each)) for each in known]
        self._in_bodies = [
            (needle.encode(), re.compile(pattern.pattern.encode()))
            for each, (needle, pattern) in zip(known, self._known, strict=True)
            if len(each) >= _SHORTEST_IN_BODY
        ]

    def __call__(self, text: str) -> str:
        for needle, pattern in self._known:
            if needle in text:
                text = pattern.sub(MASK, text)
        return text

    def body(self, content: bytes) -> bytes:
        """An upstream may echo its key anywhere; masked before excerpts are cut, for half a secret is none to us."""
        for needle, pattern in self._in_bodies:
            if needle in content:
                content = pattern.sub(MASK.encode(), content)
        return content


def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_spellings, secret)))


def _spellings(character: str) -> str:
    """A regular expression for one character in all its escaped forms."""
    plain = re.escape(character)
    if character.isascii() and character.isalnum():
        return plain
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    space = r"|\+" if character == " " else ""
    return rf"(?:{plain}|(?i:{percent}|\\u{ord(character):04x})|\\{plain}{space})"


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Platform credentials by provider id and part name; its repr shows no value."""

    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, provider: str) -> Mapping[str, str]:
        """The parts of one provider's credential; empty where none is set."""
        return self.keys.get(provider, {})

    def redactor(self) -> Redactor:
        """Knows every value."""
        return Redactor(value for parts in self.keys.values() for value in parts.values())

    def __repr__(self) -> str:
        return f"Keyring({', '.join(sorted(self.keys))})"


def read_credential(text: str) -> dict[str, str]:
    """One value, or `name=value` pairs separated by commas; a lone value is the part named `key`."""
    pairs = [part.partition("=") for part in text.split(",")]
    # A value that ends in signs of equality, as base64 does, is no pair.
    if all(name.strip().isidentifier() and value.strip("= \n") for name, _, value in pairs):
        return {name.strip(): value.strip() for name, _, value in pairs}
    return {"key": text.strip()}
