"""The tables of producers: who produces what, how far, and what was told."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, Text

from gateway.core.store import Instant, shared_table

TABLES = MetaData()

watches = shared_table(
    "events_watches", TABLES,
    Column("key", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("leased_until", Instant, nullable=False, index=True),
    Column("mark", Instant),  # how far it was told: the open time of a candle, the last look at news
    why="which process of the fleet produces the events of a subject; the markets are nobody's own",
)  # fmt: skip

produced = shared_table(
    "events_produced", TABLES,
    Column("key", Text, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("told", Text, nullable=False),  # of a candle, what was told of it; a revision is measured by that
    why="one row for each event of the markets, so that no two processes tell the same",
)  # fmt: skip

states = shared_table(
    "events_states", TABLES,
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Instant, nullable=False),
    why="what was told last of a source or a provider, so that only a change is an event",
)  # fmt: skip
