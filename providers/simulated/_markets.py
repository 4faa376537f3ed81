"""What the simulated exchange lists. Levels are invented, near what was usual in 2026; identifiers are public facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal

from providers.simulated._calendar import Always, Calendar, CurrencyWeek, Sessions
from schema.symbols import AssetClass, InstrumentId, crypto, equity, fx
from schema.words.instruments import InstrumentType

VENUE = "sandbox"
ALWAYS = Always()
CURRENCY_WEEK = CurrencyWeek()
NEW_YORK = Sessions("America/New_York", time(9, 30), time(16))
LONDON = Sessions("Europe/London", time(8), time(16, 30))
FRANKFURT = Sessions("Europe/Berlin", time(9), time(17, 30))
_WEDNESDAY = date(2026, 11, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Something whose value moves: in US dollars, or for a security in the currency of its listing.

    `level` is its value at 2026-11-20T12:00:00Z, `volatility` the daily standard deviation of its logarithm,
    `path` the name of the walk that it follows, `weekly` says that it rests while currencies do not trade.
    """

    code: str
    name: str
    level: str
    volatility: float
    path: str = ""
    weekly: bool = False
    supply: int = 0
    total: int = 0
    cap: int | None = None

    @property
    def key(self) -> str:
        """What its walk is drawn for."""
        return self.path or self.code


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """One listing: `base` is priced in `quote`, or in US dollars (for a security in `currency`) where there is none.

    `ticks` and `steps` are decimal places of prices and sizes; `turnover` is in millions of US dollars a day,
    0 for what has no trades of its own; `spread` is in hundred-thousandths of the price.
    """

    instrument: InstrumentId
    symbol: str
    name: str
    base: Asset | None
    quote: Asset | None
    currency: str
    ticks: int
    steps: int = 0
    turnover: float = 0.0
    spread: float = 1.0
    type: InstrumentType
    calendar: Calendar
    mic: str = ""
    isin: str | None = None
    figi: str | None = None
    premium: Asset | None = None
    """What a perpetual is worth more than its spot market: a factor that wanders about 1."""

    @property
    def tick(self) -> Decimal:
        """The smallest price step."""
        return Decimal(1).scaleb(-self.ticks)

    @property
    def step(self) -> Decimal:
        """The smallest size step."""
        return Decimal(1).scaleb(-self.steps)

    @property
    def hourly_steps(self) -> int:
        """The volume of a usual hour of trading, in steps; 0 for what has no trades of its own."""
        if self.base is None or not self.turnover:
            return 0
        session = self.calendar.session(_WEDNESDAY) if isinstance(self.calendar, Sessions) else None
        seconds = session[1] - session[0] + 1 if session else 86_400
        return int(self.turnover * 1e6 / float(self.base.level) * 3600 / seconds * 10**self.steps)

    def names(self) -> set[InstrumentId]:
        """All ids under which it may be asked for."""
        return {self.instrument, self.instrument.at(VENUE), self.instrument.at(self.mic)}


def _coin(
    code: str, name: str, level: str, volatility: float, supply: int, total: int, cap: int | None = None
) -> Asset:  # fmt: skip
    return Asset(code=code, name=name, level=level, volatility=volatility, supply=supply, total=total, cap=cap)


COINS = {
    coin.code: coin
    for coin in (
        _coin("BTC", "Bitcoin", "91250", 0.022, 20_060_000, 20_060_000, 21_000_000),
        _coin("ETH", "Ethereum", "3020", 0.029, 120_700_000, 120_700_000),
        _coin("XRP", "XRP", "2.1", 0.034, 60_700_000_000, 99_985_000_000, 100_000_000_000),
        _coin("SOL", "Solana", "141", 0.036, 566_000_000, 622_000_000),
        _coin("DOGE", "Dogecoin", "0.158", 0.040, 154_500_000_000, 154_500_000_000),
        _coin("ADA", "Cardano", "0.46", 0.037, 36_600_000_000, 45_000_000_000, 45_000_000_000),
        _coin("LINK", "Chainlink", "14.2", 0.037, 708_000_000, 1_000_000_000, 1_000_000_000),
        _coin("LTC", "Litecoin", "84", 0.031, 76_900_000, 76_900_000, 84_000_000),
        _coin("AVAX", "Avalanche", "15.6", 0.039, 430_000_000, 460_000_000, 715_748_719),
        _coin("DOT", "Polkadot", "2.9", 0.038, 1_650_000_000, 1_650_000_000, 2_100_000_000),
        # A stable coin is nearly a dollar, and never quite one: it is a currency of its own.
        _coin("USDT", "Tether", "0.9996", 0.00003, 184_000_000_000, 189_000_000_000),
        _coin("USDC", "USD Coin", "0.9999", 0.00002, 75_000_000_000, 75_000_000_000),
    )
}
CURRENCIES = {
    code: Asset(code=code, name=name, level=level, volatility=volatility, weekly=True)
    for code, name, level, volatility in (
        ("EUR", "Euro", "1.158", 0.0042),
        ("GBP", "Pound Sterling", "1.314", 0.0046),
        ("JPY", "Japanese Yen", "0.00644", 0.0052),
        ("CHF", "Swiss Franc", "1.242", 0.0044),
        ("AUD", "Australian Dollar", "0.651", 0.0056),
        ("CAD", "Canadian Dollar", "0.712", 0.0036),
    )
}
MONEY: dict[str, Asset | None] = {"USD": None, **CURRENCIES}
PRICED_IN: dict[str, Asset | None] = {**MONEY, **COINS}

# Of each coin: decimal places of its price in dollars and of its size, and its turnover there.
_SCALES = {
    "BTC": (2, 5, 1600.0), "ETH": (2, 4, 900.0), "SOL": (2, 3, 400.0), "XRP": (5, 1, 350.0), "ADA": (5, 1, 90.0),
    "DOGE": (5, 0, 120.0), "LTC": (2, 3, 40.0), "DOT": (4, 2, 25.0), "LINK": (3, 2, 60.0), "AVAX": (3, 2, 35.0),
}  # fmt: skip
_SHARE = {"USD": 1.0, "USDT": 2.6, "USDC": 0.4, "EUR": 0.15}
_QUOTED = {
    "USD": tuple(_SCALES),
    "USDT": tuple(_SCALES),
    "USDC": ("BTC", "ETH", "SOL"),
    "EUR": ("BTC", "ETH", "SOL", "XRP"),
}
_SPECIAL = (
    ("ETH", "BTC", 6, 4, 60.0),
    ("SOL", "BTC", 8, 3, 12.0),
    ("USDT", "USD", 5, 2, 250.0),
    ("USDC", "USD", 5, 2, 90.0),
    ("USDT", "EUR", 5, 2, 20.0),
)


_PERPETUAL = 1.7
"""Perpetuals are traded more than their spot markets."""


def _named(code: str) -> str:
    asset = PRICED_IN[code]
    return asset.name if asset else "US Dollar"


def _pair(base: str, quote: str, ticks: int, steps: int, turnover: float) -> Market:
    return Market(
        instrument=crypto(base, quote), symbol=f"{base}-{quote}", name=f"{COINS[base].name} / {_named(quote)}",
        base=COINS[base], quote=PRICED_IN[quote], currency=quote, ticks=ticks, steps=steps, turnover=turnover,
        spread=2.0, type=InstrumentType.SPOT, calendar=ALWAYS,
    )  # fmt: skip


def _pairs() -> list[Market]:
    found = [_pair(*special) for special in _SPECIAL]
    for quote, bases in _QUOTED.items():
        for base in bases:
            ticks, steps, turnover = _SCALES[base]
            found.append(_pair(base, quote, ticks, steps, turnover * _SHARE[quote]))
    return found


def _perpetual(base: str, quote: str) -> Market:
    ticks, steps, turnover = _SCALES[base]
    spot = _pair(base, quote, ticks, steps, turnover * _SHARE[quote] * _PERPETUAL)
    premium = Asset(code=f"{base}-PREMIUM", name="Premium", level="1.0003", volatility=0.00008)
    return replace(
        spot, instrument=replace(spot.instrument, settle=quote), symbol=f"{base}-{quote}-PERP",
        name=f"{COINS[base].name} perpetual in {_named(quote)}", type=InstrumentType.PERPETUAL, premium=premium,
    )  # fmt: skip


def _security(
    ticker: str, name: str, level: str, volatility: float, turnover: float, isin: str, figi: str,
    mic: str = "XNAS", path: str = "", type: InstrumentType = InstrumentType.STOCK,
) -> Market:  # fmt: skip
    return Market(
        instrument=equity(ticker), symbol=ticker, name=name, quote=None, currency="USD", ticks=2,
        base=Asset(code=ticker, name=name, level=level, volatility=volatility, path=path), turnover=turnover,
        spread=8.0, type=type, calendar=NEW_YORK, mic=mic, isin=isin, figi=figi,
    )  # fmt: skip


def _abroad(market: Market, currency: str, ticks: int, calendar: Sessions) -> Market:
    listed = market.instrument.at(market.mic)
    symbol = f"{market.symbol}.{market.mic}"
    return replace(market, instrument=listed, symbol=symbol, currency=currency, ticks=ticks, calendar=calendar)


SECURITIES = (
    _security("AAPL", "Apple Inc.", "272.4", 0.015, 13_000, "US0378331005", "BBG000B9XRY4"),
    _security("MSFT", "Microsoft Corporation", "518.6", 0.014, 10_000, "US5949181045", "BBG000BPH459"),
    _security("GOOGL", "Alphabet Inc. Class A", "289.3", 0.016, 9_000, "US02079K3059", "BBG009S39JX6"),
    _security("AMZN", "Amazon.com, Inc.", "231.7", 0.018, 9_500, "US0231351067", "BBG000BVPV84"),
    _security("NVDA", "NVIDIA Corporation", "188.5", 0.024, 33_000, "US67066G1040", "BBG000BBJQV0"),
    _security("TSLA", "Tesla, Inc.", "402.1", 0.030, 28_000, "US88160R1014", "BBG000N9MNX3"),
    _security("META", "Meta Platforms, Inc. Class A", "634.2", 0.018, 8_500, "US30303M1027", "BBG000MM2P62"),
    _security(
        "SPY", "SPDR S&P 500 ETF Trust", "668.9", 0.0095, 45_000, "US78462F1030", "BBG000BDTBL9",
        mic="ARCX", path="SPX", type=InstrumentType.ETF,
    ),
    _abroad(
        _security("VOD", "Vodafone Group Plc", "0.915", 0.013, 45, "GB00BH4HKS39", "BBG000C6K6G9", "XLON"),
        "GBP", 4, LONDON,
    ),
    _abroad(
        _security("SAP", "SAP SE", "224.4", 0.014, 330, "DE0007164600", "BBG000BG7DY8", "XETR"), "EUR", 2, FRANKFURT
    ),
)  # fmt: skip
INDEX = Market(
    instrument=InstrumentId(asset_class=AssetClass.INDEX, base="SPX"), symbol="SPX", name="S&P 500", quote=None,
    base=Asset(code="SPX", name="S&P 500", level="6702.35", volatility=0.0095), currency="USD", ticks=2,
    type=InstrumentType.INDEX, calendar=NEW_YORK,
)  # fmt: skip


def _exchange(base: str, quote: str) -> Market:
    return Market(
        instrument=fx(base, quote), symbol=f"{base}{quote}", name=f"{_named(base)} / {_named(quote)}",
        base=MONEY[base], quote=MONEY[quote], currency=quote, ticks=3 if quote == "JPY" else 5, spread=6.0,
        type=InstrumentType.FX_PAIR, calendar=CURRENCY_WEEK,
    )  # fmt: skip


EXCHANGES = tuple(
    _exchange(pair[:3], pair[3:])
    for pair in ("EURUSD", "USDJPY", "GBPUSD", "USDCHF", "AUDUSD", "USDCAD", "EURGBP", "EURJPY")
)
PERPETUALS = (_perpetual("BTC", "USDT"), _perpetual("ETH", "USDT"))
MARKETS = (*sorted(_pairs(), key=lambda market: -market.turnover), *SECURITIES, INDEX, *EXCHANGES, *PERPETUALS)
BY_NAME = {name: market for market in MARKETS for name in market.names()}
