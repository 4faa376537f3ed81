"""Companies: who they are, what they filed, their identifiers, and what they did with their shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import ascending, in_range, newest_first, not_negative, positive, unique
from schema.model import choices, computed, described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of


@model("Who is behind an instrument.")
class CompanyProfile:
    """Texts are the provider's own; unknown facts are null."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    name: str = described("The name in words.")
    description: str | None = described("What it does.", default=None)
    sector: str | None = described("In the provider's classification.", default=None)
    industry: str | None = described("In the provider's classification.", default=None)
    country: str | None = described("ISO 3166 code of its seat.", default=None)
    currency: str | None = described("Currency of `marketCap`, ISO 4217.", default=None)
    exchange: str | None = described("Main exchange, in the provider's words.", default=None)
    mic: str | None = described("ISO 10383 code of the main exchange.", default=None)
    website: str | None = described("Its own address.", default=None)
    employees: int | None = described("How many work there.", default=None)
    listed_on: dt.date | None = described("First day of trading.", default=None)
    market_cap: Decimal | None = described(
        "Price times shares outstanding, in `currency` (not in millions).", default=None
    )
    shares_outstanding: Decimal | None = described("Shares (not in millions).", default=None)
    fiscal_year_end: str | None = described('Month and day: "09-30".', default=None)
    isin: str | None = described("International Securities Identification Number.", default=None)
    cusip: str | None = described("CUSIP number.", default=None)
    figi: str | None = described("Financial Instrument Global Identifier (composite).", default=None)
    cik: str | None = described("SEC Central Index Key, ten digits.", default=None)
    lei: str | None = described("Legal Entity Identifier.", default=None)
    logo: str | None = described("Address of a picture.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "What it is the profile of.", name="instrument", direct=DESCRIBED)


@choices(
    "What a company did with its shares.",
    SPLIT="Shares were split or, in a reverse split, joined.",
    CASH_DIVIDEND="Cash was paid.",
    SPECIAL_DIVIDEND="Cash was paid out of turn.",
    STOCK_DIVIDEND="Shares were given.",
)
class ActionKind(StrEnum):
    """CASH_DIVIDEND, SPECIAL_DIVIDEND, STOCK_DIVIDEND, SPLIT (also a reverse one)."""

    SPLIT = "SPLIT"
    CASH_DIVIDEND = "CASH_DIVIDEND"
    SPECIAL_DIVIDEND = "SPECIAL_DIVIDEND"
    STOCK_DIVIDEND = "STOCK_DIVIDEND"


@model("A split or a dividend.")
class CorporateAction:
    """A split of 4 for 1 has splitTo 4 and splitFrom 1; a reverse one of 1 for 10 has splitTo 1 and splitFrom 10."""

    kind: ActionKind = described("What was done.")
    ex_date: dt.date = described("First day on which shares trade without it.")
    amount: Decimal | None = described("Dividend for one share, in `currency`, as declared.", default=None)
    adjusted_amount: Decimal | None = described("The same, adjusted for later splits.", default=None)
    currency: str | None = described("Currency of the amounts; never a minor unit.", default=None)
    split_to: Decimal | None = described("New shares for `splitFrom` old ones.", default=None)
    split_from: Decimal | None = described("Old shares.", default=None)
    declared_on: dt.date | None = described("When it was announced.", default=None)
    record_date: dt.date | None = described("Who holds shares then gets it.", default=None)
    paid_on: dt.date | None = described("When it is paid.", default=None)
    frequency: int | None = described("Dividends a year.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("A document that was filed with an authority.")
class Filing:
    """`id` is the authority's own number."""

    as_of: strawberry.Private[datetime | None] = None
    id: str = described("The authority's number, such as an accession number.")
    form: str = described("Form type, such as `10-K`.")
    filed_at: datetime = described("When it was filed; the end of the day (UTC) where only the day is told.")
    period_end: dt.date | None = described("End of the period that it is about.", default=None)
    title: str | None = described("What it is, in words.", default=None)
    url: str | None = described("Where it can be read.", default=None)
    company: str | None = described("Who filed.", default=None)
    cik: str | None = described("SEC Central Index Key, ten digits.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@choices(
    "How an instrument is named.",
    TICKER="The symbol at a venue; a US listing needs no venue.",
    ISIN="International Securities Identification Number.",
    FIGI="Financial Instrument Global Identifier.",
    CUSIP="North American number of a security.",
    SEDOL="British and Irish number of a security.",
    CIK="Number of a filer at the SEC.",
    LEI="Legal Entity Identifier.",
)
class IdScheme(StrEnum):
    """TICKER needs no venue where it is a US listing."""

    TICKER = "TICKER"
    ISIN = "ISIN"
    FIGI = "FIGI"
    CUSIP = "CUSIP"
    SEDOL = "SEDOL"
    CIK = "CIK"
    LEI = "LEI"


@model("One instrument under all its names.")
class IdentifierMapping:
    """What a provider does not tell is null."""

    ticker: str | None = described("The exchange's own symbol.", default=None)
    name: str | None = described("The name in words.", default=None)
    symbol: str | None = described("The gateway's id, such as `equity:AAPL`, where it follows.", default=None)
    mic: str | None = described("ISO 10383 code of the listing.", default=None)
    exchange: str | None = described("The listing, in the provider's own code.", default=None)
    isin: str | None = described("International Securities Identification Number.", default=None)
    figi: str | None = described("Of this listing.", default=None)
    composite_figi: str | None = described("Of all listings in one country.", default=None)
    share_class_figi: str | None = described("Of all listings.", default=None)
    cusip: str | None = described("CUSIP number.", default=None)
    cik: str | None = described("SEC Central Index Key, ten digits.", default=None)
    lei: str | None = described("Legal Entity Identifier.", default=None)
    security_type: str | None = described("In the provider's words.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyProfileAsk:
    """Who is behind an instrument: a company, a fund, or the project of an asset."""

    instrument: InstrumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateActionsAsk:
    """Splits and dividends with ex-dates in `[start, end)`, ascending; without a range all that there are."""

    instrument: InstrumentId
    start: dt.date | None = None
    end: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingsAsk:
    """The newest `limit` filings, newest first, of some forms (none: of all), filed on days in `[start, end)`."""

    instrument: InstrumentId
    forms: tuple[str, ...] = ()
    start: dt.date | None = None
    end: dt.date | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifiersAsk:
    """Every instrument that has this identifier. `mic` narrows a ticker to one listing; empty: the US."""

    scheme: IdScheme
    text: str
    mic: str = ""


def check_profile(ask: CompanyProfileAsk, found: CompanyProfile) -> Iterator[str]:
    """Identifiers of their right length, money with its currency."""
    yield from positive("", market_cap=found.market_cap, shares_outstanding=found.shares_outstanding)
    yield from not_negative("", employees=found.employees)
    if found.market_cap is not None and found.currency is None:
        yield "marketCap without a currency"
    yield from identifiers_wrong(found.isin, found.cik, found.figi)


def identifiers_wrong(isin: str | None, cik: str | None, figi: str | None) -> Iterator[str]:
    """Lengths that each scheme has."""
    for name, value, length in (("isin", isin, 12), ("cik", cik, 10), ("figi", figi, 12)):
        if value is not None and len(value) != length:
            yield f"{name} is {value!r}, not {length} characters"


def check_actions(ask: CorporateActionsAsk, actions: Sequence[CorporateAction]) -> Iterator[str]:
    """Ascending; a split has a ratio, a dividend an amount and its currency."""
    yield from ascending("exDate", [action.ex_date for action in actions])
    yield from in_range("exDate", [action.ex_date for action in actions], ask.start, ask.end)
    for action in actions:
        path = f"{action.ex_date}: "
        yield from positive(path, amount=action.amount, split_to=action.split_to, split_from=action.split_from)
        paid = action.kind in (ActionKind.CASH_DIVIDEND, ActionKind.SPECIAL_DIVIDEND)
        if paid and ((action.amount is None and action.adjusted_amount is None) or action.currency is None):
            yield f"{path}a dividend needs an amount and a currency"
        if action.kind is ActionKind.SPLIT and (action.split_to is None or action.split_from is None):
            yield f"{path}a split needs splitTo and splitFrom"


def check_filings(ask: FilingsAsk, filings: Sequence[Filing]) -> Iterator[str]:
    """Newest first, of the forms that were asked for."""
    yield from newest_first("filedAt", [filing.filed_at for filing in filings])
    yield from unique("ids", [filing.id for filing in filings])
    yield from (f"{f.id} is a {f.form}" for f in filings if ask.forms and f.form not in ask.forms)


def check_identifiers(ask: IdentifiersAsk, found: Sequence[IdentifierMapping]) -> Iterator[str]:
    """Identifiers of their right length."""
    for each in found:
        yield from identifiers_wrong(each.isin, each.cik, each.figi)


COMPANY_PROFILE: Capability[CompanyProfileAsk, CompanyProfile] = Capability(
    name="companyProfile",
    ask=CompanyProfileAsk,
    answer=CompanyProfile,
    description="Who is behind an instrument.",
    fresh_for=timedelta(hours=6),
    revalidate_for=timedelta(hours=18),
    keep_for=timedelta(days=7),
    check=check_profile,
)
CORPORATE_ACTIONS: Capability[CorporateActionsAsk, tuple[CorporateAction, ...]] = Capability(
    name="corporateActions",
    ask=CorporateActionsAsk,
    answer=tuple[CorporateAction, ...],
    description="Splits and dividends.",
    fresh_for=timedelta(hours=1),
    revalidate_for=timedelta(hours=5),
    keep_for=timedelta(days=7),
    check=check_actions,
)
FILINGS: Capability[FilingsAsk, tuple[Filing, ...]] = Capability(
    name="filings",
    ask=FilingsAsk,
    answer=tuple[Filing, ...],
    description="Documents filed with an authority.",
    fresh_for=timedelta(minutes=5),
    revalidate_for=timedelta(minutes=25),
    keep_for=timedelta(days=7),
    check=check_filings,
)
IDENTIFIERS: Capability[IdentifiersAsk, tuple[IdentifierMapping, ...]] = Capability(
    name="identifiers",
    ask=IdentifiersAsk,
    answer=tuple[IdentifierMapping, ...],
    description="An instrument's names under other schemes.",
    fresh_for=timedelta(days=1),
    revalidate_for=timedelta(days=6),
    keep_for=timedelta(days=30),
    check=check_identifiers,
)
