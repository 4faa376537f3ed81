"""A company on a market of tapes, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.core.contract import Context
from gateway.core.identity import LOCAL, Role
from tests.house import open_house
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.portfolio.tapes import Tapes


@dataclass
class Room:
    """Ada's company, where Vic is a viewer; `tapes` is what is traded."""

    company: Company
    tapes: Tapes

    def context(self) -> Context:
        """For services: on the company's account."""
        from dataclasses import replace

        return self.company.house.context(replace(LOCAL, tenant=self.company.tenant))

    def service(self, kind: type) -> Any:
        """Of the gateway."""
        return self.company.house.host.service(kind)

    async def do(self, document: str, by: str = "ada", **given: Any) -> dict[str, Any]:
        """The payload of one mutation."""
        return await self.company.ask(by, document, **given)

    async def see(self, document: str, by: str = "ada", **variables: Any) -> Any:
        """The data of the one root field."""
        body = await self.company.house.ask(document, variables, token=self.company.tokens[by])
        assert "errors" not in body, body
        (data,) = body["data"].values()
        return data

    async def error(self, document: str, by: str = "ada", **variables: Any) -> tuple[str, str]:
        """Code and message of the one error."""
        body = await self.company.house.ask(document, variables, token=self.company.tokens[by])
        (error,) = body["errors"]
        return error["extensions"]["code"], error["message"]


@pytest.fixture
async def room(database: str, tmp_path: Path) -> AsyncIterator[Room]:
    tapes = Tapes()
    async with open_house(database, tmp_path, discovered=tapes.discovered, upstreams="live") as house:
        company = await found(house)
        await company.hire("vic", Role.VIEWER)
        await company.upgrade()
        yield Room(company, tapes)
