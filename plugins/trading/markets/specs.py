"""From reference data to trading rules. Pure."""

from __future__ import annotations

from decimal import Decimal

from gateway.core.matching.model import Spec
from schema.currencies import UNKNOWN
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.instruments import Instrument, InstrumentType, type_of

RULES = frozenset(
    {"tickSize", "stepSize", "minSize", "maxSize", "minNotional", "contractSize", "quoteCurrency", "type", "tradable"}
)
"""What orders need of reference data, by GraphQL names."""
DERIVATIVES = frozenset({InstrumentType.PERPETUAL, InstrumentType.FUTURE})


def is_derivative(instrument: InstrumentId) -> bool:
    """Whether a fill moves no notional: the id says so."""
    return type_of(instrument) in DERIVATIVES


def is_perpetual(name: str) -> bool:
    """Whether what is held of it pays or gets funding; by an instrument's id."""
    return type_of(parse_instrument(name)) is InstrumentType.PERPETUAL


def untradable(instrument: InstrumentId, kind: InstrumentType | None = None) -> str | None:
    """Why nobody can trade it here, in words; None for what can be traded."""
    found = type_of(instrument) if kind is None else kind
    if instrument.asset_class is AssetClass.MACRO or found is InstrumentType.INDEX:
        return "a number made of others, which nobody can buy: trade a fund or a future on it"
    if found is InstrumentType.OPTION:
        return "an option: options are not traded here, trade what it is on"
    if found in DERIVATIVES and instrument.settle and instrument.settle != instrument.quote:
        return (
            f"settled in {instrument.settle} though priced in {instrument.quote}: trade a contract that is settled in "
            "the currency of its price"
        )
    return None


def spec_of(instrument: InstrumentId, known: Instrument, currency: str | None = None) -> Spec:
    """What lists tell of it. *currency* is that of its price, where the id and the lists do not tell one.

    Quantities are in units of the base asset, of derivatives too: venues make contracts of one asset in different
    sizes, and a position must mean the same by whomever it is priced. A contract is the step, so that only whole ones
    are traded, and `contract_size` is 1.
    """
    told = known.quote_currency if known.quote_currency != UNKNOWN else None
    derivative = is_derivative(instrument) or known.type in DERIVATIVES
    contract = _above(known.contract_size) if derivative else None
    steps = [each for each in (_above(known.step_size), contract) if each is not None]
    return Spec(
        instrument=instrument, currency=instrument.quote or told or currency or UNKNOWN,
        tick=_above(known.tick_size), step=max(steps, default=None), min_size=_above(known.min_size),
        max_size=_above(known.max_size), min_notional=_above(known.min_notional), derivative=derivative,
    )  # fmt: skip


def _above(amount: Decimal | None) -> Decimal | None:
    """Lists write zero for a rule that they do not have."""
    return amount if amount is not None and amount > 0 else None
