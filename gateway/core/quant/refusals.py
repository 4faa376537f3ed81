"""Why a figure cannot be computed. Nothing here needs numpy."""

from __future__ import annotations

from schema.errors import MarketgateError


class NotComputable(MarketgateError):
    """The data do not allow it: too few observations, a constant series, a price that is missing."""

    code = "NOT_COMPUTABLE"


class Infeasible(MarketgateError):
    """No portfolio satisfies all constraints; `constraints` names those that collide."""

    code = "INFEASIBLE"

    def __init__(self, message: str, constraints: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.constraints = constraints

    def extensions(self) -> dict[str, object]:
        return {**super().extensions(), "constraints": list(self.constraints)}

    def __reduce__(self) -> tuple[type[Infeasible], tuple[str, tuple[str, ...]]]:
        return type(self), (self.message, self.constraints)
