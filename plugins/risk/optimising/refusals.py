"""What an optimiser refuses, in the words of those who ask."""

from __future__ import annotations

import re
from typing import overload

from gateway.core.quant.refusals import Infeasible
from schema.errors import BadInput
from schema.names import camel

NAMES = {
    "max_position": "maxPosition", "max_assets": "cardinality", "long_only": "short", "default.min": "minWeight",
    "default.max": "maxWeight", "total.min": "minTotal", "total.max": "maxTotal", "target_return": "target",
    "target_volatility": "target",
}  # fmt: skip
"""Constraints that the optimiser calls otherwise than the callers' inputs; others have the same name in both."""
_FIELDS = {
    "current": "portfolioId",
    "closes": "symbols",
    "constraints.default": "constraints.maxWeight",
    "constraints.total": "constraints.minTotal",
}
"""Where the optimiser's requests are called otherwise, besides its constraints."""
_WORDS = {"current": "give one: a turnover is counted from the weights held now"}
_SAID = {"long_only": "short false", "max_assets": "cardinality"}
"""In a sentence, where a name alone would say nothing."""
_OBJECTIVE = re.compile(
    r"\b(minimum|maximum|risk|hierarchical_risk|target)_(variance|sharpe|parity|cvar|return|volatility)\b"
)


def name_of(constraint: str) -> str:
    """Of a constraint, as the caller's input calls it: `total` is minTotal and maxTotal where they are one."""
    return NAMES.get(constraint, constraint)


@overload
def in_callers_words(error: BadInput) -> BadInput: ...


@overload
def in_callers_words(error: Infeasible) -> Infeasible: ...


def in_callers_words(error: BadInput | Infeasible) -> BadInput | Infeasible:
    """The same refusal by the names of inputs; what an asset or a group is called stays as it is."""
    if isinstance(error, Infeasible):
        # All names that collide are looked for, so that a group whose name has another's in it is left alone.
        names = sorted({*error.constraints, *NAMES}, key=len, reverse=True)
        found = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, names))})(?![\w.]*\w)")
        told = found.sub(lambda match: _SAID.get(match[0]) or name_of(match[0]), error.message)
        return Infeasible(told, tuple(dict.fromkeys(map(name_of, error.constraints))))
    told = _WORDS.get(error.field) or error.message.removeprefix(f"{error.field}: ")
    return BadInput(_field_of(error.field), _OBJECTIVE.sub(lambda found: found[0].upper(), told))


def _field_of(field: str) -> str:
    head, _, rest = field.partition(".")
    if field in _FIELDS:
        return _FIELDS[field]
    return ".".join([camel(head), *([name_of(rest) if head == "constraints" else rest] if rest else [])])
