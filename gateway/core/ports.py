"""Protocols between the core, the edge and plugins, so that none imports another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gateway.core.analysis.port import Computing as Computing
from gateway.core.analysis.port import Flows as Flows
from gateway.core.analysis.port import HedgeAsk as HedgeAsk
from gateway.core.analysis.port import HedgeOffer as HedgeOffer
from gateway.core.analysis.port import HedgeOffers as HedgeOffers
from gateway.core.analysis.port import Hedges as Hedges
from gateway.core.analysis.port import HedgeWith as HedgeWith
from gateway.core.analysis.port import Holdings as Holdings
from gateway.core.analysis.port import JobKind as JobKind
from gateway.core.analysis.port import JobKinds as JobKinds
from gateway.core.analysis.port import Jobs as Jobs
from gateway.core.analysis.port import Late as Late
from gateway.core.analysis.port import Missing as Missing
from gateway.core.analysis.port import Panel as Panel
from gateway.core.analysis.port import PanelAsk as PanelAsk
from gateway.core.analysis.port import Panels as Panels
from gateway.core.analysis.port import Portfolios as Portfolios
from gateway.core.analysis.port import Position as Position
from gateway.core.analysis.port import Progress as Progress
from gateway.core.archive.port import Archive as Archive
from gateway.core.backstage import Backstage as Backstage
from gateway.core.computing.fairqueue import FairQueue as FairQueue
from gateway.core.egress.port import AddressNotAllowed as AddressNotAllowed
from gateway.core.egress.port import BadHeader as BadHeader
from gateway.core.egress.port import BadUrl as BadUrl
from gateway.core.egress.port import Egress as Egress
from gateway.core.egress.port import EgressRefused as EgressRefused
from gateway.core.egress.port import Posted as Posted
from gateway.core.identity import PlanLimits, Principal, Role
from gateway.core.outbox.port import Endpoints as Endpoints
from gateway.core.outbox.port import Entry as Entry
from gateway.core.outbox.port import EventPrinter as EventPrinter
from gateway.core.outbox.port import Interests as Interests
from gateway.core.outbox.port import Marked as Marked
from gateway.core.outbox.port import Outbox as Outbox
from gateway.core.preferences import NO_PREFERENCE
from gateway.core.preferences import Preference as Preference
from gateway.core.preferences import Preferences as Preferences
from gateway.core.store import Tx
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CandleSeries
from schema.words.instruments import Instrument
from schema.words.intervals import Interval
from schema.words.quotes import Quote
from schema.words.registry import ProviderInfo
from schema.words.routes import RouteInput
from schema.words.usage import Limit, UsageBy, UsageLine
from schema.words.venues import MarketState, SessionPhase, TradingHours, TradingSession, Turns, VenueHoliday

if TYPE_CHECKING:
    from sqlalchemy import Select

    from gateway.core.contract import Context

NOTHING: Mapping[str, Collection[str]] = MappingProxyType({})


class Calendars(Protocol):
    """When instruments trade. A crypto pair never closes; calendars load at the first use."""

    def time_zone(self, instrument: InstrumentId) -> str:
        """IANA name of its venue's zone; UTC for what never closes."""

    async def state(self, instrument: InstrumentId, at: datetime) -> MarketState:
        """Whether it trades at an instant; UNKNOWN without a calendar."""

    def trading(self, instrument: InstrumentId, at: datetime) -> bool:
        """Whether it is known to trade; False as long as its calendar has not been read, which then begins."""

    async def prepare(self, instruments: Iterable[InstrumentId], at: datetime) -> None:
        """Read what `newest` needs."""

    def newest(self, instrument: InstrumentId, at: datetime) -> datetime | None:
        """See `gateway.core.stamping.Newest`; None as long as the calendar has not been read."""

    async def sessions(
        self, instrument: InstrumentId, start: date, end: date, hours: TradingHours
    ) -> Sequence[TradingSession] | None:
        """Sessions with dates in `[start, end)`; None for what never closes or has no calendar."""

    async def venue_state(self, mic: str, at: datetime) -> MarketState:
        """Whether a venue trades at an instant."""

    async def venue_sessions(self, mic: str, start: date, end: date) -> Sequence[TradingSession]:
        """A venue's regular sessions with dates in `[start, end)`; none without a calendar."""

    async def venue_phases(self, mic: str, start: date, end: date) -> Sequence[SessionPhase]:
        """Those sessions in parts, ascending: before the market, regular trading without its break, after it."""

    async def venue_holidays(self, mic: str, start: date, end: date) -> Sequence[VenueHoliday]:
        """Days in `[start, end)` on which a venue keeps closed out of turn or closes early; none without a calendar."""

    async def venue_turns(self, mic: str, at: datetime) -> Turns:
        """When its regular trading begins and ends next; a break at noon counts as an end."""

    async def venue_zone(self, mic: str) -> str | None:
        """IANA name of a venue's zone; None without a calendar."""


class Desk(Protocol):
    """What the words' nested fields, and other plugins, ask of the market plugin."""

    def instrument(self, symbol: str, asset_class: AssetClass | None = None) -> InstrumentId:
        """Read a symbol; UnknownSymbol or AmbiguousInstrument say the way out. One that is a security's number is not
        read here."""

    async def find(self, context: Context, symbol: str, asset_class: AssetClass | None = None) -> InstrumentId:
        """Read a symbol; where it is a security's number, ask whose. NoAnswer where nobody says."""

    def describe(
        self, context: Context, instrument: InstrumentId, selected: frozenset[str]
    ) -> Instrument | Awaitable[Instrument]:
        """An instrument with as much reference data as the selected fields need."""

    async def quote(
        self, context: Context, instrument: InstrumentId, route: RouteInput | None, convert_to: str | None
    ) -> Quote | None:
        """Joined with the other asks of the operation into one batch."""

    async def candles(
        self,
        context: Context,
        instrument: InstrumentId,
        interval: Interval,
        start: datetime | None,
        end: datetime | None,
        last: int | None,
    ) -> CandleSeries | None:
        """A price series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A complete HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Unreachable(Exception):
    """No answer, one too late or too large; the message holds no secret."""


class OutboundHttp(Protocol):
    """Requests to addresses that the operator has configured: bounded in time and size, no redirects, no cookies.

    Addresses that users give are never asked through this, but through `Egress`.
    """

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Received:
        """Raises Unreachable."""

    async def post_form(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None
    ) -> Received:
        """Raises Unreachable."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | None = None,
    ) -> Received:
        """One exchange, sent once and never again; *within* so many seconds in place of the usual time-out.

        An escape in the URL that need not be one may be sent as the character itself: sign what has none.

        Raises Unreachable, which leaves open whether the other side has carried it out.
        """

    async def close(self) -> None:
        """Let go of connections."""


# --- Accounts, plans, usage -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a request shows of its sender, before anything of it is believed."""

    authorization: str | None = None
    """The `Authorization` header, or the same text from `connection_init`."""
    api_key: str | None = None
    """The `X-API-Key` header."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """The gateway's own cookies by their names; one that came twice with two values is left out."""
    csrf: str | None = None
    """The `X-CSRF-Token` header."""
    origin: str | None = None
    """The `Origin` header: set by browsers only."""
    same_origin: bool = True
    """Whether the origin is the gateway's own page, or there is none."""
    client_ip: str | None = None
    transport: str = "http"
    """`http` or `websocket`. A socket has no header for each mutation: what stands in for the CSRF header there is that
    its handshake came from the gateway's own page (`same_origin`)."""
    mark: bytes | None = field(default=None, init=False, repr=False, compare=False)
    """What stands for its credential in the authenticator's memory, once that is worked out: it follows from the text
    alone, and whether the credential is good is asked anew each time."""

    def marked(self, mark: bytes) -> bytes:
        """Keep the mark for when the same is shown again."""
        object.__setattr__(self, "mark", mark)
        return mark


class Authenticator(Protocol):
    """Who a request comes from. Verified credentials are held in memory, bounded, for at most ten seconds."""

    async def authenticate(self, presented: Presented) -> Principal:
        """The caller; ANONYMOUS's like where nothing is presented. Raises Unauthenticated, CredentialNotAllowed,
        TenantSuspended."""

    def recognise(self, presented: Presented) -> Principal | None:
        """`authenticate` at once, where what is presented is held in memory and good; None where it must be asked."""

    def check_csrf(self, principal: Principal, presented: Presented) -> None:
        """Before a mutation by cookie; raises CsrfFailed."""

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """Call *closed* with a reason when the credential is revoked, its tenant suspended, or it expires; the answer
        ends the watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One line of the audit trail. Never holds a secret: `before` and `after` are what a reader may see."""

    tenant: str
    """Empty for acts outside every tenant: an operator's, or of a person who has no organisation yet."""
    action: str
    """Object and verb, such as `apikey.revoked`."""
    actor: str
    actor_kind: str
    target: str
    """Id of what was changed."""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    client_ip: str | None = None
    request_id: str | None = None


class Audit(Protocol):
    """The audit trail."""

    async def record(self, tx: Tx, act: Act) -> None:
        """Write a line in the transaction of the act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message of plain text."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """The outbox of mails: sent after the commit, tried again until it works."""

    async def send(self, tx: Tx, mail: Mail) -> None:
        """Put a mail into the outbox, in the transaction that wants it."""


class MailFailed(Exception):
    """A mail that was not taken; `for_good` where to try again would not help. The message holds nothing secret."""

    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good


class MailTransport(Protocol):
    """The way to a mail server; served where one is set."""

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        """Hand one mail over; raises MailFailed. The same id again is the same mail again."""


class Plans(Protocol):
    """What plans allow."""

    async def limits_of(self, tenant: str, plan: str) -> PlanLimits:
        """The limits of a tenant on a plan; held in memory for a few seconds."""

    async def exists(self, tx: Tx, plan: str) -> bool:
        """Whether there is such a plan."""

    def anonymous(self) -> PlanLimits:
        """Of callers without a credential, together from one address."""


class Spent(NamedTuple):
    """One operation as the meter sees it."""

    principal: Principal
    at: datetime
    fields: Mapping[str, int]
    """Points by root field."""
    points: int
    upstream_calls: Mapping[str, int]
    """Calls by provider."""
    hits: Mapping[str, int]
    """Reads answered from the cache, by provider."""
    failed: bool


class Usage(Protocol):
    """The meter: counts in memory, written as hourly rollups."""

    def note(self, spent: Spent) -> None:
        """Count an operation; never waits."""

    def known_to_date(self, tenant: str) -> int | None:
        """`month_to_date` at once, where it is in memory; None where it must be read."""

    async def month_to_date(self, tenant: str) -> int:
        """Points since the first of the month (UTC), with what is not written yet."""

    async def lines(self, tenant: str, start: datetime, end: datetime, by: UsageBy) -> list[UsageLine]:
        """Usage in [start, end), whole hours."""


class Purse(Protocol):
    """What access tokens may spend in their lives."""

    async def spend(self, token_id: str, points: int) -> bool:
        """Take points from a token that has a limit; false where it has too few left, and then nothing is taken."""


class Allowances(Protocol):
    """What is left of a caller's limits; the edge charges them."""

    async def remaining(self, principal: Principal) -> list[Limit]:
        """Each limit with what is left of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A tenant as other plugins may see it."""

    id: str
    name: str
    plan: str
    status: str
    """`active`, `suspended` or `deleting`."""
    created_at: datetime


class Organisations(Protocol):
    """The tenants, for plugins that act on all of them: billing, operators."""

    async def find(self, tx: Tx, tenant: str) -> Organisation | None:
        """One tenant."""

    async def all(self, tx: Tx) -> list[Organisation]:
        """All tenants, by id."""

    async def closed(self, tx: Tx) -> frozenset[str]:
        """Tenants for which nothing is done: suspended ones, and those that wait to be erased."""

    def closed_ids(self) -> Select[tuple[str]]:
        """The same, to stand in another query: they may be more than a driver takes one by one."""

    async def includes(self, tx: Tx, tenant: str, user_id: str) -> bool:
        """Whether somebody is a member of a tenant."""

    async def role_of(self, tx: Tx, tenant: str, user_id: str) -> Role | None:
        """What a member of a tenant is there; None for nobody of it."""

    async def acting(self, tx: Tx, tenant: str, actor: str) -> Principal | None:
        """What a member, an API key or an access token may do now, by the id that acts are recorded under: for what
        goes on without them. A key that was rotated may what its successor may; None once nothing of it is good."""

    async def keepers(self, tx: Tx, tenant: str) -> list[str]:
        """Mail addresses of the people who look after a tenant: its owners and admins."""


class ProviderKeys(Protocol):
    """Keys that tenants have of their own with providers."""

    def held(self, tenant: str) -> Mapping[str, Mapping[str, str]] | None:
        """What `of` would answer, where it is in memory; None where it must be read."""

    async def of(self, tenant: str) -> Mapping[str, Mapping[str, str]]:
        """Parts by provider id, decrypted; held in memory for at most ten seconds, dropped at once by a change."""


class TradingKeys(Protocol):
    """Keys that organisations may set beside those with providers: with brokers. They bring no data and are no data
    key's substitute, so that a key that was given for prices never trades."""

    def parts(self) -> Mapping[str, Collection[str]]:
        """Names of the parts, all of them needed, by the id that a key is set under."""


class Providers(Protocol):
    """The registry as its users see it."""

    def all(
        self,
        caller: Principal | None = None,
        own: Mapping[str, Collection[str]] = NOTHING,
        wish: Preference = NO_PREFERENCE,
    ) -> list[ProviderInfo]:
        """In order of routing, as a caller sees them who has these parts of keys of its own, and this preference."""

    def find(
        self,
        provider: str,
        caller: Principal | None = None,
        own: Mapping[str, Collection[str]] = NOTHING,
        wish: Preference = NO_PREFERENCE,
    ) -> ProviderInfo | None:
        """One of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOrder:
    """A breaker to be opened, or reset, once in every process."""

    id: str
    provider: str
    capability: str
    trip: bool
    reason: str


class CacheDesk(Protocol):
    """The operator's hand on cached answers, for all processes."""

    async def drop(self, provider: str, capability: str | None, symbol: str | None) -> None:
        """Serve no copy of a provider's answers any more, or of those of one capability, or about one instrument."""


class Switchboard(Protocol):
    """The operator's hand on providers, for all processes."""

    async def check(self, provider: str, capability: str | None = None) -> None:
        """Raise UnknownProvider or BadInput where there is no such provider or capability."""

    async def apply(self, provider: str, state: str, reason: str | None) -> None:
        """`ready`, `paused` or `disabled`, here and in all other processes."""

    async def follow(self, read: Callable[[], Awaitable[Mapping[str, tuple[str, str | None]]]]) -> None:
        """Switch in this process exactly what is read: state and reason by provider."""

    async def breaker(self, order: BreakerOrder) -> None:
        """Open or reset a breaker, here and in all other processes."""

    async def follow_breakers(self, read: Callable[[], Awaitable[Sequence[BreakerOrder]]]) -> None:
        """Carry out, in order, what is read and was not carried out here yet; what the first reading finds is past."""
