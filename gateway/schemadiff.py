"""No client of a release breaks without a warning: `python -m gateway.schemadiff` compares with what was released.

schema/released.graphql is the schema of the last release, without its descriptions, schema/released-codes.txt holds its
error codes; `--released` takes today's, once a release. What they hold may go only after its time: deprecated with
`Since <version>, <date>: …`, released so, two minor versions and 90 days ago. A change of type or of a default never
may: the new field takes a new name. docs/versioning.md says the same to readers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from graphql import (
    BreakingChange,
    BreakingChangeType,
    DangerousChangeType,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    SchemaChange,
    build_schema,
    find_schema_changes,
    get_named_type,
)

from gateway.cli.codes import CODES
from gateway.core.clock import SystemClock
from gateway.released import (
    RELEASED,
    RELEASED_CODES,
    SCHEMA,
    History,
    Unreadable,
    Version,
    codes_in,
    dotted,
    history_of,
    released_texts,
)

ROOT = Path(__file__).parents[1]
SINCE = re.compile(r"Since (\d+)\.(\d+)\.(\d+), (\d{4}-\d{2}-\d{2}): \S")
GONE = re.compile(r"(?:Field|Enum value|Argument) (?P<what>\S+) was removed\.|(?P<type>\w+) was removed\.")
INSIDE = re.compile(r"(?:(?:Field|Enum value|Argument|A required \w+) )?(?P<type>\w+)\.")
DEFAULTS = (DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE, DangerousChangeType.INPUT_FIELD_DEFAULT_VALUE_CHANGE)
MINORS = 2
NOTICE = timedelta(days=90)
BREAKS = "it breaks clients of the last release"


@dataclass(frozen=True, slots=True)
class Since:
    """From when on something is deprecated."""

    version: Version
    day: date


def refusals(released: GraphQLSchema, now: GraphQLSchema, history: History, today: date) -> list[str]:
    """What a client of the release would trip over, and deprecations that do not say since when."""
    reasons = deprecations(released)
    over = {what for what, reason in reasons.items() if due(reason, history, today)}
    used = used_types(released, over)
    found = [
        f"{change.description.rstrip('.')}: {_why(change, reasons)}"
        for change in find_schema_changes(released, now)
        if (isinstance(change, BreakingChange) or change.type in DEFAULTS) and not _excused(change, over, used)
    ]
    return found + _narrowed(released, now, used) + _wrongly_deprecated(reasons, deprecations(now), history, today)


def _narrowed(released: GraphQLSchema, now: GraphQLSchema, used: set[str]) -> list[str]:
    """Inputs that took any of their fields and take exactly one today."""
    pairs = ((kind, now.type_map.get(name)) for name, kind in released.type_map.items() if name in used)
    return [
        f"Input {old.name} has become @oneOf: {BREAKS}"
        for old, new in pairs
        if isinstance(old, GraphQLInputObjectType) and isinstance(new, GraphQLInputObjectType)
        if new.is_one_of and not old.is_one_of
    ]


def _wrongly_deprecated(before: dict[str, str], now: dict[str, str], history: History, today: date) -> list[str]:
    first = history.last.day if history.last is not None else date.min
    found = []
    for what, reason in now.items():
        said = since(reason)
        if said is None:
            found.append(f"{what} is deprecated for {reason!r}: it has to begin with `Since <version>, <date>: `")
        elif said == since(before.get(what, "")):
            continue
        elif said.version not in history.coming:
            *most, greatest = map(dotted, history.coming)
            next_ones = f"{', '.join(most)} or {greatest}"
            found.append(f"{what} is deprecated since {dotted(said.version)}: the next release is {next_ones}")
        elif not first <= said.day <= today:
            told = f"after {today}" if said.day > today else f"before the last release ({first})"
            found.append(f"{what} is deprecated since {said.day}, which is {told}: say the day of the change")
    return found


def since(reason: str) -> Since | None:
    """What a reason says; None where it does not, or names a day that there is not."""
    said = SINCE.match(reason)
    if said is None:
        return None
    major, minor, patch, day = said.groups()
    try:
        return Since((int(major), int(minor), int(patch)), date.fromisoformat(day))
    except ValueError:
        return None


def due(reason: str, history: History, today: date) -> bool:
    """Whether what was deprecated for *reason* may go now."""
    said = since(reason)
    if said is None:
        return False
    # A major version is one step like a minor one: 1.0.0 is the first after 0.9.0.
    versions = {each.version[:2] for each in history.releases} | {history.version[:2]}
    steps = sum(version > said.version[:2] for version in versions)
    return steps >= MINORS and today >= said.day + NOTICE


def lost_codes(released: Collection[str], now: Collection[str], history: History) -> list[str]:
    """Error codes of the release that are gone before the next major version."""
    if history.last is not None and history.version[0] > history.last.version[0]:
        return []
    return [f"Error code {code} was removed: only a major version may" for code in released if code not in now]


def _excused(change: SchemaChange, over: set[str], used: set[str]) -> bool:
    gone, inside = GONE.fullmatch(change.description), INSIDE.match(change.description)
    if gone and gone["what"] in over:
        return True
    kind = gone["type"] if gone and gone["type"] else inside["type"] if inside else None
    return kind is not None and kind not in used


def _why(change: SchemaChange, reasons: dict[str, str]) -> str:
    gone = GONE.fullmatch(change.description)
    if change.type is BreakingChangeType.TYPE_REMOVED or gone is None:
        return BREAKS
    if gone["what"] in reasons:
        return f"its time is not over ({reasons[gone['what']]})"
    return "it was not deprecated in the last release"


def deprecations(schema: GraphQLSchema) -> dict[str, str]:
    """The reason of each deprecated field, argument, input field and enum value, by its coordinate."""
    return {what: reason for kind in schema.type_map.values() for what, reason in _parts(kind) if reason is not None}


def _parts(kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(kind, GraphQLEnumType):
        for name, value in kind.values.items():
            yield f"{kind.name}.{name}", value.deprecation_reason
    elif isinstance(kind, GraphQLInputObjectType):
        for name, part in kind.fields.items():
            yield f"{kind.name}.{name}", part.deprecation_reason
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field.deprecation_reason
            for argument, taken in field.args.items():
                yield f"{kind.name}.{name}({argument}:)", taken.deprecation_reason


def used_types(schema: GraphQLSchema, over: set[str]) -> set[str]:
    """Types that a client can still come by without what is *over*."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    waiting: list[GraphQLNamedType] = [root for root in roots if root is not None]
    found: set[str] = set()
    while waiting:
        kind = waiting.pop()
        if kind.name not in found:
            found.add(kind.name)
            waiting += _leads_to(schema, kind, over)
    return found


def _leads_to(schema: GraphQLSchema, kind: GraphQLNamedType, over: set[str]) -> Iterator[GraphQLNamedType]:
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        yield from schema.get_possible_types(kind)
    if isinstance(kind, GraphQLInputObjectType):
        for name, part in kind.fields.items():
            if f"{kind.name}.{name}" not in over:
                yield get_named_type(part.type)
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        yield from kind.interfaces
        for name, field in kind.fields.items():
            if (what := f"{kind.name}.{name}") in over:
                continue
            yield get_named_type(field.type)
            yield from (get_named_type(a.type) for each, a in field.args.items() if f"{what}({each}:)" not in over)


def _misplaced(history: History, *, renew: bool) -> list[str]:
    """Why the released files are of another release than the changelog says, or may not be renewed."""
    last, newest = history.last, history.newest
    if not renew:
        return [] if last == newest else [
            f"{RELEASED} is not of {newest}, the newest release in CHANGELOG.md: a release takes today's schema by "
            "python -m gateway.schemadiff --released"
        ]  # fmt: skip
    if newest is None:
        return ["CHANGELOG.md has no heading with a version and a day: nothing is released"]
    if last == newest:
        return [f"{RELEASED} is of {newest} already: it changes with the next release only"]
    if newest.version != history.version:
        return [f"the newest release in CHANGELOG.md is {newest}, pyproject.toml says {dotted(history.version)}"]
    return []


def main(arguments: Sequence[str], root: Path = ROOT, codes: Collection[str] = CODES) -> int:
    """Name what breaks, or with `--released` take what is there today for released; the exit code."""
    if list(arguments) not in ([], ["--released"]):
        print("usage: python -m gateway.schemadiff [--released]", file=sys.stderr)
        return 2
    text = (root / SCHEMA).read_text(encoding="utf-8")
    try:
        history = history_of(root)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 1
    released = build_schema((root / RELEASED).read_text(encoding="utf-8"))
    found = refusals(released, build_schema(text), history, SystemClock().now().date())
    found += lost_codes(codes_in((root / RELEASED_CODES).read_text(encoding="utf-8")), codes, history)
    found += _misplaced(history, renew=bool(arguments))
    for line in found:
        print(line, file=sys.stderr)
    if arguments and not found:
        for name, content in released_texts(history.newest, text, codes).items():
            (root / name).write_text(content, encoding="utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
