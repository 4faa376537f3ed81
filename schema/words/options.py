"""Options: chains of contracts with their prices, volatilities and greeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import ascending, not_negative, positive, unique, within
from schema.facts import Arguments, facts
from schema.model import choices, computed, described, model
from schema.paging import PageInfo
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of


@choices("What an option gives the right to do.", CALL="To buy.", PUT="To sell.")
class OptionRight(StrEnum):
    """CALL to buy, PUT to sell."""

    CALL = "CALL"
    PUT = "PUT"


MOST_CONTRACTS = 1_000
WHOLE = PageInfo(has_next_page=False, has_previous_page=False)


def count_of_contracts(arguments: Arguments) -> int:
    """How many a chain may have; what is asked of each is paid for as often."""
    return MOST_CONTRACTS


@model("One listed option.")
class OptionContract:
    """Prices are per unit of the underlying, in the chain's currency. Greeks are per unit too."""

    instrument: strawberry.Private[InstrumentId]
    expiry: dt.date = described("Last day of the contract.")
    strike: Decimal = described("Strike price.")
    right: OptionRight = described("CALL or PUT.")
    bid: Decimal | None = described("Best bid; null where the side is empty.", default=None)
    ask: Decimal | None = described("Best ask; null where the side is empty.", default=None)
    bid_size: Decimal | None = described("Size at the bid, in contracts.", default=None)
    ask_size: Decimal | None = described("Size at the ask, in contracts.", default=None)
    last: Decimal | None = described("Price of the last trade.", default=None)
    mark: Decimal | None = described("The venue's own valuation.", default=None)
    volume: Decimal | None = described("Contracts traded in the session, or in 24 hours.", default=None)
    open_interest: Decimal | None = described("Open contracts.", default=None)
    open_interest_date: dt.date | None = described(
        "The day that `openInterest` is of: mostly the session before.", default=None
    )
    implied_volatility: Decimal | None = described('A fraction a year: "0.25" means 25 %.', default=None)
    delta: Decimal | None = described("Change of the price for one unit of the underlying.", default=None)
    gamma: Decimal | None = described("Change of delta for one unit of the underlying.", default=None)
    theta: Decimal | None = described("Change of the price for one calendar day.", default=None)
    vega: Decimal | None = described("Change of the price for one percentage point of volatility.", default=None)
    rho: Decimal | None = described("Change of the price for one percentage point of interest.", default=None)
    contract_size: Decimal | None = described("Units of the underlying in one contract.", default=None)
    instrument_ = computed(instrument_of, "The contract.", name="instrument", direct=DESCRIBED)


@model("The options on one underlying.")
class OptionChain:
    """Contracts ascend by expiry, then strike, calls before puts."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    currency: str = described("Currency of all prices: ISO 4217, or the asset that the options are quoted in.")
    underlying_price: Decimal | None = described("Price of the underlying.", default=None)
    expiries: tuple[dt.date, ...] = described("All days on which listed contracts expire, as far as told.", default=())
    contracts: tuple[OptionContract, ...] = described(
        "Ascending by expiry, then strike, calls before puts.", metadata=facts(cost=0, times=count_of_contracts)
    )
    page_info: PageInfo = described("Where these contracts stand among all that fit.", default=WHOLE)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "The underlying.", name="instrument", direct=DESCRIBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionChainAsk:
    """The contracts on an underlying that expire on a day; without a day those of the next expiry.

    An adapter may answer more expiries where its upstream sends them anyway.
    """

    instrument: InstrumentId
    expiry: dt.date | None = None


def check_chain(ask: OptionChainAsk, chain: OptionChain) -> Iterator[str]:
    """Sorted, and volatilities as fractions."""
    order = [(each.expiry, each.strike, each.right.value) for each in chain.contracts]
    yield from ascending("contracts", order)
    yield from ascending("expiries", chain.expiries, unique=True)
    yield from unique("instruments of contracts", [each.instrument for each in chain.contracts])
    for each in chain.contracts:
        path = f"{each.instrument}: "
        yield from within(path, 0, 20, implied_volatility=each.implied_volatility)
        yield from within(path, -1, 1, delta=each.delta)
        yield from positive(path, strike=each.strike, bid=each.bid, ask=each.ask)
        yield from not_negative(path, volume=each.volume, open_interest=each.open_interest, gamma=each.gamma)
        if (each.instrument.right == "C") != (each.right is OptionRight.CALL):
            yield f"{path}is a {each.right}"


OPTION_CHAIN: Capability[OptionChainAsk, OptionChain] = Capability(
    name="optionChain",
    ask=OptionChainAsk,
    answer=OptionChain,
    description="The options on an underlying with volatilities, greeks and open interest.",
    fresh_for=timedelta(seconds=15),
    keep_for=timedelta(hours=1),
    check=check_chain,
)
