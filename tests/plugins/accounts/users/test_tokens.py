"""Tokens that work once, for whoever needs one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select

from plugins.accounts.tables import one_time_tokens
from plugins.accounts.users.tokens import OneTimeTokens, TokenRow
from tests.house import House

HOUR = timedelta(hours=1)


async def issue(house: House, kind: str = "link") -> str:
    async with house.store.write() as tx:
        return await house.host.service(OneTimeTokens).issue(tx, kind, payload={"next": "/charts"}, ttl=HOUR)


async def redeem(house: House, kind: str, text: str) -> TokenRow | None:
    async with house.store.write() as tx:
        return await house.host.service(OneTimeTokens).redeem(tx, kind, text)


async def test_a_token_brings_its_payload_back_once(house: House):
    text = await issue(house)

    first, second = await redeem(house, "link", text), await redeem(house, "link", text)

    assert first is not None
    assert (first.kind, first.user_id, first.payload) == ("link", None, {"next": "/charts"})
    assert second is None


async def test_of_many_at_once_one_redeems(house: House):
    text = await issue(house)

    found = await asyncio.gather(*(redeem(house, "link", text) for _ in range(8)))

    assert len([row for row in found if row is not None]) == 1


async def test_a_token_of_another_kind_made_up_too_long_or_over_is_none(house: House):
    text = await issue(house)

    refused = [await redeem(house, *asked) for asked in (("state", text), ("link", "made up"), ("link", text * 100))]
    house.clock.turn(3600)
    late = await redeem(house, "link", text)

    assert [*refused, late] == [None] * 4


async def test_a_change_that_is_undone_leaves_the_token(house: House):
    text = await issue(house)

    await asyncio.gather(undone(house, text), return_exceptions=True)

    assert await redeem(house, "link", text) is not None


async def undone(house: House, text: str) -> None:
    async with house.store.write() as tx:
        assert await house.host.service(OneTimeTokens).redeem(tx, "link", text) is not None
        raise ZeroDivisionError


async def test_the_text_is_not_stored(house: House):
    text = await issue(house)

    async with house.store.read() as tx:
        [row] = await tx.all(select(one_time_tokens), TokenRow)
    assert text not in repr(row)
    assert len(text) == 43
