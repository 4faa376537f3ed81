"""What channels mean to which types of events."""

from __future__ import annotations

from plugins.events.producers.wanted import ASKED_FOR, Bars, Conditions, Headlines, Sources, Wanted
from schema.events import CATALOG
from schema.words.intervals import Interval
from tests.gateway.doubles import BTC
from tests.house import own_plugins

A, B = frozenset({"ten_a"}), frozenset({"ten_b"})


def test_every_type_of_the_markets_is_asked_for():
    kinds = [*CATALOG.values(), *(kind for plugin in own_plugins() for kind in plugin.events)]

    assert sorted(kind.name for kind in kinds if kind.market) == sorted(ASKED_FOR)


def test_a_channel_is_a_subject_where_it_means_something_to_the_type():
    channels = dict.fromkeys(
        ("crypto:BTC/USD", "crypto:BTC/USD#H1", "btc/usd", "crypto:BTC/USD#X9", "crypto:btc/usd"), A
    )
    wanted = Wanted({
        "candle.closed": channels, "candle.revised": channels, "consensus.outlier_detected": channels,
        "news.published": {**channels, "news": A, "news:crypto": A, "news:": A, "news:Crypto": A},
        "provider.degraded": {"*": A},
    })  # fmt: skip

    assert wanted.subjects() == {
        "candles|crypto:BTC/USD#M1": Bars(instrument=BTC, interval=Interval.M1),
        "candles|crypto:BTC/USD#H1": Bars(instrument=BTC, interval=Interval.H1),
        "consensus|crypto:BTC/USD": Sources(instrument=BTC),
        "news|crypto:BTC/USD": Headlines(channel="crypto:BTC/USD", instrument=BTC),
        "news|news": Headlines(channel="news"),
        "news|news:crypto": Headlines(channel="news:crypto", topic="crypto"),
        "providers": Conditions(),
    }
    assert Wanted({"candle.closed": {}}).subjects() == {}


def test_a_channel_without_an_interval_takes_minutes_whatever_others_ask_for():
    wanted = Wanted({"candle.closed": {"crypto:BTC/USD": A, "crypto:BTC/USD#H1": B}})

    assert wanted.tenants("candle.closed", "crypto:BTC/USD#M1") == A
    assert wanted.tenants("candle.closed", "crypto:BTC/USD#H1") == B
    assert wanted.tenants("candle.revised", "crypto:BTC/USD#M1") == frozenset()


def test_providers_are_told_to_who_names_one_and_to_who_wants_all():
    wanted = Wanted({"provider.degraded": {"*": A, "kraken": B}, "consensus.outlier_detected": {"*": A}})

    assert wanted.tenants("provider.degraded", "kraken") == A | B
    assert wanted.tenants("provider.degraded", "gemini") == A
    assert wanted.tenants("consensus.outlier_detected", "crypto:BTC/USD") == frozenset()
