"""One connection against a real WebSocket server: reconnects, resubscribes, paces, watches, and leaves nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.lines.channels import Place
from gateway.core.lines.connection import ATTEMPTS, LONGEST_WAIT, Connection, Upstream
from gateway.core.lines.line import Ended, Event, Trouble, Update
from gateway.core.lines.socket import Sockets, Wire, rebased
from providers.contract import Http
from providers.feeds import Feed, Topic, Wants
from providers.row import Row
from schema.capability import Capability
from schema.errors import ConnectionFailed, QuotaReached, UnknownInstrument, UpstreamError
from schema.symbols import parse_instrument
from schema.words.books import ORDER_BOOK, OrderBookAsk
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk
from tests.doubles.clocks import NOON, HeldClock, until
from tests.doubles.sockets import SocketVenue, Talk, socket_venue
from tests.doubles.tape import SILENCE, Tape, TapeFeed

BTC, ETH, PINNED = (parse_instrument(f"crypto:{name}") for name in ("BTC/USD", "ETH/USD", "BTC/USD@tape"))
EMPTY: dict[str, Any] = {"bids": [], "asks": []}


class Longest(random.Random):
    """Waits as long as it may."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Listener:
    """What one place was told, and a way to wait for it."""

    def __init__(self, topic: Topic, **more: Any) -> None:
        self.place = Place(topic=topic, tell=self._tell, **more)
        self.events: list[Event] = []
        self._told = asyncio.Event()

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self._told.set()

    async def wait(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(self.events) < count:
                self._told.clear()
                await self._told.wait()
        return list(map(short, self.events))


def short(event: Event) -> str:
    match event:
        case Update(values=values):
            first = values[0]
            price = first.bids[0].price if hasattr(first, "bids") else first.price
            return f"{price}{'!' if event.snapshot else ''}"
        case Trouble(code=code):
            return str(code)
        case Ended(error=error):
            return f"{type(error).__name__}: {error.message}"


def listener(letter: str, instrument: Any = BTC, **more: Any) -> Listener:
    capabilities: dict[str, Capability[Any, Any]] = {"q": QUOTES, "t": TRADES, "b": ORDER_BOOK}
    asks: dict[str, Callable[[], Any]] = {
        "q": lambda: QuotesAsk(instruments=(instrument,)),
        "t": lambda: TradesAsk(instrument=instrument),
        "b": lambda: OrderBookAsk(instrument=instrument),
    }
    pair = f"{instrument.base}/{instrument.quote}"
    return Listener(Topic(channel=f"{letter}:{pair}", capability=capabilities[letter], ask=asks[letter]()), **more)


class World:
    """A connection to a venue of ours, with its seams in hand."""

    def __init__(self, venue: SocketVenue) -> None:
        self.venue, self.clock = venue, HeldClock()
        self.sockets = Sockets(self.clock)
        self.closed_market = False
        self.fetched: list[Row | UpstreamError] = []
        self.over = asyncio.Event()
        upstream = Upstream(
            provider="tape", feed=lambda: TapeFeed(Tape.profile, {"key": "s3cret"}, self.clock), dial=self._dial,
            ask=self._ask, is_open=self._is_open,
        )  # fmt: skip
        self.connection = Connection(upstream, self.clock, Longest(), lambda _: self.over.set())

    async def _dial(self, feed: Feed, url: str) -> Wire:
        return await self.sockets.open("tape", rebased(url, self.venue.url, "tape"), {})

    async def _ask(self, call: Callable[[Http], Awaitable[Any]], weight: int = 1) -> Any:
        return await call(self)  # type: ignore[arg-type]

    async def get(self, path: str, params: Any = None, *, host: str = "") -> Row:
        found = self.fetched.pop(0)
        if isinstance(found, UpstreamError):
            raise found
        return found

    async def _is_open(self, instrument: Any) -> bool:
        return not self.closed_market

    def join(self, *listeners: Listener) -> None:
        for each in listeners:
            self.connection.join(each.place)


@asynccontextmanager
async def world(script: Callable[[Talk], Awaitable[None]]) -> AsyncIterator[World]:
    before = asyncio.all_tasks()
    async with socket_venue(script) as venue:
        made = World(venue)
        try:
            yield made
        finally:
            await made.connection.close()
            await made.sockets.close()
        await until(lambda: not venue.alive)
    assert asyncio.all_tasks() - before == set()


async def quiet(talk: Talk) -> None:
    """Says nothing by itself."""


async def test_it_greets_subscribes_in_one_frame_and_tells_values_under_each_listeners_instrument():
    async with world(quiet) as found:
        one, same, other = listener("q"), listener("q", PINNED), listener("q", ETH)

        found.join(one, same, other)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)
        await talk.send({"q": "BTC/USD", "p": "1.10"}, {"q": "ETH/USD", "p": 2}, {"q": "DOGE/USD", "p": 3})

        assert await one.wait(1) == ["1.10!"]
        assert await same.wait(1) == ["1.10!"]
        assert await other.wait(1) == ["2!"]
        assert talk.path == "/tape/live"
        assert talk.received == [{"hello": "s3cret"}, {"sub": ["q:BTC/USD", "q:ETH/USD"]}]
        (update,) = same.events
        assert isinstance(update, Update)
        assert (update.values[0].instrument, update.values[0].price) == (PINNED, Decimal("1.10"))
        assert update.received == found.clock.now()


async def test_frames_are_sent_at_the_venues_pace():
    async with world(quiet) as found:
        found.join(listener("q"))
        talk = await found.venue.talk(0)
        await talk.wait(1)
        assert talk.received == [{"hello": "s3cret"}]

        await found.clock.turn(0.1)

        assert await talk.wait(2) == [{"hello": "s3cret"}, {"sub": ["q:BTC/USD"]}]


async def test_who_comes_later_is_told_where_things_stand_and_who_leaves_last_ends_the_channel():
    async with world(quiet) as found:
        first, later, other = listener("q"), listener("q"), listener("t")
        found.join(first, other)
        talk = await found.venue.talk(0)
        await talk.send({"q": "BTC/USD", "p": 1})
        await first.wait(1)

        found.join(later)
        found.connection.leave(first.place)
        await found.clock.turn(1)
        assert await talk.wait(2) == [{"hello": "s3cret"}, {"sub": ["q:BTC/USD", "t:BTC/USD"]}]
        found.connection.leave(later.place)
        await found.clock.turn(1)

        assert await later.wait(1) == ["1!"]
        assert (await talk.wait(3))[2] == {"unsub": ["q:BTC/USD"]}


async def test_a_connection_that_nobody_listens_to_ends_by_itself():
    async with world(quiet) as found:
        only = listener("q")
        found.join(only)
        await found.venue.talk(0)
        await found.clock.turn(1)

        found.connection.leave(only.place)
        await found.clock.turn(1)

        async with asyncio.timeout(10):
            await found.over.wait()
            await found.venue.talks[0].over.wait()


async def test_a_lost_connection_is_told_once_and_everything_is_subscribed_again():
    async with world(quiet) as found:
        one, two = listener("q"), listener("t")
        found.join(one, two)
        talk = await found.venue.talk(0)
        await talk.send({"q": "BTC/USD", "p": 1})
        await one.wait(1)

        await talk.abort()
        await one.wait(2)
        await found.clock.turn(1)
        again = await found.venue.talk(1)
        await found.clock.turn(1)
        await again.wait(2)
        await again.send({"q": "BTC/USD", "p": 2})

        assert await one.wait(4) == ["1!", "RECONNECTING", "FRESH_AGAIN", "2!"]
        assert await two.wait(1) == ["RECONNECTING"]
        assert again.received == [{"hello": "s3cret"}, {"sub": ["q:BTC/USD", "t:BTC/USD"]}]


async def test_a_quiet_stream_goes_on_when_the_venue_has_confirmed_it_but_a_book_only_with_a_book():
    async with world(quiet) as found:
        trade, book, quote = listener("t"), listener("b"), listener("q", silence=SILENCE)
        found.join(trade, book, quote)
        talk = await found.venue.talk(0)
        await talk.send({"ok": "t:BTC/USD"}, {"ok": "b:BTC/USD"}, {"ok": "q:BTC/USD"})
        await found.clock.turn(1)
        await talk.abort()
        await trade.wait(1)
        await found.clock.turn(1)
        again = await found.venue.talk(1)

        await again.send({"ok": "b:BTC/USD"}, {"ok": "q:BTC/USD"}, {"ok": "t:BTC/USD"})

        assert await trade.wait(2) == ["RECONNECTING", "FRESH_AGAIN"]
        assert list(map(short, book.events)) == ["RECONNECTING"]
        assert list(map(short, quote.events)) == ["RECONNECTING"]


async def test_where_a_venue_confirms_nothing_what_it_has_not_refused_in_three_seconds_goes_on(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(TapeFeed, "confirms", False)
    async with world(quiet) as found:
        only = listener("t")
        found.join(only)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.abort()
        await only.wait(1)
        await found.clock.turn(1)
        await found.venue.talk(1)
        assert await only.wait(1) == ["RECONNECTING"]

        await found.clock.turn(4)

        assert await only.wait(2) == ["RECONNECTING", "FRESH_AGAIN"]


async def test_a_snapshot_that_a_feed_wants_from_the_beginning_is_fetched_before_anything_is_said(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(
        TapeFeed, "begin", lambda feed, topics: [Wants(each.channel, lambda http: http.get("/book")) for each in topics]
    )
    async with world(quiet) as found:
        found.fetched = [Row("tape", {"n": 3, "s": True, "bids": [[7, 1]], "asks": []})]
        only = listener("b")
        found.join(only)

        assert await only.wait(1) == ["7!"]


async def test_a_subscription_that_is_confirmed_does_not_excuse_silence():
    async with world(quiet) as found:
        only = listener("q", silence=SILENCE)
        found.join(only)
        talk = await found.venue.talk(0)
        await minute(found, talk)
        again = await found.venue.talk(1)
        await again.send({"ok": "q:BTC/USD"})
        await found.clock.turn(1)

        await minute(found, again)

        assert await only.wait(3) == ["STALE", "RECONNECTING", "Stale: tape: nothing came for 60 s, twice in a row"]


async def test_it_waits_with_growing_distances_and_sends_its_listeners_away_after_five_attempts():
    async with world(quiet) as found:
        found.venue.refusals = [(503, {})] * 9
        only = listener("q")
        found.join(only)

        for seconds in (1, 2, 4, 8):
            await until(lambda: found.clock.sleepers)
            await found.clock.turn(seconds)

        assert await only.wait(2) == ["RECONNECTING", "Overloaded: tape: HTTP 503"]
        assert found.clock.slept == [1.0, 2.0, 4.0, 8.0]
        assert len(found.venue.refusals) == 4
        await found.over.wait()


async def test_a_refused_handshake_is_waited_out_as_long_as_the_venue_says():
    async with world(quiet) as found:
        found.venue.refusals = [(429, {"retry-after": "30"})]
        found.join(listener("q"))

        await until(lambda: found.clock.sleepers)
        await found.clock.turn(29)
        assert found.venue.talks == []
        await found.clock.turn(1)

        await found.venue.talk(0)


@pytest.mark.parametrize(("status", "told"), [(401, "Unauthorized"), (451, "Blocked"), (403, "Unauthorized")])
async def test_what_another_attempt_does_not_change_ends_at_once(status: int, told: str):
    async with world(quiet) as found:
        found.venue.refusals = [(status, {})]
        only = listener("q")

        found.join(only)

        assert await only.wait(1) == [f"{told}: tape: HTTP {status}"]
        assert found.venue.talks == []


async def test_an_unknown_instrument_ends_alone():
    async with world(quiet) as found:
        bad, good = listener("q"), listener("q", ETH)
        found.join(bad, good)
        talk = await found.venue.talk(0)

        await talk.send({"no": "q:BTC/USD"}, {"q": "ETH/USD", "p": 2})

        assert await bad.wait(1) == ["UnknownInstrument: tape: it is not listed"]
        assert await good.wait(1) == ["2!"]


async def test_silence_is_stale_then_the_end_while_the_market_is_open():
    async with world(quiet) as found:
        only = listener("q", silence=SILENCE)
        found.join(only)
        talk = await found.venue.talk(0)

        await minute(found, talk)
        assert await only.wait(2) == ["STALE", "RECONNECTING"]
        again = await found.venue.talk(1)
        await minute(found, again)

        assert await only.wait(3) == ["STALE", "RECONNECTING", "Stale: tape: nothing came for 60 s, twice in a row"]
        assert len(found.venue.talks) == 2


class Answers:
    """What HTTP answers about a channel, and how often it was asked."""

    def __init__(self, answer: Any = ()) -> None:
        self.answer, self.asked = answer, 0

    async def __call__(self) -> Any:
        self.asked += 1
        return self.answer


def traded(second: int) -> Trade:
    one = Decimal(1)
    return Trade(id=f"http {second}", time=NOON + timedelta(seconds=second), price=one, size=one)


async def test_what_the_venue_does_not_know_and_does_not_refuse_is_asked_for_over_http_and_ends():
    async with world(quiet) as found:
        unknown = Answers(UnknownInstrument("tape", "no such pair"))
        bad, good = listener("t", ask=unknown), listener("t", ETH, ask=Answers())
        found.join(bad, good)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)
        await talk.send({"ok": "t:BTC/USD"}, {"ok": "t:ETH/USD"})
        await found.clock.turn(8)
        assert unknown.asked == 0

        await found.clock.turn(5)

        assert await bad.wait(1) == ["UnknownInstrument: tape: no such pair"]
        assert (good.events, unknown.asked) == ([], 1)


async def test_a_quiet_pair_is_not_stale_and_is_asked_about_more_and_more_seldom():
    async with world(quiet) as found:
        answers = Answers((traded(-3_600),))
        only = listener("t", ask=answers)
        found.join(only)
        talk = await found.venue.talk(0)

        for _ in range(10):
            await minute(found, talk)

        assert only.events == []
        # After 10, 130, and 370 seconds.
        assert answers.asked == 3


async def test_a_stream_that_lacks_what_http_tells_is_stale_then_the_end():
    async with world(quiet) as found:
        answers = Answers((traded(0), traded(30)))
        only = listener("t", ask=answers)
        found.join(only)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.send({"t": "BTC/USD", "id": 1, "at": 1795176000, "p": 1})
        await only.wait(1)

        await minute(found, talk)
        assert await only.wait(3) == ["1", "STALE", "RECONNECTING"]
        again = await found.venue.talk(1)
        answers.answer = (traded(100),)
        await again.send({"ok": "t:BTC/USD"})
        await minute(found, again)
        await minute(found, again)

        told = "Stale: tape: nothing came for 61 s, and its provider tells more over HTTP, twice in a row"
        assert await only.wait(4) == ["1", "STALE", "RECONNECTING", told]


async def test_a_stream_that_is_silent_while_http_fails_is_stale_but_not_where_we_may_not_ask():
    async with world(quiet) as found:
        dead, unasked = Answers(ConnectionFailed("tape", "away")), Answers(QuotaReached("tape", "no more today"))
        one, other = listener("t", ask=dead), listener("t", ETH, ask=unasked)
        found.join(one, other)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.send({"t": "BTC/USD", "id": 1, "at": 0, "p": 1}, {"t": "ETH/USD", "id": 1, "at": 0, "p": 1})
        await other.wait(1)

        for _ in range(5):
            await minute(found, talk)

        assert (await one.wait(2))[:2] == ["1", "STALE"]
        assert one.events[1].message.startswith(  # type: ignore[union-attr]
            "tape: nothing came for 122 s, and its provider does not answer over HTTP either; "
        )
        assert (await other.wait(2))[:2] == ["1", "RECONNECTING"]
        assert unasked.asked == 2


async def test_a_closed_market_is_no_silence():
    async with world(quiet) as found:
        found.closed_market = True
        only = listener("q", silence=SILENCE)
        found.join(only)
        talk = await found.venue.talk(0)

        for _ in range(3):
            await minute(found, talk)

        assert await only.wait(1) == ["MARKET_CLOSED"]
        assert talk.received == [{"hello": "s3cret"}, {"sub": ["q:BTC/USD"]}]


async def test_after_a_closed_market_the_first_silence_is_stale_and_not_the_end():
    async with world(quiet) as found:
        found.closed_market = True
        only = listener("q", silence=SILENCE)
        found.join(only)
        talk = await found.venue.talk(0)
        await minute(found, talk)
        assert await only.wait(1) == ["MARKET_CLOSED"]

        found.closed_market = False
        for _ in range(2):
            await minute(found, talk)

        assert await only.wait(4) == ["MARKET_CLOSED", "FRESH_AGAIN", "STALE", "RECONNECTING"]


async def test_when_a_venue_with_sessions_closes_its_subscribers_hear_it_once_and_again_when_it_opens():
    async with world(quiet) as found:
        euro = parse_instrument("fx:EUR/USD")
        only, never_closing = listener("q", euro), listener("t")
        found.join(only, never_closing)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)
        await talk.send({"q": "EUR/USD", "p": "1"})
        await only.wait(1)

        found.closed_market = True
        await found.clock.turn(25)
        await talk.send({"q": "EUR/USD", "p": "2"})
        await only.wait(3)
        await found.clock.turn(10)
        found.closed_market = False
        await found.clock.turn(10)

        assert await only.wait(4) == ["1!", "MARKET_CLOSED", "2!", "FRESH_AGAIN"]
        assert only.events[3].message == "The market is open again."  # type: ignore[union-attr]
        assert never_closing.events == []


async def test_of_a_connection_that_breaks_again_and_again_while_the_market_is_closed_nobody_despairs():
    async with world(quiet) as found:
        found.closed_market = True
        only = listener("q", parse_instrument("fx:EUR/USD"))
        found.join(only)
        for number in range(ATTEMPTS + 1):
            talk = await found.venue.talk(number)
            await talk.wait(1)
            await found.clock.turn(1)
            await talk.abort()
            await until(lambda: not found.venue.alive)
            await found.clock.turn(LONGEST_WAIT)
        await found.venue.talk(ATTEMPTS + 1)

        assert await only.wait(3) == ["MARKET_CLOSED", "RECONNECTING", "MARKET_CLOSED"]


async def test_a_connection_without_a_sign_of_life_is_dead():
    async with world(quiet) as found:
        only = listener("t")
        found.join(only)
        talk = await found.venue.talk(0)
        talk.mute = True

        await found.clock.turn(40)
        assert only.events == []
        await found.clock.turn(1)

        assert await only.wait(1) == ["RECONNECTING"]
        assert only.events[0].message.startswith("tape: nothing came over its live connection for 40 s")  # type: ignore[union-attr]


async def test_pings_are_answered_both_ways():
    async with world(quiet) as found:
        found.join(listener("q"))
        talk = await found.venue.talk(0)

        await talk.ping()
        await talk.send({"ping": 7})
        await found.clock.turn(1)
        await talk.wait(3)

        assert {"pong": 7} in talk.received
        await until(lambda: talk.pongs == 1)


async def test_a_venue_that_says_goodbye_is_left_for_a_new_connection():
    async with world(quiet) as found:
        only = listener("q")
        found.join(only)
        talk = await found.venue.talk(0)

        await talk.send({"bye": "maintenance"})
        await only.wait(1)
        await found.clock.turn(1)

        await found.venue.talk(1)
        assert only.events[0].message == "tape: maintenance; connecting again."  # type: ignore[union-attr]


async def test_a_gap_is_told_and_nothing_is_shown_until_the_next_snapshot():
    async with world(quiet) as found:
        only = listener("b")
        found.join(only)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)

        await talk.send(
            {"b": "BTC/USD", "n": 1, "s": True, "bids": [[10, 1]], "asks": []},
            {"b": "BTC/USD", "n": 2, "bids": [[11, 1]], "asks": []},
            {"b": "BTC/USD", "n": 2, "bids": [[99, 1]], "asks": []},
            {"b": "BTC/USD", "n": 4, "bids": [[13, 1]], "asks": []},
            {"b": "BTC/USD", "n": 5, "bids": [[14, 1]], "asks": []},
        )
        await only.wait(3)
        await found.clock.turn(1)
        await talk.wait(4)
        await talk.send({"b": "BTC/USD", "n": 9, "s": True, "bids": [[20, 1]], "asks": []})

        assert await only.wait(5) == ["10!", "11", "GAP", "FRESH_AGAIN", "20!"]
        assert talk.received[2:] == [{"unsub": ["b:BTC/USD"]}, {"sub": ["b:BTC/USD"]}]


async def test_gaps_in_a_row_are_mended_at_growing_distances_and_not_for_ever():
    async with world(quiet) as found:
        only = listener("b")
        found.join(only)
        talk = await found.venue.talk(0)
        channel = found.connection.channels.get("b:BTC/USD")
        assert channel is not None
        await found.clock.turn(1)

        for number in range(6):
            await talk.send("}garbage{")
            await only.wait(number + 1)
            await found.clock.turn(16)

        *gaps, end = await only.wait(7)
        assert gaps == ["GAP"] * 6
        assert end == "Malformed: tape: a frame could not be read, 6 times in a row"


async def test_a_burst_of_garbage_is_mended_once_at_a_time():
    async with world(quiet) as found:
        only = listener("b")
        found.join(only)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)

        await talk.send(*["}garbage{"] * 8)
        await only.wait(2)
        await found.clock.turn(2)
        await talk.send({"b": "BTC/USD", "n": 1, "s": True, "bids": [[10, 1]], "asks": []})

        assert await only.wait(4) == ["GAP", "GAP", "FRESH_AGAIN", "10!"]
        assert [frame for frame in talk.received if "sub" in frame] == [{"sub": ["b:BTC/USD"]}] * 3


async def test_a_snapshot_that_fails_for_who_has_left_does_not_end_who_came_since():
    async with world(quiet) as found:
        gone, come = listener("b"), listener("b")
        found.fetched = [UpstreamError("tape", "busy")] * 4
        found.join(gone, listener("q"))
        talk = await found.venue.talk(0)
        await talk.send({"want": "b:BTC/USD"})
        await until(lambda: len(found.fetched) == 3)

        found.connection.leave(gone.place)
        found.join(come)
        await found.clock.turn(20)
        await until(lambda: not found.fetched)
        await talk.send({"b": "BTC/USD", "n": 1, "s": True, "bids": [[10, 1]], "asks": []})

        assert await come.wait(1) == ["10!"]
        assert gone.events == []


async def test_garbage_is_a_gap_for_what_needs_every_frame_and_nothing_for_quotes():
    async with world(quiet) as found:
        quote, trade, book = listener("q"), listener("t"), listener("b")
        found.join(quote, trade, book)
        talk = await found.venue.talk(0)

        await talk.send("}garbage{", {"q": "BTC/USD", "p": [1]}, {"unknown": 1}, {"q": "BTC/USD", "p": 5})

        assert await quote.wait(1) == ["5!"]
        assert await trade.wait(3) == ["GAP", "GAP", "GAP"]
        # The third comes while the second waits for its new subscription.
        assert await book.wait(2) == ["GAP", "GAP"]


async def test_a_snapshot_over_http_is_asked_for_again_until_it_comes():
    async with world(quiet) as found:
        found.fetched = [
            UpstreamError("tape", "busy"), Row("tape", {"n": 3, "s": True, "bids": [[7, 1]], "asks": []}),
        ]  # fmt: skip
        only = listener("b")
        found.join(only)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)

        await talk.send({"want": "b:BTC/USD"})
        await until(lambda: len(found.fetched) == 1)
        await found.clock.turn(1)

        assert await only.wait(1) == ["7!"]


async def test_a_snapshot_that_is_refused_for_good_is_not_asked_for_again():
    async with world(quiet) as found:
        found.fetched = [UnknownInstrument("tape", "no such pair")]
        only = listener("b")
        found.join(only)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.wait(2)

        await talk.send({"want": "b:BTC/USD"})

        assert await only.wait(1) == ["UnknownInstrument: tape: no such pair"]


async def test_connections_that_break_soon_are_opened_at_growing_distances_though_they_bring_values():
    async with world(quiet) as found:
        only = listener("t")
        found.join(only)
        slept = []
        for number in range(7):
            talk = await found.venue.talk(number)
            await talk.send({"t": "BTC/USD", "id": number, "at": number, "p": 1})
            await only.wait(3 * number + 1)
            await talk.abort()
            await only.wait(3 * number + 2)
            slept.append(found.clock.slept[-1])
            await found.clock.turn(slept[-1])

        assert slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


async def test_garbage_now_and_then_does_not_end_a_connection():
    async with world(quiet) as found:
        only = listener("t")
        found.join(only)
        talk = await found.venue.talk(0)

        for number in range(15):
            await talk.send("}garbage{")
            await only.wait(number + 1)
            await found.clock.turn(10)

        assert await only.wait(15) == ["GAP"] * 15
        assert len(found.venue.talks) == 1


async def test_a_venue_that_drops_skips_repeats_and_babbles_shows_no_wrong_book():
    numbers = iter(range(1, 10_000))

    async def script(talk: Talk) -> None:
        await talk.wait(2)
        first, heard = True, 0
        while True:
            number = next(numbers)
            frame = {"b": "BTC/USD", "n": number, "bids": [[number - 1, 0], [number, 1]], "asks": []}
            if first or len(talk.received) > heard:
                frame = {**frame, "s": True}
            first, heard = False, len(talk.received)
            await talk.send(frame)
            await asyncio.sleep(0)

    async with world(script) as found:
        found.venue.faults.skip_every, found.venue.faults.repeat_every = 17, 5
        found.venue.faults.garbage_every, found.venue.faults.drop_every = 29, 61
        only = listener("b")
        found.join(only)

        async with asyncio.timeout(20):
            while len(found.venue.talks) < 5:
                await found.clock.turn(0.5)

        books = [event.values[0] for event in only.events if isinstance(event, Update)]
        assert len(books) > 50
        # The venue's book has one level at any time, at the price of its number.
        assert [[str(level.price) for level in book.bids] for book in books] == [[book.sequence] for book in books]
        assert {"GAP", "RECONNECTING", "FRESH_AGAIN"} <= set(map(short, only.events))


async def test_a_feeds_own_defect_is_one_unreadable_frame():
    async with world(quiet) as found:
        only = listener("t")
        found.join(only)
        talk = await found.venue.talk(0)

        await talk.send({"nothing it knows": 1}, {"t": "BTC/USD", "id": 1, "at": 0, "p": 1})

        assert await only.wait(2) == ["GAP", "1"]


async def minute(found: World, talk: Talk) -> None:
    """A minute in which the venue answers pings and says nothing else."""
    for _ in range(62):
        await found.clock.turn(1)
        await asyncio.sleep(0.001)


async def test_an_old_quote_that_the_venue_repeats_is_not_current_again():
    async with world(quiet) as found:
        only = listener("q")
        found.join(only)
        talk = await found.venue.talk(0)
        noon = int(NOON.timestamp())

        await talk.send({"q": "BTC/USD", "p": 1, "at": noon - 5}, {"q": "BTC/USD", "p": 2, "at": noon})
        await talk.send({"q": "BTC/USD", "p": 1, "at": noon - 5}, {"q": "BTC/USD", "p": 3, "at": noon})

        assert await only.wait(3) == ["1!", "2!", "3!"]


async def test_old_quotes_alone_are_silence_also_over_a_new_connection():
    async with world(quiet) as found:
        only = listener("q", silence=SILENCE)
        found.join(only)
        talk = await found.venue.talk(0)
        noon = int(NOON.timestamp())
        await talk.send({"q": "BTC/USD", "p": 1, "at": noon})
        await only.wait(1)
        await talk.abort()
        await only.wait(2)
        await found.clock.turn(1)
        again = await found.venue.talk(1)

        for _ in range(62):
            with suppress(ConnectionError):
                await again.send({"q": "BTC/USD", "p": 2, "at": noon - 1})
            await found.clock.turn(1)
            await asyncio.sleep(0.001)

        assert await only.wait(4) == ["1!", "RECONNECTING", "STALE", "RECONNECTING"]


async def test_of_a_channel_that_is_silent_while_others_speak_the_subscription_then_the_connection_is_made_anew():
    async with world(quiet) as found:
        silent, lively = listener("q", silence=SILENCE), listener("q", ETH, silence=SILENCE)
        found.join(silent, lively)
        told = []

        for number in (0, 0, 1):
            talk = await found.venue.talk(number)
            for _ in range(62):
                with suppress(ConnectionError):
                    await talk.send({"q": "ETH/USD", "p": 2})
                await found.clock.turn(1)
                await asyncio.sleep(0.001)
            told.append(list(map(short, silent.events)))

        end = "Stale: tape: nothing came for 60 s, twice in a row"
        assert told == [["STALE"], ["STALE", "RECONNECTING"], ["STALE", "RECONNECTING", end]]
        assert found.venue.talks[0].received[2:] == [{"unsub": ["q:BTC/USD"]}, {"sub": ["q:BTC/USD"]}]
        assert len(found.venue.talks) == 2
        assert short(lively.events[-1]) == "2!"


@pytest.mark.parametrize("later", [0.0, 0.4])
async def test_a_connection_that_answers_pings_and_brings_nothing_is_opened_anew_for_all_its_channels_at_once(later):
    async with world(quiet) as found:
        one, two, three = listener("q", silence=SILENCE), listener("q", ETH, silence=SILENCE), listener("t")
        found.join(one, two, three)
        talk = await found.venue.talk(0)
        await talk.send({"q": "BTC/USD", "p": 1}, {"q": "ETH/USD", "p": 1}, {"ok": "t:BTC/USD"})
        await two.wait(1)
        await found.clock.turn(later)
        await talk.send({"q": "ETH/USD", "p": 1})
        await two.wait(2)

        await minute(found, talk)
        again = await found.venue.talk(1)
        await again.send({"q": "BTC/USD", "p": 2}, {"q": "ETH/USD", "p": 2}, {"ok": "t:BTC/USD"})

        assert await one.wait(5) == ["1!", "STALE", "RECONNECTING", "FRESH_AGAIN", "2!"]
        assert (await two.wait(6))[2:] == ["STALE", "RECONNECTING", "FRESH_AGAIN", "2!"]
        assert await three.wait(2) == ["RECONNECTING", "FRESH_AGAIN"]


async def test_after_silence_a_confirmed_subscription_is_not_fresh_again_until_a_value_comes():
    async with world(quiet) as found:
        answers = Answers((traded(0), traded(30)))
        first = listener("t", ask=answers)
        found.join(first)
        talk = await found.venue.talk(0)
        await found.clock.turn(1)
        await talk.send({"t": "BTC/USD", "id": 1, "at": 1795176000, "p": 1})
        await first.wait(1)
        await minute(found, talk)
        again = await found.venue.talk(1)
        later = listener("t", resumed=True)
        found.connection.leave(first.place)
        found.join(later)

        await again.send({"ok": "t:BTC/USD"})
        await found.clock.turn(5)
        assert later.events == []
        await again.send({"t": "BTC/USD", "id": 2, "at": 1795176100, "p": 1})

        assert await later.wait(2) == ["FRESH_AGAIN", "1"]


async def test_a_channel_that_came_ten_times_a_second_is_not_waited_for_as_long_as_others():
    async with world(quiet) as found:
        only = listener("q", silence=SILENCE)
        found.join(only)
        talk = await found.venue.talk(0)
        for number in range(305):
            await talk.send({"q": "BTC/USD", "p": number})
            await only.wait(number + 1)
            await found.clock.turn(0.2)

        await found.clock.turn(9)
        assert len(only.events) == 305
        await found.clock.turn(3)

        assert (await only.wait(307))[305:] == ["STALE", "RECONNECTING"]
        assert only.events[305].message == "tape: nothing came for 10 s; asking for it again."  # type: ignore[union-attr]
