"""Every refusal that a test of trading meets names a field that the mutation's input has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    parse,
)

from gateway.edge.execute import Executor, OperationRequest


@pytest.fixture(autouse=True)
def fields_of_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all operations that ask for them."""
    execute = Executor.execute

    async def checked(self: Executor, request: OperationRequest, *given: Any, **named: Any) -> Any:
        result = await execute(self, request, *given, **named)
        if request.query is not None and "userErrors" in request.query:
            wrong = list(nowhere(self._schema, request.query, result.body()))
            assert not wrong, wrong
        return result

    monkeypatch.setattr(Executor, "execute", checked)


def nowhere(schema: GraphQLSchema, document: str, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Mutations, and paths of refused fields that their arguments do not have."""
    kinds = schema.mutation_type
    for shown, name in _roots(document):
        payload = (body.get("data") or {}).get(shown)
        if kinds is None or name not in kinds.fields or not isinstance(payload, dict):
            continue
        for error in payload.get("userErrors") or ():
            kind: Any = None
            for step, part in enumerate(error.get("field") or ()):
                kind = kinds.fields[name].args[part].type if step == 0 else _below(kind, part)
                if kind is None:
                    yield name, ".".join(error["field"])
                    break


def _below(kind: Any, part: str) -> Any:
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList):
        return kind.of_type if part.isdigit() else None
    named = get_named_type(kind)
    if not isinstance(named, GraphQLInputObjectType) or part not in named.fields:
        return None
    return named.fields[part].type


@cache
def _roots(document: str) -> list[tuple[str, str]]:
    """As they are shown, and as they are named."""
    return [
        (each.alias.value if each.alias else each.name.value, each.name.value)
        for part in parse(document).definitions
        if isinstance(part, OperationDefinitionNode)
        for each in part.selection_set.selections
        if isinstance(each, FieldNode)
    ]
