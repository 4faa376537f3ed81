"""A portfolio as prices change: value, profit and exposure, conflated to the reader's pace."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from gateway.core.contract import Context, Ctx, Delivery, Market
from gateway.core.quant.lots import LotMethod
from plugins.portfolio.changes import Changes, Look
from plugins.portfolio.desk import PortfolioDesk
from plugins.portfolio.ledger import EXACT, weights_of
from plugins.portfolio.money import maybe_money
from plugins.portfolio.shapes.holdings import PortfolioExposure, PortfolioPosition
from plugins.portfolio.store import PortfolioRow
from plugins.portfolio.valuation.holdings import Appraiser, Line, Worth, weighted_lines
from plugins.portfolio.valuation.marks import Mark, Marks, marks_now, rates_now
from plugins.portfolio.valuation.pnl import Profits, profits_of
from schema.arguments import says
from schema.currencies import UNKNOWN
from schema.errors import BadInput, Forbidden
from schema.facts import facts
from schema.model import described, model
from schema.provenance import Conversion
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.symbols import parse_instrument
from schema.words.live import NoticeCode, StreamNotice
from schema.words.quotes import QUOTES, Quote, QuotesAsk

USUAL_MS, LONGEST_MS = 1_000, 60_000
RATES_S = 10.0
"""How long rates between currencies are used before they are asked again."""
LOOK_S = 5.0
"""How often what nobody streams is looked at, at most."""
POINTS = 5

Id = Annotated[strawberry.ID, says("The portfolio's id.")]
EveryMs = Annotated[int | None, says("At most one message in so many milliseconds, 0 to 60,000.")]


@model("A portfolio as it stands.")
class PortfolioUpdate:
    """A message shows the positions whose prices changed since the last one; a snapshot all of them."""

    cursor: Cursor = described("Where the stream stands; a subscription always begins with a snapshot.")
    snapshot: bool = described("Whether all positions are shown.")
    at: datetime = described("When it was valued.")
    version: int = described("The portfolio's.")
    currency: str = described("Currency of all amounts.")
    value: Decimal | None = described("Of everything; null where a position has no price.", default=None)
    invested: Decimal | None = described("Of all positions, short ones negative.", default=None)
    cash_value: Decimal | None = described("Of all cash.", default=None)
    realised: Decimal | None = described("Profit of what was closed; null for weights.", default=None)
    unrealised: Decimal | None = described("Profit of what is held; null for weights.", default=None)
    total_pnl: Decimal | None = described("Both, and income, less fees; null for weights.", default=None)
    exposure: PortfolioExposure = described("How much is at risk.")
    positions: list[PortfolioPosition] = described("What has changed.")
    notices: list[StreamNotice] = described("News about the stream itself.")
    skipped: int = described("How many updates were merged into this one, or left out.", default=0)


async def resolve_live(info: Ctx, id: Id, every_ms: EveryMs = USUAL_MS) -> AsyncGenerator[PortfolioUpdate, None]:
    """Begins anew where somebody has changed the portfolio; ends where it is deleted."""
    context, every = info.context, USUAL_MS if every_ms is None else every_ms
    if not 0 <= every <= LONGEST_MS:
        raise BadInput("everyMs", f"must be 0 to {LONGEST_MS}, not {every}")
    if not context.principal.may(Scope.STREAM_READ):
        raise Forbidden("This field needs the scope stream:read.", missing=Scope.STREAM_READ.value)
    with context.service(Changes).look(id) as look:
        row = await context.service(PortfolioDesk).find(context, id)
        if row is None:
            raise BadInput("id", "your organisation has no portfolio with this id: `portfolios` lists them")
        screen: _Screen | None = None
        while row is not None:
            made = await _Screen.made(context, row)
            again, screen = screen is not None, made if screen is None else made.after(screen)
            if again:
                yield screen.shown(context, None, screen.cursor)
                await context.host.clock.sleep(every / 1000)
            async with aclosing(screen.updates(context, every / 1000, look, again=again)) as updates:
                async for update in updates:
                    yield update
            # The next snapshot is a message like the others.
            await context.host.clock.sleep(every / 1000)
            look.take()
            row = await context.service(PortfolioDesk).find(context, id)


@dataclass(slots=True)
class _Screen:
    """What is shown of one version of a portfolio."""

    worth: Worth
    profits: Profits | None
    rated: float
    cursor: str = ""

    @classmethod
    async def made(cls, context: Context, row: PortfolioRow) -> _Screen:
        """By the quotes of now."""
        appraiser, profits = context.service(Appraiser), None
        rows = [] if row.weights is not None else await appraiser.transactions(context, row)
        worth = await appraiser.worth(context, row, None, rows)
        if row.weights is None:
            profits = await profits_of(context, appraiser, row, LotMethod(row.method), None, rows)
        return cls(worth, profits, context.host.clock.monotonic())

    def after(self, other: _Screen) -> _Screen:
        """With the prices that the other one had from streams."""
        kept = {name: mark for name, mark in other.worth.marks.prices.items() if name in self.worth.marks.prices}
        self._value(replace(self.worth.marks, prices={**self.worth.marks.prices, **kept}))
        self.cursor = other.cursor
        return self

    async def updates(
        self, context: Context, every_s: float, look: Look, *, again: bool
    ) -> AsyncGenerator[PortfolioUpdate, None]:
        """Until somebody changes the portfolio; what begins *again* was shown already."""
        asks = {
            n: QuotesAsk(instruments=(parse_instrument(n),)) for n in (line.instrument for line in self.worth.lines)
        }
        async with AsyncExitStack() as stack:
            deliveries = await self._streamed(context, asks, every_s, stack)
            if deliveries is None:
                looks = self._looked_at(context, max(every_s, LOOK_S), look, known=again)
                async for update in await stack.enter_async_context(aclosing(looks)):
                    yield update
                return
            first = True
            async for delivery in deliveries:
                before = self._seen()
                changed, self.cursor = await self._take(context, delivery), delivery.cursor
                shown = None if first and not again else changed
                if not (first and again) or delivery.notices or self._seen() != before:
                    yield self.shown(context, shown, delivery.cursor, delivery.notices, delivery.skipped)
                first = False
                if look.take():
                    return

    @staticmethod
    async def _streamed(
        context: Context, asks: Mapping[str, QuotesAsk], every_s: float, stack: AsyncExitStack
    ) -> AsyncIterator[Delivery] | None:
        """None where nothing is held, or nobody streams any of it."""
        if not asks:
            return None
        try:
            return await stack.enter_async_context(context.market.live(QUOTES, asks, every_s=every_s))
        except BadInput:
            return None

    async def _looked_at(
        self, context: Context, every_s: float, look: Look, *, known: bool
    ) -> AsyncGenerator[PortfolioUpdate, None]:
        async def again(market: Market) -> Sequence[Marks]:
            fresh = replace(context, market=market)
            names, currency = [line.instrument for line in self.worth.lines], self.worth.portfolio.currency
            return [await marks_now(fresh, names, self._currencies(), currency)]

        def mark(found: Marks) -> str:
            prices = sorted((name, each.price) for name, each in found.prices.items())
            return repr((look.changed, prices, sorted((name, each.rate) for name, each in found.rates.items())))

        async for seen in context.market.watch(again, mark, every_s):
            if look.take():
                return
            before, first = self._seen(), known
            for marks in seen.items:
                self._value(marks)
            self.cursor, known = seen.cursor, False
            if not first or seen.notices or self._seen() != before:
                yield self.shown(context, None, seen.cursor, seen.notices)

    async def _take(self, context: Context, delivery: Delivery) -> set[str]:
        """New prices; the names of what has changed."""
        prices, changed = dict(self.worth.marks.prices), set[str]()
        quotes: list[Quote] = [value for item in delivery.items for value in item.values]
        for quote in quotes:
            name = str(quote.instrument)
            currency = quote.currency or quote.instrument.quote or UNKNOWN
            prices[name] = Mark(price=quote.price, currency=currency, provenance=quote.provenance)
            changed.add(name)
        for notice in delivery.notices:
            if notice.symbol in prices and notice.code in (NoticeCode.STALE, NoticeCode.FRESH_AGAIN):
                prices[notice.symbol] = replace(prices[notice.symbol], stale=notice.code is NoticeCode.STALE)
                changed.add(notice.symbol)
        rates = await self._rates(context, {mark.currency for mark in prices.values()})
        self._value(replace(self.worth.marks, prices=prices, rates=rates))
        return changed

    async def _rates(self, context: Context, currencies: set[str]) -> Mapping[str, Conversion]:
        """Those that are known, for a while; one that cannot be had stays as it was."""
        known, now = self.worth.marks.rates, context.host.clock.monotonic()
        wanted = {*currencies, *self._currencies()} - {self.worth.portfolio.currency}
        if wanted <= known.keys() and now - self.rated < RATES_S:
            return known
        found, _ = await rates_now(context, wanted, self.worth.portfolio.currency)
        self.rated = now
        return {**known, **found}

    def _seen(self) -> Mapping[str, tuple[Decimal, bool]]:
        """Prices as they are shown."""
        return {name: (mark.price, mark.stale) for name, mark in self.worth.marks.prices.items()}

    def _currencies(self) -> set[str]:
        lines = self.profits.lines if self.profits else ()
        return {*self.worth.cash, *(line.currency for line in lines)}

    def _value(self, marks: Marks) -> None:
        """Everything by other prices."""
        row = self.worth.portfolio
        if row.weights is None:
            lines = tuple(_revalued(line, marks) for line in self.worth.lines)
        else:
            lines = weighted_lines(row, weights_of(row.weights), marks)
        self.worth = replace(self.worth, lines=lines, marks=marks)
        if self.profits is not None:
            self.profits = self.profits.at_marks(marks)

    def shown(
        self, context: Context, changed: set[str] | None, cursor: str, notices: Sequence[StreamNotice] = (),
        skipped: int = 0,
    ) -> PortfolioUpdate:  # fmt: skip
        """As it stands; of positions those that have changed, or all."""
        worth, currency, row = self.worth, self.worth.portfolio.currency, self.worth.portfolio
        shown = [line for line in worth.lines if changed is None or line.instrument in changed]
        return PortfolioUpdate(
            cursor=Cursor(cursor), snapshot=changed is None, at=context.host.clock.now(), version=row.version,
            currency=currency, value=maybe_money(worth.value, currency), invested=maybe_money(worth.invested, currency),
            cash_value=maybe_money(worth.cash_value, currency), **self._pnl(currency),
            exposure=PortfolioExposure.of(worth.lines, worth.value, currency),
            positions=[PortfolioPosition.of(line, currency, worth.value) for line in shown],
            notices=list(notices), skipped=skipped,
        )  # fmt: skip

    def _pnl(self, currency: str) -> dict[str, Any]:
        if self.profits is None:
            return {}
        sums = self.profits.sums()
        told = {"realised": sums["realised"], "unrealised": sums["unrealised"], "total_pnl": sums["total"]}
        return {name: maybe_money(amount, currency) for name, amount in told.items()}


def _revalued(line: Line, marks: Marks) -> Line:
    mark = marks.prices.get(line.instrument)
    if mark is None:
        return replace(line, mark=None, value=None)
    return replace(line, mark=mark, value=marks.worth(EXACT.multiply(line.quantity, mark.price), mark.currency))


@strawberry.type
class PortfolioSubscription:
    """What changes by itself."""

    portfolio = strawberry.subscription(
        resolver=resolve_live,
        description="A portfolio's value, profit and exposure as prices change: a snapshot first, then what is new, "
        "conflated to the reader's pace. What others change of it shows with the next price.",
        metadata=facts(cost=POINTS, needs=Scope.PORTFOLIO_READ, also=Scope.MARKET_READ),
    )
