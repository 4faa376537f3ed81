"""The arguments of the root fields, each described once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from schema.arguments import After as After
from schema.arguments import ConvertTo as ConvertTo
from schema.arguments import End as End
from schema.arguments import Last as Last
from schema.arguments import Length as Length
from schema.arguments import PageSize as PageSize
from schema.arguments import Route as Route
from schema.arguments import Start as Start
from schema.arguments import Symbol as Symbol
from schema.arguments import says
from schema.scalars import Cursor
from schema.symbols import AssetClass
from schema.words.candles import Adjustment, Fill
from schema.words.instruments import InstrumentType
from schema.words.registry import ProviderStatus
from schema.words.venues import TradingHours

NodeId = Annotated[strawberry.ID, says("The `id` of an instrument, a provider, or something of the caller's own.")]
Symbols = Annotated[list[str], says("1 to 200 symbols; the answer keeps their order.")]
ClassOf = Annotated[AssetClass | None, says("Says which class a short form means.")]
Ids = Annotated[list[str] | None, says("Only these providers; by default all that cover the instrument.")]
Quorum = Annotated[int | None, says("Fewest sources that must count.")]
MaxAge = Annotated[int | None, says("Leave out values older than this.")]
First = Annotated[int | None, says("So many from the beginning.")]
Before = Annotated[Cursor | None, says("End before this cursor.")]
Adjusted = Annotated[Adjustment | None, says("Corporate actions to adjust for; who cannot is not asked.")]
Hours = Annotated[TradingHours | None, says("With or without pre and post market.")]
Filling = Annotated[Fill | None, says("What to put where no candle is.")]
Depth = Annotated[int | None, says("Levels of each side, 1 to 1000.")]
Newest = Annotated[int | None, says("How many, 1 to 1000.")]
Text = Annotated[str | None, says("A ticker, a name, an ISIN, a FIGI or a provider's own symbol.")]
Called = Annotated[str | None, says("What a provider calls it on its wire, letter by letter: `XXBTZUSD`, `tBTCUSD`.")]
KindOf = Annotated[InstrumentType | None, says("Only what is traded so.")]
VenueOf = Annotated[str | None, says("Only this venue: a MIC, or the id of a crypto exchange.")]
AmountCurrency = Annotated[str | None, says("Currency of the amounts.")]
BaseCurrency = Annotated[str, says("ISO 4217 code of the base currency.")]
QuoteCurrencies = Annotated[list[str] | None, says("ISO 4217 codes; by default all that are published.")]
FirstDay = Annotated[date | None, says("First day, inclusive; without it the newest rates.")]
EndDay = Annotated[date | None, says("End of the range, exclusive; by default tomorrow.")]
Amount = Annotated[Decimal, says("What to convert.")]
Source = Annotated[str, says("Currency of the amount.", "from")]
Target = Annotated[str, says("Currency to convert to.", "to")]
CapabilityName = Annotated[str | None, says("Only those that offer this capability, such as `quotes`.")]
OfClass = Annotated[AssetClass | None, says("Only this class.")]
CoversClass = Annotated[
    AssetClass | None,
    says("Only those that cover this class; beside `capability` those that cover it with that capability."),
]
WithStatus = Annotated[ProviderStatus | None, says("Only those in this condition.")]
