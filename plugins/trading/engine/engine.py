"""The engine of a process: the accounts of its parts, each worked by one task at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.contract import Context, Host, Leads, LeaseRows
from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.matching.conditions import Facts
from gateway.core.ports import Backstage, Organisations, Plans
from plugins.trading.accounts.desk import SHARDS
from plugins.trading.engine.clockwork import Clockwork
from plugins.trading.engine.dealing import Dealer, Going
from plugins.trading.engine.directory import EngineDirectory
from plugins.trading.engine.dues import Dues
from plugins.trading.engine.feedbook import Feedbook
from plugins.trading.engine.feeds import Feed
from plugins.trading.engine.guarding import Guard
from plugins.trading.engine.places import Place, Places
from plugins.trading.engine.reading import read_accounts
from plugins.trading.engine.seat import Seat, Stood
from plugins.trading.engine.values import find_values
from plugins.trading.orders.market import Market
from plugins.trading.orders.offers import OfferBook
from plugins.trading.tables import evaluators, leases

LOOK_BACK = timedelta(seconds=10)
"""By how much looks for changes overlap: other processes' clocks, and transactions that take their time."""
ANEW_S = 300.0
"""After so long everything is read anew: organisations are suspended, and their plans change."""
AT_ONCE = 500
"""Accounts that are read together."""
VALUES_S = 60.0
"""How often indicators are looked at."""
HOURS_S = 0.5
"""So long a look waits for calendars; those that take longer are there for a later one."""
ACTIVE = "active"
CLOSE_S = 5.0
"""So long what is under way is waited for at the end."""
SCOPES = frozenset({Scope.MARKET_READ, Scope.STREAM_READ})

LOG = structlog.get_logger(__name__)


class Engine:
    """One a process. `look` is called every second; what a person changes comes by the bus at once."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows, self._dealer = host, EngineDirectory(), Dealer(host)
        self._leads = Leads(host.store, host.clock, LeaseRows(leases, evaluators), SHARDS)
        self.feeds = Feedbook(host, self._heard)
        self._places = Places(host.clock, self._settle, self._drop, self.doubt)
        self._clockwork = Clockwork(host.clock, self._next, self._ring)
        self._guard = Guard(host, self._dealer, self.feeds)
        self._dues = Dues(host, self._context_of, self._begin)
        self._doubted: set[str] = set()
        self._halted: tuple[bool, frozenset[str]] = (False, frozenset())
        self._values: dict[str, dict[str, Decimal]] = {}
        """What indicators say, by tenant."""
        self._sought: dict[str, set[str]] = {}
        """Those that were asked for, whether or not they have a value."""
        self._looked: datetime | None = None
        self._anew = self._valued = -1e9
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hours: asyncio.Task[None] | None = None

    @property
    def seats(self) -> list[Seat]:
        """Accounts that this process works."""
        return [place.seat for place in self._places.all]

    def doubt(self, account_id: str) -> None:
        """Read this account anew, soon: somebody has changed something of it."""
        self._doubted.add(account_id)
        self._keep(asyncio.create_task(self._reload(), name="trading.reload"))

    def switched(self) -> None:
        """A kill switch was turned."""
        self._keep(asyncio.create_task(self._read_switches(), name="trading.switches"))

    async def look(self) -> None:
        """Renew what this process works, read what has changed, and do what time alone does."""
        async with self._one:
            await self._look()
        moment = self._host.clock.monotonic()
        if moment - self._valued > VALUES_S:
            self._valued = moment
            self._keep(asyncio.create_task(self._value(), name="trading.values"))
        await self._look_at_hours()
        for place in self._places.all:
            place.resting.clear()
            self._places.attempt(place, partial(self._attend, place), "look")
            self._places.attempt(place, partial(self._watch, place), "watch")
        self.feeds.sweep()
        await self._dues.look(self._leads.shards)
        await self._keep_extremes()

    async def _look_at_hours(self) -> None:
        """One at a time, however many looks that takes."""
        if self._hours is None or self._hours.done():
            self._hours = asyncio.create_task(self.feeds.look_at_hours(), name="trading.hours")
            self._keep(self._hours)
        await asyncio.wait({self._hours}, timeout=HOURS_S)

    async def settled(self) -> None:
        """Until all that is under way is done."""
        while tasks := [*self._tasks, *self._places.tasks]:
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Stop, and let others go on, whoever is waited for here still."""
        await self._clockwork.stop()
        if self._hours is not None:
            self._hours.cancel()
        await self._leave(self._leads.shards)
        await self.feeds.close()
        self._places.shards = frozenset()
        try:
            await self._leads.leave()
        finally:
            await self._end()
            await self._guard.close()

    async def _end(self) -> None:
        """What is under way is done, as far as that does not take too long."""
        if left := await self._left(CLOSE_S):
            LOG.warning("trading_cut_short", tasks=sorted(each.get_name() for each in left))
            for each in left:
                each.cancel()
            await self._left(CLOSE_S)

    async def _left(self, seconds: float) -> list[asyncio.Task[None]]:
        """What is under way still after so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := [*self._tasks, *self._places.tasks]) and (rest := until - loop.time()) > 0:
            await asyncio.wait(left, timeout=rest)
            await asyncio.sleep(0)
        return left

    async def _look(self) -> None:
        clock = self._host.clock
        if not self._leads.shards:
            async with self._host.store.read() as tx:
                if not await self._rows.any(tx):
                    return
        now, moment = clock.now(), clock.monotonic()
        gained, lost = await self._leads.renew(self._leave)
        # Where the reading fails, the next look reads all: what was gained is not told twice.
        last, self._anew = self._anew, -1e9
        if lost:
            await self._leave(lost)
        self._places.shards = self._leads.shards
        self._clockwork.start()
        await self._read_switches()
        anew = moment - last > ANEW_S
        if anew:
            gained = self._leads.shards
        async with self._host.store.read() as tx:
            ids = {row.id for row in await self._rows.busy(tx, gained)} if gained else set()
            since = self._looked - LOOK_BACK if self._looked else None
            told = await self._rows.changed(tx, self._leads.shards, since) if since else []
        if anew:
            ids |= self._places.ids
        for account_id, version in told:
            known = self._places.find(account_id)
            if known is None or known.seat.account.version < version:
                ids.add(account_id)
        await self._read(ids, anew=anew)
        self._looked, self._anew = now, moment if anew else last

    async def _leave(self, shards: Collection[int]) -> None:
        """What waits for their accounts is done, and what trails there is written, before others go on."""
        places = [place for place in self._places.all if place.seat.account.shard in shards]
        for place in places:
            place.leaving = True
        await self._places.finish(places)
        await self._keep_extremes()
        for place in places:
            self._drop(place.seat.id)

    async def _reload(self) -> None:
        async with self._one:
            ids, self._doubted = self._doubted, set()
            if not ids or not self._leads.shards:
                return
            try:
                await self._read(ids)
            except (DBAPIError, OSError):
                LOG.exception("trading_not_read", count=len(ids))
                # The next look reads all.
                self._anew = -1e9

    async def _read(self, ids: Collection[str], *, anew: bool = False) -> None:
        """Take accounts as they stand in the database; those that are being written are read once that is done."""
        named = sorted(ids)
        for begin in range(0, len(named), AT_ONCE):
            some = named[begin : begin + AT_ONCE]
            places = {} if anew else {id: place for id in some if (place := self._places.find(id)) is not None}
            async with self._host.store.read() as tx:
                found = await read_accounts(tx, some, {id: place.seat.orders for id, place in places.items()})
            contexts: dict[str, Callable[[], Context] | None] = {}
            for account_id in some:
                stood = found.get(account_id)
                if stood is None or stood.account.shard not in self._leads.shards:
                    self._drop(account_id)
                    continue
                place, tenant = self._places.find(account_id), stood.account.tenant_id
                if (place is None or anew) and tenant not in contexts:
                    contexts[tenant] = await self._context_of(tenant)
                context = contexts[tenant] if place is None or anew else place.seat.context
                if context is None:
                    self._drop(account_id)
                else:
                    self._take(stood, context)

    def _take(self, stood: Stood, context: Callable[[], Context]) -> None:
        place = self._places.find(stood.account.id)
        try:
            if place is None:
                if not stood.orders and not stood.positions:
                    return
                place = Place(seat=Seat(stood, context, self._host.service(OfferBook).of(stood.account.id)))
                self._places.add(place)
            elif stood.account.version >= place.seat.account.version:
                # What was written here meanwhile is newer than what was read before.
                place.seat.take(stood)
                place.seat.context = context
        except Exception:
            # One that another release has written must not keep the others from being worked.
            LOG.exception("trading_account_unreadable", account=stood.account.id)
            self._drop(stood.account.id)
            return
        self._places.attempt(place, partial(self._settle, place), "settle")
        self._places.attempt(place, partial(self._attend, place), "look")

    async def _context_of(self, tenant: str) -> Callable[[], Context] | None:
        """On the organisation's own account; None where it is not active."""
        async with self._host.store.read() as tx:
            organisation = await self._host.service(Organisations).find(tx, tenant)
        if organisation is None or organisation.status != ACTIVE:
            return None
        limits = await self._host.service(Plans).limits_of(tenant, organisation.plan)
        principal = Principal(tenant=tenant, kind=CallerKind.API_KEY, scopes=SCOPES, limits=limits)
        return partial(self._host.service(Backstage).context, principal)

    async def _read_switches(self) -> None:
        async with self._host.store.read() as tx:
            self._halted = await self._rows.halted(tx)
        for place in self._places.all:
            self._stop(place.seat)

    def _stop(self, seat: Seat) -> None:
        fleet, tenants = self._halted
        seat.stopped = fleet or seat.tenant in tenants

    def _drop(self, account_id: str) -> None:
        if account_id in self._places.ids:
            self._places.drop(account_id)
            self.feeds.forget(account_id)

    async def _heard(self, feed: Feed, shown: bool) -> None:
        """A message: what was only shown is the price of now for those who arrive."""
        for account_id in tuple(feed.seats):
            if (place := self._places.find(account_id)) is not None and not place.leaving:
                self._places.attempt(place, partial(self._hear, place, feed, shown), f"hear {feed.key.instrument}")

    def _hear(self, place: Place, feed: Feed, shown: bool) -> None:
        if place.seat.conditions:
            self._consider(place)
        market = feed.market(place.seat.model)
        if market is None or feed.key.source is not place.seat.model.source:
            return
        if shown:
            self._attend(place)
            return
        place.seat.offers.hear(market)
        if place.task is not None or place.seat.moves(market):
            meet = partial(self._meet, place, market, Going())
            self._places.put(place, meet, f"meet {feed.key.instrument}", message=True)

    def _attend(self, place: Place) -> None:
        """What time alone does for a seat, and what its conditions do."""
        now = self._host.clock.now()
        if not place.waits("time") and (place.seat.late(now) or place.seat.due(now)):
            self._places.put(place, partial(self._pass_time, place), "time")
        if place.seat.unmet and not place.seat.halted:
            self._catch_up(place)
        if place.seat.conditions:
            self._consider(place)

    def _catch_up(self, place: Place) -> None:
        """Orders that were read after the newest message, and that came before it, meet it now."""
        seat, late = place.seat, dict[str, tuple[Market, set[str]]]()
        feeds = {name: self.feeds.matched(seat, name) for name in seat.matched()}
        for order_id, since in seat.unmet.items():
            name = seat.orders[order_id].instrument
            feed = None if order_id in place.late else feeds[name]
            market = feed.after(since, seat.model) if feed else None
            if market is not None and market.open:
                late.setdefault(name, (market, set()))[1].add(order_id)
        for market, ids in late.values():
            meet = partial(self._meet_late, place, market, ids, Going())
            if self._places.put(place, meet, "late", over=partial(place.late.difference_update, ids)):
                place.late |= ids

    async def _meet_late(self, place: Place, market: Market, ids: Collection[str], going: Going) -> None:
        await self._dealer.catch_up(place.seat, market, self._guard.marks, ids, going)

    async def _meet(self, place: Place, market: Market, going: Going) -> None:
        await self._dealer.meet(place.seat, market, self._guard.marks, going)

    async def _pass_time(self, place: Place) -> None:
        await self._dealer.pass_time(place.seat, self.feeds.newest(place.seat), self._guard.marks)

    def _consider(self, place: Place) -> None:
        """Whether what its orders wait for has come, or never will."""
        seat = place.seat
        facts = seat.facts(self._host.clock.now(), self.feeds.prices(seat), self._values.get(seat.tenant, {}))
        come = [each for each in seat.come(facts) if each not in place.arriving and each not in place.resting]
        lost = [each for each in seat.lost(facts) if each not in place.arriving]
        place.considered = seat.account.version
        for ids, do, about in ((come, self._arrive, "conditions"), (lost, self._give_up, "ends")):
            over = partial(place.arriving.difference_update, ids)
            if ids and self._places.put(place, partial(do, place, ids, facts), about, over=over):
                place.arriving |= {*ids}

    async def _arrive(self, place: Place, ids: Collection[str], facts: Facts) -> None:
        place.resting |= await self._dealer.arrive(place.seat, ids, facts)

    async def _give_up(self, place: Place, ids: Collection[str], facts: Facts) -> None:
        await self._dealer.give_up(place.seat, ids, facts)

    async def _value(self) -> None:
        """Indicators that conditions wait for, each once; no organisation waits for another's."""
        wanted: dict[str, tuple[Callable[[], Context], set[str]]] = {}
        for seat in self.seats:
            if named := seat.named():
                wanted.setdefault(seat.tenant, (seat.context, set()))[1].update(named)
        self._sought = {tenant: keys for tenant, (_, keys) in wanted.items()}
        told = await asyncio.gather(*(find_values(context(), keys) for context, keys in wanted.values()))
        self._values = dict(zip(wanted, told, strict=True))
        for place in self._places.all:
            if place.seat.named():
                self._places.attempt(place, partial(self._consider, place), "values")

    def _watch(self, place: Place) -> None:
        """Value it anew, where something has changed that its value depends on."""
        if place.guarding or not self._guard.concerns(place.seat):
            return
        if self._guard.basis(place.seat) != place.judged:
            place.guarding = self._places.put(place, partial(self._judge, place), "value")

    async def _judge(self, place: Place) -> None:
        try:
            basis = self._guard.basis(place.seat)
            now = await self._guard.look(place.seat)
        finally:
            place.guarding = False
        place.judged = basis
        if now is None and not place.blind:
            LOG.warning("trading_not_valued", account=place.seat.id)
        place.blind = now is None

    def _settle(self, place: Place) -> None:
        """After a change: what it listens to, and when time alone changes something."""
        if place.leaving:
            return
        seat = place.seat
        self._stop(seat)
        if seat.idle:
            # What closed the last position may have been the greatest loss of the day.
            self._watch(place)
            if not place.guarding:
                self._drop(seat.id)
            return
        if seat.referred() - seat.statuses.keys():
            self.doubt(seat.id)
        self.feeds.want(seat)
        self._clockwork.wake()
        if seat.conditions and place.considered != seat.account.version:
            self._consider(place)
        if seat.named() - self._sought.get(seat.tenant, set()):
            self._valued = -1e9

    def _next(self) -> datetime | None:
        """When time alone changes something, of any seat."""
        now, instants = self._host.clock.now(), list[datetime]()

        def ask(seat: Seat) -> None:
            if (at := seat.next_at(now)) is not None:
                instants.append(at)

        for place in self._places.all:
            self._places.attempt(place, partial(ask, place.seat), "next")
        return min(instants, default=None)

    def _ring(self, before: datetime) -> None:
        now = self._host.clock.now()

        def attend(place: Place) -> None:
            at = place.seat.next_at(before)
            if at is not None and at <= now:
                self._attend(place)

        for place in self._places.all:
            self._places.attempt(place, partial(attend, place), "ring")

    async def _keep_extremes(self) -> None:
        """Write how far trailing stops have followed: whoever goes on needs it."""
        told = {place.seat.id: each for place in self._places.all if (each := place.seat.extremes())}
        if not told:
            return
        try:
            async with self._host.store.write() as tx:
                # Accounts are locked before their orders, by everybody, in the order of their ids.
                await self._rows.lock(tx, told.keys())
                await self._rows.keep_extremes(tx, [each for some in told.values() for each in some])
        except (DBAPIError, OSError):
            LOG.exception("trading_extremes_not_written", count=len(told))
            return
        for account_id, some in told.items():
            place = self._places.find(account_id)
            if place is not None:
                place.seat.kept(some)

    def _begin(self, work: Coroutine[None, None, None], name: str) -> None:
        self._keep(asyncio.create_task(work, name=name))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
