"""How a paper account's orders are filled, from what a caller gave to what is kept. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway.core.matching.model import ExecutionModel
from schema.errors import BadInput
from schema.names import camel
from schema.words.problems import Refused

NAMED = 20


def model_of(given: Mapping[str, Any], providers: Collection[str]) -> ExecutionModel:
    """A model within its bounds; Refused MODEL_INVALID names the field. *providers* are those that quote prices."""
    try:
        model = ExecutionModel.read(given)
    except BadInput as bad:
        field = [camel(part) for part in bad.field.split(".")]
        told = bad.message.removeprefix(f"{bad.field}: ")
        raise Refused("MODEL_INVALID", f"{'.'.join(field)} {told}.", *field) from None
    if model.provider is not None and model.provider not in providers:
        known = ", ".join(sorted(providers)[:NAMED])
        told = f"{model.provider!r} is no provider of quotes here: write one of {known}."
        raise Refused("MODEL_INVALID", told, "model", "provider")
    return model
