"""Typed questions of the Python client at a running gateway: answers, refusals, and what is asked again."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import uvicorn
from marketgate_client import (
    AccessError,
    AsyncClient,
    Client,
    ConnectionFailed,
    DataError,
    InstrumentError,
    Interval,
    LimitError,
    MarketgateError,
    RequestError,
    Retry,
)
from marketgate_client.errors import FAMILIES, error_of
from marketgate_client.generated import (
    AccountKind,
    AssetClass,
    DataMode,
    FailureCode,
    OrderCancelInput,
    OrderPlaceErrorCode,
    OrderPlaceInput,
    OrderStatus,
    OrderType,
    RouteInput,
    Side,
    TradingAccountCreateInput,
)

from gateway.cli.codes import DATA, INSIDE, REQUESTS
from tests.e2e.clients.line import Line
from tests.e2e.clients.python.conftest import ANONYMOUS_POINTS
from tests.e2e.market.process import Gateway

RECORDED, NOON = "crypto:BTC/USD@kraken", datetime(2026, 11, 19, 12, tzinfo=UTC)
QUOTE = "query ($s: String!) { quote(symbol: $s) { price bid changePercent provenance { fetchedAt } } }"
HOURS = "query ($s: String!, $t: DateTime) { candles(symbol: $s, interval: H1, start: $t, first: 1) { currency } }"
STEADY = Retry(chance=lambda: 0.0)


def raised(ask: Any, *given: Any, **more: Any) -> MarketgateError:
    with pytest.raises(MarketgateError) as caught:
        ask(*given, **more)
    return caught.value


def answer_once(server: socket.socket, answer: bytes) -> None:
    caller, _ = server.accept()
    with caller:
        caller.recv(1 << 16)
        caller.sendall(answer)


def test_a_quote_has_the_values_of_the_answer(client: Client, gateway: Gateway):
    quote = client.quote(RECORDED)

    told = gateway.ask(QUOTE, s=RECORDED)["quote"]
    assert (str(quote.price), str(quote.bid), str(quote.change_percent)) == (
        told["price"], str(told["bid"]), str(told["changePercent"]),
    )  # fmt: skip
    assert quote.instrument.asset_class is AssetClass.CRYPTO
    assert (quote.provenance.provider, quote.provenance.mode) == ("kraken", DataMode.RECORDED)
    assert quote.provenance.fetched_at == datetime.fromisoformat(told["provenance"]["fetchedAt"])
    assert quote.provenance.fetched_at.tzinfo is UTC


async def test_the_asynchronous_client_gets_the_same(client: Client, gateway: Gateway):
    async with AsyncClient(gateway.url, api_key=gateway.key, trust_env=False) as asynchronous:
        page = await asynchronous.candle_page(RECORDED, Interval.H1, start=NOON, first=3)
        free = await asynchronous.execute("{ viewer { tenant { name } } }")
        with pytest.raises(InstrumentError) as caught:
            await asynchronous.quote("cik:1652044")

    assert page.columns == client.candle_page(RECORDED, "H1", start=NOON, first=3).columns
    assert len(page.columns.open_time) == 3
    assert free["viewer"] == {"tenant": {"name": "Unlimited"}}
    assert caught.value.candidates == ("equity:GOOG", "equity:GOOGL")


def test_a_batch_answers_failures_as_data(client: Client):
    batch = client.quotes(["BTC/USD", "NOSUCH/USD"], convert_to="EUR")

    first, second = batch.nodes
    assert first is not None
    assert (first.currency, second) == ("EUR", None)
    [failure] = batch.failures
    assert (failure.index, failure.symbol, failure.code) == (1, "NOSUCH/USD", FailureCode.NOT_RECORDED)
    assert failure.attempts[0].code == "NOT_RECORDED"


@pytest.mark.parametrize(("ask", "seen"), [
    (lambda c: c.consensus("ETH/USD", quorum=3).used >= 3, True),
    (lambda c: [len(side) for side in (c.order_book("BTC/USD", depth=3).bids, c.order_book("BTC/USD").asks)], [3, 20]),
    (lambda c: len(c.trades("BTC/USD", last=4)), 4),
    (lambda c: c.instrument("AAPL").venue.time_zone, "America/New_York"),
    (lambda c: c.instruments(search="bitcoin", first=1).page_info.has_next_page, True),
    (lambda c: {each.id for each in c.providers(asset_class=AssetClass.INDEX)} >= {"sandbox"}, True),
    (lambda c: [(each.base, each.quote) for each in c.rates("EUR", quotes=["USD", "JPY"]).rates],
     [("EUR", "JPY"), ("EUR", "USD")]),
    (lambda c: c.convert(Decimal("2.50"), "EUR", "USD").conversion.from_, "EUR"),
    (lambda c: c.funding_rate("crypto:BTC/USDT:USDT").instrument.id, "crypto:BTC/USDT:USDT"),
    (lambda c: c.news(first=1).nodes[0].provenance.mode, "RECORDED"),
    (lambda c: c.viewer().tenant.name, "Unlimited"),
    (lambda c: c.portfolios().nodes, ()),
    (lambda c: c.valued_portfolio("pf_none"), None),
    (lambda c: "provider.degraded" in {each.name for each in c.event_types()}, True),
    (lambda c: c.quote("BTC/USD", route=RouteInput(providers=["sandbox"], max_age_ms=60_000)).provenance.provider,
     "sandbox"),
])  # fmt: skip
def test_each_question_is_read_into_its_types(client: Client, ask: Any, seen: object):
    assert ask(client) == seen


def test_an_order_goes_in_as_typed_input_and_comes_back_typed(client: Client):
    made = client.trading_account_create(
        TradingAccountCreateInput(
            name="client", kind=AccountKind.PAPER, currency="USD", initial_balance=Decimal("10000.00")
        )
    )
    assert made.account is not None
    assert (made.user_errors, made.account.initial_balance) == ((), Decimal("10000.00"))

    order = OrderPlaceInput(
        account_id=made.account.id, symbol="crypto:BTC/USD", side=Side.BUY, type=OrderType.LIMIT,
        quantity=Decimal("0.010"), limit_price=Decimal("1000"),
    )  # fmt: skip
    placed = client.order_place(order)
    refused = client.order_place(
        OrderPlaceInput(account_id=made.account.id, symbol="BTC/USD", side="BUY", type="LIMIT", quantity=Decimal(1))
    )
    assert placed.order is not None
    canceled = client.order_cancel(OrderCancelInput(order_id=placed.order.id))

    assert (placed.user_errors, placed.order.quantity, placed.order.side) == ((), Decimal("0.010"), Side.BUY)
    assert [error.code for error in refused.user_errors] == [OrderPlaceErrorCode.ORDER_INVALID]
    assert canceled.order is not None
    assert canceled.order.status is OrderStatus.CANCELED
    assert [each.id for each in client.orders(made.account.id).nodes] == [placed.order.id]


def test_a_free_form_document_takes_variables_and_tells_its_cost(client: Client):
    answer = client.execute(HOURS, {"s": "BTC/USD", "t": datetime(2026, 1, 1, tzinfo=UTC)})

    assert answer.data == {"candles": {"currency": "USD"}}
    assert answer.cost is not None
    assert answer.cost.requested == 1
    assert answer.request_id is not None


def test_refusals_have_a_class_a_code_and_a_page(client: Client):
    unknown = raised(client.quote, "NOSUCH/USD")
    wrong = raised(client.candle_page, "BTC/USD", "H1", first=0)
    typo = raised(client.execute, '{ quote(symbol: "BTC/USD") { prise } }')

    assert isinstance(unknown, DataError)
    assert (unknown.code, unknown.docs) == ("NOT_RECORDED", "/docs/errors/NOT_RECORDED")
    assert unknown.attempts[0].provider == "bitstamp"
    assert isinstance(wrong, RequestError)
    assert (wrong.code, wrong.field, wrong.retry_after_ms) == ("BAD_USER_INPUT", "first", None)
    assert isinstance(typo, RequestError)
    assert typo.code == "GRAPHQL_VALIDATION_FAILED"
    assert len({each.request_id for each in (unknown, wrong, typo)}) == 3
    assert str(typo) == f"GRAPHQL_VALIDATION_FAILED: {typo.message}"


def test_a_key_that_is_not_valid_is_an_access_error(gateway: Gateway):
    with Client(gateway.url, api_key="mg_dev_no_key", trust_env=False) as stranger:
        error = raised(stranger.viewer)

    assert isinstance(error, AccessError)
    assert error.code == "UNAUTHENTICATED"


def test_every_code_of_the_gateway_has_a_family():
    known = {code for family in FAMILIES for code in family.codes} - FAMILIES[-1].codes

    assert known == {str(code) for each in (DATA, REQUESTS, INSIDE) for code in each}


def test_what_is_too_much_is_asked_again_after_the_wait_that_the_gateway_names(line: Line):
    line.source = "127.0.0.41"
    waits: list[float] = []

    def move(seconds: float) -> None:
        """Instead of waiting for the minute's end: another address has points of its own."""
        waits.append(seconds)
        line.source = "127.0.0.42"
        line.cut()

    with Client(line.url, trust_env=False, retry=STEADY, sleep=move) as anonymous:
        for _ in range(ANONYMOUS_POINTS):
            anonymous.quote("BTC/USD")
        before = line.requests
        quote = anonymous.quote("ETH/USD")

    assert quote.instrument.id == "crypto:ETH/USD"
    assert line.requests == before + 2
    [wait] = waits
    assert 0 < wait <= 60


async def test_the_asynchronous_client_waits_too(line: Line):
    line.source = "127.0.0.43"
    waits: list[float] = []

    async def move(seconds: float) -> None:
        waits.append(seconds)
        line.source = "127.0.0.44"
        line.cut()

    async with AsyncClient(line.url, trust_env=False, retry=STEADY, sleep=move) as anonymous:
        for _ in range(ANONYMOUS_POINTS + 1):
            await anonymous.quote("BTC/USD")

    assert len(waits) == 1


def test_the_last_attempt_and_a_wait_beyond_patience_raise(line: Line):
    line.source = "127.0.0.45"
    waits: list[float] = []
    twice = Retry(attempts=2, chance=lambda: 1.0, longest_s=70)

    with Client(line.url, trust_env=False, retry=twice, sleep=waits.append) as anonymous:
        for _ in range(ANONYMOUS_POINTS):
            anonymous.quote("BTC/USD")
        refused = raised(anonymous.quote, "BTC/USD")
    with Client(line.url, trust_env=False, retry=Retry(longest_s=0), sleep=waits.append) as hasty:
        hurried = raised(hasty.quote, "BTC/USD")

    assert isinstance(refused, LimitError)
    assert (refused.code, refused.extensions["limit"]) == ("RATE_LIMITED", "pointsPerMinute")
    assert refused.retry_after_ms is not None
    assert len(waits) == 1
    assert 0 <= waits[0] - refused.retry_after_ms / 1000 * 1.1 < 5
    assert hurried.code == "RATE_LIMITED"


@pytest.mark.parametrize(("code", "data", "writes", "wait"), [
    ("RATE_LIMITED", None, True, 2.0),
    ("OVERLOADED", None, True, 2.0),
    ("DATABASE_UNAVAILABLE", None, False, 2.0),
    ("DATABASE_UNAVAILABLE", None, True, None),
    ("RATE_LIMITED", {"orderPlace": None}, True, None),
    ("RATE_LIMITED", {"quote": None}, False, 2.0),
    ("RATE_LIMITED", {"quote": None, "viewer": {}}, False, None),
    ("UPSTREAM_THROTTLED", {"quote": None}, False, None),
    ("QUOTA_EXCEEDED", None, False, None),
])  # fmt: skip
def test_only_what_cannot_have_run_twice_is_sent_twice(code: str, data: Any, writes: bool, wait: float | None):
    refusal = {"message": "later", "extensions": {"code": code, "retryAfterMs": 2_000}}

    assert STEADY.wait(error_of([refusal], data), 1, writes) == wait


def test_what_could_never_fit_is_not_asked_again(line: Line):
    line.source = "127.0.0.46"
    waits: list[float] = []

    with Client(line.url, trust_env=False, sleep=waits.append) as anonymous:
        error = raised(anonymous.candle_page, "BTC/USD", "H1", first=5_000)

    assert (error.code, error.retry_after_ms, waits, line.requests) == ("RATE_LIMITED", None, [], 1)


def test_a_question_whose_connection_broke_is_asked_again(gateway: Gateway, line: Line):
    waits: list[float] = []

    def mend(seconds: float) -> None:
        waits.append(seconds)
        line.swallows_answers = len(waits) < 2

    line.swallows_answers = True
    with Client(line.url, api_key=gateway.key, trust_env=False, retry=STEADY, sleep=mend) as client:
        quote = client.quote("BTC/USD")

    assert quote.currency == "USD"
    assert (waits, line.requests) == ([0.5, 1.0], 3)


def test_a_mutation_whose_connection_broke_is_not_sent_twice(gateway: Gateway, line: Line):
    line.swallows_answers = True

    with Client(line.url, api_key=gateway.key, trust_env=False, sleep=lambda _: None) as client:
        typed = raised(client.order_cancel, OrderCancelInput(order_id="ord_none"))
        free = raised(client.execute, 'mutation { orderCancel(input: {orderId: "ord_none"}) { order { id } } }')

    assert isinstance(typed, ConnectionFailed)
    assert (typed.code, free.code, line.requests) == ("CONNECTION_FAILED", "CONNECTION_FAILED", 2)


def test_a_mutation_that_was_never_sent_is_tried_again(gateway: Gateway, line: Line):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    waits: list[float] = []

    with Client(f"http://127.0.0.1:{port}", trust_env=False, retry=STEADY, sleep=waits.append) as client:
        error = raised(client.order_cancel, OrderCancelInput(order_id="ord_none"))

    assert (error.code, waits) == ("CONNECTION_FAILED", [0.5, 1.0, 2.0])


def test_an_idle_connection_is_given_up_before_the_gateway_does(client: Client):
    kept = client._gateway.http_options()["limits"].keepalive_expiry

    assert kept + 1 < uvicorn.Config("gateway.app:create_app").timeout_keep_alive


def test_an_answer_that_takes_too_long_is_waited_for_once():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Client(f"http://127.0.0.1:{silent.getsockname()[1]}", trust_env=False, timeout=0.05) as client,
    ):
        error = raised(client.quote, "BTC/USD")

    assert isinstance(error, ConnectionFailed)
    assert error.code == "TIMED_OUT"


def test_what_is_no_gateway_is_told_apart():
    page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        answering = threading.Thread(target=answer_once, args=(server, page))
        answering.start()
        with Client(address, trust_env=False) as lost:
            error = raised(lost.quote, "BTC/USD")
        answering.join()

    assert isinstance(error, ConnectionFailed)
    assert error.code == "NO_GATEWAY"
    assert error.message == f"status 404 without a GraphQL answer: is {address}/graphql a gateway's /graphql?"
    with pytest.raises(ValueError, match="does not begin with http"):
        Client("gateway.example")


def test_a_value_that_is_newer_than_the_client_is_a_member_of_its_own():
    newer = DataMode("IMAGINED")

    assert (newer, newer.value, isinstance(newer, DataMode)) == ("IMAGINED", "IMAGINED", True)
    assert newer != DataMode.LIVE
    assert {newer: 1}["IMAGINED"] == 1  # type: ignore[index]
    with pytest.raises(ValueError, match="5 is not a valid DataMode"):
        DataMode(5)  # type: ignore[arg-type]


def test_variables_that_are_no_values_are_refused(client: Client):
    with pytest.raises(ValueError, match="no time zone"):
        client.candle_page("BTC/USD", "H1", start=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="NaN is no amount"):
        client.convert(Decimal("NaN"), "EUR", "USD")
