"""What the doctor finds of secrets, the database and Redis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.cli.doctor import Check, Result
from gateway.core.contract import Plugin
from gateway.core.settings import Settings, SettingsError
from gateway.core.store import Store


def secrets(settings: Settings) -> Check:
    """Development makes its own root secret; production must have one, and none of development's."""
    try:
        if settings.secret_key is not None or not settings.development:
            settings.root_secrets()
    except SettingsError as error:
        return Check("secrets", Result.FAIL, str(error))
    if settings.secret_key is None:
        return Check(
            "secrets", Result.NOTE, f"a root secret of its own in {settings.data_dir}; production needs one set"
        )
    if settings.secret_key_previous is not None:
        told = "MARKETGATE_SECRET_KEY_PREVIOUS is set: take it away once the rotation is over"
        return Check("secrets", Result.NOTE, told)
    return Check("secrets", Result.OK, "the root secret is set")


async def database(settings: Settings, plugins: Sequence[Plugin]) -> Check:
    """Whether it can be used and has the tables of this release."""
    from gateway.cli.database import is_about_the_database, place_of, unreachable
    from gateway.core.migrations.standing import standings
    from gateway.domains import histories

    store = Store(settings.database)
    by_itself = "a serving process makes them by itself in development"
    if _absent(store):
        if settings.development:
            return Check("database", Result.NOTE, f"{place_of(store)} has no tables yet; {by_itself}")
        return Check("database", Result.FAIL, f"{place_of(store)} is not there: run marketgate db upgrade")
    try:
        lacking = [each.lacking for each in await standings(store, histories(plugins)) if each.lacking]
    except Exception as error:
        if not is_about_the_database(error):
            raise
        return Check("database", Result.FAIL, unreachable(store, error))
    finally:
        await store.close()
    if not lacking:
        return Check("database", Result.OK, f"{place_of(store)} has the tables of this release")
    if settings.development:
        return Check("database", Result.NOTE, f"{place_of(store)} lacks tables; {by_itself}")
    return Check("database", Result.FAIL, "; ".join(lacking))


def _absent(store: Store) -> bool:
    """Looking for it would make an empty one."""
    return store.embedded and not Path(store.url.database or "").exists()


async def redis(settings: Settings) -> Check:
    """Whether it answers; without it each process limits and revokes for itself."""
    if settings.redis_url is None:
        return Check(
            "redis", Result.NOTE, "MARKETGATE_REDIS_URL is not set: limits and revocations are each process's own"
        )
    from redis.asyncio import Redis

    from gateway.core.redis import FAULTS, pool

    client = Redis(connection_pool=pool(settings.redis_url.get_secret_value()))
    try:
        await client.ping()
    except FAULTS as error:
        told = (
            f"cannot be reached ({type(error).__name__}): check MARKETGATE_REDIS_URL; processes go on, each for itself"
        )
        return Check("redis", Result.WARN, told)
    finally:
        await client.aclose(close_connection_pool=True)
    return Check("redis", Result.OK, "answers")
