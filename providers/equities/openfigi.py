"""OpenFIGI: what securities are called under other schemes. Docs: https://www.openfigi.com/api/documentation

A job names one identifier, the answer has every listing that it is of. Without a key the limits are lower. Exchanges
have Bloomberg's codes: `US` stands for all of the country, `UW` and `UN` for one of its exchanges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from providers.contract import Licence, Profile, Provider, Reply, Tier, answers, header, per_minute
from providers.equities._listed import Spelling
from providers.row import Row
from schema.errors import NotCovered, Throttled, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId, equity
from schema.words.companies import IDENTIFIERS, IdentifierMapping, IdentifiersAsk, IdScheme
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk

SPELLING = Spelling(mark="/")
SCHEMES = {
    IdScheme.TICKER: "TICKER", IdScheme.ISIN: "ID_ISIN", IdScheme.FIGI: "ID_BB_GLOBAL", IdScheme.CUSIP: "ID_CUSIP",
    IdScheme.SEDOL: "ID_SEDOL",
}  # fmt: skip
LENGTHS = {IdScheme.ISIN: 12, IdScheme.FIGI: 12, IdScheme.CUSIP: 9, IdScheme.SEDOL: 7}
UNITED_STATES = "US"
# Codes of single exchanges whose market identifier is certain.
MICS = {
    "UW": "XNAS", "UQ": "XNAS", "UR": "XNAS", "UN": "XNYS", "UA": "XASE", "UP": "ARCX", "UF": "BATS", "LN": "XLON",
    "GY": "XETR", "GF": "XFRA", "FP": "XPAR", "NA": "XAMS", "BB": "XBRU", "PL": "XLIS", "ID": "XDUB", "SE": "XSWX",
    "IM": "XMIL", "SQ": "XMAD", "AV": "XWBO", "SS": "XSTO", "FH": "XHEL", "DC": "XCSE", "NO": "XOSL", "CT": "XTSE",
    "CV": "XTSX", "HK": "XHKG", "SP": "XSES", "JT": "XTKS", "AT": "XASX", "NZ": "XNZE", "SJ": "XJSE", "PW": "XWAR",
}  # fmt: skip
AMERICAN = frozenset({"XNAS", "XNYS", "XASE", "ARCX", "BATS"})
TYPES = {
    "Common Stock": InstrumentType.STOCK, "Depositary Receipt": InstrumentType.STOCK,
    "Preference": InstrumentType.STOCK, "REIT": InstrumentType.STOCK, "Mutual Fund": InstrumentType.FUND,
}  # fmt: skip
# Written in the place of `securityType`, whose second form calls all funds alike.
FUNDS = {"ETP": InstrumentType.ETF}
_FIGI = re.compile(r"BBG[A-Z0-9]{8}[0-9]")
_ISIN = re.compile(r"(?!BBG)[A-Z]{2}[A-Z0-9]{9}[0-9]")
_TICKER = re.compile(r"[A-Z0-9]+(/[A-Z0-9]+)?")


def mapped(ask: IdentifiersAsk) -> bool:
    """A scheme that is known here, by an identifier of its length; a ticker anywhere by the exchange's MIC."""
    return ask.scheme in SCHEMES and len(ask.text) == LENGTHS.get(ask.scheme, len(ask.text))


def identified(ask: SearchAsk) -> IdentifiersAsk | None:
    """A text that is an identifier by itself."""
    text = ask.text.strip().upper()
    if _FIGI.fullmatch(text):
        return IdentifiersAsk(scheme=IdScheme.FIGI, text=text)
    return IdentifiersAsk(scheme=IdScheme.ISIN, text=text) if _ISIN.fullmatch(text) else None


class OpenFigi(Provider):
    """Identifiers only: no prices."""

    profile = Profile(
        id="openfigi",
        name="OpenFIGI",
        base_url="https://api.openfigi.com/v3",
        docs="https://www.openfigi.com/api/documentation",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(
            note="FIGIs and their descriptions are free to use and redistribute under the MIT licence.",
            attribution="OpenFIGI, Object Management Group",
            redistributable=True,
        ),
        credentials=(header("X-OPENFIGI-APIKEY", required=False, sign_up="https://www.openfigi.com/user/signup"),),
        limits=(per_minute(25),),
        tiers={"key": Tier(limits=(per_minute(250),))},
        delay=FeedDelay.UNKNOWN,
        priority=30,
    )

    @answers(IDENTIFIERS, covers=mapped)
    async def identifiers(self, ask: IdentifiersAsk) -> tuple[IdentifierMapping, ...]:
        """One job."""
        found = parse_mapping(ask, await self.http.post("/mapping", [job_of(ask)]))
        if not found:
            raise UnknownInstrument(self.profile.id, f"finds no {ask.scheme} {ask.text[:20]!r}")
        return found

    # Words could be looked for too, but five times a minute, which would leave nothing for the rest.
    @answers(SEARCH, covers=lambda ask: identified(ask) is not None)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """The listings of an ISIN or a FIGI that stands alone as the text."""
        meant = identified(ask)
        if meant is None:
            return ()
        return parse_listings(meant, await self.http.post("/mapping", [job_of(meant)]))[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals of a job come with status 200, in the place of its data."""
        reset = reply.headers.get("ratelimit-reset", "")
        if reply.status == 429 and "retry-after" not in reply.headers and reset.isascii() and reset.isdecimal():
            return Throttled(self.profile.id, "too many requests a minute", retry_after=int(reset))
        answer = reply.body.value[0] if isinstance(reply.body.value, list) and reply.body.value else None
        if not isinstance(answer, dict) or "data" in answer:
            return None
        return NotCovered(self.profile.id, f"refuses the job: {answer['error']}"[:200]) if "error" in answer else None


def job_of(ask: IdentifiersAsk) -> dict[str, str]:
    """What to look for; a ticker on one exchange or in the US."""
    text = ask.text.replace(".", SPELLING.mark) if ask.scheme is IdScheme.TICKER else ask.text
    job = {"idType": SCHEMES[ask.scheme], "idValue": text}
    if ask.scheme is IdScheme.TICKER:
        job |= {"micCode": ask.mic} if ask.mic else {"exchCode": UNITED_STATES}
    return job


def instrument_of(row: Row) -> InstrumentId | None:
    """The gateway's id of a listing: shares and funds of the US, and of exchanges whose code is known."""
    ticker, exchange = row.maybe_text("ticker"), row.maybe_text("exchCode") or ""
    mic = MICS.get(exchange, "")
    if ticker is None or not _TICKER.fullmatch(ticker) or type_of(row) is None:
        return None
    if exchange != UNITED_STATES and not mic:
        return None
    return equity(ticker.replace(SPELLING.mark, "."), "" if mic in AMERICAN else mic)


def type_of(row: Row) -> InstrumentType | None:
    """What a security is; None for options, bonds and whatever else has a FIGI."""
    if row.maybe_text("marketSector") != "Equity":
        return None
    return FUNDS.get(row.maybe_text("securityType") or "") or TYPES.get(row.maybe_text("securityType2") or "")


def found_in(body: Row) -> Iterable[Row]:
    """`[{"data": […]}]`: the listings of the only job; `{"warning"}` stands there for none."""
    return body[0]["data"] if "warning" not in body[0] else ()


def parse_mapping(ask: IdentifiersAsk, body: Row) -> tuple[IdentifierMapping, ...]:
    """`{"figi", "ticker", "exchCode", "compositeFIGI", …}` of each listing."""
    found = []
    for row in found_in(body):
        instrument = instrument_of(row)
        found.append(
            IdentifierMapping(
                ticker=row.maybe_text("ticker"),
                name=row.maybe_text("name"),
                symbol=None if instrument is None else str(instrument),
                mic=ask.mic or MICS.get(row.maybe_text("exchCode") or ""),
                exchange=row.maybe_text("exchCode"),
                # What was looked for is what these are of.
                isin=ask.text if ask.scheme is IdScheme.ISIN else None,
                cusip=ask.text if ask.scheme is IdScheme.CUSIP else None,
                figi=row.text("figi"),
                composite_figi=row.maybe_text("compositeFIGI"),
                share_class_figi=row.maybe_text("shareClassFIGI"),
                security_type=row.maybe_text("securityType"),
            )
        )
    return tuple(found)


def parse_listings(ask: IdentifiersAsk, body: Row) -> tuple[Listing, ...]:
    """Those that have an id here; of a security's listings in the US the first one."""
    found: dict[InstrumentId, Listing] = {}
    for row in found_in(body):
        instrument, kind = instrument_of(row), type_of(row)
        if instrument is None or kind is None or instrument in found:
            continue
        figi, isin = row.text("figi"), ask.text if ask.scheme is IdScheme.ISIN else None
        found[instrument] = Listing(
            instrument=instrument, provider_symbol=figi, name=row.maybe_text("name"), type=kind, isin=isin, figi=figi
        )
    return tuple(found.values())
