"""Queries of one root field and no variables, answered without an executor: where something waits or fails it is built.

What goes straight is learned from an execution by graphql-core's executor that had nothing to wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from gateway.edge.begun import Begun
from gateway.edge.compiler import Run
from gateway.edge.roots import Root


class Straight(NamedTuple):
    """One operation: what to call, what its resolver is told, and what makes JSON of the value."""

    root: Root
    key: str
    """The response's."""
    run: Run
    made: Callable[..., Any]
    """Makes an `info` of its parts."""
    before: tuple[Any, ...]
    """Parts of the resolver's `info` up to the context."""
    after: tuple[Any, ...]
    """Those behind it, but for the operation's extensions. `async_helpers` belong to an executor: there is none."""

    @classmethod
    def of(cls, root: Root, info: Any, key: str, run: Run) -> Straight:
        """From the `info` of an execution, of which nothing is kept that belongs to the caller."""
        bare, at = info._replace(context=None, async_helpers=None), info._fields.index("context")
        return cls(root, key, run, type(info), tuple(bare[:at]), tuple(bare[at + 1 : -1]))

    def answer(
        self, context: Any, extensions: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any] | None, Callable[[], Begun] | None]:
        """The data; or how far the resolver came, for an executor to go on from."""
        try:
            begun = self.root.start(self.made(*self.before, context, *self.after, extensions))
        except Exception as error:  # noqa: BLE001 - the executor tells it at its field
            return None, _raising(error)
        waits, value = begun
        if not waits and value is not None:
            try:
                return {self.key: self.run(value, context)}, None
            except Exception:  # noqa: BLE001, S110 - the reference code comes to it again and tells it
                pass
        return None, lambda: begun


def _raising(error: Exception) -> Callable[[], Begun]:
    def again() -> NoReturn:
        raise error

    return again
