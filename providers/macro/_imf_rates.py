"""The fund's daily rates of special drawing rights (XDR): a report of a month, in tables of at most eleven days.

Cells are parted by tabs; currencies have names, some with a footnote's number behind them, and no codes. A day on which
a currency was not traded is `NA`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from providers.fx._reference import Rate
from providers.row import ABSENT, Row

TITLE = "SDRs per Currency unit"
CURRENCIES = {
    "Algerian dinar": "DZD", "Australian dollar": "AUD", "Botswana pula": "BWP", "Brazilian real": "BRL",
    "Brunei dollar": "BND", "Canadian dollar": "CAD", "Chilean peso": "CLP", "Chinese yuan": "CNY",
    "Czech koruna": "CZK", "Danish krone": "DKK", "Euro": "EUR", "Indian rupee": "INR", "Israeli New Shekel": "ILS",
    "Japanese yen": "JPY", "Korean won": "KRW", "Kuwaiti dinar": "KWD", "Malaysian ringgit": "MYR",
    "Mauritian rupee": "MUR", "Mexican peso": "MXN", "New Zealand dollar": "NZD", "Norwegian krone": "NOK",
    "Omani rial": "OMR", "Peruvian sol": "PEN", "Philippine peso": "PHP", "Polish zloty": "PLN",
    "Qatari riyal": "QAR", "Russian ruble": "RUB", "Saudi Arabian riyal": "SAR", "Singapore dollar": "SGD",
    "South African rand": "ZAR", "Swedish krona": "SEK", "Swiss franc": "CHF", "Thai baht": "THB",
    "Trinidadian dollar": "TTD", "U.A.E. dirham": "AED", "U.K. pound": "GBP", "U.S. dollar": "USD",
    "Uruguayan peso": "UYU",
}  # fmt: skip
CODES = frozenset(CURRENCIES.values())
_NOTE = re.compile(r" *\([0-9]+\)$")


def parse_rates(text: Row, currency: str) -> Iterator[Rate]:
    """Rights for one unit of a currency, by day."""
    lines = text.text().splitlines()
    if not lines or not lines[0].startswith(TITLE):
        text.broken("is not a report of rates")
    days: list[date] = []
    for line in lines:
        cells = [cell.strip() for cell in line.split("\t")]
        if cells[0] == "Currency":
            days = [Row(text.provider, cell, text, cell).day(form="%B %d, %Y") for cell in cells[1:] if cell]
        elif CURRENCIES.get(_NOTE.sub("", cells[0])) == currency:
            if len(cells) < len(days) + 1:
                text.broken(f"has no rate of {currency} for each of its days")
            for day, cell in zip(days, cells[1:], strict=False):
                if cell not in ABSENT:
                    yield day, "XDR", Row(text.provider, cell, text, cells[0]).decimal()
