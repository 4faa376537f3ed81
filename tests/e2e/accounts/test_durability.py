"""Killed without warning in the middle of mutations: what was acknowledged is there, the rest is whole or absent."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from gateway.core.store import Store
from tests.e2e.accounts.process import Running, running

ROUNDS = 3
WRITERS = 4
MUTATIONS = {
    "apikey": (
        "mutation($n: String!) { apiKeyCreate(input: {name: $n, scopes: [\"market:read\"]}) "
        "{ apiKey { id } userErrors { code message } } }",
        ("apiKeyCreate", "apiKey"),
    ),
    "invitation": (
        "mutation($n: String!) { invitationCreate(input: {email: $n, role: VIEWER}) "
        "{ invitation { id } userErrors { code message } } }",
        ("invitationCreate", "invitation"),
    ),
    "watchlist": (
        "mutation($n: String!) { watchlistCreate(input: {name: $n, symbols: [\"BTC/USD\"]}) "
        "{ watchlist { id } userErrors { code message } } }",
        ("watchlistCreate", "watchlist"),
    ),
}  # fmt: skip
TABLES = {"apikey": "accounts_api_keys", "invitation": "accounts_invitations", "watchlist": "watchlists_lists"}


def write(gateway: Running, number: int, acknowledged: dict[str, set[str]], over: threading.Event) -> None:
    """Send one mutation after the other until the process is gone."""
    generator = random.Random(number)
    count = 0
    while not over.is_set():
        count += 1
        kind = generator.choice(sorted(MUTATIONS))
        document, path = MUTATIONS[kind]
        name = f"w{number}x{count}@example.com" if kind == "invitation" else f"writer {number} {count}"
        try:
            body: dict[str, Any] = gateway.ask(document, n=name)
        except httpx.TransportError:
            return
        if "errors" in body:
            # A process counts its own calls a minute; the next one begins anew.
            assert [error["extensions"]["code"] for error in body["errors"]] == ["RATE_LIMITED"]
            over.wait(0.01)
            continue
        made = body["data"][path[0]][path[1]]
        if made:
            acknowledged[kind].add(made["id"])


def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(database: str, tmp_path: Path):
    acknowledged: dict[str, set[str]] = {kind: set() for kind in MUTATIONS}

    for turn in range(ROUNDS):
        over = threading.Event()
        with running(tmp_path, database) as gateway, ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(write, gateway, turn * WRITERS + n, acknowledged, over) for n in range(WRITERS)]
            over.wait(random.Random(turn).uniform(0.3, 0.9))
            gateway.kill()
            over.set()
            for writer in writers:
                writer.result(timeout=30)
    with running(tmp_path, database) as gateway:
        alive = gateway.ask("{ viewer { tenant { id } } }")

    stored, audited, mailed = asyncio.run(look(database))
    assert alive["data"]["viewer"]["tenant"]["id"]
    assert all(acknowledged.values()), acknowledged
    for kind, ids in acknowledged.items():
        assert ids <= stored[kind]
        assert {target for action, target in audited if action == f"{kind}.created"} >= ids
        assert {target for action, target in audited if action == f"{kind}.created"} <= stored[kind]
        # The development key was made at the start, by nobody's mutation.
        assert len(stored[kind] - {target for _, target in audited}) <= (1 if kind == "apikey" else 0)
    assert len(mailed) == len(stored["invitation"])


async def look(database: str) -> tuple[dict[str, set[str]], set[tuple[str, str]], list[str]]:
    """Ids by kind, the audit trail's acts, and the recipients of mails."""
    store = Store(database)
    async with store.read() as tx:
        stored = {kind: set(await tx.values(text(f"SELECT id FROM {table}"))) for kind, table in TABLES.items()}
        acts = await tx.connection.execute(text("SELECT action, target FROM accounts_audit"))
        audited = {(row.action, row.target) for row in acts}
        mailed = await tx.values(text("SELECT recipient FROM accounts_mails WHERE recipient LIKE 'w%'"))
    await store.close()
    return stored, audited, mailed
