"""Accounts of callers: the bounds of a plan, keys that are read once, and whether a key works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.account import Account, Accounts, Reach
from gateway.core.identity import ANONYMOUS, UNLIMITED, Principal
from gateway.core.probe import probe
from providers.contract import header
from schema.capability import DEFAULT_TERMS
from schema.errors import BadInput, Unauthorized, UnknownInstrument
from schema.provenance import DataMode
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.rates import FX_RATES, FxRatesAsk
from tests.gateway.doubles import (
    BTC,
    NOON,
    World,
    failing,
    fallen,
    priced,
    reply,
    venue,
    world,
)

KEYED = (header("x-key"),)


def account(tenant: str, allowed: frozenset[str] | None = None, days: int | None = None, **keys: str) -> Account:
    """A tenant with one-part keys of its own."""
    return Account(
        tenant=tenant, keys={provider: {"key": value} for provider, value in keys.items()}, history_days=days,
        reach=Reach(frozenset(keys), allowed),
    )  # fmt: skip


A = account("org_a", alpha="aaaa-key")


def sent_keys(w: World) -> list[str | None]:
    return [request.headers.get("x-key") for request in w.wire.requests]


# --- Plans


async def test_a_provider_outside_the_plan_is_passed_over_and_named_where_it_is_pinned() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    limited = account("org_a", allowed=frozenset({"beta"}))

    chosen = await w.quote(account=limited)
    pinned = await w.refused(account=limited, providers=("alpha",))

    assert chosen.provenance.provider == "beta"
    assert fallen(chosen) == []
    assert [(a.provider, a.code.value, a.message) for a in pinned.attempts] == [
        ("alpha", "NOT_COVERED", "is not in your plan")
    ]


async def test_a_cached_answer_of_a_provider_outside_the_plan_is_not_served() -> None:
    w = world(venue("alpha"))
    await w.quote()

    error = await w.refused(account=account("org_a", allowed=frozenset()))

    assert "alpha is not in your plan" in error.message
    assert len(w.wire.requests) == 1


def candles(days_back: float) -> CandlesAsk:
    return CandlesAsk(instrument=BTC, interval=Interval.H1, start=NOON - timedelta(days=days_back), end=NOON)


async def bars(w: World, ask: CandlesAsk, each: Account) -> Any:
    w.wire.handlers["alpha"] = lambda request: reply([])
    return await w.data.fetch(CANDLES, ask, DEFAULT_TERMS, None, each)


async def test_candles_before_the_plans_history_are_refused_with_the_way_out() -> None:
    w = world(venue("alpha"))

    with pytest.raises(BadInput) as refused:
        await bars(w, candles(31.6), account("org_a", days=30))

    assert refused.value.message == (
        "start: your plan's history reaches back 30 days: begin on 2026-10-21 (UTC) or later (a later `start`, or a "
        "smaller `last`), or move to a plan with more history"
    )
    assert w.wire.requests == []


async def test_candles_within_the_plans_history_are_answered() -> None:
    w = world(venue("alpha"))

    for ask, each in ((candles(30.4), account("org_a", days=30)), (candles(3000), account("org_b"))):
        await bars(w, ask, each)

    assert len(w.wire.requests) == 2


async def test_the_plans_history_bounds_exchange_rates_as_well() -> None:
    w = world(venue("alpha"))
    ask = FxRatesAsk(base="USD", quotes=(), start=NOON.date() - timedelta(days=31), end=NOON.date())

    with pytest.raises(BadInput, match="your plan's history reaches back 30 days"):
        await w.data.fetch(FX_RATES, ask, DEFAULT_TERMS, None, account("org_a", days=30))


# --- Accounts of callers


class Held:
    """A port of keys that remembers what it was asked."""

    def __init__(self, known: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        self.known, self.read = known, list[str]()

    def held(self, tenant: str) -> Mapping[str, Mapping[str, str]] | None:
        return self.known.get(tenant)

    async def of(self, tenant: str) -> Mapping[str, Mapping[str, str]]:
        self.read.append(tenant)
        return {"alpha": {"key": "read-from-store"}}


async def test_an_account_is_known_at_once_unless_its_keys_must_be_read() -> None:
    port = Held({"org_a": {}})
    accounts = Accounts(lambda: port, live=True)

    known = accounts.at_once(Principal(tenant="org_a"))
    unknown = accounts.at_once(Principal(tenant="org_b"))
    read = await accounts.find(Principal(tenant="org_b"))

    assert known is not None
    assert (known.tenant, known.reach) == ("org_a", Reach())
    assert unknown is None
    assert read.keys == {"alpha": {"key": "read-from-store"}}
    assert port.read == ["org_b"]


@pytest.mark.parametrize("caller", [ANONYMOUS, Principal(tenant="")])
async def test_nobodys_keys_are_looked_for_without_a_tenant(caller: Principal) -> None:
    port = Held({})

    found = Accounts(lambda: port, live=True).at_once(caller)

    assert found is not None
    assert (found.tenant, found.keys, port.read) == ("", {}, [])


async def test_the_offline_market_uses_no_keys_but_keeps_to_the_plan() -> None:
    limits = replace(UNLIMITED, providers=frozenset({"alpha"}), history_days=7)
    accounts = Accounts(lambda: Held({}), live=False)

    found = await accounts.find(Principal(tenant="org_a", limits=limits))

    assert (found.keys, found.history_days) == ({}, 7)
    assert found.reach == Reach(frozenset(), frozenset({"alpha"}))


# --- Trying a key


async def test_a_key_is_tried_by_a_question_that_no_cache_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world(venue("alpha", credentials=KEYED))
    ask_for_bitcoin(monkeypatch)
    await w.quote(account=A)

    first = await probe(w.data, "alpha", "org_a", {"key": "aaaa-key"})
    w.wire.handlers["alpha"] = failing(401)
    second = await probe(w.data, "alpha", "org_a", {"key": "aaaa-key"})
    w.wire.handlers["alpha"] = priced("1", without=frozenset({"BTC-USD"}))
    third = await probe(w.data, "alpha", "org_a", {"key": "aaaa-key"})

    assert first is None
    assert isinstance(second, Unauthorized)
    assert isinstance(third, UnknownInstrument)
    assert sent_keys(w) == ["aaaa-key"] * 4


async def test_nothing_is_tried_in_the_offline_market() -> None:
    w = world(venue("alpha", credentials=KEYED), mode=DataMode.RECORDED)

    error = await probe(w.data, "alpha", "org_a", {"key": "aaaa-key"})

    assert error is not None
    assert error.code == "NOT_RECORDED"
    assert w.wire.requests == []


def ask_for_bitcoin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doubles have no recordings to take a question from."""
    from gateway.core import probe as module

    question = module.Question(QUOTES, QuotesAsk(instruments=(BTC,)))
    monkeypatch.setattr(module, "first_question", lambda provider: question)
