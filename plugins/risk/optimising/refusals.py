"""What an optimiser refuses, in the words of those who ask."""

from __future__ import annotations

import re

from schema.errors import BadInput

_FIELDS = {
    "current": "portfolioId",
    "closes": "symbols",
    "constraints.max_position": "constraints.maxPosition",
    "constraints.max_assets": "constraints.cardinality",
    "constraints.default": "constraints.maxWeight",
    "constraints.total": "constraints.minTotal",
    "constraints.long_only": "constraints.short",
}
"""Where the optimiser's requests are called otherwise than the callers' inputs."""
_WORDS = {"current": "give one: a turnover is counted from the weights held now"}
_OBJECTIVE = re.compile(
    r"\b(minimum|maximum|risk|hierarchical_risk|target)_(variance|sharpe|parity|cvar|return|volatility)\b"
)


def in_callers_words(error: BadInput) -> BadInput:
    """The same refusal by the names of inputs; an asset's own name stays as it is."""
    told = _WORDS.get(error.field) or error.message.removeprefix(f"{error.field}: ")
    told = _OBJECTIVE.sub(lambda found: found[0].upper(), told)
    head, *rest = error.field.split(".", 1)
    known = _FIELDS.get(error.field)
    return BadInput(known or ".".join([_camel(head), *rest]), told)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
