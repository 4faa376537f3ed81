"""What the newest messages offer to one account: its orders share it, however many transactions they meet it in."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple
from weakref import WeakValueDictionary

from gateway.core.matching.model import Step, Tick, Working
from gateway.core.matching.offers import Offered
from gateway.core.matching.venue import Meeting, give_back
from plugins.trading.orders.market import Market

MOST_ACCOUNTS, MOST_MESSAGES, MOST_OF_ONE = 256, 64, 4
"""Accounts that are held, instruments of one of them, and messages of one of these."""


@dataclass(slots=True)
class _Known:
    """A message, what is left of it, and whether a stream has sent it."""

    tick: Tick
    left: Offered
    heard: bool


class Round(NamedTuple):
    """A message, and the orders that are still to meet it, as it found them."""

    market: Market
    meeting: Meeting | None
    """None where there is no message."""
    queue: deque[Working]

    def again(self) -> Round:
        """A copy to go on with, which may not be written."""
        return Round(self.market, self.meeting.again() if self.meeting else None, self.queue.copy())


class Offers:
    """The newest messages of each instrument, with what orders have left of them."""

    def __init__(self) -> None:
        self._newest: dict[str, list[_Known]] = {}
        self._streamed: dict[str, Tick] = {}

    def hear(self, market: Market) -> None:
        """A stream has sent this, whoever meets it first."""
        if market.tick is not None:
            self._streamed[str(market.tick.instrument)] = market.tick

    def of(self, market: Market, *, heard: bool = False) -> Offered | None:
        """What is left of a message; all, where none of the account's orders has met it; None where there is none.

        It is the same as one before where all that its provider says is the same, its stamp too; one that a stream
        sent only where no stream has sent that: a stream tells the same again where it is offered again.
        """
        tick = market.tick
        if tick is None:
            return None
        name = str(tick.instrument)
        some = self._newest.pop(name, [])
        known = next((each for each in reversed(some) if _is_known(each, tick, heard=heard)), None)
        if known is None:
            streamed = heard or self._streamed.get(name) is tick
            known = _Known(tick, Offered.of(tick, market.spec, market.model), streamed)
        elif heard:
            known.tick, known.heard = tick, True
        rest = [each for each in some if each is not known and each.left.touched]
        self._newest[name] = [*rest[1 - MOST_OF_ONE :], known]
        return known.left

    def trim(self) -> bool:
        """Messages that nobody has taken anything of are not held; whether any other one is."""
        kept = {name: [each for each in some if each.left.touched] for name, some in self._newest.items()}
        touched = [(name, some) for name, some in kept.items() if some]
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


def _is_known(known: _Known, tick: Tick, *, heard: bool) -> bool:
    return known.tick is tick or (not (heard and known.heard) and _is_same(known.tick, tick))


def _is_same(one: Tick, other: Tick) -> bool:
    return one.as_of is not None and replace(one, at=other.at) == other
