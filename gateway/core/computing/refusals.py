"""Why a computation has no answer, besides what its own function raises."""

from __future__ import annotations

from schema.errors import MarketgateError


class ComputingFailed(MarketgateError):
    """The process that computed has ended, or the memory that it may use did not do."""

    code = "COMPUTING_FAILED"


class TaskFailed(RuntimeError):
    """A function has raised what callers are not shown: a fault of ours, told by its traceback."""
