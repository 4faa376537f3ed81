"""Live fields over real sockets: one execution for all who ask the same, snapshots for who joins, the slow left out."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.core.identity import TENANT_SCOPES
from gateway.core.live.subscription import Subscription
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from tests.gateway.doubles import ETH
from tests.gateway.edge.sockets import Peer, dialled, narrow, settled

QUOTES = (
    'subscription { quotes(symbols: ["BTC/USD"]) { cursor snapshot skipped quotes { id price } notices { code } } }'
)


async def data(peer: Peer, operation: str | None = None) -> dict[str, Any]:
    message = await peer.hear()
    while operation is not None and message["id"] != operation:
        message = await peer.hear()
    assert message["type"] == "next", message
    return {**message["payload"]["data"]["quotes"], "extensions": message["payload"].get("extensions", {})}


def prices(update: dict[str, Any]) -> list[str]:
    return [quote["price"] for quote in update["quotes"]]


async def test_many_subscribers_of_the_same_share_one_execution_and_each_begins_with_a_snapshot(floor) -> None:
    floor.lines.price("sandbox", "100")
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(floor.dial()) for _ in range(20)]
        for index, peer in enumerate(peers):
            await peer.ask(QUOTES, str(index))
        firsts = [await data(peer) for peer in peers]
        assert len(floor.executor.broadcasts) == 1
        floor.lines.price("sandbox", "101")
        seconds = [await data(peer) for peer in peers]

    assert {(*prices(first), first["snapshot"]) for first in firsts} == {("100", True)}
    assert len({first["extensions"]["requestId"] for first in firsts}) == 20
    assert {(*prices(second), second["snapshot"]) for second in seconds} == {("101", False)}
    assert {second["cursor"] for second in seconds} != {firsts[0]["cursor"]}
    assert floor.lines.opened == ["sandbox"]


async def test_who_comes_back_beside_the_variables_gets_what_it_missed_and_shares_again(floor) -> None:
    floor.lines.price("sandbox", "100")
    async with floor.dial() as stays, floor.dial() as leaves:
        for peer in (stays, leaves):
            await peer.ask(QUOTES)
        last = await data(leaves)
        await data(stays)
        await leaves.say({"type": "complete", "id": "1"})
        for price in ("101", "102"):
            floor.lines.price("sandbox", price)
            await data(stays)
        await leaves.ask(QUOTES, "2", extensions={"after": last["cursor"]})
        missed = [prices(await data(leaves, "2")) for _ in range(2)]
        floor.lines.price("sandbox", "103")
        both = [prices(await data(peer)) for peer in (stays, leaves)]

    assert missed == [["101"], ["102"]]
    assert both == [["103"], ["103"]]


async def test_a_cursor_that_is_not_held_any_more_is_served_from_the_streams_own_ring(floor) -> None:
    floor.lines.price("sandbox", "100")
    async with floor.dial() as peer:
        await peer.ask(QUOTES)
        cursor = (await data(peer))["cursor"]
        await peer.say({"type": "complete", "id": "1"})
        await settled(lambda: len(floor.executor.broadcasts) == 0)
        floor.lines.price("sandbox", "101", "102")
        await peer.ask(QUOTES, "2", extensions={"after": cursor})
        found = await data(peer)

    assert (prices(found), found["snapshot"], found["notices"]) == (["102"], False, [])


async def test_who_comes_back_with_the_same_cursor_shares_an_execution_again(floor) -> None:
    """As after a deploy: everybody has the cursor of the last message, and this process has never said it."""
    floor.lines.price("sandbox", "100")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(floor.dial())
        await first.ask(QUOTES)
        after = {"after": (await data(first))["cursor"]}
        await first.say({"type": "complete", "id": "1"})
        await settled(lambda: len(floor.executor.broadcasts) == 0)
        floor.lines.price("sandbox", "101")
        peers = [await stack.enter_async_context(floor.dial()) for _ in range(5)]
        for peer in peers:
            await peer.ask(QUOTES, extensions=after)
        missed = [prices(await data(peer)) for peer in peers]
        shared = len(floor.executor.broadcasts)
        fresh = await stack.enter_async_context(floor.dial())
        await fresh.ask(QUOTES)
        joined = await data(fresh)
        floor.lines.price("sandbox", "102")
        after_all = [prices(await data(peer)) for peer in (*peers, fresh)]

    assert (missed, shared) == ([["101"]] * 5, 1)
    assert (prices(joined), joined["snapshot"], joined["extensions"].get("skipped")) == (["101"], True, None)
    assert after_all == [["102"]] * 6


async def test_who_was_elsewhere_goes_over_to_the_shared_execution_once_it_is_there(floor, monkeypatch) -> None:
    monkeypatch.setattr("gateway.edge.broadcasts.RING", 2)
    floor.lines.price("sandbox", "100")
    async with floor.dial() as stays, floor.dial() as leaves:
        for peer in (stays, leaves):
            await peer.ask(QUOTES)
        cursor = (await data(leaves))["cursor"]
        await data(stays)
        await leaves.say({"type": "complete", "id": "1"})
        for price in ("101", "102", "103"):
            floor.lines.price("sandbox", price)
            await data(stays)
        next(iter(floor.executor.broadcasts._by_key.values()))._ring.clear()
        await leaves.ask(QUOTES, "2", extensions={"after": cursor})
        missed = prices(await data(leaves, "2"))
        floor.lines.price("sandbox", "104")
        both = [prices(await data(peer)) for peer in (stays, leaves)]
        await settled(lambda: len(floor.executor.broadcasts) == 1)
        floor.lines.price("sandbox", "105")
        again = [prices(await data(peer)) for peer in (stays, leaves)]

    assert missed == ["103"]
    assert (both, again) == ([["104"]] * 2, [["105"]] * 2)


async def test_the_second_who_comes_back_with_a_cursor_as_an_argument_gets_what_it_missed_too(floor) -> None:
    floor.lines.price("sandbox", "100")
    resumed = QUOTES.replace("subscription {", "subscription($after: Cursor) {").replace("])", "], after: $after)")
    async with floor.dial() as stays, floor.dial() as one, floor.dial() as two:
        await stays.ask(QUOTES)
        after = (await data(stays))["cursor"]
        floor.lines.price("sandbox", "101")
        await data(stays)
        await one.ask(resumed, variables={"after": after})
        first = await data(one)
        floor.lines.price("sandbox", "102")
        await data(one)
        await two.ask(resumed, variables={"after": after})
        second = [await data(two) for _ in range(2)]

    assert (prices(first), first["snapshot"]) == (["101"], False)
    assert [(prices(each), each["snapshot"]) for each in second] == [(["101"], False), (["102"], False)]


async def test_frames_are_held_no_longer_than_it_takes_to_tell_them(floor) -> None:
    """Most clients give each operation an id of its own: a frame for each, times what is held for who comes back."""
    floor.lines.price("sandbox", "100")
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(floor.dial()) for _ in range(5)]
        for index, peer in enumerate(peers):
            await peer.ask(QUOTES, f"operation {index}")
        for price in ("101", "102"):
            floor.lines.price("sandbox", price)
            for peer in peers:
                await data(peer)
        await settled(lambda: True)
        (broadcast,) = floor.executor.broadcasts._by_key.values()
        held = [len(shout._frames) for shout in broadcast._ring]

    assert len(held) >= 2
    assert set(held) == {0}


@pytest.mark.parametrize("after", ["nonsense", 7])
async def test_a_cursor_that_is_none_is_refused_and_the_other_streams_go_on(floor, after) -> None:
    floor.lines.price("sandbox", "100")
    async with floor.dial() as peer:
        await peer.ask(QUOTES, "good")
        await data(peer)
        await peer.ask(QUOTES, "bad", extensions={"after": after})
        refused = await peer.hear()
        floor.lines.price("sandbox", "101")
        goes_on = await data(peer)

    assert (refused["type"], refused["id"]) == ("error", "bad")
    assert prices(goes_on) == ["101"]


async def test_a_client_that_does_not_read_delays_nobody_and_goes_on_from_a_snapshot(floor) -> None:
    floor.lines.price("sandbox", "1")
    async with floor.dial() as quick, floor.dial(max_queue=1, sock=narrow(floor.url)) as slow:
        for peer in (quick, slow):
            await peer.ask(QUOTES)
            await data(peer)
        slow.connection.transport.pause_reading()
        count = 3_000
        for number in range(2, count):
            floor.lines.price("sandbox", str(number))
            assert prices(await data(quick)) == [str(number)]
        slow.connection.transport.resume_reading()
        floor.lines.price("sandbox", str(count))
        assert prices(await data(quick)) == [str(count)]
        heard = [await data(slow)]
        while prices(heard[-1]) != [str(count)]:
            heard.append(await data(slow))

    skipped = sum(each["extensions"].get("skipped", 0) + each["skipped"] for each in heard)
    numbers = [int(price) for each in heard for price in prices(each)]
    assert numbers == sorted(set(numbers))
    # What the snapshot shows was left out before it.
    assert len(numbers) + skipped - (count - 1) in (0, 1)
    assert skipped > 500


async def test_abrupt_disconnects_leave_nothing_behind(floor) -> None:
    floor.lines.price("sandbox", "100")
    for _ in range(50):
        async with floor.dial() as peer:
            await peer.ask(QUOTES)
            await data(peer)
            peer.connection.transport.abort()
    await settled(lambda: len(floor.executor.broadcasts) == 0)
    await settled(lambda: not any("Operations." in str(task.get_coro()) for task in asyncio.all_tasks()))


async def test_an_unknown_symbol_among_others_is_a_notice_and_one_alone_an_error(floor) -> None:
    floor.lines.price("sandbox", "100")
    async with floor.dial() as peer:
        await peer.ask(QUOTES.replace('"BTC/USD"', '"BTC/USD", "what is this"'))
        mixed = await data(peer)
        await peer.ask(QUOTES.replace("BTC/USD", "what is this"), "2")
        alone = await peer.hear()

    assert (prices(mixed), mixed["notices"]) == (["100"], [{"code": "UNKNOWN_INSTRUMENT"}])
    assert (alone["type"], alone["id"]) == ("error", "2")
    assert json.dumps(alone).count("UNKNOWN_SYMBOL") + json.dumps(alone).count("UNKNOWN_INSTRUMENT") >= 1


async def test_who_joins_later_is_told_of_the_unknown_symbol_too_and_the_others_not_again(floor) -> None:
    mixed = QUOTES.replace('"BTC/USD"', '"BTC/USD", "garbage!!"')
    floor.lines.price("sandbox", "100")
    async with floor.dial() as first, floor.dial() as later:
        await first.ask(mixed)
        begun = await data(first)
        await later.ask(mixed)
        joined = await data(later)
        floor.lines.price("sandbox", "101")
        nexts = [await data(peer) for peer in (first, later)]

    unknown = [{"code": "UNKNOWN_INSTRUMENT"}]
    assert [(prices(each), each["notices"]) for each in (begun, joined)] == [(["100"], unknown)] * 2
    assert [(prices(each), each["notices"]) for each in nexts] == [(["101"], [])] * 2


async def test_who_joins_later_is_told_of_the_rate_that_is_lacking_too_and_the_others_not_again(floor) -> None:
    converted = QUOTES.replace("])", '], convertTo: "XX")')
    floor.lines.price("sandbox", "100")
    async with floor.dial() as first, floor.dial() as later:
        await first.ask(converted)
        begun = await data(first)
        await later.ask(converted)
        joined = await data(later)
        floor.lines.price("sandbox", "101")
        nexts = [await data(peer) for peer in (first, later)]

    assert [(prices(each), each["notices"]) for each in (begun, joined)] == [([], [{"code": "GAP"}])] * 2
    assert [(prices(each), each["notices"]) for each in nexts] == [([], [])] * 2


async def other_tenants_key(floor) -> str:
    host = floor.gateway.host
    async with host.store.write() as tx:
        tenant = await host.service(OrganisationDesk).create(tx, "Other", None, plan="unlimited")
        _, key = await host.service(KeyDesk).create(
            tx, tenant, name="tests", scopes=sorted(TENANT_SCOPES), created_by="tests"
        )
    return str(key)


async def test_a_stream_that_is_one_tenants_is_executed_for_each_tenant_alone(floor, monkeypatch) -> None:
    """As where a provider's licence, or a tenant's own key with it, lets nobody else have its answers."""
    monkeypatch.setattr(Subscription, "private", True)
    other = await other_tenants_key(floor)
    floor.lines.price("sandbox", "100")
    async with floor.dial() as one, dialled(floor.url, headers={"x-api-key": other}) as two, floor.dial() as three:
        await two.initialise()
        for peer in (one, two, three):
            await peer.ask(QUOTES)
        firsts = [prices(await data(peer)) for peer in (one, two, three)]
        shared = len(floor.executor.broadcasts)
        floor.lines.price("sandbox", "101")
        seconds = [prices(await data(peer)) for peer in (one, two, three)]

    assert (firsts, seconds, shared) == ([["100"]] * 3, [["101"]] * 3, 2)


async def test_who_joins_between_two_messages_of_a_slow_beat_gets_its_snapshot_at_once(floor) -> None:
    slowly = QUOTES.replace("])", "], everyMs: 60000)")
    floor.lines.price("sandbox", "100")
    async with floor.dial() as first, floor.dial() as later:
        await first.ask(slowly)
        await data(first)
        floor.lines.price("sandbox", "101")
        await later.ask(slowly)
        found = await data(later)

    assert (prices(found), found["snapshot"]) == (["101"], True)
    assert len(floor.lines.opened) == 1


async def test_a_snapshot_of_some_of_the_symbols_is_none(floor) -> None:
    """It would stand for everything before it, and drop the others from every screen."""
    both = QUOTES.replace('"BTC/USD"', '"BTC/USD", "ETH/USD"')
    floor.lines.price("sandbox", "100")
    floor.lines.price("sandbox", "10", instrument=ETH)
    async with floor.dial() as peer:
        await peer.ask(both)
        first = await data(peer)
        floor.lines.price("sandbox", "101", snapshot=True)
        second = await data(peer)

    assert (sorted(prices(first)), first["snapshot"]) == (["10", "100"], True)
    assert (prices(second), second["snapshot"]) == (["101"], False)
