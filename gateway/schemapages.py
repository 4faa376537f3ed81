"""The reference of the schema: a page for each plugin's root fields and what only they use, one for what several do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_specified_scalar_type,
)

from gateway.core.contract import Plugin
from gateway.domains import name_of, root_fields
from gateway.edge.cost import PriceList
from gateway.reference import table
from schema.facts import Facts

Page = Callable[..., str]
Home = Mapping[str, str]
"""The page of each type."""

SHARED = "shared"
ROOTS = ("Query", "Mutation", "Subscription")
HEAD = (
    "Every field says itself what it means; [schema.graphql](../schema/schema.graphql) is the same for machines. A "
    "page holds the root fields of one domain and the types that nothing else uses; what several use is among the "
    "[shared types](schema/shared.md). What a field costs and needs is beside it: points are explained in "
    "[costs](concepts/costs.md), scopes in [permissions](permissions.md)."
)


def schema_pages(page: Page, schema: GraphQLSchema, plugins: Sequence[Plugin]) -> dict[str, str]:
    """The index and the pages, by their paths in the repository."""
    prices = PriceList(schema)
    families = {each.name: _roots(schema, each) for each in plugins}
    families = {name: roots for name, roots in sorted(families.items()) if roots}
    uses = {name: _reached(schema, (field for _, field in roots)) for name, roots in families.items()}
    counted = Counter(kind for found in uses.values() for kind in found)
    home = {kind: name if counted[kind] == 1 else SHARED for name, found in uses.items() for kind in found}
    texts = {
        f"docs/schema/{name}.md": page(
            name.capitalize(), about(name), *_fields(roots, prices, home, name), "## Types",
            *_types(schema, prices, home, name),
        )
        for name, roots in families.items()
    }  # fmt: skip
    texts[f"docs/schema/{SHARED}.md"] = page("Shared types", *_types(schema, prices, home, SHARED))
    texts["docs/schema.md"] = page("Schema", HEAD, *_index(families))
    return texts


def about(plugin: str) -> str:
    """The domain in one sentence: its package's own."""
    return (import_module(f"plugins.{plugin}").__doc__ or "").strip().splitlines()[0]


Roots = Sequence[tuple[str, GraphQLField]]
"""`Query.quote` and its field."""


def _roots(schema: GraphQLSchema, plugin: Plugin) -> Roots:
    found = []
    for root in ROOTS:
        kind = schema.get_type(root)
        for each in root_fields(plugin, root.lower()):
            if isinstance(kind, GraphQLObjectType):
                found.append((f"{root}.{name_of(each)}", kind.fields[name_of(each)]))
    return found


def _index(families: Mapping[str, Roots]) -> Iterator[str]:
    for name, roots in families.items():
        yield f"## [{name.capitalize()}](schema/{name}.md)"
        yield about(name)
        rows = ((f"[`{full}`](schema/{name}.md#{_anchor(full)})", _first(field.description)) for full, field in roots)
        yield table(("field", "meaning"), rows)


def _reached(schema: GraphQLSchema, fields: Iterable[GraphQLField]) -> set[str]:
    """The names of all types that fields lead to."""
    found: set[str] = set()
    waiting = [kind for field in fields for kind in _beside(field)]
    while waiting:
        kind = waiting.pop()
        if kind.name in found or is_specified_scalar_type(kind):
            continue
        found.add(kind.name)
        waiting += _below(schema, kind)
    return found


def _beside(field: GraphQLField) -> list[GraphQLNamedType]:
    return [get_named_type(field.type), *(get_named_type(argument.type) for argument in field.args.values())]


def _below(schema: GraphQLSchema, kind: GraphQLNamedType) -> list[GraphQLNamedType]:
    if isinstance(kind, GraphQLUnionType):
        return list(kind.types)
    if isinstance(kind, GraphQLInputObjectType):
        return [get_named_type(each.type) for each in kind.fields.values()]
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return []
    objects = schema.get_implementations(kind).objects if isinstance(kind, GraphQLInterfaceType) else []
    return [*objects, *(below for field in kind.fields.values() for below in _beside(field))]


def _fields(roots: Roots, prices: PriceList, home: Home, here: str) -> Iterator[str]:
    for root, title in zip(ROOTS, ("Queries", "Mutations", "Subscriptions"), strict=True):
        found = [(name, field) for name, field in roots if name.startswith(f"{root}.")]
        if found:
            yield f"## {title}"
        for name, field in found:
            yield f"### {name}"
            yield _plain(field.description)
            facts = prices.facts_of(*name.split("."))
            yield f"Answers {_type(field.type, home, here)}. {_terms(facts)}"
            rows = (
                (f"`{n}`", _type(a.type, home, here), _default(a), _plain(a.description)) for n, a in field.args.items()
            )
            yield table(("argument", "type", "default", "meaning"), rows)


def _terms(facts: Facts) -> str:
    points = "by its arguments" if callable(facts.cost) else f"{facts.cost} point{'' if facts.cost == 1 else 's'}"
    scopes = " and ".join(f"`{scope}`" for scope in facts.scopes)
    needed = "a signed-in person" if facts.person else f"the scope {scopes}" if scopes else "nothing"
    return f"Costs {points}; needs {needed}."


def _types(schema: GraphQLSchema, prices: PriceList, home: Home, here: str) -> Iterator[str]:
    for name in sorted(name for name, page in home.items() if page == here):
        kind: Any = schema.type_map[name]
        yield f"### {name}"
        yield _plain(kind.description)
        if isinstance(kind, GraphQLScalarType):
            yield "A scalar."
        elif isinstance(kind, GraphQLUnionType):
            yield f"One of {', '.join(_type(each, home, here) for each in kind.types)}."
        elif isinstance(kind, GraphQLEnumType):
            yield table(("value", "meaning"), ((f"`{v}`", _plain(each.description)) for v, each in kind.values.items()))
        elif isinstance(kind, GraphQLInputObjectType):
            rows = (
                (f"`{n}`", _type(f.type, home, here), _default(f), _plain(f.description))
                for n, f in kind.fields.items()
            )
            yield table(("input", "type", "default", "meaning"), rows)
        else:
            shown = ((_called(n, f), _type(f.type, home, here), _plain(f.description)) for n, f in kind.fields.items())
            yield table(("field", "type", "meaning"), shown)


def _called(name: str, field: GraphQLField) -> str:
    arguments = ", ".join(f"{each}: {argument.type}" for each, argument in field.args.items())
    return f"`{name}({arguments})`" if arguments else f"`{name}`"


def _type(kind: Any, home: Home, here: str) -> str:
    name = get_named_type(kind).name
    page = home.get(name)
    if page is None:
        return f"`{kind}`"
    return f"[`{kind}`]({'' if page == here else f'{page}.md'}#{_anchor(name)})"


def _default(argument: GraphQLArgument | Any) -> str:
    value = argument.default_value
    return "" if value is Undefined or value is None else f"`{_written(value)}`"


def _written(value: Any) -> str:
    return getattr(value, "name", None) or str(value)


def _anchor(heading: str) -> str:
    return heading.replace(".", "").lower()


def _first(text: str | None) -> str:
    return _plain(text).partition(". ")[0].rstrip(".") + "."


def _plain(text: str | None) -> str:
    """One line; what a browser would take for markup stays text."""
    parts = " ".join((text or "").split()).split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))
