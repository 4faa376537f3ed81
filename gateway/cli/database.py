"""The database that the settings name, as commands use it: what goes wrong with it ends in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from gateway.cli.outcome import Code, Stop, say

if TYPE_CHECKING:
    from gateway.core.contract import Plugin
    from gateway.core.settings import Settings
    from gateway.core.store import Store


def settings_for_database() -> Settings:
    """The settings; Stop names the one that is wrong."""
    from gateway.core.settings import SettingsError, load_settings

    try:
        loaded = load_settings()
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    return loaded.settings


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Store]:
    """The store, closed at the end; Stop where it cannot be asked."""
    from gateway.core.store import Store

    store = Store(settings.database)
    try:
        with reached(store):
            yield store
    finally:
        await store.close()


@contextmanager
def reached(store: Store) -> Iterator[None]:
    """What drivers say when they cannot reach or use a database, in one line without its password."""
    from gateway.core.migrations.readiness import MigrationFailed, NotMigrated

    try:
        yield
    except (NotMigrated, MigrationFailed) as refusal:
        raise Stop(str(refusal)) from None
    except Exception as error:
        if not is_about_the_database(error):
            raise
        raise Stop(unreachable(store, error)) from None


def is_about_the_database(error: Exception) -> bool:
    """Whether a driver, or the way to the server, failed."""
    from sqlalchemy.exc import DBAPIError

    return isinstance(error, DBAPIError | OSError) or type(error).__module__.startswith("asyncpg")


def unreachable(store: Store, error: Exception) -> str:
    """Which database, what it said, and where to look."""
    from schema.errors import DatabaseUnavailable

    cause = error.__cause__ if isinstance(error, DatabaseUnavailable) and error.__cause__ else error
    told = str(getattr(cause, "orig", None) or cause).partition("\n")[0] or type(cause).__name__
    return f"the database {place_of(store)} cannot be used ({told}): check MARKETGATE_DATABASE_URL"


def place_of(store: Store) -> str:
    """The database's address without its password."""
    return store.url.render_as_string(hide_password=True).replace("+aiosqlite", "").replace("+asyncpg", "")


async def prepare(settings: Settings, plugins: Sequence[Plugin]) -> None:
    """As a serving process finds it: migrated in development, checked in production; Stop where it does not fit."""
    from gateway.core.migrations.readiness import fit, require
    from gateway.domains import histories

    async with database(settings) as store:
        await (fit if settings.development else require)(store, histories(plugins))
