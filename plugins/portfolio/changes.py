"""Who looks at which portfolio: told, in all processes, when somebody changes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.core.contract import Host
from gateway.core.store import Tx

TOPIC = "portfolio.changed"


@dataclass(slots=True, eq=False)
class Look:
    """One look at a portfolio."""

    changed: bool = False

    def take(self) -> bool:
        """Whether it has changed since this was asked last."""
        was, self.changed = self.changed, False
        return was


class Changes:
    """One a process; where messages may have been missed, everything may have changed."""

    def __init__(self, host: Host) -> None:
        self._looks: defaultdict[str, set[Look]] = defaultdict(set)
        host.bus.subscribe(TOPIC, lambda message: self._note(str(message.get("id"))))
        host.bus.on_gap(self._doubt)

    @contextmanager
    def look(self, portfolio: str) -> Iterator[Look]:
        """Look until the end of the block."""
        made = Look()
        self._looks[portfolio].add(made)
        try:
            yield made
        finally:
            self._looks[portfolio].discard(made)
            if not self._looks[portfolio]:
                del self._looks[portfolio]

    def _doubt(self) -> None:
        for portfolio in tuple(self._looks):
            self._note(portfolio)

    def _note(self, portfolio: str) -> None:
        for each in self._looks.get(portfolio, ()):
            each.changed = True


def tell(host: Host, tx: Tx, portfolio: str) -> None:
    """Once the transaction is committed."""
    tx.then(lambda: host.bus.publish(TOPIC, {"id": portfolio}))
