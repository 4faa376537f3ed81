"""How a command ends: its exit code, and one line on stderr for whatever the user should know."""

from __future__ import annotations

import sys
from enum import IntEnum


class Code(IntEnum):
    """Exit codes; scripts rely on them."""

    ALL = 0
    FAULT = 1
    USAGE = 2
    PARTIAL = 3
    NOTHING = 4
    INTERRUPTED = 130


class Stop(Exception):
    """Ends a command with a message of one line."""

    def __init__(self, message: str, code: Code = Code.NOTHING) -> None:
        super().__init__(message)
        self.message, self.code = message, code


def usage(message: str) -> Stop:
    """What the user wrote cannot be meant."""
    return Stop(message, Code.USAGE)


def say(message: str) -> None:
    """One line on stderr; text from afar cannot steer the terminal."""
    print(f"marketgate: {one_line(message)}", file=sys.stderr)


def one_line(text: str) -> str:
    """The text without line breaks, tabs and other control characters."""
    return text if text.isprintable() else " ".join("".join(c if c.isprintable() else " " for c in text).split())
