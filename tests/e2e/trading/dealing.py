"""Clients that deal on shared accounts of a gateway process over HTTP, and what they were told."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from gateway.core.settings import Settings
from tests.e2e.market.process import COMMAND, environment, free_port
from tests.e2e.trading.asking import DEEDS, Asking, Dealt, mutation
from tests.e2e.trading.board import LAST, QUOTES, SYMBOLS, Board
from tests.e2e.trading.wholeness import late
from tests.forked import Forked
from tests.furnished import furnish
from tests.gateway.doubles import ROOT_SECRET

PATIENCE_S = 120.0
LATE_S = 30.0
"""A stop that is met must not wait for so long."""
EVERY_S = 30.0
"""So often a trial that is run by hand says how far it is."""
UNANSWERED = frozenset({"DATABASE_UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""Nobody knows then what came of it: the same id is sent again."""
ENDED = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})
CREATE = mutation("tradingAccountCreate", "TradingAccountCreateInput", "account { id }")
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"margin": "MARGIN", "leverage": "3"},
    {"initialBalance": "60", "model": {"participation": "0.1", "fees": {"least": "8"}}},
    {
        "margin": "MARGIN", "leverage": "20",
        "model": {"participation": "0.2", "slippage": {"kind": "BASIS_POINTS", "bps": "100"}},
    },
    {"model": {"source": "BOOK"}},
    {"margin": "MARGIN", "leverage": "5", "model": {"source": "BOOK", "latencyMs": 300}},
)  # fmt: skip
"""Half of cash, half of margin; some pay much, some get little of what is offered, some late."""
STANDING = "query($i: ID!) { r: tradingAccount(id: $i) { standing { equity marginUsed marginAvailable reason } } }"


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is asked for, and what clients were told."""

    database: str
    folder: Path
    operations: int
    clients: int
    seed: int = 1
    tells: bool = False
    """On the way, how far it is."""
    accounts: list[str] = field(default_factory=list)
    margin: dict[str, int] = field(default_factory=dict)
    """Those that may borrow, with how many times their equity."""
    poor: set[str] = field(default_factory=set)
    """Those that have next to nothing."""
    board: Board = field(default_factory=Board)
    outcomes: Counter[str] = field(default_factory=Counter)
    done: int = 0
    placed: dict[str, str] = field(default_factory=dict)
    """Orders by the client's id under which they were acknowledged."""
    booked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Entries by idempotency key."""
    made: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Hedges and schedules by account and key."""
    grouped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Orders of groups by account and key."""
    asked: dict[str, int] = field(default_factory=dict)
    """How many orders a group has, by account and key, whatever came of it."""
    standings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of the accounts that may borrow, when nobody asked for anything any more."""
    ended: dict[str, str] = field(default_factory=dict)
    """Orders that were told to have ended, and how."""
    fills: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    took_s: float = 0.0


class Server:
    """The gateway's process; killed and started again on one port."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self.port = trial, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"env": "development", "database_url": trial.database, "secret_key": ROOT_SECRET}
        self.key = furnish(Settings.model_validate({**given, "data_dir": trial.folder}))
        self._process: Forked | None = None

    def start(self) -> None:
        """It serves a moment later."""
        given = {"ENV": "development", "DATABASE_URL": self._trial.database, "LOG_LEVEL": "warning"}
        with (self._trial.folder / "gateway.log").open("ab") as log:
            self._process = Forked(
                COMMAND, env=environment(self._trial.folder, self.port, given), cwd=self._trial.folder, stdout=log,
                stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """No warning, no clean-up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)

    @property
    def memory_mb(self) -> int:
        """What the process holds; 0 where there is none."""
        try:
            told = Path(f"/proc/{self._process.pid if self._process else 0}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1_024 for line in told.splitlines() if line.startswith("VmRSS")), 0)

    async def ready(self) -> None:
        """Wait until it serves."""
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)


class Client:
    """One of many: asks the next thing as soon as it has the answer; what was not answered is asked again."""

    def __init__(self, trial: Trial, server: Server, number: int) -> None:
        self._trial, self._server, self._chance = trial, server, random.Random(trial.seed * 1_000 + number)
        self._number, self._asked, self._open = number, 0, dict[str, Dealt]()
        self._past: list[tuple[str, dict[str, Any]]] = []
        self._asking = Asking(self._chance, trial.board, trial.accounts, trial.margin, trial.poor, self._open)
        headers = {"x-api-key": server.key}
        self.http = httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60.0, trust_env=False)

    async def deal(self) -> None:
        """Until the trial has as many operations as it shall."""
        async with self.http:
            while self._trial.done < self._trial.operations:
                self._trial.done += 1
                if self._past and self._chance.random() < 0.15:
                    deed, given = self._chance.choice(self._past[-50:])
                else:
                    self._asked += 1
                    deed, given = self._asking.next(f"{self._number}-{self._asked}")
                await self._do(deed, given)

    async def ask(self, document: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of a mutation."""
        return await self.see(document, i=given)

    async def see(self, document: str, **variables: Any) -> dict[str, Any]:
        """What the one root field answers; asked again while nobody does."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                reply = await self.http.post("/graphql", json={"query": document, "variables": variables})
                body = reply.json()
                if reply.status_code == 200 and "errors" not in body:
                    payload: dict[str, Any] = body["data"]["r"]
                    return payload
                code = body["errors"][0]["extensions"]["code"]
                if "retry-after" not in reply.headers and code not in UNANSWERED:
                    self._trial.wrong.append(f"{code} for {variables}: {reply.text[:300]}")
                    return {"userErrors": [{"code": code}]}
                self._trial.outcomes[f"again: {code}"] += 1
            except (httpx.TransportError, ValueError):
                self._trial.outcomes["again: no answer"] += 1
            assert time.monotonic() < until
            await asyncio.sleep(0.1)

    async def _do(self, deed: str, given: dict[str, Any]) -> None:
        trial, key = self._trial, given.get("clientOrderId") or given.get("idempotencyKey")
        where = f"{given.get('accountId') or given.get('fromAccountId')} {key}"
        if deed == "group":
            trial.asked[where] = len(given["orders"])
        payload = await self.ask(DEEDS[deed], given)
        if payload["userErrors"]:
            trial.outcomes[f"{deed}: {payload['userErrors'][0]['code']}"] += 1
            return
        trial.outcomes[f"{deed}: done"] += 1
        if key or deed == "hedge":
            self._past.append((deed, given))
            self._keep(where if key else f"{given['accountId']} {given['clientHedgeId']}", payload)
        for order, wish in self._orders(deed, given, payload):
            self._note(order, payload, Dealt(account=given.get("accountId", ""), symbol=wish.get("symbol", ""),
                                             type=wish.get("type", "")))  # fmt: skip

    def _orders(
        self, deed: str, given: Mapping[str, Any], payload: Mapping[str, Any]
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Orders that were told, with what was asked for."""
        if order := payload.get("order"):
            yield order, given
        elif deed in ("protect", "cancelAll"):
            yield from ((each, given) for each in [*payload.get("orders", ()), *payload.get("canceled", ())])
        elif deed == "group":
            yield from zip(payload["orders"], given["orders"], strict=True)

    def _keep(self, key: str, payload: Mapping[str, Any]) -> None:
        """What the same id was told before must be the same again."""
        trial = self._trial
        if order := payload.get("order"):
            if trial.placed.setdefault(key, order["id"]) != order["id"]:
                trial.wrong.append(f"{key}: {trial.placed[key]}, and {order['id']}")
            return
        if orders := payload.get("orders"):
            made = tuple(each["id"] for each in orders)
            if trial.grouped.setdefault(key, made) != made:
                trial.wrong.append(f"{key}: {trial.grouped[key]}, and {made}")
            return
        names = ("entry", "fromEntry", "toEntry", "hedge", "orderSchedule")
        told = tuple(payload[name]["id"] for name in names if payload.get(name))
        booked = trial.booked if "hedge" not in payload and "orderSchedule" not in payload else trial.made
        if booked.setdefault(key, told) != told:
            trial.wrong.append(f"{key}: {booked[key]}, and {told}")

    def _note(self, order: Mapping[str, Any], payload: Mapping[str, Any], dealt: Dealt) -> None:
        id, status = str(order["id"]), str(order["status"])
        self._trial.fills |= {each["id"] for each in payload.get("fills", ())}
        if status in ENDED:
            if self._trial.ended.setdefault(id, status) != status:
                self._trial.wrong.append(f"{id}: {self._trial.ended[id]}, and then {status}")
            self._open.pop(id, None)
        elif dealt.symbol:
            self._open.setdefault(id, dealt)


class Watcher:
    """Looks at prices while clients deal; says on *tell* how far they are."""

    def __init__(self, trial: Trial, server: Server, tell: IO[str] | None = None) -> None:
        self._trial, self._server, self._tell = trial, server, tell
        self._client = Client(trial, server, 20_000)

    @property
    def http(self) -> httpx.AsyncClient:
        """To be closed."""
        return self._client.http

    async def look(self) -> None:
        """The prices of now."""
        found = await self._client.see(QUOTES, s=list(SYMBOLS))
        self._trial.board.look([node for node in found["nodes"] if node])

    async def watch(self) -> None:
        """Until it is cancelled."""
        begun = told = time.monotonic()
        while True:
            await self.look()
            await asyncio.sleep(0.5)
            if self._tell is not None and time.monotonic() - told > EVERY_S:
                told = time.monotonic()
                rate = self._trial.done / (told - begun)
                self._tell.write(
                    f"{told - begun:.0f} s: {self._trial.done} operations, {rate:.0f} a second, gateway "
                    f"{self._server.memory_mb} MB\n"
                )
                self._tell.flush()

    async def rest(self) -> None:
        """Wait until the market has moved a little and no stop is late, then note how those that may borrow stand.

        On a machine that has much else to do the gateway hears prices late.
        """
        until, board = self._trial.board.changes + LAST + 1, self._trial.board
        while board.changes < until:
            await self.look()
            await asyncio.sleep(0.2)
        last = time.monotonic() + LATE_S
        while await late(self._trial) and time.monotonic() < last:
            await self.look()
            await asyncio.sleep(0.5)
        for account in sorted(self._trial.margin):
            self._trial.standings[account] = (await self._client.see(STANDING, i=account))["standing"]
            await self.look()


async def deal(trial: Trial, server: Server, beside: Coroutine[None, None, None] | None = None) -> None:
    """All that clients do, from the first account to the last price; *beside* runs while they do."""
    watcher = Watcher(trial, server, sys.stderr if trial.tells else None)
    async with watcher.http:
        await watcher.look()
        await open_accounts(trial, server)
        begun, watching = time.monotonic(), asyncio.create_task(watcher.watch())
        clients = (Client(trial, server, number).deal() for number in range(trial.clients))
        try:
            await asyncio.gather(*clients, *([beside] if beside else []))
        finally:
            watching.cancel()
        trial.took_s = time.monotonic() - begun
        await watcher.rest()


async def open_accounts(trial: Trial, server: Server, count: int = 12) -> None:
    """Each of another kind than the one before, open to the organisation."""
    client = Client(trial, server, 10_000)
    async with client.http:
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            given: dict[str, Any] = {"name": f"Account {number}", "currency": "USD", "initialBalance": "50000"}
            opened = (await client.ask(CREATE, given | {"shared": True} | kind))["account"]["id"]
            trial.accounts.append(opened)
            if "leverage" in kind:
                trial.margin[opened] = int(kind["leverage"])
            if "initialBalance" in kind:
                trial.poor.add(opened)
