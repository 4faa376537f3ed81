"""A schema with everything that a compiled selection must know or leave alone, and documents made up over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, cast

import strawberry
from graphql import (
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
)
from hypothesis import strategies as st
from strawberry.schema.config import StrawberryConfig

from gateway.edge.graphqlcore import core_schema
from schema.model import Direct, computed, described, model
from schema.scalars import SCALARS

DEEPEST = 4


@dataclass
class Visit:
    """An operation's context; it counts what was called."""

    factor: int = 2
    calls: list[str] = field(default_factory=list)


@strawberry.enum
class Ripeness(StrEnum):
    RAW = "raw"
    RIPE = "ripe"


@strawberry.interface
class Named:
    name: str


def doubled(root: Fruit) -> int | None:
    return None if root.weight is None else root.weight * 2


def failing(root: Fruit) -> str | None:
    raise ValueError(f"{root.name} is rotten")


def failing_sometimes(root: Fruit) -> str:
    if root.weight is None:
        raise ValueError(f"{root.name} has no weight")
    return "weighed"


def times(root: Fruit, info: strawberry.Info[Visit, None]) -> int:
    return (root.weight or 0) * info.context.factor


async def later(root: Fruit) -> str:
    return f"later {root.name}"


def sliced(root: Fruit, pieces: int = 2) -> list[str]:
    return [root.name] * pieces


@model("A fruit.", implements=(Named,), kept=True)
class Fruit:
    """With fields that fail, wait, take arguments and read the context."""

    name: str = described("Name.")
    weight: int | None = described("Weight.", default=None)
    price: Decimal = described("Price.", default=Decimal("1.50"))
    picked: datetime | None = described("When.", default=None)
    ripeness: Ripeness | None = described("How ripe.", default=None)
    wrong: str = described("Not always a text.", default="right")
    tags: tuple[str | None, ...] = described("Tags.", default=())
    strict: tuple[str, ...] = described("Tags, none missing.", default=())
    matrix: tuple[tuple[int | None, ...], ...] = described("Lists in lists.", default=())
    seeds: tuple[Fruit | None, ...] = described("What grows from it.", default=())
    best: Fruit | None = described("The best of its kind.", default=None)
    doubled_ = computed(doubled, "Twice the weight.", name="doubled")
    failing_ = computed(failing, "Fails.", name="failing")
    sometimes = computed(failing_sometimes, "Fails without a weight.")
    times_ = computed(times, "Reads the context.", name="times",
                      direct=Direct(lambda root, context, _: (root.weight or 0) * context.factor))  # fmt: skip
    later_ = computed(later, "Waits.", name="later")
    sliced_ = computed(sliced, "Takes an argument.", name="sliced")


@strawberry.type
class Stall(Named):
    fruits: list[Fruit]
    rare: list[Fruit | None]
    any: list[Annotated[Fruit | Stall, strawberry.union("Ware")]]
    keeper: Named | None = None


PEAR = Fruit(name="pear", weight=3, picked=datetime(2026, 5, 1, tzinfo=UTC), ripeness=Ripeness.RIPE)
NUT = Fruit(name="nut", tags=("a", None), matrix=((1, None), ()), price=Decimal("1E-8"), strict=("x",) * 40)
BAD = Fruit(name="bad", wrong=cast(Any, 5), strict=cast(Any, ("x", None)), weight=2**40)
FIG = Fruit(name="fig", weight=1, seeds=(PEAR, None, NUT), best=NUT, tags=("t",) * 40)
ODD = Fruit(name="odd", price=cast(Any, None), best=BAD, wrong=cast(Any, ValueError("a value that is an error")))
FRUITS = [PEAR, NUT, BAD, FIG, ODD]


def stall() -> Stall:
    inner = Stall(name="inner", fruits=[PEAR], rare=[], any=[])
    return Stall(
        name="stall", fruits=[PEAR, FIG, NUT], rare=[None, ODD, PEAR], any=[PEAR, inner], keeper=cast(Any, PEAR)
    )


def resolve_fruit(info: strawberry.Info[Visit, None], n: int = 0) -> Fruit | None:
    info.context.calls.append(f"fruit {n}")
    return FRUITS[n] if n < len(FRUITS) else None


def resolve_named(info: strawberry.Info[Visit, None], n: int = 0) -> Named | None:
    return cast("Named | None", resolve_fruit(info, n))


async def resolve_soon(info: strawberry.Info[Visit, None], n: int = 0) -> Fruit:
    info.context.calls.append(f"soon {n}")
    return cast(Fruit, resolve_fruit(info, n))


def resolve_stall(info: strawberry.Info[Visit, None]) -> Stall:
    info.context.calls.append("stall")
    return stall()


def resolve_fruits() -> list[Fruit | None]:
    return [FIG, None, NUT, BAD]


@strawberry.type
class Query:
    fruit: Fruit | None = strawberry.field(resolver=resolve_fruit)
    soon: Fruit = strawberry.field(resolver=resolve_soon)
    stall: Stall = strawberry.field(resolver=resolve_stall)
    fruits: list[Fruit | None] = strawberry.field(resolver=resolve_fruits)
    named: Named | None = strawberry.field(resolver=resolve_named)


@strawberry.type
class Mutation:
    pick: Fruit | None = strawberry.field(resolver=resolve_fruit)
    pick_soon: Fruit = strawberry.field(resolver=resolve_soon)


async def resolve_ticks() -> AsyncIterator[Fruit]:
    for each in FRUITS:
        yield each


@strawberry.type
class Subscription:
    ticks: AsyncIterator[Fruit] = strawberry.subscription(resolver=resolve_ticks)


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=SCALARS))
BAZAAR: GraphQLSchema = core_schema(SCHEMA)

_SWITCHES = ("", "", "", " @include(if: $on)", " @skip(if: $on)", " @include(if: $off)", " @skip(if: true)")
_FIXED = ("", "", "", " @include(if: true)", " @skip(if: false)", " @skip(if: true)")


@st.composite
def documents(draw: st.DrawFn, kind: str = "query", schema: GraphQLSchema = BAZAAR, *, bare: bool = False) -> str:
    """A valid document over the schema: what is merged is of one field with the same arguments.

    A *bare* one has no variables, and all its roots begin with the same field.
    """
    fragments: list[str] = []
    taken: dict[tuple[str, ...], str] = {}
    switches = _FIXED if bare else _SWITCHES

    def selection(parent: Any, depth: int, at: tuple[str, ...]) -> str:
        found = [one(parent, depth, at) for _ in range(draw(st.integers(1, 4)))]
        return "{ __typename " + " ".join(found) + " }"

    def one(parent: Any, depth: int, at: tuple[str, ...]) -> str:
        shape, switch = draw(st.integers(0, 9)), draw(st.sampled_from(switches))
        if shape < 2 and depth < DEEPEST:
            on = draw(st.sampled_from(_fitting(schema, parent)))
            inner = selection(on, depth + 1, at)
            if shape == 0:
                return f"... on {on.name}{switch} {inner}"
            fragments.append(f"fragment F{len(fragments)} on {on.name} {inner}")
            return f"...F{len(fragments) - 1}{switch}"
        return field(parent, depth, switch, at)

    def field(parent: Any, depth: int, switch: str, at: tuple[str, ...]) -> str:
        fields = [] if not hasattr(parent, "fields") else sorted(parent.fields.items())
        if depth >= DEEPEST:
            fields = [(name, each) for name, each in fields if not is_composite_type(get_named_type(each.type))]
        if not fields:
            return "__typename"
        name, each = draw(st.sampled_from(fields))
        key = draw(st.sampled_from((name, name, "a", "b", "name")))
        arguments = draw(st.sampled_from(("", "(n: 1)", "(n: 2)", "(n: 3)", "(n: 4)"))) if "n" in each.args else ""
        if taken.setdefault((*at, key), name + arguments) != name + arguments:
            key = f"other{len(taken)}"
            taken[*at, key] = name + arguments
        named = get_named_type(each.type)
        below = f" {selection(named, depth + 1, (*at, key))}" if is_composite_type(named) else ""
        return f"{key}: {name}{arguments}{switch}{below}" if key != name else f"{name}{arguments}{switch}{below}"

    if bare:
        roots = [field(_root(schema, kind), 0, "", ()) for _ in range(draw(st.sampled_from((1, 1, 1, 2))))]
        return " ".join([f"{kind} {{ {' '.join(roots)} }}", *fragments])
    body = selection(_root(schema, kind), 0, ())
    return " ".join([f"{kind} Q($on: Boolean! = true, $off: Boolean = false) {body}", *fragments])


def _root(schema: GraphQLSchema, kind: str) -> Any:
    return {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}[
        kind
    ]


def _fitting(schema: GraphQLSchema, parent: Any) -> list[Any]:
    """Types that a fragment inside *parent* may be on."""
    if is_abstract_type(parent):
        return [parent, *schema.get_possible_types(parent)]
    faces = list(parent.interfaces) if is_object_type(parent) else []
    return [parent, *faces]
