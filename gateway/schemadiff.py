"""No client of a release breaks without a warning: `python -m gateway.schemadiff` compares with the released schema.

schema/released.graphql is the schema of the last release, without its descriptions; `--released` takes today's. What it
holds may go only after its time: deprecated with `Since <version>, <date>: …`, released so, two minor versions and
90 days ago. A change of type never may: the new field takes a new name. docs/versioning.md says the same to readers.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from graphql import (
    BreakingChange,
    BreakingChangeType,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Node,
    Visitor,
    build_schema,
    find_schema_changes,
    get_named_type,
    parse,
    print_ast,
    visit,
)

from gateway.core.clock import SystemClock

ROOT = Path(__file__).parents[1]
SCHEMA, RELEASED = "schema/schema.graphql", "schema/released.graphql"
SINCE = re.compile(r"Since (?P<major>\d+)\.(?P<minor>\d+)\.\d+, (?P<day>\d{4}-\d{2}-\d{2}): \S")
GONE = re.compile(r"(?:Field|Enum value|Argument) (?P<what>\S+) was removed\.|(?P<type>\w+) was removed\.")
INSIDE = re.compile(r"(?:Field|Enum value|Argument|A required \w+) (?P<type>\w+)\.")
MINORS = 2
NOTICE = timedelta(days=90)

Version = tuple[int, int]


def refusals(released: GraphQLSchema, now: GraphQLSchema, version: Version, today: date) -> list[str]:
    """What a client of the release would trip over, and deprecations that do not say since when."""
    reasons = deprecations(released)
    over = {what for what, reason in reasons.items() if due(reason, version, today)}
    used = used_types(released, over)
    found = [
        f"{change.description.rstrip('.')}: {_why(change, reasons)}"
        for change in find_schema_changes(released, now)
        if isinstance(change, BreakingChange) and not _excused(change, over, used)
    ]
    return found + [
        f"{what} is deprecated for {reason!r}: it has to begin with `Since <version>, <date>: `"
        for what, reason in deprecations(now).items()
        if not SINCE.match(reason)
    ]


def due(reason: str, version: Version, today: date) -> bool:
    """Whether what was deprecated for *reason* may go now."""
    said = SINCE.match(reason)
    if said is None:
        return False
    major, minor = version
    # A major version is as good as any number of minor ones.
    old_enough = major > int(said["major"]) or minor >= int(said["minor"]) + MINORS
    return old_enough and today >= date.fromisoformat(said["day"]) + NOTICE


def _excused(change: BreakingChange, over: set[str], used: set[str]) -> bool:
    gone, inside = GONE.fullmatch(change.description), INSIDE.match(change.description)
    if gone and gone["what"] in over:
        return True
    kind = gone["type"] if gone and gone["type"] else inside["type"] if inside else None
    return kind is not None and kind not in used


def _why(change: BreakingChange, reasons: dict[str, str]) -> str:
    gone = GONE.fullmatch(change.description)
    if change.type is BreakingChangeType.TYPE_REMOVED or gone is None:
        return "it breaks clients of the last release"
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


class _Undescribed(Visitor):
    """Takes the descriptions out of a document."""

    def enter(self, node: Node, *_: object) -> Node | None:
        """The node without one; None leaves it as it is."""
        if getattr(node, "description", None) is None:
            return None
        return type(node)(**{key: getattr(node, key) for key in node.keys if key != "description"})


def bare(text: str) -> str:
    """A schema's text without descriptions."""
    return print_ast(visit(parse(text), _Undescribed())) + "\n"


def version_of(root: Path) -> Version:
    """Major and minor of the project."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    major, minor, *_ = tomllib.loads(text)["project"]["version"].split(".")
    return int(major), int(minor)


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Name what breaks, or with `--released` take today's schema for the released one; the exit code."""
    text = (root / SCHEMA).read_text(encoding="utf-8")
    if list(arguments) == ["--released"]:
        (root / RELEASED).write_text(bare(text), encoding="utf-8")
        return 0
    if arguments:
        print("usage: python -m gateway.schemadiff [--released]", file=sys.stderr)
        return 2
    released = build_schema((root / RELEASED).read_text(encoding="utf-8"))
    found = refusals(released, build_schema(text), version_of(root), SystemClock().now().date())
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
