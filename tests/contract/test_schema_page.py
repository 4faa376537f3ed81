"""The schema against the page it grew from: what both have is of one shape, and every deviation has a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT.parent / "shared" / "SCHEMA.md"
OURS = ROOT / "schema" / "schema.graphql"

needs_page = pytest.mark.skipif(not PAGE.is_file(), reason="the page lies beside a checkout only")

DEFAULTED = "it has a default: leaving it out says all that null could say"
DEVIATIONS: dict[str, tuple[str, str]] = {
    "FailureCode values": (
        "UPSTREAM_UNAVAILABLE UPSTREAM_THROTTLED UPSTREAM_QUOTA RATE_LIMITED UPSTREAM_MALFORMED PROVIDER_MISCONFIGURED "
        "PROVIDER_KEY_MISSING NOT_COVERED UNKNOWN_INSTRUMENT AMBIGUOUS_INSTRUMENT DATA_STALE QUORUM_NOT_MET "
        "DEADLINE_EXCEEDED NOT_RECORDED",
        "an attempt beyond a tenant's budget of upstream calls is RATE_LIMITED",
    ),
    "Viewer.tenant": ("Tenant", "a person without an organisation, and an operator, have none"),
    "EventUpdate.event": ("Event", "the first message comes at once, with the cursor from which a client can go on"),
    "AccessTokenCreatePayload.userErrors": (
        "[AccessTokenCreateUserError!]!", "one enumeration of codes for each mutation, as the page says of the product"
    ),
    "WebhookEndpointCreatePayload.userErrors": (
        "[WebhookEndpointCreateUserError!]!", "one enumeration of codes for each mutation, as the page says"
    ),
    "WebhookEndpointReplayPayload.userErrors": (
        "[WebhookEndpointReplayUserError!]!", "one enumeration of codes for each mutation, as the page says"
    ),
    "Delivery.event": ("Event", "an event is kept for 30 days; a delivery may be looked at later"),
    "DeliveryStatus values": (
        "PENDING SUCCEEDED RETRYING EXHAUSTED DROPPED", "what waits when its endpoint is disabled is given up"
    ),
}  # fmt: skip
"""Coordinate → (our form, why it is not the page's)."""
LEFT_OUT: dict[str, str] = {
    "Query.candles(convertTo:)": "converting a series takes a rate for every candle, not one rate for all",
    "Mutation.alertCreate": "there are no alerts yet",
    "Query.alertPreview": "there are no alerts yet",
}
"""Members of types of ours that the page has and we do not, and why."""


@cache
def blocks() -> tuple[str, str]:
    """The page's schema and its operations."""
    schema, operations = re.findall(
        r"^```graphql\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return schema, operations


@cache
def page_schema() -> GraphQLSchema:
    return build_schema(blocks()[0])


@cache
def our_schema() -> GraphQLSchema:
    return build_schema(OURS.read_text(encoding="utf-8"))


def shapes(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Every coordinate of a schema with what must be the same on both sides."""
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        yield name, type(kind).__name__
        if isinstance(kind, GraphQLEnumType):
            yield f"{name} values", " ".join(kind.values)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                yield f"{name}.{field_name}", str(field.type)
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name}:)", str(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            for field_name, member in kind.fields.items():
                yield f"{name}.{field_name}", str(member.type)


@needs_page
def test_the_page_parses_and_its_ten_operations_fit_it():
    document = parse(blocks()[1])

    assert len([d for d in document.definitions if isinstance(d, OperationDefinitionNode)]) == 10
    assert [error.message for error in validate(page_schema(), document)] == []


@needs_page
def test_what_both_have_has_the_same_shape():
    theirs, ours = dict(shapes(page_schema())), dict(shapes(our_schema()))

    differing = {name: ours[name] for name in theirs if name in ours and ours[name] != theirs[name]}

    assert differing == {name: ours for name, (ours, _) in DEVIATIONS.items()}


@needs_page
def test_what_a_type_of_ours_leaves_out_is_known():
    theirs, ours = dict(shapes(page_schema())), dict(shapes(our_schema()))

    fields = {name for name in theirs if "." in name and "(" not in name}
    arguments = {name for name in theirs if "(" in name and name.partition("(")[0] in ours}
    missing = {name for name in fields | arguments if name.partition(".")[0] in ours and name not in ours}

    assert missing == set(LEFT_OUT)


def test_every_type_field_argument_and_value_of_ours_is_described():
    bare = []
    for name, kind in our_schema().type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        bare += [] if kind.description else [name]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            bare += [f"{name}.{field}" for field, value in kind.fields.items() if not value.description]
        if isinstance(kind, GraphQLEnumType):
            bare += [f"{name}.{value}" for value, told in kind.values.items() if not told.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            bare += [
                f"{name}.{f}({a}:)" for f, v in kind.fields.items() for a, x in v.args.items() if not x.description
            ]

    assert bare == []
