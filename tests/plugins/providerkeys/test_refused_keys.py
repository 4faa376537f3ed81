"""A provider refuses a tenant's own key: told once, until it works again or is set anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.core.health import PAUSE
from plugins.providerkeys.verdicts import KeyVerdicts
from schema.errors import Unauthorized
from tests.plugins.providerkeys.upstream import QUOTE, Live, Member, bitcoin, live
from tests.told import told

HOLD_S = PAUSE[Unauthorized] + 1


async def asked(market: Live, member: Member) -> dict[str, Any]:
    """One question, after every hold and every copy of an answer."""
    market.house.clock.turn(HOLD_S)
    body = await market.house.ask(QUOTE, {}, key=member.secret)
    await market.house.host.service(KeyVerdicts).write()
    return body


async def reasons(market: Live, member: Member) -> list[tuple[str, str]]:
    found = await told(market.house.store, member.tenant, "provider.key_invalid")
    return [(each["provider"], each["reason"]) for each in found]


async def test_a_refused_key_is_told_once_until_it_works_again(database: str, tmp_path: Path):
    async with live(database, tmp_path) as market:
        acme, other = await market.organisation("Acme"), await market.organisation("Other")
        await acme.set("ours")
        refused, good = bitcoin({}, frozenset({"ours"})), bitcoin({})
        counts = []
        for handler in (good, refused, refused, good, good, refused):
            market.wire.handlers["coingecko"] = handler
            await asked(market, acme)
            counts.append(len(await reasons(market, acme)))

        assert counts == [0, 1, 1, 1, 1, 2]
        assert {provider for provider, _ in await reasons(market, acme)} == {"coingecko"}
        assert "ours" not in str(await told(market.house.store, acme.tenant))
        assert await reasons(market, other) == []


async def test_a_key_that_is_set_anew_and_refused_again_is_news(database: str, tmp_path: Path):
    async with live(database, tmp_path) as market:
        acme = await market.organisation("Acme")
        market.wire.handlers["coingecko"] = bitcoin({}, frozenset({"ours", "newer"}))
        for key in ("ours", "newer"):
            await acme.set(key)
            await asked(market, acme)

        assert [provider for provider, _ in await reasons(market, acme)] == ["coingecko", "coingecko"]


async def test_another_process_that_is_refused_too_tells_nothing(database: str, tmp_path: Path):
    async with live(database, tmp_path / "a") as market, live(database, tmp_path / "b") as again:
        acme = await market.organisation("Acme")
        await acme.set("ours")
        for process in (market, again):
            process.wire.handlers["coingecko"] = bitcoin({}, frozenset({"ours"}))
            await asked(process, acme)

        assert len(await reasons(market, acme)) == 1


async def test_the_platforms_own_key_is_no_tenants_affair(database: str, tmp_path: Path):
    async with live(database, tmp_path) as market:
        acme = await market.organisation("Acme")
        market.wire.handlers["coingecko"] = bitcoin({}, frozenset({None}))  # type: ignore[arg-type]

        body = await asked(market, acme)

        assert "errors" in body
        assert await told(market.house.store, acme.tenant) == []


@pytest.mark.parametrize("again", [False, True])
async def test_what_was_heard_while_the_database_was_away_is_written_later(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
):
    async with live(database, tmp_path) as market:
        acme = await market.organisation("Acme")
        await acme.set("ours")
        market.wire.handlers["coingecko"] = bitcoin({}, frozenset({"ours"}))
        verdicts = market.house.host.service(KeyVerdicts)

        async def away(*_: Any) -> None:
            raise OSError("gone")

        with monkeypatch.context() as patched:
            patched.setattr(verdicts, "_judge", away)
            with pytest.raises(OSError, match="gone"):
                await asked(market, acme)
        for _ in range(2 if again else 1):
            await verdicts.write()

        assert len(await reasons(market, acme)) == 1
