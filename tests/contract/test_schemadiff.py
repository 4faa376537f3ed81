"""What a release has shown to clients goes only after its time; and the schema of today keeps to that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema

from gateway.released import RELEASED, RELEASED_CODES, SCHEMA, History, Release, Unreadable, Version, bare, releases_in
from gateway.schemadiff import due, lost_codes, main, refusals

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 12, 31)
OLD = """
directive @deprecated(reason: String = "No longer supported") on
  FIELD_DEFINITION | ENUM_VALUE | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
directive @oneOf on INPUT_OBJECT
type Query {
  quote(symbol: String!, venue: String @deprecated(reason: "Since 0.2.0, 2026-09-30: say symbol@venue.")): Quote
  ticker: Ticker @deprecated(reason: "Since 0.2.0, 2026-09-30: use quote.")
  rate: String @deprecated(reason: "Since 0.3.0, 2026-09-30: use quote.")
  thing(pick: Pick, first: Int = 10): Thing
  any: Any
}
interface Thing { id: ID! }
type Coin implements Thing { id: ID! chain: Chain }
type Chain { name: String! }
type Stock implements Thing { id: ID! board(lang: Lang): Board }
type Board { name: String! }
enum Lang { EN DE }
union Any = Bond | Fund
type Bond { price: String! }
type Fund { price: String! }
input Pick {
  side: Side = BUY most: Int under: Under old: Int @deprecated(reason: "Since 0.2.0, 2026-09-30: say most.")
}
input Under { price: Int floor: Int = 1 }
interface Priced { price: String! }
type Quote implements Priced { price: String! side: Side }
type Ticker { last: Last }
type Last { price: String! }
enum Side { BUY SELL BOTH @deprecated(reason: "Since 0.2.0, 2026-09-30: there is none.") }
"""


RELEASES = tuple(Release((0, minor, 0), date(2026, 7 + minor, 30)) for minor in (3, 2, 1))


def history(*version: int) -> History:
    """Of a project whose last release is 0.3.0."""
    major, minor, patch = version
    return History(version=(major, minor, patch), releases=RELEASES, last=RELEASES[0])


def found(*replaced: tuple[str, str], version: Version = (0, 4, 0), today: date = TODAY) -> list[str]:
    new = OLD
    for old, instead in replaced:
        assert old in new
        new = new.replace(old, instead)
    return refusals(build_schema(OLD), build_schema(new), history(*version), today)


TYPED = "Field {} changed type from String! to String: it breaks clients of the last release"
TICKER = '  ticker: Ticker @deprecated(reason: "Since 0.2.0, 2026-09-30: use quote.")\n'
RATE = '  rate: String @deprecated(reason: "Since 0.3.0, 2026-09-30: use quote.")\n'


def test_what_was_added_breaks_nobody() -> None:
    assert found(("type Quote implements Priced {", "type Quote implements Priced { bid: String")) == []


def test_a_field_whose_time_is_over_goes_with_the_types_that_only_it_led_to() -> None:
    types = "type Ticker { last: Last }\ntype Last { price: String! }\n"

    assert found((TICKER, ""), (types, "")) == []
    assert found((TICKER, ""), ("type Last { price: String! }", "type Last { cost: Int }")) == []


def test_an_argument_and_a_value_go_after_their_time() -> None:
    argument = ', venue: String @deprecated(reason: "Since 0.2.0, 2026-09-30: say symbol@venue.")'
    value = ' BOTH @deprecated(reason: "Since 0.2.0, 2026-09-30: there is none.")'

    assert found((argument, ""), (value, "")) == []
    assert found((argument, ""), (value, ""), version=(0, 3, 0)) == [
        "Argument Query.quote(venue:) was removed: its time is not over (Since 0.2.0, 2026-09-30: say symbol@venue.)",
        "Enum value Side.BOTH was removed: its time is not over (Since 0.2.0, 2026-09-30: there is none.)",
    ]


@pytest.mark.parametrize(
    ("replaced", "told"),
    [
        ((" side: Side }", " }"), "Field Quote.side was removed: it was not deprecated in the last release"),
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
        (
            ("first: Int = 10", "first: Int = 20"),
            "Query.thing(first:) has changed defaultValue from 10 to 20: it breaks clients of the last release",
        ),
        (
            ("first: Int = 10", "first: Int"),
            "Query.thing(first:) defaultValue was removed: it breaks clients of the last release",
        ),
        (
            ("side: Side = BUY", "side: Side = SELL"),
            "Pick.side has changed defaultValue from BUY to SELL: it breaks clients of the last release",
        ),
        (
            ("floor: Int = 1", "floor: Int"),
            "Under.floor defaultValue was removed: it breaks clients of the last release",
        ),
        (
            ("input Under { price: Int floor: Int = 1", "input Under @oneOf { price: Int floor: Int"),
            [
                "Under.floor defaultValue was removed: it breaks clients of the last release",
                "Input Under has become @oneOf: it breaks clients of the last release",
            ],
        ),
        (("most: Int ", ""), "Field Pick.most was removed: it was not deprecated in the last release"),
        (("Priced { price: String! }", "Priced { price: String }"), TYPED.format("Priced.price")),
        # What is reached only through an interface, a union, an input of an input, an argument.
        (("name: String! }\ntype Stock", "name: String }\ntype Stock"), TYPED.format("Chain.name")),
        (("type Board { name: String! }", "type Board { name: String }"), TYPED.format("Board.name")),
        (("type Bond { price: String! }", "type Bond { price: String }"), TYPED.format("Bond.price")),
        (("price: Int floor", "floor"), "Field Under.price was removed: it was not deprecated in the last release"),
        (("EN DE", "EN"), "Enum value Lang.DE was removed: it was not deprecated in the last release"),
        (("Bond | Fund", "Bond"), "Fund was removed from union type Any: it breaks clients of the last release"),
        (
            ("type Coin implements Thing {", "type Coin {"),
            "Coin no longer implements interface Thing: it breaks clients of the last release",
        ),
    ],
)
def test_what_clients_of_the_release_would_trip_over_is_named(replaced: tuple[str, str], told: str | list[str]) -> None:
    assert found(replaced) == ([told] if isinstance(told, str) else told)


def test_a_default_may_come_and_one_that_no_client_can_reach_may_change() -> None:
    assert found(("most: Int ", "most: Int = 5 ")) == []
    ticker = "ticker: Ticker", "ticker(n: Int = 1): Ticker"
    assert found(ticker) == []
    old = OLD.replace("type Ticker { last: Last }", "type Ticker { last(n: Int = 1): Last }")
    new = old.replace("n: Int = 1", "n: Int = 2").replace(TICKER, "")
    assert refusals(build_schema(old), build_schema(new), history(0, 4, 0), TODAY) == []


def test_an_input_field_goes_after_its_time() -> None:
    field = ' old: Int @deprecated(reason: "Since 0.2.0, 2026-09-30: say most.")'

    assert found((field, "")) == []
    assert found((field, ""), version=(0, 3, 0)) == [
        "Field Pick.old was removed: its time is not over (Since 0.2.0, 2026-09-30: say most.)"
    ]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Since 0.4.0, 2026-12-31: use quote.", None),
        ("Since 0.5.0, 2026-10-30: use quote.", None),
        ("Since 1.0.0, 2026-12-01: use quote.", None),
        ("Old.", "for 'Old.': it has to begin with `Since <version>, <date>: `"),
        (
            "Since 0.4, 2026-12-01: x",
            "for 'Since 0.4, 2026-12-01: x': it has to begin with `Since <version>, <date>: `",
        ),
        (
            "Since 0.4.0, 2026-99-99: x",
            "for 'Since 0.4.0, 2026-99-99: x': it has to begin with `Since <version>, <date>: `",
        ),
        ("Since 9.9.0, 2026-12-01: x", "since 9.9.0: the next release is 0.4.0, 0.4.1, 0.5.0 or 1.0.0"),
        ("Since 0.3.0, 2026-12-01: x", "since 0.3.0: the next release is 0.4.0, 0.4.1, 0.5.0 or 1.0.0"),
        ("Since 0.0.0, 2020-01-01: x", "since 0.0.0: the next release is 0.4.0, 0.4.1, 0.5.0 or 1.0.0"),
        ("Since 0.4.0, 2027-01-01: x", "since 2027-01-01, which is after 2026-12-31: say the day of the change"),
        (
            "Since 0.4.0, 2026-10-29: x",
            "since 2026-10-29, which is before the last release (2026-10-30): say the day of the change",
        ),
    ],
)
def test_a_deprecation_says_since_when_and_that_can_be(reason: str, told: str | None) -> None:
    expected = [] if told is None else [f"Side.SELL is deprecated {told}"]

    assert found((" SELL", f' SELL @deprecated(reason: "{reason}")')) == expected
    # And so where it is said anew of what was deprecated already.
    renewed = [] if told is None else [f"Query.rate is deprecated {told}"]
    assert found(("Since 0.3.0, 2026-09-30: use quote.", reason)) == renewed


def test_before_the_first_release_the_projects_own_version_is_to_come() -> None:
    assert History(version=(0, 1, 0)).coming == [(0, 1, 0), (0, 1, 1), (0, 2, 0), (1, 0, 0)]
    assert history(0, 3, 0).coming == [(0, 3, 1), (0, 4, 0), (1, 0, 0)]


def test_a_day_that_there_is_not_in_the_release_excuses_nothing() -> None:
    old = OLD.replace("Since 0.2.0, 2026-09-30: use quote.", "Since 0.0.0, 2020-99-01: x")
    released, now = (
        build_schema(old),
        build_schema(old.replace("type Quote implements Priced {", "type Quote implements Priced { bid: String")),
    )

    assert refusals(released, now, history(0, 4, 0), TODAY) == [
        "Query.ticker is deprecated for 'Since 0.0.0, 2020-99-01: x': it has to begin with `Since <version>, <date>: `"
    ]


@pytest.mark.parametrize(
    ("version", "today", "over"),
    [
        ((0, 4, 0), date(2026, 12, 29), True),
        ((0, 4, 0), date(2026, 12, 28), False),
        ((0, 3, 1), date(2027, 12, 28), False),
        # A major version is one step like a minor one.
        ((1, 0, 0), date(2026, 12, 29), True),
        ((1, 0, 0), date(2026, 12, 28), False),
    ],
)
def test_its_time_is_two_versions_and_ninety_days(version: Version, today: date, over: bool) -> None:
    assert due("Since 0.2.0, 2026-09-30: use quote.", history(*version), today) is over
    assert not due("No longer supported", history(*version), today)


def test_a_major_version_right_after_is_one_step_only() -> None:
    assert not due("Since 0.3.0, 2026-09-30: use quote.", history(1, 0, 0), TODAY)


def test_a_code_goes_with_a_major_version_only() -> None:
    codes = ["FORBIDDEN", "OVERLOADED"]

    assert lost_codes(codes, {"FORBIDDEN", "NEW"}, history(0, 4, 0)) == [
        "Error code OVERLOADED was removed: only a major version may"
    ]
    assert lost_codes(codes, {"FORBIDDEN"}, History(version=(1, 0, 0))) != []
    assert lost_codes(codes, {"FORBIDDEN"}, history(1, 0, 0)) == []


def test_a_release_has_a_version_and_a_day_that_there_is() -> None:
    text = "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n## [0.2.0rc1] - 2026-11-30\n\n## [0.1.0]\n"

    assert releases_in(text) == (Release((0, 2, 0), date(2026, 12, 1)),)
    with pytest.raises(Unreadable, match=r"CHANGELOG\.md dates 0\.2\.0 2026-13-99, which is no day"):
        releases_in(text.replace("2026-12-01", "2026-13-99"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Version 0.4.0, of which 0.3.0 is released."""
    (tmp_path / "schema").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.4.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n- Much.\n\n## [0.3.0] - 2026-10-30\n\n- All.\n")
    (tmp_path / SCHEMA).write_text('"""Said."""\ntype Query {\n  """Said."""\n  a("""Said.""" b: Int = 1): Int\n}\n')
    (tmp_path / RELEASED).write_text("# Of release 0.3.0, 2026-10-30\n\ntype Query { a(b: Int = 1): Int }\n")
    (tmp_path / RELEASED_CODES).write_text("# Of release 0.3.0, 2026-10-30\nFORBIDDEN\n")
    return tmp_path


def heading(project: Path, text: str) -> None:
    old = (project / "CHANGELOG.md").read_text()
    (project / "CHANGELOG.md").write_text(old.replace("[Unreleased]", f"[Unreleased]\n\n## {text}"))


def test_a_release_takes_todays_schema_without_descriptions_and_codes_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = ["OVERLOADED", "FORBIDDEN"]

    def run(*arguments: str) -> tuple[int, str]:
        return main(arguments, project, codes), capsys.readouterr().err

    assert run() == (0, "")
    assert run("--released") == (
        1, "schema/released.graphql is of 0.3.0, 2026-10-30 already: it changes with the next release only\n",
    )  # fmt: skip
    heading(project, "[0.4.0] - 2026-11-29")
    assert run() == (
        1, "schema/released.graphql is not of 0.4.0, 2026-11-29, the newest release in CHANGELOG.md: a release takes "
        "today's schema by python -m gateway.schemadiff --released\n",
    )  # fmt: skip
    assert run("--released") == (0, "")
    assert (project / RELEASED).read_text() == (
        "# Of release 0.4.0, 2026-11-29\n\ntype Query {\n  a(b: Int = 1): Int\n}\n"
    )
    assert (project / RELEASED_CODES).read_text() == "# Of release 0.4.0, 2026-11-29\nFORBIDDEN\nOVERLOADED\n"
    assert run() == (0, "")
    assert bare((project / RELEASED).read_text()) == bare((project / SCHEMA).read_text())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda project: (project / SCHEMA).write_text("type Query { b: Int }\n"),
            "Field Query.a was removed: it was not deprecated in the last release\n",
        ),
        (
            lambda project: (project / RELEASED_CODES).write_text("FORBIDDEN\nGONE\n"),
            "Error code GONE was removed: only a major version may\n",
        ),
    ],
)
def test_what_breaks_fails_the_check_and_is_not_released(
    project: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], told: str
) -> None:
    spoil(project)

    assert (main([], project, ["FORBIDDEN"]), capsys.readouterr().err) == (1, told)
    heading(project, "[0.4.0] - 2026-11-29")
    assert (main(["--released"], project, ["FORBIDDEN"]), capsys.readouterr().err) == (1, told)
    assert (project / RELEASED).read_text().startswith("# Of release 0.3.0, 2026-10-30\n")


@pytest.mark.parametrize(
    ("changelog", "told"),
    [
        (
            "## [Unreleased]\n",
            "CHANGELOG.md has no heading with a version and a day: nothing is released\n",
        ),
        (
            "## [0.5.0] - 2026-11-29\n",
            "the newest release in CHANGELOG.md is 0.5.0, 2026-11-29, pyproject.toml says 0.4.0\n",
        ),
        ("## [0.4.0] - 2026-13-99\n", "CHANGELOG.md dates 0.4.0 2026-13-99, which is no day\n"),
    ],
)
def test_what_is_no_release_takes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], changelog: str, told: str
) -> None:
    (project / "CHANGELOG.md").write_text(changelog)
    before = (project / RELEASED).read_text()

    assert (main(["--released"], project, ["FORBIDDEN"]), capsys.readouterr().err) == (1, told)
    assert (project / RELEASED).read_text() == before


def test_a_version_that_is_not_three_numbers_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text('[project]\nversion = "0.4.0rc1"\n')

    assert main([], project, ["FORBIDDEN"]) == 1
    assert capsys.readouterr().err == (
        "pyproject.toml says version 0.4.0rc1: three numbers are needed, such as 0.2.0\n"
    )


def test_this_schema_breaks_nobody() -> None:
    assert (main([]), main(["--relased"])) == (0, 2)
