"""The arguments of the root fields, each described once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from schema.scalars import Cursor
from schema.symbols import AssetClass
from schema.words.candles import Adjustment, Fill
from schema.words.instruments import InstrumentType
from schema.words.intervals import Interval
from schema.words.registry import ProviderStatus
from schema.words.routes import RouteInput
from schema.words.venues import TradingHours


def _says(description: str, name: str | None = None) -> object:
    return strawberry.argument(description=description, name=name)


NodeId = Annotated[strawberry.ID, _says("The `id` of an instrument, a provider, or something of the caller's own.")]
Symbol = Annotated[str, _says("An id such as `crypto:BTC/USD`, or a short form: `BTC-USD`, `EURUSD`, `AAPL`.")]
Symbols = Annotated[list[str], _says("1 to 200 symbols; the answer keeps their order.")]
ClassOf = Annotated[AssetClass | None, _says("Says which class a short form means.")]
ConvertTo = Annotated[str | None, _says("Convert prices to this currency; the rate stands in the provenance.")]
Route = Annotated[RouteInput | None, _says("By whom, how old, how long.")]
Ids = Annotated[list[str] | None, _says("Only these providers; by default all that cover the instrument.")]
Quorum = Annotated[int | None, _says("Fewest sources that must count.")]
MaxAge = Annotated[int | None, _says("Leave out values older than this.")]
Length = Annotated[Interval, _says("Length of a candle.")]
Start = Annotated[datetime | None, _says("First open time, inclusive.")]
End = Annotated[datetime | None, _says("End of the range, exclusive; by default now.")]
First = Annotated[int | None, _says("So many from the beginning.")]
After = Annotated[Cursor | None, _says("Continue behind this cursor.")]
Last = Annotated[int | None, _says("So many from the end.")]
Before = Annotated[Cursor | None, _says("End before this cursor.")]
Adjusted = Annotated[Adjustment | None, _says("Corporate actions to adjust for; who cannot is not asked.")]
Hours = Annotated[TradingHours | None, _says("With or without pre and post market.")]
Filling = Annotated[Fill | None, _says("What to put where no candle is.")]
Depth = Annotated[int | None, _says("Levels of each side, 1 to 1000.")]
Newest = Annotated[int | None, _says("How many, 1 to 1000.")]
Text = Annotated[str | None, _says("A ticker, a name, an ISIN, a FIGI or a provider's own symbol.")]
KindOf = Annotated[InstrumentType | None, _says("Only what is traded so.")]
VenueOf = Annotated[str | None, _says("Only this venue: a MIC, or the id of a crypto exchange.")]
PageSize = Annotated[int | None, _says("Rows of the page, 1 to 100.")]
AmountCurrency = Annotated[str | None, _says("Currency of the amounts.")]
BaseCurrency = Annotated[str, _says("ISO 4217 code of the base currency.")]
QuoteCurrencies = Annotated[list[str] | None, _says("ISO 4217 codes; by default all that are published.")]
FirstDay = Annotated[date | None, _says("First day, inclusive; without it the newest rates.")]
EndDay = Annotated[date | None, _says("End of the range, exclusive; by default tomorrow.")]
Amount = Annotated[Decimal, _says("What to convert.")]
Source = Annotated[str, _says("Currency of the amount.", "from")]
Target = Annotated[str, _says("Currency to convert to.", "to")]
CapabilityName = Annotated[str | None, _says("Only those that offer this capability, such as `quotes`.")]
OfClass = Annotated[AssetClass | None, _says("Only this class.")]
WithStatus = Annotated[ProviderStatus | None, _says("Only those in this condition.")]
