"""SEC EDGAR: filings, statements with the day on which they became known, profiles and CIKs of US filers.

Docs: https://www.sec.gov/search-filings/edgar-application-programming-interfaces. Without a key, but every request
has to say who sends it: the credential is a name and an e-mail address of whoever runs the gateway. Companies are
addressed by their CIK; tickers lead to it by a list of all of them. `equity:CIK0000320193@sec_edgar` names a filer
that has no ticker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from providers.contract import Licence, Profile, Provider, Reply, answers, header, per_second
from providers.equities._companies import maybe_day
from providers.equities._edgar_facts import parse_facts
from providers.equities._listed import Spelling
from providers.row import Row
from schema.errors import Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.companies import (
    COMPANY_PROFILE,
    FILINGS,
    IDENTIFIERS,
    CompanyProfile,
    CompanyProfileAsk,
    Filing,
    FilingsAsk,
    IdentifierMapping,
    IdentifiersAsk,
    IdScheme,
)
from schema.words.fundamentals import FUNDAMENTALS, Fundamentals, FundamentalsAsk, ReportPeriod, Statement

SPELLING = Spelling(mark="-")
WWW = "www"
# What the authority wants to read: a name and an e-mail address.
CONTACT = "https://www.sec.gov/about/webmaster-frequently-asked-questions#developers"
ARCHIVE = "https://www.sec.gov/Archives/edgar/data"
TICKERS = "/files/company_tickers.json"
# A client that is too fast is locked out for so long.
LOCKOUT = 600
# EDGAR's codes of the states are those of the post, and mean other countries elsewhere: DE is Delaware.
STATES = frozenset({
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
    "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC",
    "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
})  # fmt: skip
_CIK = re.compile(r"CIK([0-9]{10})")
_DIGITS = re.compile(r"[0-9]{1,10}")


def known(instrument: InstrumentId) -> bool:
    """A US listing by its ticker, or any filer by its CIK."""
    return own_cik(instrument) is not None or SPELLING.symbol_of(instrument) is not None


def own_cik(instrument: InstrumentId) -> str | None:
    """The ten digits of `equity:CIK0000320193@sec_edgar`."""
    named = _CIK.fullmatch(instrument.base)
    ours = instrument.asset_class is AssetClass.EQUITY and instrument.is_spot and instrument.venue == "sec_edgar"
    return named[1] if named and ours else None


def reported(ask: FundamentalsAsk) -> bool:
    """Cash flows of a quarter are filed as those since the year began, and nothing here is worked out."""
    if ask.period is ReportPeriod.TRAILING:
        return False
    return known(ask.instrument) and (ask.period, ask.statement) != (ReportPeriod.QUARTERLY, Statement.CASH_FLOW)


def mapped(ask: IdentifiersAsk) -> bool:
    """The list has tickers and CIKs, and does not tell the exchange."""
    if ask.scheme is IdScheme.CIK:
        return _DIGITS.fullmatch(ask.text) is not None
    return ask.scheme is IdScheme.TICKER and not ask.mic


class SecEdgar(Provider):
    """The authority itself: what it says was filed, was."""

    profile = Profile(
        id="sec_edgar",
        name="SEC EDGAR",
        base_url="https://data.sec.gov",
        hosts={WWW: "https://www.sec.gov"},
        docs="https://www.sec.gov/search-filings/edgar-application-programming-interfaces",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(
            note="Public information, free to copy and redistribute; every request names who sends it.",
            attribution="Source: U.S. Securities and Exchange Commission, EDGAR",
            redistributable=True,
        ),
        credentials=(header("user-agent", name="contact", template="marketgate {}", sign_up=CONTACT),),
        limits=(per_second(10),),
        delay=FeedDelay.REALTIME,
        priority=30,
    )

    @answers(IDENTIFIERS, covers=mapped)
    async def identifiers(self, ask: IdentifiersAsk) -> tuple[IdentifierMapping, ...]:
        """All tickers of a filer, or the filer of a ticker."""
        found = parse_identifiers(ask, await self.http.get(TICKERS, host=WWW))
        if not found:
            raise UnknownInstrument(self.profile.id, f"lists no {ask.scheme} {ask.text[:20]!r}")
        return found

    @answers(COMPANY_PROFILE, covers=lambda ask: known(ask.instrument))
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """The head of a filer's list."""
        cik = await self._cik(ask.instrument)
        return parse_profile(ask.instrument, await self.http.get(f"/submissions/CIK{cik}.json"))

    @answers(FILINGS, covers=lambda ask: known(ask.instrument))
    async def filings(self, ask: FilingsAsk) -> tuple[Filing, ...]:
        """The newest thousand come at once; older ones in parts, as far as the ask goes back."""
        head = await self.http.get(f"/submissions/CIK{await self._cik(ask.instrument)}.json")
        found = list(parse_filings(ask, head, head["filings"]["recent"]))
        for part in older_parts(ask, head["filings"]["files"]):
            if len(found) >= ask.limit:
                break
            found += parse_filings(ask, head, await self.http.get(f"/submissions/{part}"))
        return newest(found, ask.limit)

    @answers(FUNDAMENTALS, covers=reported, since=date(2009, 6, 15))
    async def fundamentals(self, ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        """From every fact that a company ever tagged: a few megabytes."""
        cik = await self._cik(ask.instrument)
        return parse_facts(ask, await self.http.get(f"/api/xbrl/companyfacts/CIK{cik}.json"))

    async def _cik(self, instrument: InstrumentId) -> str:
        named = own_cik(instrument)
        if named is not None:
            return named
        ticker = SPELLING.symbol_of(instrument) or ""
        cik = parse_cik(ticker, await self.http.get(TICKERS, host=WWW))
        if cik is None:
            raise UnknownInstrument(self.profile.id, f"no filer has the ticker {ticker}")
        return cik

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Pages in place of data; some come with status 200."""
        text = reply.body.value
        if not isinstance(text, str):
            return None
        if "Request Rate Threshold Exceeded" in text:
            return Throttled(self.profile.id, "more than ten requests a second", retry_after=LOCKOUT)
        if "Undeclared Automated Tool" in text:
            return Unauthorized(self.profile.id, "the contact does not name anybody: a name and an e-mail address")
        if "NoSuchKey" in text:
            return UnknownInstrument(self.profile.id, "has nothing of this filer")
        return None


def ten_digits(row: Row, key: str) -> str:
    """A CIK, which is written as a number or as a text."""
    cik = row.label(key)
    if not _DIGITS.fullmatch(cik):
        row[key].broken("is not a CIK")
    return cik.zfill(10)


def parse_cik(ticker: str, body: Row) -> str | None:
    """`{"0": {"cik_str", "ticker", "title"}, …}`: the filer of a ticker."""
    row = next((row for _, row in body.items() if row.text("ticker") == ticker), None)
    return None if row is None else ten_digits(row, "cik_str")


def parse_identifiers(ask: IdentifiersAsk, body: Row) -> tuple[IdentifierMapping, ...]:
    """The rows that have the ticker or the CIK."""
    wanted = ask.text.replace(".", "-") if ask.scheme is IdScheme.TICKER else ask.text.zfill(10)
    found = []
    for _, row in body.items():
        ticker, cik = row.text("ticker"), ten_digits(row, "cik_str")
        if wanted != (ticker if ask.scheme is IdScheme.TICKER else cik):
            continue
        instrument = SPELLING.instrument_of(ticker)
        symbol = None if instrument is None else str(instrument)
        found.append(IdentifierMapping(ticker=ticker, name=row.maybe_text("title"), symbol=symbol, cik=cik))
    return tuple(found)


def parse_profile(instrument: InstrumentId, body: Row) -> CompanyProfile:
    """Facts about a filer; its exchanges stand in the order of its tickers."""
    year_end, seat = body.maybe_text("fiscalYearEnd"), body["addresses"]["business"]
    listed = dict(zip(texts(body["tickers"]), texts(body["exchanges"]), strict=False))
    symbol = SPELLING.symbol_of(instrument)
    exchange = next(iter(listed.values()), None) if symbol is None else listed.get(symbol)
    return CompanyProfile(
        instrument=instrument,
        name=body.text("name"),
        description=body.maybe_text("description"),
        industry=body.maybe_text("sicDescription"),
        country="US" if seat.maybe_text("stateOrCountry") in STATES else None,
        exchange=exchange,
        website=body.maybe_text("website"),
        fiscal_year_end=f"{year_end[:2]}-{year_end[2:]}" if year_end and len(year_end) == 4 else None,
        cik=ten_digits(body, "cik"),
        lei=body.maybe_text("lei"),
    )


def texts(rows: Row) -> list[str | None]:
    """A list of texts, some of which may be null."""
    return [None if row.value is None else row.text() for row in rows]


def older_parts(ask: FilingsAsk, files: Row) -> Iterator[str]:
    """The names of further lists that reach into the ask's range, newest first."""
    for file in files:
        first, last = file.day("filingFrom"), file.day("filingTo")
        if (ask.start is None or last >= ask.start) and (ask.end is None or first < ask.end):
            yield file.text("name")


def parse_filings(ask: FilingsAsk, head: Row, columns: Row) -> Iterator[Filing]:
    """Columns of equal length, one for each fact of a filing."""
    company, cik = head.text("name"), ten_digits(head, "cik")
    for index, number in enumerate(columns["accessionNumber"]):
        form, day = columns["form"][index].text(), columns["filingDate"][index].day()
        inside = (ask.start is None or day >= ask.start) and (ask.end is None or day < ask.end)
        if not inside or (ask.forms and form not in ask.forms):
            continue
        document = columns["primaryDocument"].maybe_text(index)
        folder = f"{ARCHIVE}/{int(cik)}/{number.text().replace('-', '')}"
        yield Filing(
            id=number.text(),
            form=form,
            # The day is that of the business; after 17:30 in New York it is the next one.
            filed_at=columns["acceptanceDateTime"][index].instant(),
            period_end=maybe_day(columns["reportDate"], index),
            title=columns["primaryDocDescription"].maybe_text(index),
            url=f"{folder}/{document or number.text() + '-index.htm'}",
            company=company,
            cik=cik,
        )


def newest(filings: Iterable[Filing], limit: int) -> tuple[Filing, ...]:
    """Each once, the newest first."""
    unique = {filing.id: filing for filing in filings}
    return tuple(sorted(unique.values(), key=lambda filing: filing.filed_at, reverse=True)[:limit])
