"""Lists of leaves below fields with resolvers: written in one go, and answered as graphql-core answers them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
import strawberry
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.edge.compiled import CompiledExecutor


@strawberry.enum
class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


async def later() -> float:
    return 2.5


HELD: dict[str, Any] = {
    "floats": [0.5, 1, -0.0],
    "gaps": [None, 0.5, None],
    "whole": [1, 2**31 - 1],
    "sides": [Side.BUY, Side.SELL],
    "names": ("a", ""),
    "none": [],
    "nulls_where_none_may_be": [0.5, None],
    "not_a_number": [0.5, float("nan")],
    "too_large": [1, 2**31],
    "of_another_kind": ["a"],
    "awaited": [0.5, later],
}


def value(name: str) -> Any:
    """Fresh each time: a coroutine is awaited once."""
    return [each() if callable(each) else each for each in HELD[name]] if name == "awaited" else HELD[name]


@strawberry.type
class Columns:
    """One field of each kind."""

    floats: list[float] = strawberry.field(resolver=lambda: value("floats"))
    gaps: list[float | None] = strawberry.field(resolver=lambda: value("gaps"))
    whole: list[int] = strawberry.field(resolver=lambda: value("whole"))
    sides: list[Side] = strawberry.field(resolver=lambda: value("sides"))
    names: list[str] = strawberry.field(resolver=lambda: value("names"))
    none: list[float] = strawberry.field(resolver=lambda: value("none"))
    nulls_where_none_may_be: list[float] | None = strawberry.field(resolver=lambda: value("nulls_where_none_may_be"))
    not_a_number: list[float | None] = strawberry.field(resolver=lambda: value("not_a_number"))
    too_large: list[int] | None = strawberry.field(resolver=lambda: value("too_large"))
    of_another_kind: list[float | None] = strawberry.field(resolver=lambda: value("of_another_kind"))
    awaited: list[float] = strawberry.field(resolver=lambda: value("awaited"))


@strawberry.type
class Query:
    columns: Columns = strawberry.field(resolver=lambda: Columns())


OURS = strawberry.Schema(Query, execution_context_class=CompiledExecutor)
REFERENCE = strawberry.Schema(Query, execution_context_class=StrawberryGraphQLCoreExecutionContext)


@pytest.mark.parametrize("name", list(HELD))
async def test_a_list_of_leaves_is_answered_as_graphql_core_answers_it(name: str):
    head, *rest = name.split("_")
    document = f"{{ columns {{ {head}{''.join(part.title() for part in rest)} }} }}"

    ours, reference = await OURS.execute(document), await REFERENCE.execute(document)

    assert ours.data == reference.data
    assert [each.formatted for each in ours.errors or []] == [each.formatted for each in reference.errors or []]
