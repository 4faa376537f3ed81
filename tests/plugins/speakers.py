"""Providers that say prepared words without any wire, behind a whole gateway's executor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.app import build_gateway, create_app
from gateway.core.identity import LOCAL, Principal
from gateway.core.settings import Settings
from gateway.edge.execute import Executor, OperationRequest, RequestFacts
from providers import Discovered
from providers.contract import Licence, Profile, Provider, answers
from schema.capability import Capability
from schema.symbols import AssetClass
from tests.gateway.doubles import ManualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Says = Callable[[Any], Any]


class Speaker(Provider):
    """Remembers what it was asked."""

    asked: list[Any]


def speaker(
    says: Mapping[Capability[Any, Any], Says],
    *,
    name: str = "alpha",
    priority: int = 10,
    covers: Callable[[Any], bool] = lambda ask: True,
) -> type[Speaker]:
    """A provider class with one method for each capability; what a function raises is the provider's failure."""
    profile = Profile(
        id=name, name=name.title(), base_url=f"https://{name}.example", docs="", asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note=""), priority=priority,
    )  # fmt: skip
    members: dict[str, Any] = {"profile": profile, "asked": []}
    for capability, say in says.items():
        method = _parts(say) if capability.ends is not None else _whole(say)
        method.__name__ = f"say_{capability.name}"
        members[method.__name__] = answers(capability, covers=covers)(method)
    return type(name.title(), (Speaker,), members)


def _whole(say: Says) -> Any:
    async def method(self: Speaker, ask: Any) -> Any:
        self.asked.append(ask)
        return say(ask)

    return method


def _parts(say: Says) -> Any:
    async def method(self: Speaker, ask: Any) -> AsyncIterator[Any]:
        self.asked.append(ask)
        for part in say(ask):
            yield part

    return method


class Room:
    """A gateway with nothing but the speakers; `ask` answers the GraphQL response."""

    def __init__(self, *speakers: type[Speaker], principal: Principal = LOCAL) -> None:
        self.principal = principal
        settings = Settings(env="development", upstreams="live")
        found = Discovered(classes={each.profile.id: each for each in speakers}, failed={})
        self.clock = ManualClock(NOON)
        gateway = build_gateway(settings, discovered=found, clock=self.clock)
        self.executor: Executor = create_app(settings, gateway=gateway).state.executor

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole response."""
        facts = RequestFacts(request_id="r", transport="test")
        result = await self.executor.execute(
            OperationRequest(query=query, variables=variables), facts, principal=self.principal
        )
        return result.body()

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of the one root field; no errors."""
        body = await self.ask(query, **variables)
        assert "errors" not in body, body["errors"]
        (found,) = body["data"].values()
        return found

    async def error(self, query: str, **variables: Any) -> tuple[str, str]:
        """Code and message of the one error."""
        (found,) = (await self.ask(query, **variables))["errors"]
        return found["extensions"]["code"], found["message"]
