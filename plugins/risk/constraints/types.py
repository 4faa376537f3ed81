"""GraphQL types of constraints."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from plugins.risk.constraints.rules import Rules, read_rules
from plugins.risk.rows import ConstraintRow
from schema.facts import facts
from schema.model import described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.scopes import Scope
from schema.words.instruments import Node
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
READ = facts(cost=0, needs=Scope.PORTFOLIO_READ)
"""Of what a change shows: who may write need not be one who may read."""
_MIN, _MAX = "The least; null where there is none.", "The greatest; null where there is none."


@model("Bounds of one instrument's weight.")
class WeightBound:
    """In the place of the set's own."""

    symbol: str = described("The instrument's id.")
    min: float | None = described(_MIN, default=None)
    max: float | None = described(_MAX, default=None)


@model("Bounds of the sum of some weights, such as a sector's.")
class WeightGroup:
    """A sum."""

    name: str = described("What it is called: infeasible problems and binding constraints name it so.")
    symbols: list[str] = described("Ids of its instruments; those that a portfolio does not have count for nothing.")
    min: float | None = described(_MIN, default=None)
    max: float | None = described(_MAX, default=None)


@model("What the weights of a portfolio must satisfy. Weights are fractions of its value: 0.05 is 5 %.")
class Constraints:
    """Linear ones, a cap of leverage, of turnover, and a number of positions."""

    min_weight: float | None = described(
        "Of each instrument without a bound of its own; null for 0, or for no bound where `short`.", default=None
    )
    max_weight: float | None = described("Of each instrument without a bound of its own.", default=None)
    max_position: float | None = described("Greatest absolute weight of any instrument.", default=None)
    bounds: list[WeightBound] = described("Of single instruments.")
    groups: list[WeightGroup] = described("Of sums.")
    min_total: float = described("Least sum of all weights; what is left to 1 is cash.")
    max_total: float = described("Greatest sum of all weights.")
    short: bool = described("Whether weights may be negative.")
    leverage: float | None = described("Greatest sum of absolute weights; null where there is none.", default=None)
    turnover: float | None = described(
        "Greatest sum of absolute changes against the weights that are held; null where there is none.", default=None
    )
    cardinality: int | None = described(
        "Greatest number of positions: the best of few choices, else a heuristic that the answer names; null for none.",
        default=None,
    )

    @classmethod
    def of(cls, rules: Rules) -> Self:
        """As people see it."""
        bounds = [WeightBound(symbol=each.symbol, min=each.minimum, max=each.maximum) for each in rules.bounds]
        groups = [
            WeightGroup(name=each.name, symbols=list(each.symbols), min=each.minimum, max=each.maximum)
            for each in rules.groups
        ]
        return cls(
            min_weight=rules.minimum, max_weight=rules.maximum, bounds=bounds, groups=groups,
            max_position=rules.position, min_total=rules.least_total, max_total=rules.greatest_total,
            short=rules.short, leverage=rules.leverage, turnover=rules.turnover, cardinality=rules.cardinality,
        )  # fmt: skip


@model("A named set of constraints that the organisation keeps.", implements=(Node,))
class ConstraintSet:
    """Optimisations name it."""

    id: strawberry.ID = described("Give it to `node(id:)` and to `optimize`.")
    name: str = described("Its name, unique in the organisation.")
    constraints: Constraints = described("What it says.")
    owner: str = described("Who made it: a person's or a key's id.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When it was last changed.")

    @classmethod
    def of(cls, row: ConstraintRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, constraints=Constraints.of(read_rules(row.rules)),
            owner=row.made_by, created_at=row.created_at, changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of sets of constraints.")
class ConstraintSetConnection:
    """The oldest first."""

    nodes: list[ConstraintSet] = described("The sets.")
    page_info: PageInfo = described("Where this page stands.")


@strawberry.input(description="Bounds of one instrument's weight.")
class WeightBoundInput:
    """At least one of the two."""

    symbol: str = strawberry.field(description="An id such as `equity:AAPL`, or a short form.")
    min: float | None = strawberry.field(description="The least weight.", default=None)
    max: float | None = strawberry.field(description="The greatest weight.", default=None)


@strawberry.input(description="Bounds of the sum of some weights.")
class WeightGroupInput:
    """At least one of the two."""

    name: str = strawberry.field(description="What it is called, such as `Technology`.")
    symbols: list[str] = strawberry.field(description="Its instruments.")
    min: float | None = strawberry.field(description="The least sum.", default=None)
    max: float | None = strawberry.field(description="The greatest sum.", default=None)


@strawberry.input(description="What weights must satisfy. Without anything: long only, fully invested.")
class ConstraintsInput:
    """Weights are fractions of the portfolio's value."""

    min_weight: float | None = strawberry.field(
        description="Of each instrument without a bound of its own; without it 0, or none where `short`.", default=None
    )
    max_weight: float | None = strawberry.field(
        description="Of each instrument without a bound of its own.", default=None
    )
    max_position: float | None = strawberry.field(
        description="Greatest absolute weight of any instrument, whatever its own bound.", default=None
    )
    bounds: list[WeightBoundInput] | None = strawberry.field(description="Of single instruments.", default=None)
    groups: list[WeightGroupInput] | None = strawberry.field(description="Of sums.", default=None)
    min_total: float = strawberry.field(description="Least sum of all weights; what is left to 1 is cash.", default=1.0)
    max_total: float = strawberry.field(description="Greatest sum of all weights.", default=1.0)
    short: bool = strawberry.field(description="Whether weights may be negative.", default=False)
    leverage: float | None = strawberry.field(description="Greatest sum of absolute weights.", default=None)
    turnover: float | None = strawberry.field(
        description="Greatest sum of absolute changes against the weights that are held.", default=None
    )
    cardinality: int | None = strawberry.field(
        description="Greatest number of positions (heuristic for many instruments).", default=None
    )


@refusals(
    "Why a set of constraints was not made.",
    CONSTRAINT_INVALID="A constraint can never be satisfied, or says nothing.", NAME_TAKEN="Another set has the name.",
    TOO_MANY_SETS="The organisation has as many sets as it may have.",
)  # fmt: skip
class ConstraintSetCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    NAME_TAKEN = "NAME_TAKEN"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    CONSTRAINT_INVALID = "CONSTRAINT_INVALID"
    TOO_MANY_SETS = "TOO_MANY_SETS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why a set of constraints was not changed.",
    CONSTRAINT_INVALID="A constraint can never be satisfied, or says nothing.", NAME_TAKEN="Another set has the name.",
)  # fmt: skip
class ConstraintSetUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NAME_INVALID = "NAME_INVALID"
    NAME_TAKEN = "NAME_TAKEN"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    CONSTRAINT_INVALID = "CONSTRAINT_INVALID"


@refusals("Why a set of constraints was not deleted.")
class ConstraintSetDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@strawberry.input(description="A new set of constraints.")
class ConstraintSetCreateInput:
    """Of the organisation."""

    name: str = strawberry.field(description="1 to 100 characters, unique in the organisation.")
    constraints: ConstraintsInput = strawberry.field(description="What it says.")
    idempotency_key: str | None = strawberry.field(
        description="The same key with the same input makes no second one.", default=None
    )


@strawberry.input(description="Changes of a set of constraints; what is left out stays.")
class ConstraintSetUpdateInput:
    """The constraints are replaced as a whole."""

    id: strawberry.ID = strawberry.field(description="The set's id.")
    name: str | None = strawberry.field(description="Another name.", default=None)
    constraints: ConstraintsInput | None = strawberry.field(description="What it says from now on.", default=None)


@strawberry.input(description="Which set of constraints.")
class ConstraintSetDeleteInput:
    """Of the organisation."""

    id: strawberry.ID = strawberry.field(description="The set's id.")


@model("What came of `constraintSetCreate`.")
class ConstraintSetCreatePayload:
    """The set, or why there is none."""

    constraint_set: ConstraintSet | None = described("The new set.", default=None, metadata=READ)
    user_errors: list[UserError[ConstraintSetCreateErrorCode]] = described(ERRORS)


@model("What came of `constraintSetUpdate`.")
class ConstraintSetUpdatePayload:
    """All of the change was made, or nothing."""

    constraint_set: ConstraintSet | None = described("The set as it is now.", default=None, metadata=READ)
    user_errors: list[UserError[ConstraintSetUpdateErrorCode]] = described(ERRORS)


@model("What came of `constraintSetDelete`.")
class ConstraintSetDeletePayload:
    """It is gone for good."""

    constraint_set_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[ConstraintSetDeleteErrorCode]] = described(ERRORS)
