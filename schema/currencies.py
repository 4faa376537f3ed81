"""Currencies that the words know: ISO 4217 codes, and assets that stand in for one but are not one."""

from __future__ import annotations

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

_WITHOUT_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "VND"})
_IN_THOUSANDTHS = frozenset({"KWD"})
_COINS = 8


def decimals_of(currency: str) -> int:
    """Digits behind the point of an amount; what is not ISO 4217 has 8."""
    if currency not in FIATS:
        return _COINS
    return 0 if currency in _WITHOUT_MINOR_UNIT else 3 if currency in _IN_THOUSANDTHS else 2
