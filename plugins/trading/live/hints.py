"""Who looks at which account: told, in all processes, when somebody changes anything of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.core.contract import Host
from plugins.trading.accounts.desk import TOPIC as ACCOUNTS
from plugins.trading.orders.floor import TOPIC as ORDERS


class Hints:
    """One a process. A hint: where messages may have been missed, everything may have changed."""

    def __init__(self, host: Host) -> None:
        self._readers: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
        host.bus.subscribe(ACCOUNTS, lambda message: self._note(str(message.get("id"))))
        host.bus.subscribe(ORDERS, lambda message: self._note(str(message.get("account"))))
        host.bus.on_gap(self._doubt)

    @contextmanager
    def listening(self, account_id: str, heard: Callable[[], None]) -> Iterator[None]:
        """Call *heard* with every change, until the end of the block."""
        self._readers[account_id].append(heard)
        try:
            yield
        finally:
            self._readers[account_id].remove(heard)
            if not self._readers[account_id]:
                del self._readers[account_id]

    def _doubt(self) -> None:
        for account_id in tuple(self._readers):
            self._note(account_id)

    def _note(self, account_id: str) -> None:
        for heard in tuple(self._readers.get(account_id, ())):
            heard()
