"""A flag for one task."""

from __future__ import annotations

import asyncio

import pytest

from gateway.edge.wake import Wake


async def test_who_waits_is_woken_and_who_comes_later_need_not_wait() -> None:
    wake = Wake()
    waiting = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)
    wake.set()
    wake.set()

    await waiting
    await wake.wait()
    assert wake.is_set()


async def test_after_clearing_one_waits_again_and_a_cancelled_wait_leaves_nothing() -> None:
    wake = Wake()
    wake.set()
    wake.clear()
    waiting = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    again = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)

    assert not again.done()
    with pytest.raises(RuntimeError):
        await wake.wait()
    wake.set()
    await again
