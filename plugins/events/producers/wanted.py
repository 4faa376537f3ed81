"""What endpoints ask for, as subjects to be produced and tenants to be told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plugins.events.producers.types import CandleClosed, CandleRevised, NewsPublished, OutlierDetected, subject_of
from schema.events import ProviderDegraded, ProviderRecovered
from schema.symbols import InstrumentId, parse_instrument
from schema.words.intervals import Interval

DEFAULT = Interval.M1
"""What the candles of a channel without an interval are."""
ANY = "*"
"""The channel of who wants to know of all providers."""
NEWS = "news"
"""The channel of all news; `news:<topic>` is that of a topic."""
CANDLES, OUTLIERS = (CandleClosed.name, CandleRevised.name), (OutlierDetected.name,)
PROVIDERS = (ProviderDegraded.name, ProviderRecovered.name)
ASKED_FOR = (*CANDLES, *OUTLIERS, NewsPublished.name, *PROVIDERS)
"""Types that are told only to those who ask."""
_LONGEST_TOPIC = 60

Tenants = frozenset[str]
NOBODY: Tenants = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Candles of an instrument, of one length."""

    instrument: InstrumentId
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources of an instrument's consensus."""

    instrument: InstrumentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlines:
    """News of an instrument, of a topic, or of everything."""

    channel: str
    instrument: InstrumentId | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The breakers of all providers."""


Subject = Bars | Sources | Headlines | Conditions


@dataclass(frozen=True, slots=True)
class Wanted:
    """One answer of `Interests`: by type, by channel: tenants."""

    channels: Mapping[str, Mapping[str, Tenants]]

    def tenants(self, type: str, subject: str) -> Tenants:
        """Who is to be told."""
        named = self.channels.get(type, {})
        bare, _, interval = subject.partition("#")
        # Others who ask for longer candles are no reason to tell them to who asks for the default.
        found = named.get(subject, NOBODY) | (named.get(bare, NOBODY) if interval == DEFAULT else NOBODY)
        return found | (named.get(ANY, NOBODY) if type in PROVIDERS else NOBODY)

    def subjects(self) -> dict[str, Subject]:
        """By key: what has to be watched; channels that mean nothing to a type are left out."""
        found: dict[str, Subject] = {}
        for type in CANDLES:
            for bars in filter(None, map(bars_in, self.channels.get(type, ()))):
                found[f"candles|{subject_of(bars.instrument, bars.interval)}"] = bars
        for channel in self.channels.get(OutlierDetected.name, ()):
            if (instrument := instrument_in(channel)) is not None:
                found[f"consensus|{channel}"] = Sources(instrument=instrument)
        for channel in self.channels.get(NewsPublished.name, ()):
            if (headlines := headlines_in(channel)) is not None:
                found[f"news|{channel}"] = headlines
        if any(self.channels.get(type) for type in PROVIDERS):
            found["providers"] = Conditions()
        return found


def instrument_in(channel: str) -> InstrumentId | None:
    """The instrument that a channel is; None where it is none, or not written as its id is."""
    try:
        found = parse_instrument(channel)
    except ValueError:
        return None
    return found if str(found) == channel else None


def bars_in(channel: str) -> Bars | None:
    """The candles that a channel means."""
    bare, mark, interval = channel.partition("#")
    instrument = instrument_in(bare)
    if instrument is None or (mark and interval not in Interval.__members__):
        return None
    return Bars(instrument=instrument, interval=Interval(interval) if mark else DEFAULT)


def headlines_in(channel: str) -> Headlines | None:
    """The news that a channel means."""
    if channel == NEWS:
        return Headlines(channel=channel)
    kind, _, topic = channel.partition(":")
    if kind == NEWS:
        fits = 0 < len(topic) <= _LONGEST_TOPIC and topic == topic.strip().lower() and topic.isprintable()
        return Headlines(channel=channel, topic=topic) if fits else None
    instrument = instrument_in(channel)
    return None if instrument is None else Headlines(channel=channel, instrument=instrument)
