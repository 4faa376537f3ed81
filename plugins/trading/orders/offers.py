"""What the newest messages offer to one account: its orders share it, however many transactions they meet it in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

from gateway.core.matching.model import Step, Tick
from gateway.core.matching.offers import Offered
from gateway.core.matching.venue import give_back
from plugins.trading.orders.market import Market

MOST_ACCOUNTS, MOST_MESSAGES = 256, 64


class Offers:
    """The newest message of each instrument, with what orders have left of it."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[Tick, Offered]] = {}

    def of(self, market: Market, *, heard: bool = False) -> Offered | None:
        """What is left of a message; all, where none of the account's orders has met it; None where there is none.

        One that was asked for is the same as the newest where all that its provider says is the same, its stamp too;
        one that a stream sent, where it is that very one.
        """
        tick = market.tick
        if tick is None:
            return None
        name = str(tick.instrument)
        known = self._newest.get(name)
        if known is None or not (known[0] is tick or (not heard and _is_same(known[0], tick))):
            self._newest.pop(name, None)
            known = self._newest[name] = tick, Offered.of(tick, market.spec, market.model)
        return known[1]

    def trim(self) -> bool:
        """Messages that nobody has taken anything of are not held; whether any other one is."""
        touched = [(name, each) for name, each in self._newest.items() if each[1].touched]
        self._newest = dict(touched[-MOST_MESSAGES:])
        return bool(touched)


class OfferBook:
    """Of all accounts of a process: of those that it works, and of those that have taken something lately."""

    def __init__(self) -> None:
        self._all: WeakValueDictionary[str, Offers] = WeakValueDictionary()
        self._lately: OrderedDict[str, Offers] = OrderedDict()

    def of(self, account_id: str) -> Offers:
        """The same for whoever asks."""
        return self._all.setdefault(account_id, Offers())

    @contextmanager
    def taking(self, account_id: str) -> Iterator[list[Step]]:
        """Around a transaction: what it notes in this list as taken is given back where it is not written."""
        taken: list[Step] = []
        offers = self.of(account_id)
        try:
            yield taken
        except BaseException:
            for made in taken:
                give_back(made)
            raise
        finally:
            self._keep(account_id, offers)

    def _keep(self, account_id: str, offers: Offers) -> None:
        self._lately.pop(account_id, None)
        if offers.trim():
            self._lately[account_id] = offers
        if len(self._lately) > MOST_ACCOUNTS:
            self._lately.popitem(last=False)


def _is_same(one: Tick, other: Tick) -> bool:
    return one.as_of is not None and replace(one, at=other.at) == other
