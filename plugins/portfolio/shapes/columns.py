"""Long columns of answers: written one at a time, and others have their turns in between."""

from __future__ import annotations

from typing import Any

from gateway.core.contract import Ctx
from plugins.portfolio.bench import Bench
from schema.facts import facts
from schema.model import computed


def column(kind: Any, name: str, description: str) -> Any:
    """A field of *kind* that shows a column which its object holds in `held` under a name.

    An answer of many columns would otherwise be written in one go: a millisecond for each of some thousand values.
    """

    async def resolve(root: Any, info: Ctx) -> Any:
        await info.context.service(Bench).turn()
        return root.held[name]

    resolve.__annotations__["return"] = kind
    return computed(resolve, description, metadata=facts(cost=0))
