"""Runs a command's work: every way that it may end has its exit code and, at most, one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.cli.outcome import Code, Stop, say


def perform(job: Callable[[], int]) -> int:
    """Run a command's work; every way it may end has its code and, at most, one line."""
    try:
        code = job()
        sys.stdout.flush()
    except Stop as stop:
        sys.stdout.flush()
        say(stop.message)
        return stop.code
    except BrokenPipeError:
        from gateway.cli.output import silence_stdout

        silence_stdout()
        return Code.INTERRUPTED
    except Exception as fault:
        if sys.flags.dev_mode:
            raise
        say(f"{type(fault).__name__}: {fault}; this is a fault of the program: PYTHONDEVMODE=1 shows where")
        return Code.FAULT
    return code


def perform_async(job: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The same for work that waits for others."""
    return perform(lambda: asyncio.run(job()))
