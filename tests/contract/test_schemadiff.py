"""What a release has shown to clients goes only after its time; and the schema of today keeps to that."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema

from gateway.schemadiff import RELEASED, SCHEMA, bare, due, main, refusals

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 12, 31)
OLD = """
directive @deprecated(reason: String = "No longer supported") on FIELD_DEFINITION | ENUM_VALUE | ARGUMENT_DEFINITION
type Query {
  quote(symbol: String!, venue: String @deprecated(reason: "Since 0.2.0, 2026-09-30: say symbol@venue.")): Quote
  ticker: Ticker @deprecated(reason: "Since 0.2.0, 2026-09-30: use quote.")
  rate: String @deprecated(reason: "Since 0.3.0, 2026-09-30: use quote.")
}
type Quote { price: String! side: Side }
type Ticker { last: Last }
type Last { price: String! }
enum Side { BUY SELL BOTH @deprecated(reason: "Since 0.2.0, 2026-09-30: there is none.") }
"""


def found(*replaced: tuple[str, str], version: tuple[int, int] = (0, 4), today: date = TODAY) -> list[str]:
    new = OLD
    for old, instead in replaced:
        assert old in new
        new = new.replace(old, instead)
    return refusals(build_schema(OLD), build_schema(new), version, today)


TICKER = '  ticker: Ticker @deprecated(reason: "Since 0.2.0, 2026-09-30: use quote.")\n'
RATE = '  rate: String @deprecated(reason: "Since 0.3.0, 2026-09-30: use quote.")\n'


def test_what_was_added_breaks_nobody() -> None:
    assert found(("type Quote {", "type Quote { bid: String")) == []


def test_a_field_whose_time_is_over_goes_with_the_types_that_only_it_led_to() -> None:
    types = "type Ticker { last: Last }\ntype Last { price: String! }\n"

    assert found((TICKER, ""), (types, "")) == []
    assert found((TICKER, ""), ("type Last { price: String! }", "type Last { cost: Int }")) == []


def test_an_argument_and_a_value_go_after_their_time() -> None:
    argument = ', venue: String @deprecated(reason: "Since 0.2.0, 2026-09-30: say symbol@venue.")'
    value = ' BOTH @deprecated(reason: "Since 0.2.0, 2026-09-30: there is none.")'

    assert found((argument, ""), (value, "")) == []
    assert found((argument, ""), (value, ""), version=(0, 3)) == [
        "Argument Query.quote(venue:) was removed: its time is not over (Since 0.2.0, 2026-09-30: say symbol@venue.)",
        "Enum value Side.BOTH was removed: its time is not over (Since 0.2.0, 2026-09-30: there is none.)",
    ]


@pytest.mark.parametrize(
    ("replaced", "told"),
    [
        ((" side: Side", ""), "Field Quote.side was removed: it was not deprecated in the last release"),
        (
            (RATE, ""),
            "Field Query.rate was removed: its time is not over (Since 0.3.0, 2026-09-30: use quote.)",
        ),
        (
            ("{ price: String! side", "{ price: String side"),
            "Field Quote.price changed type from String! to String: it breaks clients of the last release",
        ),
        (
            ("quote(symbol: String!,", "quote(symbol: String!, day: Int!,"),
            "A required argument Query.quote(day:) was added: it breaks clients of the last release",
        ),
        ((" SELL", ""), "Enum value Side.SELL was removed: it was not deprecated in the last release"),
    ],
)
def test_what_clients_of_the_release_would_trip_over_is_named(replaced: tuple[str, str], told: str) -> None:
    assert found(replaced) == [told]


def test_a_deprecation_says_since_when() -> None:
    assert found((" SELL", ' SELL @deprecated(reason: "Old.")')) == [
        "Side.SELL is deprecated for 'Old.': it has to begin with `Since <version>, <date>: `"
    ]


@pytest.mark.parametrize(
    ("version", "today", "over"),
    [
        ((0, 4), date(2026, 12, 29), True),
        ((0, 4), date(2026, 12, 28), False),
        ((0, 3), date(2027, 12, 28), False),
        ((1, 0), date(2026, 12, 29), True),
        ((1, 0), date(2026, 12, 28), False),
    ],
)
def test_its_time_is_two_minor_versions_and_ninety_days(version: tuple[int, int], today: date, over: bool) -> None:
    assert due("Since 0.2.0, 2026-09-30: use quote.", version, today) is over
    assert not due("No longer supported", version, today)


def test_the_released_schema_is_todays_without_descriptions(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / SCHEMA).write_text('"""Said."""\ntype Query {\n  """Said."""\n  a("""Said.""" b: Int = 1): Int\n}\n')

    assert main(["--released"], tmp_path) == 0
    assert (tmp_path / RELEASED).read_text() == "type Query {\n  a(b: Int = 1): Int\n}\n"
    assert bare((tmp_path / RELEASED).read_text()) == (tmp_path / RELEASED).read_text()


def test_the_check_fails_on_a_field_that_went(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.4.0"\n')
    (tmp_path / SCHEMA).write_text("type Query { a: Int }\n")
    (tmp_path / RELEASED).write_text("type Query { a: Int b: Int }\n")

    assert main([], tmp_path) == 1
    assert capsys.readouterr().err == "Field Query.b was removed: it was not deprecated in the last release\n"
    assert main([], ROOT) == 0
