"""`marketgate cost`: the price of each operation of a file, and nothing is run."""

from __future__ import annotations

import io
import json

import pytest

from tests.gateway.cli.conftest import Run

DOCUMENT = """
query Ticker { quote(symbol: "BTC/USD") { price instrument { quote { price } } } }
query Page($first: Int!) {
  instruments(first: $first) { nodes { quote { price } } }
  again: quote(symbol: "AAPL") { price }
}
mutation Leave { sessionsRevokeOthers { userErrors { code } } }
"""


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / "screen.graphql"
    path.write_text(DOCUMENT)
    return str(path)


def test_each_operation_is_priced_by_root_field_with_what_it_needs(command: Run, file: str):
    ended = command("cost", file, "--variables", '{"first": 50}')

    assert (ended.code, ended.err) == (0, "")
    assert ended.lines == [
        "operation\tfield\tpoints\tneeds",
        "Ticker\tquote\t2\t",
        "Ticker\ttotal\t2\tmarket:read",
        "Page\tinstruments\t51\t",
        "Page\tquote\t1\t",
        "Page\ttotal\t52\tmarket:read",
        "Leave\tsessionsRevokeOthers\t0\t",
        "Leave\ttotal\t0\ta signed-in person",
    ]


def test_one_operation_can_be_chosen_and_comes_as_json(command: Run, file: str, tmp_path):
    variables = tmp_path / "variables.json"
    variables.write_text('{"first": 3}')

    ended = command("cost", file, "--operation", "Page", "--variables", str(variables), "--json")

    assert ended.code == 0
    assert json.loads(ended.out) == {
        "operations": [
            {
                "name": "Page", "kind": "query", "points": 5, "fields": {"instruments": 4, "quote": 1},
                "scopes": ["market:read"], "person": False,
            }
        ]
    }  # fmt: skip


def test_an_operation_whose_variables_are_missing_is_told_and_the_others_are_priced(command: Run, file: str):
    ended = command("cost", file)

    assert ended.code == 3
    assert [line.split("\t")[0] for line in ended.lines[1:]] == ["Ticker", "Ticker", "Leave", "Leave"]
    assert "marketgate: Page: Variable '$first' has invalid value" in ended.err


def test_where_nothing_can_be_priced_the_usage_is_wrong(command: Run, file: str):
    ended = command("cost", file, "--operation", "Page", "--variables", '{"first": "many"}')

    assert (ended.code, ended.lines) == (2, ["operation\tfield\tpoints\tneeds"])


def test_a_document_comes_from_stdin_too(command: Run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("{ __typename }"))

    ended = command("cost", "-")

    assert (ended.code, ended.lines[1:]) == (0, ["query\t__typename\t0\t", "query\ttotal\t1\t"])


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("{ quot }", (), "line 1: Cannot query field 'quot' on type 'Query'"),
        ("{ quote(", (), "line 1: Syntax Error"),
        ("fragment F on Query { __typename }", (), "holds no operation"),
        (DOCUMENT, ("--operation", "Nope"), "has no operation named 'Nope'"),
        ("{ __typename }", ("--variables", "[1]"), "[1] cannot be read"),
        ("{ __typename }", ("--variables", "{x"), "--variables: is not JSON"),
    ],
)
def test_what_cannot_be_priced_is_told_in_one_line(command: Run, tmp_path, text, options, told):
    path = tmp_path / "x.graphql"
    path.write_text(text)

    ended = command("cost", str(path), *options)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_a_file_that_is_not_there_is_named(command: Run):
    ended = command("cost", "nowhere.graphql")

    assert (ended.code, ended.err) == (2, "marketgate: nowhere.graphql cannot be read (No such file or directory)\n")
