"""What is decided on a locked account by prices that were asked before: the one way, of single orders and of hedges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from gateway.core.contract import Context, Host
from gateway.core.store import Tx
from plugins.trading.accounts.access import Access, Gate
from plugins.trading.accounts.rules import is_valued
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.floorstore import FloorStore
from plugins.trading.orders.ground import Ground, with_news
from plugins.trading.orders.knowing import Known, is_priced
from plugins.trading.orders.offers import OfferBook
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.writing import writing
from schema.names import could_be_id
from schema.symbols import InstrumentId
from schema.words.problems import Refused

R = TypeVar("R")
Ask = Callable[[Known], Awaitable[Sequence[Ground]]]
Decide = Callable[[Floor, Sequence[Ground], str | None], Awaitable[R]]
"""With the grounds that were asked for, and the kill switch that is on."""

ATTEMPTS, AGED = 8, 3
"""An account that somebody else changed meanwhile is priced anew so often; one that was waited for for long less often,
as that is so while there is much to do."""


class Decider:
    """Whoever calls may trade with the account, or is refused. One a process: all that decide hear of each other."""

    def __init__(self, host: Host) -> None:
        self._host, self._gate = host, Gate()
        self._coming: dict[str, list[frozenset[str]]] = {}
        """Instruments of what is being decided here, by account."""

    @asynccontextmanager
    async def floor(
        self, context: Context, account_id: str, *instruments: InstrumentId
    ) -> AsyncIterator[tuple[Floor, str | None]]:
        """The account, locked, with orders of some instruments, or of all; and which kill switch is on."""
        book = self._host.service(OfferBook)
        with book.taking(account_id) as taken:
            async with writing(self._host, context.tenant, account_id) as w:
                if await self._gate.access(w.tx, context, w.account) < Access.TRADE:
                    raise _forbidden()
                floor = await Floor.opened(self._host, w, [str(each) for each in instruments] or None)
                floor.offers, floor.taken = book.of(account_id), taken
                yield floor, floor.halted

    async def decided(
        self, context: Context, known: Known, instruments: Sequence[InstrumentId], ask: Ask, decide: Decide[R], *,
        whole: bool = False,
    ) -> R:  # fmt: skip
        """What is decided on the locked account by prices of all that it holds, and written.

        Where it holds by then what nobody was asked for, or a price was told too long ago, they are asked anew, and of
        all beside that others are about to buy; the last time what there is has to do. *whole*: orders of all
        instruments are read.
        """
        account_id = known.account.id
        with self._announced(account_id, instruments):
            for attempt in range(1, ATTEMPTS + 1):
                if attempt > 1:
                    now = await self.known(context, account_id)
                    known = now.beside(known, frozenset().union(*self._coming[account_id]))
                grounds = await ask(known)
                async with self.floor(context, account_id, *(() if whole else instruments)) as (floor, halted):
                    grounds = [with_news(context, each) for each in grounds]
                    if self._stand(floor, grounds, attempt):
                        found = await decide(floor, grounds, halted)
                        await floor.write()
                        return found
        raise AssertionError("the last attempt ends")

    def _stand(self, floor: Floor, grounds: Sequence[Ground], attempt: int) -> bool:
        now = self._host.clock.now()
        young = attempt >= AGED or all(each.lasts(now) for each in grounds)
        return attempt == ATTEMPTS or (young and all(is_priced(floor, each.marks) for each in grounds))

    @contextmanager
    def _announced(self, account_id: str, instruments: Sequence[InstrumentId]) -> Iterator[None]:
        """Others that are decided meanwhile have these priced, before the account holds them."""
        mine, all_ = frozenset(map(str, instruments)), self._coming.setdefault(account_id, [])
        all_.append(mine)
        try:
            yield
        finally:
            all_.remove(mine)
            if not all_:
                del self._coming[account_id]

    async def known(self, context: Context, account_id: str) -> Known:
        """What is read before anybody is asked for prices."""
        async with self._host.store.glance() as tx:
            return await self.read(tx, await self.account(tx, context, account_id))

    async def account(self, tx: Tx, context: Context, account_id: str) -> AccountRow:
        """One that the caller may trade with."""
        return await self._gate.tradable(tx, context, account_id)

    async def called(
        self, tx: Tx, context: Context, account_id: str, client_order_id: str
    ) -> tuple[AccountRow, OrderRow | None]:  # fmt: skip
        """The same, and what was placed in it under a client's id."""
        known = could_be_id(account_id)
        found = await FloorStore().called(tx, context.tenant, account_id, client_order_id) if known else (None, None)
        return await self._gate.let_trade(tx, context, found[0]), found[1]

    async def read(self, tx: Tx, account: AccountRow) -> Known:
        """What it is worth by; of an account that is not valued nothing has to be known."""
        if not is_valued(account):
            return Known(account=account)
        held, currencies = await FloorStore().names(tx, account.tenant_id, account.id)
        return Known(account=account, held=held, currencies=currencies)


def _forbidden() -> Refused:
    return Refused("NOT_ALLOWED", "You may look at this account, and not trade with it.", "accountId")
