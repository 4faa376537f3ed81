"""What may be said of an account; each refusal names its field and what would pass."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.matching.model import ExecutionModel
from plugins.trading.accounts import rules
from plugins.trading.accounts.execution import model_of
from plugins.trading.accounts.rules import Wish
from schema.words.orders import AccountKind, FillSource, MarginType
from schema.words.problems import Refused
from tests.plugins.trading.rowsof import D


def wish(**given: Any) -> Wish:
    values: dict[str, Any] = {"name": "Main", "model": ExecutionModel()}
    return Wish(**values | given)


def told(refused: pytest.ExceptionInfo[Refused]) -> tuple[str, tuple[str, ...], str]:
    return refused.value.code, refused.value.field, refused.value.message


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: rules.name_of(" "), ("NAME_INVALID", ("name",), "The name is empty: give 1 to 100 characters.")),
        (
            lambda: rules.reason_of(""),
            ("REASON_INVALID", ("reason",), "The reason is empty: give 1 to 300 characters."),
        ),
        (
            lambda: rules.currency_of("GBX"),
            ("CURRENCY_INVALID", ("currency",), "GBX is a hundredth of GBP: write GBP, and amounts in it."),
        ),
        (
            lambda: rules.currency_of("pesos"),
            ("CURRENCY_INVALID", ("currency",),
             "'pesos' is no currency that is known: write a code such as USD, EUR or USDT."),
        ),
        (
            lambda: rules.balance_of(wish(initial_balance=D("1.005")), "USD"),
            ("BALANCE_INVALID", ("initialBalance",), "USD has 2 decimals: initialBalance may be 1.00, not 1.005."),
        ),
        (
            lambda: rules.balance_of(wish(initial_balance=D(-1)), "USD"),
            ("BALANCE_INVALID", ("initialBalance",), "initialBalance must be 0 to 1,000,000,000,000."),
        ),
        (
            lambda: rules.balance_of(wish(initial_balance=D(1), kind=AccountKind.LIVE), "USD"),
            ("BALANCE_INVALID", ("initialBalance",), "The balance of a LIVE account is its broker's: give 0."),
        ),
        (
            lambda: rules.leverage_of(D(2), MarginType.CASH),
            ("LEVERAGE_INVALID", ("leverage",),
             "A CASH account borrows nothing: its leverage is 1. For more give margin MARGIN."),
        ),
        (
            lambda: rules.leverage_of(D("100.01"), MarginType.MARGIN),
            ("LEVERAGE_INVALID", ("leverage",), "leverage must be 1 to 100, with at most 2 decimals."),
        ),
        (
            lambda: rules.rate_of(D("0.01"), MarginType.CASH, AccountKind.PAPER),
            ("INTEREST_INVALID", ("marginInterestRate",),
             "Only a PAPER account of margin MARGIN owes us cash: leave marginInterestRate out."),
        ),
        (
            lambda: rules.rate_of(D("1.1"), MarginType.MARGIN, AccountKind.PAPER),
            ("INTEREST_INVALID", ("marginInterestRate",),
             "marginInterestRate must be 0 to 1, with at most 6 decimals: 0.05 is 5 % a year."),
        ),
        (
            lambda: rules.loss_of(D(0)),
            ("LOSS_INVALID", ("maxDailyLoss",),
             "maxDailyLoss must be above 0 and at most 1,000,000,000,000; leave it out for none."),
        ),
        (
            lambda: rules.broker_of(wish(broker="acme"), ()),
            ("BROKER_INVALID", ("broker",), "'acme' is no broker here: none is connected to this gateway."),
        ),
        (
            lambda: rules.broker_of(wish(broker="acme"), ("binance", "alpaca")),
            ("BROKER_INVALID", ("broker",), "'acme' is no broker here: write one of alpaca, binance."),
        ),
        (
            lambda: rules.broker_of(wish(broker="alpaca"), ("alpaca",)),
            ("BROKER_INVALID", ("broker",),
             "A PAPER account is filled by the gateway's own simulator: for alpaca give kind LIVE."),
        ),
        (
            lambda: rules.broker_of(wish(kind=AccountKind.LIVE), ("alpaca",)),
            ("BROKER_INVALID", ("broker",), "A LIVE account needs a broker: alpaca."),
        ),
        (
            lambda: rules.check_live(wish(kind=AccountKind.LIVE, confirm="Main"), "Main", opted_in=False),
            ("LIVE_NOT_ENABLED", ("kind",),
             "Your organisation has not opted in to live trading: an owner or admin does so with `tradingLiveOptIn`."),
        ),
        (
            lambda: rules.check_live(wish(kind=AccountKind.LIVE, confirm="main"), "Main", opted_in=True),
            ("CONFIRMATION_NEEDED", ("confirm",),
             "A LIVE account trades with money: write its name once more, confirm: 'Main'."),
        ),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_what_would_pass(make: Any, expected: tuple[str, tuple[str, ...], str]):
    with pytest.raises(Refused) as refused:
        make()

    assert told(refused) == expected


def test_what_is_within_its_bounds_passes():
    assert rules.currency_of(" usdt ") == "USDT"


def test_pence_are_no_pounds():
    with pytest.raises(Refused) as refused:
        rules.currency_of("GBp")

    assert (refused.value.code, refused.value.message) == (
        "CURRENCY_INVALID", "GBp is a hundredth of GBP: write GBP, and amounts in it.",
    )  # fmt: skip
    assert rules.balance_of(wish(initial_balance=D("0.00000001")), "BTC") == D("0.00000001")
    assert rules.leverage_of(D("2.5"), MarginType.MARGIN) == D("2.5")
    assert (rules.loss_of(None), rules.loss_of(rules.LARGEST)) == (None, rules.LARGEST)
    assert rules.broker_of(wish(), ()) == "simulator"
    assert rules.broker_of(wish(broker="Alpaca", kind=AccountKind.LIVE), ("alpaca",)) == "alpaca"
    rules.check_live(wish(kind=AccountKind.LIVE, confirm="Main"), "Main", opted_in=True)
    rules.check_live(wish(), "Main", opted_in=False)


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"participation": "0"}, "participation", "must be a number above 0 to 1, not '0'."),
        ({"slippage": {"bps": "1001"}}, "slippage.bps", "must be a number from 0 to 1000, not '1001'."),
        ({"slippage": {"per_unit": "-1"}}, "slippage.perUnit", "must be a number from 0 to 1, not '-1'."),
        ({"fees": {"taker": "0.2"}}, "fees.taker", "must be a number from 0 to 0.1, not '0.2'."),
        ({"latency_ms": -1}, "latencyMs", "must be a whole number from 0 to 60000, not -1."),
        ({"max_age_ms": 0}, "maxAgeMs", "must be a whole number from 1 to 86400000, not 0."),
        ({"collar_bps": 0}, "collarBps", "must be a whole number from 1 to 10000, not 0."),
    ],
)
def test_a_model_out_of_its_bounds_names_the_field(given: dict[str, Any], field: str, message: str):
    with pytest.raises(Refused) as refused:
        model_of(given, ("alpha",))

    assert told(refused) == ("MODEL_INVALID", ("model", *field.split(".")), f"model.{field} {message}")


def test_a_model_of_a_provider_that_quotes_nothing_names_those_that_do():
    with pytest.raises(Refused) as refused:
        model_of({"provider": "nobody"}, ("kraken", "alpha"))

    assert told(refused) == (
        "MODEL_INVALID", ("model", "provider"), "'nobody' is no provider of quotes here: write one of alpha, kraken.",
    )  # fmt: skip
    found = model_of({"provider": "alpha", "source": "BOOK", "collar_bps": None}, ("alpha",))
    assert (found.provider, found.source, found.collar_bps) == ("alpha", FillSource.BOOK, None)


def test_what_keeps_an_account_from_being_deleted_is_named_with_the_way_out():
    nothing = rules.not_empty({"positions": [], "orders": [], "entries": [], "schedules": []})
    found = rules.not_empty({"positions": ["crypto:BTC/USD"], "orders": [f"ord_{n}" for n in range(6)], "entries": []})

    assert nothing is None
    assert found is not None
    assert (found.code, found.message) == (
        "ACCOUNT_NOT_EMPTY",
        "The account has positions crypto:BTC/USD: close them with `positionClose`; "
        "open orders ord_0, ord_1, ord_2, ord_3, ord_4 and more: cancel them with `ordersCancelAll`.",
    )
