"""The forms of the data."""

from __future__ import annotations

import json

import pytest

from gateway.cli.outcome import Code, Stop, say
from gateway.cli.output import Column, Form, Table, form_of, write

EXACT = "91234.123456789012345678901234567890123456789012345678901234567890"
TABLE = Table(
    (Column("symbol", "symbol"), Column("price", "price"), Column("stale"), Column("reason", "why", text=True)),
    [("BTC/USD", EXACT, False, 'says "no", twice'), ("ETH\tUSD", None, True, "a\nb\x1b[31m")],
)


def test_away_from_a_terminal_data_is_tab_separated_lines_with_a_header(capsys: pytest.CaptureFixture[str]):
    write(form_of(as_json=False, as_csv=False), {}, TABLE)

    assert capsys.readouterr().out == (
        f'symbol\tprice\tstale\treason\nBTC/USD\t{EXACT}\tfalse\tsays "no", twice\nETH USD\t\ttrue\ta b [31m\n'
    )


def test_csv_quotes_what_needs_quotes(capsys: pytest.CaptureFixture[str]):
    write(Form.CSV, {}, TABLE)

    lines = capsys.readouterr().out.split("\n")
    assert lines[:2] == ["symbol,price,stale,reason", f'BTC/USD,{EXACT},false,"says ""no"", twice"']


def test_no_cell_of_csv_is_a_formula_and_numbers_stay_numbers(capsys: pytest.CaptureFixture[str]):
    rows = [('=HYPERLINK("x")', "-1.5"), ("+cmd", -2), ("@a", "1E-9"), ("-1+2", None), ("\tb", "+7")]

    write(Form.CSV, {}, Table((Column("name"), Column("value")), rows))

    lines = capsys.readouterr().out.split("\n")
    assert lines == ["name,value", '"\'=HYPERLINK(""x"")",-1.5', "'+cmd,-2", "'@a,1E-9", "'-1+2,", "'\tb,+7", ""]


def test_json_is_one_document_of_the_data_as_it_came(capsys: pytest.CaptureFixture[str]):
    data = {"quotes": {"nodes": [{"price": EXACT}, None]}}

    write(Form.JSON, data, TABLE)

    out = capsys.readouterr().out
    assert out == f'{{"quotes":{{"nodes":[{{"price":"{EXACT}"}},null]}}}}\n'
    assert json.loads(out) == data


def test_a_table_never_shortens_a_number_and_shows_no_control_characters(capsys: pytest.CaptureFixture[str]):
    write(Form.TABLE, {}, TABLE, "a caption")

    out = capsys.readouterr().out
    assert out.count(EXACT) == 1
    assert "\x1b" not in out
    assert "stale" not in out
    assert out.splitlines()[-1].strip() == "a caption"


def test_two_forms_at_once_are_refused():
    with pytest.raises(Stop) as stopped:
        form_of(as_json=True, as_csv=True)

    assert (stopped.value.message, stopped.value.code) == ("--json and --csv exclude each other: give one", Code.USAGE)


def test_a_message_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]):
    say("kraken:\n  broken\x1b[2J")

    assert capsys.readouterr() == ("", "marketgate: kraken: broken [2J\n")
