"""Listed options by the 21 characters of the clearing house: `SPY261218P00450000`, both ways, and chains of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from providers.row import Key, Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.options import OptionContract, OptionRight

# The root is that of the contracts: `SPXW` for the weekly ones on `SPX`, `AAPL1` for adjusted ones.
_OCC = re.compile(r"([A-Z][A-Z0-9]{0,5})([0-9]{6})([CP])([0-9]{8})")
_ROOT = re.compile(r"[A-Z][A-Z0-9]{0,5}")
_WHOLE, _PART = 5, 3
RIGHTS = {"C": OptionRight.CALL, "P": OptionRight.PUT}


def occ_of(instrument: InstrumentId) -> str | None:
    """The symbol of an option on a security or an index, or None for anything else."""
    if instrument.asset_class not in (AssetClass.EQUITY, AssetClass.INDEX) or not instrument.right:
        return None
    whole, _, part = instrument.strike.partition(".")
    if instrument.venue or not _ROOT.fullmatch(instrument.base) or len(whole) > _WHOLE or len(part) > _PART:
        return None
    return f"{instrument.base}{instrument.expiry}{instrument.right}{whole:0>{_WHOLE}}{part:0<{_PART}}"


def option_of(row: Row, key: Key, kind: AssetClass) -> InstrumentId:
    """What a symbol means, for an underlying of this *kind*."""
    root, expiry, right, digits = _parts(row, key)
    day_of(row, key, expiry)
    strike = f"{int(digits[:_WHOLE])}.{digits[_WHOLE:]}".rstrip("0").rstrip(".")
    return InstrumentId(asset_class=kind, base=root, expiry=expiry, strike=strike, right=right)


def expiry_in(row: Row, key: Key) -> str:
    """`YYMMDD` of a symbol, for those who look for one day in many thousands of contracts."""
    return _parts(row, key)[1]


def _parts(row: Row, key: Key) -> tuple[str, str, str, str]:
    found = _OCC.fullmatch(row.text(key))
    if found is None:
        row[key].broken("is not the symbol of an option")
    return found[1], found[2], found[3], found[4]


def day_of(row: Row, key: Key, expiry: str) -> date:
    """The day of `YYMMDD`."""
    return Row(row.provider, f"20{expiry}", row, key).day(form="%Y%m%d")


def terms_of(instrument: InstrumentId) -> tuple[date, Decimal, OptionRight]:
    """Expiry, strike and right."""
    expiry = datetime.strptime(f"20{instrument.expiry}", "%Y%m%d").date()  # noqa: DTZ007 - a day, not an instant
    return expiry, Decimal(instrument.strike), RIGHTS[instrument.right]


def in_order(contracts: Iterable[OptionContract]) -> tuple[OptionContract, ...]:
    """Ascending by expiry, then strike, calls before puts; each contract once."""
    unique = {contract.instrument: contract for contract in contracts}
    return tuple(sorted(unique.values(), key=lambda each: (each.expiry, each.strike, each.right.value)))
