"""A list of thousands is sorted beside the event loop, which answers others meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from plugins.market import shelves
from schema.words.instruments import Listing
from tests.plugins.market.listings import ID, Upstream, spot, world


@pytest.mark.parametrize(("count", "aside"), [(shelves.MANY - 1, False), (shelves.MANY, True)])
async def test_only_a_long_list_is_sorted_in_a_thread(monkeypatch: pytest.MonkeyPatch, count: int, aside: bool):
    threads: list[threading.Thread] = []
    plain = shelves.sorted_in

    def noted(listings: tuple[Listing, ...]) -> Any:
        threads.append(threading.current_thread())
        return plain(listings)

    monkeypatch.setattr(shelves, "sorted_in", noted)
    here = world(Upstream("kraken", [spot(f"C{number}", "USD", f"C{number}USD") for number in range(count)]))

    found = await here.page("C7USD")
    described = await here.described("crypto:C7/USD", ID)

    assert [str(each.id) for each in found.items][:1] == ["crypto:C7/USD"]
    assert str(described.id) == "crypto:C7/USD"
    assert [thread is not threading.main_thread() for thread in threads] == [aside]
