"""The market's own schema, asked by documents that nobody wrote: compiled selections answer as graphql-core does."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
import pytest
from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLSchema,
    execute,
    get_named_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
    parse,
    validate,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.app import build_gateway
from gateway.core.identity import ANONYMOUS
from gateway.core.settings import Settings
from gateway.edge.compiled import CompiledExecutor, Selections
from gateway.edge.errors import Refused
from gateway.edge.execute import QUERY_ONLY, Executor, OperationRequest, PreparedOperation, RequestFacts
from gateway.edge.graphqlcore import core_schema
from gateway.edge.limits import EdgeSettings
from gateway.edge.shelves import Kept
from tests.gateway.doubles import ROOT_SECRET, ManualClock

DOCUMENTS = 200
DEEPEST = 4
ROOTS = (
    ("quote", '(symbol: "BTC/USD")'),
    ("quote", '(symbol: "ETH/USD", convertTo: "EUR")'),
    ("quote", '(symbol: "nobody:knows")'),
    ("quotes", '(symbols: ["BTC/USD", "ETH/USD", "none", "BTC/USD"])'),
    ("candles", '(symbol: "BTC/USD", interval: H1, last: 40)'),
    ("candles", '(symbol: "AAPL", interval: D1, last: 5, fill: PREVIOUS_CLOSE)'),
    ("instrument", '(symbol: "BTC/USD")'),
    ("orderBook", '(symbol: "BTC/USD", depth: 3)'),
    ("trades", '(symbol: "BTC/USD", last: 40)'),
    ("fxRates", '(base: "EUR")'),
    ("providers", ""),
)


class Writer:
    """Documents by a seed."""

    def __init__(self, schema: GraphQLSchema, dice: Random) -> None:
        self._schema, self._dice = schema, dice
        self._fixed = False
        """Whether the document has no variables."""

    def document(self) -> str:
        self._fixed = self._dice.random() < 0.3
        if self._fixed:
            return f"{{ {self._root('r: ')} }}"
        roots = [self._root(f"r{n}: ") for n in range(self._dice.choice((1, 1, 1, 2)))]
        return f"query ($on: Boolean!) {{ __typename @include(if: $on) {' '.join(roots)} }}"

    def _root(self, alias: str) -> str:
        name, arguments = self._dice.choice(ROOTS)
        query: Any = self._schema.query_type
        head = f"{alias if self._dice.random() < 0.7 else ''}{name}{arguments}"
        bodies = [self._body(query.fields[name], 1) for _ in range(self._dice.choice((1, 1, 2)))]
        return " ".join(f"{head}{body}" for body in bodies)

    def _body(self, field: GraphQLField, depth: int) -> str:
        kind = get_named_type(field.type)
        return "" if is_leaf_type(kind) else f" {{ {' '.join(self._fields(kind, depth))} }}"

    def _fields(self, kind: Any, depth: int) -> Iterator[str]:
        yield self._dice.choice(("__typename", "t: __typename"))
        if not is_object_type(kind):
            return
        usable = [
            name
            for name, field in kind.fields.items()
            if not any(map(is_required_argument, field.args.values()))
            and (depth < DEEPEST or is_leaf_type(get_named_type(field.type)))
        ]
        for name in self._dice.sample(usable, min(len(usable), self._dice.randint(1, 8))):
            alias = f"a{self._dice.randint(0, 99)}{name}: " if self._dice.random() < 0.2 else ""
            written = f"{alias}{name}{self._switch()}{self._body(kind.fields[name], depth + 1)}"
            yield f"... on {kind.name}{self._switch()} {{ {written} }}" if self._dice.random() < 0.15 else written

    def _switch(self) -> str:
        return (
            f" @{self._dice.choice(('include', 'skip'))}(if: {'true' if self._fixed else '$on'})"
            if self._dice.random() < 0.1
            else ""
        )


async def test_documents_over_the_market_are_answered_alike(tmp_path: Any) -> None:
    given = {"env": "development", "data_dir": tmp_path, "secret_key": ROOT_SECRET}
    clock = ManualClock()
    gateway = build_gateway(Settings.model_validate(given), clock=clock)
    schema, kept = core_schema(gateway.schema), Kept()
    compiled = straight = told = refused = 0
    writer = Writer(schema, Random(4))
    edge = Executor(gateway.schema, settings=EdgeSettings(max_depth=99), context_for=gateway.context)

    async def run(document: Any, on: bool, cls: Any, **more: Any) -> bytes:
        context = gateway.context(RequestFacts(request_id="req_test", transport="http"), ANONYMOUS)
        if isinstance(document, PreparedOperation):
            found: Any = edge._start(document, context)
        else:
            found = execute(
                schema, document, context_value=context, variable_values={"on": on}, executor_class=cls, **more
            )
        result = found if isinstance(found, ExecutionResult) else await found
        return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])

    for _ in range(DOCUMENTS):
        text = writer.document()
        document, selections = parse(text), Selections(kept)
        if validate(schema, document):
            # Fields of one key with different arguments: neither way runs them.
            with pytest.raises(Refused) as caught:
                edge.prepare(OperationRequest(query=text), QUERY_ONLY)
            assert caught.value.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
            assert (await gateway.schema.execute(text, {"on": True})).data is None
            refused += 1
            continue
        ours: Any = document
        if "$on" not in text:
            ours = edge.prepare(OperationRequest(query=text), QUERY_ONLY)
            selections = edge._selections(ours.document)
        # What was kept of values must not keep what their age, or the operation, says of them.
        clock.turn(0.05)
        for on in (True, False, True):
            # What is not there yet is fetched before the two are compared, and kept as it is then: as a MISS.
            await run(ours, on, CompiledExecutor, selections=selections, at_once=True)
            reference = await run(document, on, StrawberryGraphQLCoreExecutionContext)
            assert await run(ours, on, CompiledExecutor, selections=selections, at_once=True) == reference, text
        compiled += any(selections.runs.values())
        straight += bool(selections.straight)
        told += 1
    await gateway.close()

    assert told + refused == DOCUMENTS
    assert told > DOCUMENTS * 0.9
    assert straight > DOCUMENTS * 0.1
    assert compiled > DOCUMENTS * 0.5
