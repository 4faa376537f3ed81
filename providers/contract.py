"""What a provider is: a profile of facts, an injected HTTP port and clock, and declared answers to capabilities."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from providers.row import Row
from schema.capability import Capability
from schema.errors import UpstreamError
from schema.provenance import DataMode, FeedDelay
from schema.symbols import AssetClass
from schema.words.intervals import Interval

if TYPE_CHECKING:
    from providers.feeds import Stream

CONTRACT = 1
"""The number of this contract; it grows when an author has to change something."""

MARGIN = 0.05
"""The part of each of an upstream's limits that is left unused, where its profile says nothing else."""

A = TypeVar("A")
P = TypeVar("P", bound="Provider")
Method = Callable[[P, A], "Awaitable[Any] | AsyncIterator[Any]"]
Params = Mapping[str, "str | int"]


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished HTTP exchange, before anybody decided what it means."""

    status: int
    headers: Mapping[str, str]
    body: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a reply that comes in parts: an event with its name, a line, or an item of an array."""

    event: str
    body: Row


class Http(Protocol):
    """The only way out. Deadline, key, breaker, quota, cache and span live behind it.

    `path` is joined to the profile's `base_url`; `host` picks another one of `Profile.hosts` by name.
    Parameters are sent in the order given; `body` is sent as JSON. Answers are `Row`s with exact decimals.
    """

    async def get(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A JSON body."""

    async def get_csv(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A CSV body with a header line: a list of objects whose values are texts."""

    async def get_xml(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """An XML body: see `Row.xml`."""

    async def get_text(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A body of another format, as one text: `Row.text` reads it."""

    async def post(self, path: str, body: object, params: Params | None = None, *, host: str = "") -> Row:
        """A JSON body in answer to a JSON body (a Decimal in it is sent as a number)."""

    def stream(self, path: str, body: object, params: Params | None = None, *, host: str = "") -> AsyncGenerator[Part]:
        """The parts of an answer to a JSON body, as they come: server-sent events, lines of JSON, items of an array.

        It ends with the body, or with `[DONE]`. `Provider.explain` is asked about each part: an error in mid-stream
        is raised. Sent once, never again.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One named part of a key and where it goes; `place` is `header`, `query` or `path`.

    `template` frames the value: `"Bearer {}"`. A provider with an optional credential works without.
    """

    name: str
    place: str
    key: str
    template: str = "{}"
    required: bool = True
    sign_up: str | None = None


def header(
    key: str, *, name: str = "key", template: str = "{}", required: bool = True, sign_up: str | None = None
) -> Credential:
    """A credential that goes into a request header."""
    return Credential(name=name, place="header", key=key, template=template, required=required, sign_up=sign_up)


def query(key: str, *, name: str = "key", required: bool = True, sign_up: str | None = None) -> Credential:
    """A credential that goes into the query string: only where the provider takes it nowhere else."""
    return Credential(name=name, place="query", key=key, required=required, sign_up=sign_up)


def in_path(*, name: str = "key", required: bool = True, sign_up: str | None = None) -> Credential:
    """A credential that stands in the address: where a base URL or a path says `{name}`, it is put in as it is sent."""
    return Credential(name=name, place="path", key=name, required=required, sign_up=sign_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An upstream's own limit: so many `unit`s in a window."""

    count: int
    per: timedelta
    unit: str = "requests"


def per_second(count: int, unit: str = "requests") -> Limit:
    """A limit over one second."""
    return Limit(count=count, per=timedelta(seconds=1), unit=unit)


def per_minute(count: int, unit: str = "requests") -> Limit:
    """A limit over one minute."""
    return Limit(count=count, per=timedelta(minutes=1), unit=unit)


def per_day(count: int, unit: str = "requests") -> Limit:
    """A limit over one day."""
    return Limit(count=count, per=timedelta(days=1), unit=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A reply header that says how much of a limit is used, or what remains of it: it may only tighten our own count.

    `limit` is one of `Profile.limits` by its window and unit: a header over another window says nothing.
    """

    header: str
    limit: Limit
    remaining: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What may be done with the data. `shareable`: may an answer fetched for one tenant serve another."""

    note: str
    attribution: str | None = None
    cacheable: bool = True
    shareable: bool = True
    redistributable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What a paid plan changes: another base URL, other credentials, other limits. None: as in the profile."""

    base_url: str | None = None
    credentials: tuple[Credential, ...] | None = None
    limits: tuple[Limit, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Facts about an upstream that routing, limits and docs need; nothing executable.

    `base_url` has no trailing slash. `hosts` are further base URLs by name. `priority` orders routing, lowest first
    (10 one of the deepest exchanges, 20 another exchange, 30 an official source, 50 an aggregator, 70 an unofficial
    one).
    `tiers` are plans other than the default one, by name; MARKETGATE_TIER_<ID> chooses.
    `usage` are reply headers about those limits. `margin` is the part of each limit that is left unused (a limit of 1
    stays 1); processes that lost sight of each other live on it. `headers` are sent with every request. `mode` is LIVE
    but for the simulated exchange.
    `cost_per_call` is what a call costs the platform, in US dollars; MARKETGATE_PROVIDER_COSTS has it from a contract.
    """

    id: str
    name: str
    base_url: str
    docs: str
    asset_classes: tuple[AssetClass, ...]
    licence: Licence
    hosts: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[Credential, ...] = ()
    limits: tuple[Limit, ...] = ()
    usage: tuple[Usage, ...] = ()
    margin: float = MARGIN
    headers: Mapping[str, str] = field(default_factory=dict)
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    delay: FeedDelay = FeedDelay.REALTIME
    delay_seconds: int | None = None
    mode: DataMode = DataMode.LIVE
    priority: int = 50
    cost_per_call: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one method declares: which capability, what it covers, and the facts that the core needs to plan calls.

    `max_batch` items a call; `max_rows` candles a call; `intervals` of candles; `reach` says how far back a
    series goes for an interval (None: as far as asked); `since` is the first day of any history.
    `delay` overrides the profile's, `fresh_for` the capability's window (a daily
    fixing need not be asked again every two seconds). `weight` is the cost of a call in the upstream's own units,
    or a function of the ask where it depends on that.
    """

    capability: Capability[Any, Any]
    method: str
    covers: Callable[[Any], bool]
    max_batch: int | None = None
    max_rows: int | None = None
    intervals: tuple[Interval, ...] = ()
    reach: Callable[[Interval], timedelta | None] | None = None
    since: date | None = None
    delay: FeedDelay | None = None
    delay_seconds: int | None = None
    fresh_for: timedelta | None = None
    weight: int | Callable[[Any], int] = 1

    def units(self, ask: Any) -> int:
        """What a call with this ask costs."""
        return self.weight if isinstance(self.weight, int) else self.weight(ask)


def _everything(_: Any) -> bool:
    return True


def answers(
    capability: Capability[A, Any],
    *,
    covers: Callable[[A], bool] = _everything,
    max_batch: int | None = None,
    max_rows: int | None = None,
    intervals: tuple[Interval, ...] = (),
    reach: Callable[[Interval], timedelta | None] | None = None,
    since: date | None = None,
    delay: FeedDelay | None = None,
    delay_seconds: int | None = None,
    fresh_for: timedelta | None = None,
    weight: int | Callable[[A], int] = 1,
) -> Callable[[Method[P, A]], Callable[[P, A], Any]]:
    """Declare that a method answers *capability*; `covers` is asked with an ask of one item.

    The method is a coroutine; of a capability whose answers come in parts an async generator.
    """

    def mark(method: Method[P, A]) -> Callable[[P, A], Any]:
        vars(method)["__answer__"] = Answer(
            capability=capability, method=method.__name__, covers=covers, max_batch=max_batch, max_rows=max_rows,
            intervals=intervals, reach=reach, since=since, delay=delay, delay_seconds=delay_seconds,
            fresh_for=fresh_for, weight=weight,
        )  # fmt: skip
        return method

    return mark


class Provider:
    """Base of every adapter: a subclass adds a profile and decorated methods."""

    profile: ClassVar[Profile]
    offers: ClassVar[Mapping[str, Answer]] = {}
    streams: ClassVar[Mapping[str, Stream]] = {}
    """What the provider's live feeds have, by capability: see `providers.feeds.streams`."""
    stateless: ClassVar[bool] = True
    """Whether what follows a large answer may run in another thread: not where anything is kept, such as a lock."""

    def __init_subclass__(cls) -> None:
        members = vars(cls).values()
        marks = (getattr(member, "__answer__", None) for member in members)
        cls.offers = {**cls.offers, **{mark.capability.name: mark for mark in marks if mark}}
        live = (getattr(member, "__stream__", None) for member in members)
        cls.streams = {**cls.streams, **{mark.capability.name: mark for mark in live if mark}}

    def __init__(self, http: Http, clock: Clock) -> None:
        self.http, self.clock = http, clock

    def explain(self, reply: Reply) -> UpstreamError | None:
        """What a reply means that is not data, in the provider's own error wording.

        Called for every reply, whatever its status, with its JSON, its first 4,096 characters where it is none, and
        with each part of a stream. None: the status decides (401 and 403 Unauthorized, 404
        UnknownInstrument, 408 Timeout, 418 and 429 Throttled with Retry-After, other 4xx NotCovered, 5xx Overloaded).
        """
        return None
