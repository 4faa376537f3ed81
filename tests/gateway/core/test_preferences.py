"""What a tenant prefers, as routing has it: before health and priority, after pins; denied is denied everywhere."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.core.account import EVERYBODY, NOBODY, Account, Accounts, Reach
from gateway.core.fetchlog import FetchLog
from gateway.core.identity import CallerKind, Principal
from gateway.core.preferences import NO_PREFERENCE, Preference
from schema.capability import Terms
from tests.gateway.doubles import ETH, NOON, World, codes, failing, priced, venue, world


def wishing(order: tuple[str, ...] = (), denied: tuple[str, ...] = (), dearest: str | None = None) -> Account:
    """A tenant without keys of its own."""
    wish = Preference(order, frozenset(denied), None if dearest is None else Decimal(dearest))
    return Account(tenant="org_a", reach=Reach(wish=wish))


@pytest.fixture
def three() -> World:
    return world(*(venue(name, priority=number) for number, name in enumerate(("alpha", "beta", "gamma"))))


async def asked(w: World, account: Account, *pins: str) -> list[str]:
    """Who was asked for a price that nobody has in memory, in order."""
    before = len(w.wire.requests)
    w.clock.turn(60)
    await w.quote(account=account, providers=pins or None)
    return [request.provider for request in w.wire.requests[before:]]


async def test_who_is_preferred_is_asked_before_others_of_a_better_priority(three: World) -> None:
    assert await asked(three, wishing(("gamma", "beta"))) == ["gamma"]
    assert await asked(three, NOBODY) == ["alpha"]


async def test_a_pin_is_more_than_a_preference(three: World) -> None:
    assert await asked(three, wishing(("gamma",)), "beta") == ["beta"]


async def test_when_who_is_preferred_fails_the_next_in_the_order_is_asked(three: World) -> None:
    three.wire.handlers["gamma"] = failing(404)

    assert await asked(three, wishing(("gamma", "beta"))) == ["gamma", "beta"]


async def test_who_is_preferred_stays_first_when_it_is_slow(three: World) -> None:
    for _ in range(30):
        three.pipeline.health.succeeded("gamma", 3_000, "quotes")

    assert await asked(three, wishing(("gamma",))) == ["gamma"]


async def test_who_is_denied_is_asked_neither_alone_nor_after_others_nor_in_a_consensus(three: World) -> None:
    account = wishing(denied=("alpha", "gamma"))
    three.wire.handlers["beta"] = failing(404)

    refused = await three.refused(account=account)
    pinned = await three.refused(account=account, providers=("alpha",))
    three.wire.handlers["beta"] = priced("1")
    found = await three.data.consensus(ETH, Terms(), 1, NOON, FetchLog(), account)

    assert codes(refused) == [("beta", "UNKNOWN_INSTRUMENT")]
    assert codes(pinned) == [("alpha", "NOT_COVERED")]
    assert pinned.attempts[0].message == "is on your organisation's deny list"
    assert [quote.quote.provenance.provider for quote in found.sources if quote.quote] == ["beta"]
    assert {request.provider for request in three.wire.requests} == {"beta"}


async def test_a_copy_that_others_got_from_who_is_denied_is_not_answered(three: World) -> None:
    await three.quote(account=NOBODY)

    found = await three.quote(account=wishing(denied=("alpha",)))

    assert found.provenance.provider == "beta"
    assert [request.provider for request in three.wire.requests] == ["alpha", "beta"]


async def test_who_is_too_dear_is_left_out_unless_the_key_is_the_tenants_own(three: World) -> None:
    alpha = three.registry.providers["alpha"]
    dear = replace(alpha.profile, cost_per_call=Decimal("0.01"))
    setattr(alpha, "profile", dear)  # noqa: B010 - of this world's own class

    assert await asked(three, wishing(dearest="0.01")) == ["alpha"]
    assert await asked(three, wishing(dearest="0.009")) == ["beta"]
    reach = Reach(own=frozenset({"alpha"}), wish=Preference(dearest=Decimal(0)))
    assert reach.objection(dear) is None


class Held:
    """A port that knows what it was told."""

    def __init__(self, preference: Preference | None) -> None:
        self.preference, self.read = preference, 0

    def held(self, tenant: str) -> Preference | None:
        return self.preference

    async def of(self, tenant: str) -> Preference:
        self.read += 1
        return self.preference or Preference(("beta",))


MEMBER = Principal(tenant="org_a", kind=CallerKind.API_KEY, key="key_1")


async def test_an_account_is_there_at_once_only_when_its_preferences_are_in_memory() -> None:
    cold, warm = Held(None), Held(NO_PREFERENCE)
    slow = Accounts(lambda: None, lambda: cold, live=True)

    assert slow.at_once(MEMBER) is None
    assert (await slow.find(MEMBER)).reach == Reach(wish=Preference(("beta",)))
    plain = Accounts(lambda: None, lambda: warm, live=True).at_once(MEMBER)
    assert plain is not None
    assert plain.reach is EVERYBODY
    assert (cold.read, warm.read) == (1, 0)


async def test_nobodys_preferences_are_asked_for_where_there_is_no_tenant() -> None:
    port = Held(None)
    accounts = Accounts(lambda: None, lambda: port, live=True)

    found = accounts.at_once(Principal(tenant="anonymous", kind=CallerKind.ANONYMOUS))

    assert found is not None
    assert found.reach is EVERYBODY
    assert port.read == 0
