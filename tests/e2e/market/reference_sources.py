"""Aggregators, central banks and equity sources in their documented wire formats."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.e2e.market.numbers import HIGH, LOW, OPEN, PRICE, STAMP, bar_at, bars
from tests.e2e.market.upstream import Answer, Asked, plain, text

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
COINS = {"bitcoin": ("btc", "Bitcoin"), "ethereum": ("eth", "Ethereum"), "solana": ("sol", "Solana")}
RATES = {"USD": "1.160412345678901234", "GBP": "0.87820", "JPY": "181.35", "CHF": "0.9295"}
FIXED = "2026-11-19"
# The days of Thanksgiving week 2025 that New York trades; the 28th closes at 13:00.
HOLIDAYS = frozenset({date(2025, 11, 27), date(2025, 12, 25), date(2026, 1, 1)})
SPLIT_DAY = date(2025, 11, 26)


def coingecko(asked: Asked) -> Answer:
    """https://docs.coingecko.com/reference/simple-price"""
    if asked.path == "/api/v3/simple/price":
        money = asked.params["vs_currencies"].split(",")
        coins = [coin for coin in asked.params["ids"].split(",") if coin in COINS]
        parts = [f'"{coin}":{{{_prices(money)},"last_updated_at":{STAMP}}}' for coin in coins]
        return text(f"{{{','.join(parts)}}}")
    if asked.path == "/api/v3/coins/markets":
        size, page = int(asked.params["per_page"]), int(asked.params["page"])
        ranks = range((page - 1) * size + 1, min(page * size, 250) + 1)
        return text(f"[{','.join(map(_cap, ranks))}]")
    if asked.path == "/api/v3/search":
        listed = [
            {"id": id, "name": name, "symbol": symbol.upper(), "market_cap_rank": 1}
            for id, (symbol, name) in COINS.items()
        ]
        return plain({"coins": [coin for coin in listed if asked.params["query"].lower() in str(coin["name"]).lower()]})
    step, span = {"1": (1800, 86_400)}.get(asked.params["days"], (14_400, int(asked.params["days"]) * 86_400))
    # The stamp is the candle's close.
    rows = [
        f"[{(b.time + step) * 1000},{b.open},{b.high},{b.low},{b.close}]"
        for b in bars(STAMP - span, STAMP - step, step)
    ]
    return text(f"[{','.join(rows)}]")


def _prices(money: Collection[str]) -> str:
    return ",".join(f'"{code}":{PRICE},"{code}_24h_vol":38214907755.20417,"{code}_24h_change":-0.84' for code in money)


def _cap(rank: int) -> str:
    coin, (symbol, name) = (
        list(COINS.items())[rank - 1] if rank <= len(COINS) else (f"coin-{rank}", (f"x{rank}", f"Coin {rank}"))
    )
    return json.dumps(
        {
            "id": coin,
            "symbol": symbol,
            "name": name,
            "current_price": "@",
            "market_cap": 1821500000123 - rank,
            "market_cap_rank": rank,
            "fully_diluted_valuation": 1916198000458,
            "total_volume": 38214907755,
            "price_change_percentage_24h": -0.84372,
            "circulating_supply": 19962281,
            "total_supply": 19962281,
            "max_supply": None,
            "last_updated": "2026-11-20T11:59:21.736Z",
        }
    ).replace('"@"', PRICE)


def frankfurter(asked: Asked) -> Answer:
    """https://frankfurter.dev/v1/"""
    base, wanted = asked.params["base"], asked.params.get("symbols")
    codes = wanted.split(",") if wanted else [code for code in (*RATES, "EUR") if code != base]
    rates = ",".join(f'"{code}":{RATES.get(code, "0.8617")}' for code in codes if code in RATES or code == "EUR")
    if not rates:
        return plain({"message": "not found"}, 404)
    span = asked.path.removeprefix("/v1/")
    if ".." not in span:
        return text(
            f'{{"amount":1.0,"base":"{base}","date":"{FIXED if span == "latest" else span}","rates":{{{rates}}}}}'
        )
    days = ",".join(f'"{day}":{{{rates}}}' for day in weekdays(*map(date.fromisoformat, span.split(".."))))
    return text(f'{{"amount":1.0,"base":"{base}","rates":{{{days}}}}}')


def ecb(asked: Asked) -> Answer:
    """https://www.ecb.europa.eu/stats/eurofxref and https://data-api.ecb.europa.eu"""
    if asked.path.endswith(".xml"):
        first = date.fromisoformat(FIXED)
        days = [first] if "daily" in asked.path else list(weekdays(first - 89 * DAY, first))[::-1]
        cubes = "".join(f"<Cube time='{day}'>{_cubes()}</Cube>" for day in days)
        return text(
            "<?xml version='1.0'?><gesmes:Envelope xmlns:gesmes='http://www.gesmes.org/xml/2002-08-01' "
            f"xmlns='http://www.ecb.int/vocabulary/2002-08-01/eurofxref'><Cube>{cubes}</Cube></gesmes:Envelope>"
        )
    codes = asked.path.rpartition("/")[2].split(".")[1].split("+")
    days = list(weekdays(*(date.fromisoformat(asked.params[name]) for name in ("startPeriod", "endPeriod"))))
    rows = [
        f"EXR.D.{code}.EUR.SP00.A,D,{code},EUR,SP00,A,{day},{RATES[code]}"
        for code in codes
        if code in RATES
        for day in days
    ]
    return text("\n".join(["KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE", *rows]) + "\n")


def _cubes() -> str:
    return "".join(f"<Cube currency='{code}' rate='{rate}'/>" for code, rate in RATES.items())


def weekdays(first: date, last: date) -> list[date]:
    """Both ends included."""
    days = (first + n * DAY for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


def sessions(first: date, last: date) -> list[date]:
    return [day for day in weekdays(first, last) if day not in HOLIDAYS]


def opens(day: date, zone: ZoneInfo = NEW_YORK, hour: int = 9, minute: int = 30) -> int:
    return int(datetime.combine(day, time(hour, minute), zone).timestamp())


def closes(day: date) -> int:
    early = day == date(2025, 11, 28)
    return int(datetime.combine(day, time(13 if early else 16), NEW_YORK).timestamp())


# --- Yahoo ------------------------------------------------------------------------------------------------------------

YAHOO_STEPS = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}


def yahoo(asked: Asked) -> Answer:
    """The chart endpoint, as public clients know it."""
    if asked.path == "/v1/finance/search":
        return plain({"quotes": [APPLE], "news": []})
    symbol = asked.path.rpartition("/")[2]
    if symbol not in ("AAPL", "VOD.L", "EURUSD=X", "^GSPC", "BTC-USD"):
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return plain({"chart": {"result": None, "error": error}}, 404)
    if "range" in asked.params:
        times, step = [STAMP // 86_400 * 86_400], 86_400
    else:
        start, end = int(asked.params["period1"]), int(asked.params["period2"])
        times, step = _yahoo_times(asked, start, end)
    rows = [bar_at(moment, step) for moment in times]
    quote = {
        "open": [float(b.open) for b in rows], "high": [float(b.high) for b in rows],
        "low": [float(b.low) for b in rows],
        "close": [float(b.close) for b in rows], "volume": [1000 + n for n in range(len(rows))],
    }  # fmt: skip
    indicators: dict[str, object] = {"quote": [quote]}
    if step == 86_400:
        indicators["adjclose"] = [{"adjclose": [float(b.close) / 2 for b in rows]}]
    result = {"meta": _yahoo_meta(symbol), "timestamp": times, "indicators": indicators}
    body = json.dumps({"chart": {"result": [result], "error": None}})
    return text(body.replace('"@price"', "8512.5" if symbol == "VOD.L" else "271.490000000000000001"))


def _yahoo_times(asked: Asked, start: int, end: int) -> tuple[list[int], int]:
    first, last = (datetime.fromtimestamp(moment, NEW_YORK).date() for moment in (start, end))
    code = asked.params["interval"]
    if code in ("1wk", "1mo"):
        mondays = [day for day in weekdays(first, last) if (day.weekday() == 0 if code == "1wk" else day.day == 1)]
        moments = [opens(day, hour=0, minute=0) for day in mondays]
        return [moment for moment in moments if start <= moment < end], 86_400
    if code == "1d":
        return [moment for day in sessions(first, last) if start <= (moment := opens(day)) < end], 86_400
    step, wide = YAHOO_STEPS[code], asked.params["includePrePost"] == "true"
    moments = [
        moment
        for day in sessions(first, last)
        for moment in range(opens(day, hour=4, minute=0) if wide else opens(day), closes(day) + 14_400 * wide, step)
    ]
    return [moment for moment in moments if start <= moment < min(end, STAMP)], step


def _yahoo_meta(symbol: str) -> dict[str, object]:
    currency, exchange, zone = {
        "VOD.L": ("GBp", "LSE", "Europe/London"), "EURUSD=X": ("USD", "CCY", "Europe/London"),
        "BTC-USD": ("USD", "CCC", "UTC"),
    }.get(symbol, ("USD", "NMS", "America/New_York"))  # fmt: skip
    today = datetime.fromtimestamp(STAMP, ZoneInfo(zone)).date()
    regular = {
        "timezone": "X",
        "start": opens(today, ZoneInfo(zone)),
        "end": opens(today, ZoneInfo(zone), 16, 0),
        "gmtoffset": 0,
    }
    return {
        "currency": currency, "symbol": symbol, "exchangeName": exchange, "fullExchangeName": exchange,
        "instrumentType": "EQUITY", "regularMarketTime": STAMP, "gmtoffset": 0, "exchangeTimezoneName": zone,
        "regularMarketPrice": "@price", "regularMarketDayHigh": float(HIGH), "regularMarketDayLow": float(LOW),
        "regularMarketVolume": 51234567, "chartPreviousClose": float(OPEN), "previousClose": float(OPEN),
        "currentTradingPeriod": {"regular": regular}, "dataGranularity": "1d", "range": "1d",
    }  # fmt: skip


APPLE = {
    "exchange": "NMS", "shortname": "Apple Inc.", "longname": "Apple Inc.", "quoteType": "EQUITY", "symbol": "AAPL",
    "exchDisp": "NASDAQ", "isYahooFinance": True,
}  # fmt: skip


# --- Alpha Vantage ----------------------------------------------------------------------------------------------------


def alphavantage(asked: Asked) -> Answer:
    """https://www.alphavantage.co/documentation/; refusals come with status 200."""
    function, symbol = asked.params["function"], asked.params.get("symbol", "")
    if asked.params.get("apikey") != "SECRET-KEY-0123456789":
        return plain({"Information": f"the parameter apikey is invalid or missing: {asked.params.get('apikey')}"})
    if function == "SYMBOL_SEARCH":
        return plain({"bestMatches": [ALPHA_APPLE]})
    if function == "CURRENCY_EXCHANGE_RATE":
        return plain({"Realtime Currency Exchange Rate": {
            "1. From_Currency Code": asked.params["from_currency"], "3. To_Currency Code": asked.params["to_currency"],
            "5. Exchange Rate": "1.16041234567890",
            "6. Last Refreshed": f"{datetime.fromtimestamp(STAMP, UTC):%Y-%m-%d %H:%M:%S}",
            "7. Time Zone": "UTC", "8. Bid Price": "1.1604", "9. Ask Price": "-",
        }})  # fmt: skip
    if symbol != "AAPL":
        return plain(
            {"Global Quote": {}} if function == "GLOBAL_QUOTE" else {"Error Message": "Invalid API call. Please retry"}
        )
    if function == "GLOBAL_QUOTE":
        return plain({"Global Quote": {
            "01. symbol": symbol, "02. open": "270.10", "03. high": "272.20", "04. low": "268.30",
            "05. price": "271.490000000000000001", "06. volume": "51234567", "07. latest trading day": "2026-11-19",
            "08. previous close": "270.00", "09. change": "1.4900", "10. change percent": "0.5519%",
        }})  # fmt: skip
    if function == "TIME_SERIES_INTRADAY":
        return plain(_alpha_intraday(asked))
    adjusted = function == "TIME_SERIES_DAILY_ADJUSTED"
    return plain({"Meta Data": {"5. Time Zone": "US/Eastern"}, "Time Series (Daily)": _alpha_days(adjusted)})


def _alpha_days(adjusted: bool) -> dict[str, dict[str, str]]:
    days = sessions(date(2025, 6, 2), date(2026, 11, 19))
    return {day.isoformat(): _alpha_day(day, adjusted) for day in reversed(days)}


def _alpha_day(day: date, adjusted: bool) -> dict[str, str]:
    bar = bar_at(opens(day), 86_400)
    prices = {"1. open": bar.open, "2. high": bar.high, "3. low": bar.low, "4. close": bar.close}
    if not adjusted:
        return {**prices, "5. volume": "1000"}
    more = {"5. adjusted close": bar.close, "6. volume": "1000", "7. dividend amount": "0.0000"}
    return {**prices, **more, "8. split coefficient": "2.0" if day == SPLIT_DAY else "1.0"}


def _alpha_intraday(asked: Asked) -> dict[str, object]:
    code, wide = asked.params["interval"], asked.params["extended_hours"] == "true"
    step = int(code.removesuffix("min")) * 60
    last = datetime.fromtimestamp(STAMP, NEW_YORK).date()
    days = sessions(last - 30 * DAY, last)
    if month := asked.params.get("month"):
        first = date.fromisoformat(f"{month}-01")
        days = [day for day in sessions(first, first + 30 * DAY) if day.month == first.month]
    begins = [(day, opens(day, hour=4, minute=0) if wide else opens(day)) for day in days]
    moments = [m for day, begin in begins for m in range(begin, closes(day) + 14_400 * wide, step) if m < STAMP]
    rows = {f"{datetime.fromtimestamp(m, NEW_YORK):%Y-%m-%d %H:%M:%S}": bar_at(m, step) for m in reversed(moments)}
    return {
        "Meta Data": {"6. Time Zone": "US/Eastern"},
        f"Time Series ({code})": {
            stamp: {"1. open": b.open, "2. high": b.high, "3. low": b.low, "4. close": b.close, "5. volume": "7"}
            for stamp, b in rows.items()
        },
    }


ALPHA_APPLE = {
    "1. symbol": "AAPL", "2. name": "Apple Inc", "3. type": "Equity", "4. region": "United States",
    "5. marketOpen": "09:30", "6. marketClose": "16:00", "7. timezone": "UTC-04", "8. currency": "USD",
    "9. matchScore": "1.0000",
}  # fmt: skip
