"""Currencies that the words know: ISO 4217 codes, and assets that stand in for one but are not one."""

from __future__ import annotations

from schema.errors import BadInput

_ISO = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HRK HUF IDR ILS INR ISK "
    "JPY KES KRW KWD MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY "
    "TWD UAH USD VND ZAR "
)
FIATS = frozenset(_ISO.split())
"""ISO 4217 codes of currencies that providers quote."""

MINOR_UNITS = {"GBX": "GBP", "GBPENCE": "GBP", "ZAC": "ZAR", "ILA": "ILS"}
"""What venues quote in beside currencies; no answer is ever in one of these."""

STABLES = frozenset({"USDT", "USDC", "DAI", "FDUSD", "TUSD", "PYUSD", "USDE", "EURC", "EURT"})
"""Assets pegged to a currency: a currency of their own in routing, failover and consensus."""

COINS = frozenset({"BTC", "ETH"})
"""Assets that others are priced in."""

_WITHOUT_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
_IN_THOUSANDTHS = frozenset({"KWD"})
_DECIMALS_OF_COINS = 8


UNKNOWN = "XXX"
"""ISO 4217: no currency, or one that nobody tells."""


def decimals_of(currency: str) -> int:
    """Digits behind the point of an amount; what is not ISO 4217 has 8."""
    if currency not in FIATS:
        return _DECIMALS_OF_COINS
    return 0 if currency in _WITHOUT_MINOR_UNIT else 3 if currency in _IN_THOUSANDTHS else 2


def read_currency(field: str, text: str) -> str:
    """An ISO 4217 code, a stablecoin, BTC or ETH, upper-cased; BadInput names the field.

    Venues write what they quote in hundredths with a small last letter, such as `GBp`: that is no way to write pounds.
    """
    written = text.strip()
    code = written.upper()
    small = code in FIATS and written[:2].isupper() and written[2:].islower()
    if code in MINOR_UNITS or small:
        named, whole = (written, code) if small else (code, MINOR_UNITS[code])
        raise BadInput(field, f"{named} is a hundredth of {whole}: write {whole}, and amounts in it")
    if code not in FIATS | STABLES | COINS:
        raise BadInput(field, f"{text[:20]!r} is no currency that is known: write a code such as USD, EUR or USDT")
    return code
