"""The commands over the real offline market, in this process."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from graphql import build_schema, parse, validate

from gateway.cli import applying, candles, consensus, doctor, operators, providers, quotes, tenants
from tests.contract.suite import PROVIDERS
from tests.gateway.cli.conftest import ROOT, Run

SIMULATED = "marketgate: offline market: SIMULATED data from sandbox"
QUOTE_HEADER = [
    "symbol", "instrument", "price", "currency", "priceType", "bid", "ask", "changePercent", "volume", "marketState",
    "asOf", "ageMs", "stale", "provider", "mode",
]  # fmt: skip

KEYED = {name for name, cls in PROVIDERS.items() if any(key.required for key in cls.profile.credentials)}

QUERIES = [quotes.QUERY, candles.QUERY, consensus.QUERY, providers.QUERY, doctor.PROVIDERS, doctor.PROBE]
OPERATING = [
    text
    for module in (tenants, operators, applying)
    for text in vars(module).values()
    if isinstance(text, str) and text.lstrip().startswith(("query ", "mutation "))
]


@pytest.mark.parametrize("query", [*QUERIES, *OPERATING])
def test_every_query_of_the_command_line_fits_the_schema(query: str):
    assert len(OPERATING) >= 8
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())

    assert [error.message for error in validate(schema, parse(query))] == []


def test_quotes_come_as_lines_and_stderr_says_that_they_are_simulated(command: Run):
    ended = command("quote", "BTC/USD", "EURUSD", "AAPL")

    rows = [line.split("\t") for line in ended.lines]
    assert (ended.code, ended.err) == (0, SIMULATED + "\n")
    assert rows[0] == QUOTE_HEADER
    assert [(row[0], row[1], row[3], row[-2], row[-1]) for row in rows[1:]] == [
        ("BTC/USD", "crypto:BTC/USD", "USD", "sandbox", "SIMULATED"),
        ("EURUSD", "fx:EUR/USD", "USD", "sandbox", "SIMULATED"),
        ("AAPL", "equity:AAPL", "USD", "sandbox", "SIMULATED"),
    ]


def test_a_recorded_quote_keeps_every_digit_and_stderr_names_its_provider(command: Run):
    ended = command("quote", "crypto:BTC/USD", "--providers", "yahoo", "--csv")

    (row,) = csv.DictReader(StringIO(ended.out))
    assert (ended.code, row["price"]) == (0, "91250.123456789012345")
    assert ended.err == "marketgate: offline market: RECORDED data from yahoo\n"


def test_json_is_one_document_of_what_graphql_answered(command: Run):
    ended = command("quote", "ETH/USD", "--json", "--offline")

    (node,) = json.loads(ended.out)["quotes"]["nodes"]
    assert ended.code == 0
    assert node["instrument"] == {"id": "crypto:ETH/USD"}
    assert Decimal(node["price"]) > 0


def test_a_conversion_is_in_the_currency_asked_for(command: Run):
    ended = command("quote", "BTC/USD", "--convert-to", "EUR")

    assert (ended.code, ended.lines[1].split("\t")[3]) == (0, "EUR")


def test_symbols_that_failed_make_the_answer_a_part_and_are_named_with_a_way_out(command: Run):
    ended = command("quote", "NOSUCH/USD", "BTC/USD", "???")

    assert ended.code == 3
    assert [line.split("\t")[0] for line in ended.lines] == ["symbol", "BTC/USD"]
    origin, unknown, unreadable = ended.err.splitlines()
    assert origin == SIMULATED
    assert unknown.startswith("marketgate: NOSUCH/USD: nobody answers: ")
    assert unreadable == (
        "marketgate: '???' cannot be read: write an id such as 'crypto:BTC/USD' or 'equity:AAPL', or a short form such "
        "as AAPL, BTC-USD, EURUSD (UNKNOWN_INSTRUMENT: check the spelling; `instruments(search:)` "
        "finds symbols by name)"
    )


def test_nothing_is_written_where_nothing_came(command: Run):
    ended = command("quote", "NOSUCH/USD")

    assert (ended.code, ended.out) == (4, "")
    assert len(ended.err.splitlines()) == 2


def test_more_symbols_than_a_batch_takes_are_asked_in_several(command: Run):
    symbols = ["BTC/USD"] * 250 + ["???"]

    ended = command("quote", *symbols, "--json")

    batch = json.loads(ended.out)["quotes"]
    assert (ended.code, len(batch["nodes"])) == (3, 251)
    assert [(failure["index"], failure["symbol"]) for failure in batch["failures"]] == [(250, "???")]


def test_candles_of_two_weeks_of_minutes_have_each_minute_once(command: Run):
    ended = command("candles", "BTC/USD", "-i", "1m", "--start", "2026-06-01", "--end", "2026-06-15", "--csv")

    start = datetime(2026, 6, 1, tzinfo=UTC)
    minutes = [f"{start + timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(14 * 24 * 60)]
    assert (ended.code, ended.err) == (0, SIMULATED + "\n")
    assert [row["openTime"] for row in csv.DictReader(StringIO(ended.out))] == minutes


def test_a_long_series_is_the_same_as_its_parts(command: Run):
    whole = command("candles", "ETH/USD", "-i", "M1", "--start", "2026-06-01", "--end", "2026-06-09").lines
    second = command(
        "candles", "ETH/USD", "-i", "1m", "--start", "2026-06-05T05:33:00Z", "--end", "2026-06-05T07:00:00Z"
    ).lines

    assert len(second) == 1 + 87
    assert whole[1 + 4 * 1440 + 333 : 1 + 4 * 1440 + 420] == second[1:]


def test_daily_candles_of_a_venue_name_their_session(command: Run):
    ended = command("candles", "AAPL", "-i", "1d", "--start", "2026-11-09", "--end", "2026-11-14", "--csv")

    rows = list(csv.DictReader(StringIO(ended.out)))
    assert [(row["openTime"], row["sessionDate"]) for row in rows] == [
        (f"2026-11-{day:02}T14:30:00Z", f"2026-11-{day:02}") for day in range(9, 14)
    ]


def test_candles_as_json_are_the_series_with_its_facts(command: Run):
    ended = command("candles", "BTC/USD", "--last", "2", "--json")

    series = json.loads(ended.out)["candles"]
    assert [series[name] for name in ("interval", "currency", "adjustment", "hours")] == [
        "H1",
        "USD",
        "NONE",
        "REGULAR",
    ]
    assert [row["closed"] for row in series["rows"]] == [True, False]


def test_a_consensus_lists_every_source(command: Run):
    ended = command("consensus", "BTC/USD", "--providers", "bitstamp,coinbaseexchange,kraken", "--quorum", "3")

    rows = list(csv.DictReader(StringIO(ended.out), delimiter="\t"))
    assert ended.code == 0
    assert ended.err == "marketgate: offline market: RECORDED data from bitstamp, coinbaseexchange, kraken\n"
    assert [(row["provider"], row["outlier"], row["excluded"]) for row in rows] == [
        ("bitstamp", "false", ""), ("coinbaseexchange", "false", ""), ("kraken", "false", ""),
    ]  # fmt: skip
    assert sorted(rows[0][name] for name in ("low", "median", "high")) == sorted(row["price"] for row in rows)


def test_a_quorum_that_is_not_met_is_nothing(command: Run):
    ended = command("consensus", "BTC/USD", "--providers", "kraken,okx", "--quorum", "2")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.splitlines()[-1].endswith("(QUORUM_NOT_MET: lower the quorum, or name further providers)")


def test_providers_are_listed_with_what_they_need(command: Run):
    ended = command("providers", "--csv")

    rows = {row["id"]: row for row in csv.DictReader(StringIO(ended.out))}
    assert ended.code == 0
    assert ended.err == "marketgate: offline market: all data is SIMULATED or RECORDED\n"
    assert next(iter(rows)) == "sandbox"
    assert rows["alphavantage"]["keySetting"] == "MARKETGATE_KEY_ALPHAVANTAGE"
    assert rows["alphavantage"]["keyRequired"] == "true"
    assert rows["kraken"]["keySetting"] == ""


def test_providers_without_their_key_are_found_by_their_status(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_UPSTREAMS", "live")

    ended = command("providers", "--status", "key-missing", "--json")

    found = {provider["id"]: provider["statusReason"] for provider in json.loads(ended.out)["providers"]}
    assert (ended.code, ended.err) == (0, "")
    assert found == {name: f"set MARKETGATE_KEY_{name.upper()}" for name in KEYED}


def test_the_registry_is_filtered_by_class_and_capability(command: Run):
    ended = command("providers", "--asset-class", "macro", "--capability", "yieldCurve", "--json")

    assert [provider["id"] for provider in json.loads(ended.out)["providers"]] == ["us_treasury"]


def test_the_schema_is_the_committed_one(command: Run):
    ended = command("schema")

    assert (ended.code, ended.out) == (0, (ROOT / "schema" / "schema.graphql").read_text())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["quote"], "Missing argument 'SYMBOL...' (see marketgate --help)"),
        (["quote", "BTC/USD", "--json", "--csv"], "--json and --csv exclude each other: give one"),
        (["quote", "BTC/USD", "--frobnicate"], "No such option: --frobnicate (see marketgate --help)"),
        (["candles", "BTC/USD", "-i", "1M"],
         "--interval: '1M' is not an interval: write one of 1s 5s 15s 30s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w "
         "1mo"),
        (["candles", "BTC/USD", "--start", "soon"],
         "--start: 'soon' is no date: write 2026-11-20, or an instant such as 2026-11-20T12:00:00Z"),
        (["candles", "BTC/USD", "--start", "2026-02-01", "--end", "2026-01-01"],
         "--end: must be after --start: ranges are [start, end)"),
        (["providers", "--status", "fine"],
         "--status: 'fine' is not known: write one of ready, key_missing, key_invalid, degraded, paused, disabled, "
         "failed_to_load"),
        (["providers", "--asset-class", "bonds"],
         "--asset-class: 'bonds' is not known: write one of crypto, equity, fx, index, commodity, macro, dex"),
        (["quote", "BTC/USD", "--url", "ftp://x"],
         "--url: 'ftp://x' is not an http or https address such as https://gateway.example.com"),
        (["quote", "BTC/USD", "--url", "http://127.0.0.1:1", "--offline"],
         "--offline and --url exclude each other: the other gateway has its own mode"),
        (["trade"], "No such command 'trade' (see marketgate --help)"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_ends_with_two_and_one_line(command: Run, line: list[str], told: str):
    ended = command(*line)

    assert (ended.code, ended.out, ended.err) == (2, "", f"marketgate: {told}\n")


def test_what_the_gateway_refuses_as_input_is_usage_too(command: Run):
    ended = command("quote", "BTC/USD", "--providers", "nobody")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith("marketgate: BTC/USD: route.providers: no provider 'nobody'")


def test_a_wrong_setting_is_named(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_TIMEOUT_S", "soon")

    ended = command("quote", "BTC/USD")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("marketgate: MARKETGATE_TIMEOUT_S: ")
    assert len(ended.err.splitlines()) == 1


def test_without_arguments_the_help_is_shown_and_nothing_done(command: Run):
    ended = command()

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: marketgate [OPTIONS] COMMAND [ARGS]...")


def test_a_fault_of_the_program_is_one_line_too(command: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quotes, "_row", lambda *_: [][0])

    ended = command("quote", "BTC/USD")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == (
        "marketgate: IndexError: list index out of range; this is a fault of the program: PYTHONDEVMODE=1 shows where"
    )


def test_the_matrix_marks_what_each_provider_offers(command: Run):
    ended = command("providers", "--matrix", "--csv")

    head, *rows = csv.reader(StringIO(ended.out))
    offered = {row[0]: {name for name, mark in zip(head[1:], row[1:], strict=True) if mark == "x"} for row in rows}
    assert ended.code == 0
    assert offered == {name: set(cls.offers) for name, cls in PROVIDERS.items()}
    assert head[1:] == sorted(set().union(*offered.values()))
