"""What FRED calls the series that have a common name, and how it writes their facts."""

from __future__ import annotations

import re

from providers.row import Row
from schema.words.economics import EconomicSeriesAsk, Frequency, own_code

SERIES = {
    "US.BUILDING_PERMITS": "PERMIT", "US.CORE_CPI": "CPILFESL", "US.CORE_PCE": "PCEPILFE", "US.CPI": "CPIAUCSL",
    "US.CPI_NSA": "CPIAUCNS", "US.FED_FUNDS": "DFF", "US.FEDERAL_DEBT_QUARTERLY": "GFDEBTN", "US.GDP": "GDP",
    "US.HOURLY_EARNINGS": "CES0500000003", "US.HOUSING_STARTS": "HOUST", "US.INDUSTRIAL_PRODUCTION": "INDPRO",
    "US.JOBLESS_CLAIMS": "ICSA", "US.JOB_OPENINGS": "JTSJOL", "US.M2": "M2SL", "US.PARTICIPATION": "CIVPART",
    "US.PAYROLLS": "PAYEMS", "US.PCE": "PCEPI", "US.POLICY_RATE": "DFEDTARU", "US.REAL_GDP": "GDPC1",
    "US.RETAIL_SALES": "RSAFS", "US.SOFR": "SOFR", "US.UNEMPLOYMENT": "UNRATE", "XM.HICP": "CP0000EZCCM086NEST",
    "XM.POLICY_RATE": "ECBDFR",
}  # fmt: skip
"""Not the copies of the OECD's series: FRED has stopped to renew them."""
_CODE = re.compile(r"[A-Za-z0-9_]{1,40}")
FREQUENCIES = {
    "D": Frequency.DAILY, "W": Frequency.WEEKLY, "BW": Frequency.IRREGULAR, "M": Frequency.MONTHLY,
    "Q": Frequency.QUARTERLY, "SA": Frequency.SEMIANNUAL, "A": Frequency.ANNUAL,
}  # fmt: skip
RELEASES = frozenset({9, 10, 13, 27, 46, 50, 53, 54, 101, 180, 192})
"""Of the United States: retail sales, consumer prices, industrial production, housing starts, producer prices,
employment, gross domestic product, incomes, the open market committee, jobless claims, job openings."""


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """The id of a common name, or the one that was asked for."""
    code = SERIES.get(ask.series) or own_code(ask.series, "fred")
    return code if code and _CODE.fullmatch(code) else None


def adjusted(row: Row) -> bool | None:
    """`SA` and `SAAR` are adjusted for the season, `NSA` is not."""
    return {"SA": True, "SAAR": True, "NSA": False}.get(row.text("seasonal_adjustment_short"))
