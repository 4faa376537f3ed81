"""GraphQL types that only this plugin's root fields use."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from schema.model import described, model
from schema.paging import PageInfo
from schema.provenance import Conversion, Provenance
from schema.scalars import Cursor
from schema.words.caps import MarketCap
from schema.words.instruments import Instrument
from schema.words.rates import FxRate


@model("An instrument and its position in the list.")
class InstrumentEdge:
    """Relay's edge."""

    node: Instrument = described("The instrument.")
    cursor: Cursor = described("Its position.")


@model("A page of instruments.")
class InstrumentConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[Instrument] = described("The instruments.")
    edges: list[InstrumentEdge] = described("The instruments with their positions.")
    page_info: PageInfo = described("Where this page stands.")


@model("A market capitalisation and its position in the ranking.")
class MarketCapEdge:
    """Relay's edge."""

    node: MarketCap = described("The asset.")
    cursor: Cursor = described("Its position.")


@model("A page of the ranking by market capitalisation.")
class MarketCapConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[MarketCap] = described("The assets, largest first.")
    edges: list[MarketCapEdge] = described("The assets with their positions.")
    page_info: PageInfo = described("Where this page stands.")
    provenance: Provenance = described("Where the ranking came from.")


@model("Exchange rates of one base currency.")
class FxRates:
    """Ascending by day, then by code."""

    id: strawberry.ID = described("Identity of the question.")
    base: str = described("ISO 4217 code.")
    rates: list[FxRate] = described("The rates.")
    provenance: Provenance = described("Where they came from.")


@model("An amount in another currency.")
class ConvertedAmount:
    """`amount` × `conversion.rate`: exact with a direct rate, else rounded to 12 significant digits."""

    amount: Decimal = described("The amount in `currency`.")
    currency: str = described("The currency converted to.")
    conversion: Conversion = described("The rate and where it came from.")
