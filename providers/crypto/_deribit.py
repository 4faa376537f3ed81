"""Deribit's names of contracts, what they are counted and priced in, and its chains of options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from providers.row import Row
from schema.errors import UnknownInstrument
from schema.symbols import AssetClass, InstrumentId
from schema.words.instruments import InstrumentType, Listing, type_of
from schema.words.options import OptionChain, OptionChainAsk, OptionContract, OptionRight

# These are quoted in dollars and settle in the coin; all others are quoted and settle in a dollar token.
INVERSE = frozenset({"BTC", "ETH"})
LINEAR = frozenset({"USDC", "USDT"})
SPOT_QUOTES = LINEAR | {"BTC", "ETH", "EURR", "USDE", "USYC"}
KINDS = frozenset({"future", "spot"})
RIGHTS = {"C": OptionRight.CALL, "P": OptionRight.PUT}
ONE_COIN = Decimal(1)


def covered(instrument: InstrumentId) -> bool:
    """Spot pairs, perpetuals, futures and options, by what they settle in."""
    if instrument.asset_class is not AssetClass.CRYPTO or instrument.venue not in ("", "deribit"):
        return False
    if "_" in instrument.base + instrument.quote:
        return False
    if instrument.is_spot:
        return instrument.quote in SPOT_QUOTES
    return is_inverse(instrument) or (instrument.settle == instrument.quote and instrument.settle in LINEAR)


def is_inverse(instrument: InstrumentId) -> bool:
    """Quoted in dollars, settled in coins: futures are counted in dollars, options are priced in coins."""
    return instrument.quote == "USD" and instrument.base in INVERSE and instrument.settle == instrument.base


def is_perpetual(instrument: InstrumentId) -> bool:
    """A contract that never expires."""
    return covered(instrument) and bool(instrument.settle) and not instrument.expiry


def is_plain(instrument: InstrumentId) -> bool:
    """Counted in coins and priced in its quote asset, as our books and trades are."""
    return covered(instrument) and not is_inverse(instrument)


def has_options(instrument: InstrumentId) -> bool:
    """An underlying: a coin in dollars, whose options are priced in the coin, or in the dollar token that they are."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.is_spot
        and instrument.venue in ("", "deribit")
        and "_" not in instrument.base
        and ((instrument.quote == "USD" and instrument.base in INVERSE) or instrument.quote == "USDC")
    )


def price_asset(instrument: InstrumentId) -> str:
    """What its prices are in: of an option that settles in coins it is the coin."""
    return instrument.base if instrument.right and is_inverse(instrument) else instrument.quote


def name_of(instrument: InstrumentId) -> str:
    """`BTC_USDC`, `BTC-PERPETUAL`, `BTC-25DEC26`, `SOL_USDC-4DEC26-200-C`, `XRP_USDC-4DEC26-2d25-P`."""
    pair = instrument.base if is_inverse(instrument) else f"{instrument.base}_{instrument.quote}"
    if instrument.is_spot:
        return pair
    if not instrument.expiry:
        return f"{pair}-PERPETUAL"
    day = f"{datetime.strptime(instrument.expiry, '%y%m%d'):%d%b%y}".upper().removeprefix("0")  # noqa: DTZ007
    terms = (instrument.strike.replace(".", "d"), instrument.right)
    return "-".join(part for part in (pair, day, *terms) if part)


def parse_listings(body: Row) -> tuple[Listing, ...]:
    """Pairs, perpetuals and futures; options are listed by their chains, and combinations have no id."""
    found = ((row, _listed(row)) for row in body["result"] if row.maybe_text("kind") in KINDS)
    return tuple([_listing(row, key) for row, key in found if name_of(key) == row.text("instrument_name")])


def _listed(row: Row) -> InstrumentId:
    key = InstrumentId(
        asset_class=AssetClass.CRYPTO, base=row.text("base_currency"), quote=row.text("counter_currency")
    )
    if row.text("kind") == "spot":
        return key
    lasting = row.text("settlement_period") == "perpetual"
    expiry = "" if lasting else f"{row.epoch('expiration_timestamp', 'ms'):%y%m%d}"
    return replace(key, settle=row.text("settlement_currency"), expiry=expiry)


def _listing(row: Row, key: InstrumentId) -> Listing:
    """Sizes of contracts that are counted in dollars are not ours."""
    coins = not is_inverse(key)
    contract = type_of(key)
    return Listing(
        instrument=key,
        provider_symbol=row.text("instrument_name"),
        type=contract,
        tick_size=row.positive("tick_size"),
        min_size=row.positive("min_trade_amount") if coins else None,
        contract_size=row.positive("contract_size") if coins and contract is not InstrumentType.SPOT else None,
        tradable=row.flag("is_active"),
    )


def parse_chain(ask: OptionChainAsk, body: Row) -> OptionChain:
    """Summaries of all options that settle in one asset; those of one underlying and one day are answered.

    Amounts are in coins, which stands for contracts of one coin. Greeks are sent with the ticker of one option alone.
    """
    inverse = ask.instrument.quote == "USD"
    pair = ask.instrument.base if inverse else f"{ask.instrument.base}_{ask.instrument.quote}"
    rows = [row for row in body["result"] if row.text("instrument_name").startswith(f"{pair}-")]
    if not rows:
        raise UnknownInstrument(body.provider, f"no options on {ask.instrument.symbol}")
    by_day = [(_day(row), row) for row in rows]
    wanted = ask.expiry or min(day for day, _ in by_day)
    key = replace(ask.instrument, settle=ask.instrument.base if inverse else ask.instrument.quote, venue="")
    kept = [row for day, row in by_day if day == wanted]
    contracts = [_contract(key, wanted, row) for row in kept]
    return OptionChain(
        instrument=ask.instrument,
        as_of=kept[0].maybe_epoch("creation_timestamp", "ms") if kept else None,
        currency=ask.instrument.base if inverse else ask.instrument.quote,
        underlying_price=kept[0].positive("underlying_price") if kept else None,
        expiries=tuple(sorted({day for day, _ in by_day})),
        contracts=tuple(sorted(contracts, key=lambda each: (each.strike, each.right.value))),
    )


def _terms(row: Row) -> Iterator[Row]:
    """The parts of an option's name: pair, day, strike, right."""
    parts = row.text("instrument_name").split("-")
    if len(parts) != 4:
        row["instrument_name"].broken("is no option's name")
    return (Row(row.provider, part, row, "instrument_name") for part in parts)


def _day(row: Row) -> date:
    _, day, _, _ = _terms(row)
    return day.day(form="%d%b%y")


def _contract(key: InstrumentId, day: date, row: Row) -> OptionContract:
    _, _, strike, right = _terms(row)
    if right.value not in RIGHTS:
        right.broken("is neither a call nor a put")
    price = Row(row.provider, strike.text().replace("d", "."), row, "instrument_name")
    volatility = row.maybe("mark_iv")
    return OptionContract(
        instrument=replace(key, expiry=f"{day:%y%m%d}", strike=price.text(), right=right.text()),
        expiry=day,
        strike=price.decimal(),
        right=RIGHTS[right.text()],
        bid=row.positive("bid_price"),
        ask=row.positive("ask_price"),
        last=row.positive("last"),
        mark=row.maybe("mark_price"),
        volume=row.maybe("volume"),
        open_interest=row.maybe("open_interest"),
        implied_volatility=None if volatility is None else volatility.scaleb(-2),
        contract_size=ONE_COIN,
    )
