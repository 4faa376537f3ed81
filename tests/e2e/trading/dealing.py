"""Clients that deal on shared accounts of a gateway process over HTTP, what they were told, and whether it is kept."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from gateway.core.settings import Settings
from gateway.core.store import Store
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.rows import EntryRow, FillRow, LineRow, OrderRow
from plugins.trading.tables import accounts, balances, entries, fills, lines, orders
from tests.e2e.market.process import COMMAND, environment, free_port
from tests.forked import Forked
from tests.furnished import furnish
from tests.gateway.doubles import ROOT_SECRET

SYMBOL = "crypto:BTC/USD"
ERRORS = "userErrors { code message }"
PATIENCE_S = 120.0
UNANSWERED = frozenset({"DATABASE_UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""Nobody knows then what came of it: the same id is sent again."""
ENDED = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})


def mutation(name: str, kind: str, wanted: str) -> str:
    return f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {wanted} {ERRORS} }} }}"


ORDER = "order { id status filledQuantity } fills { id }"
CREATE = mutation("tradingAccountCreate", "TradingAccountCreateInput", "account { id }")
DEEDS = {
    "place": mutation("orderPlace", "OrderPlaceInput", ORDER),
    "close": mutation("positionClose", "PositionCloseInput", ORDER),
    "replace": mutation("orderReplace", "OrderReplaceInput", "order { id status filledQuantity }"),
    "cancel": mutation("orderCancel", "OrderCancelInput", "order { id status filledQuantity }"),
    "deposit": mutation("accountDeposit", "AccountDepositInput", "entry { id }"),
    "withdraw": mutation("accountWithdraw", "AccountWithdrawInput", "entry { id }"),
    "convert": mutation("accountConvert", "AccountConvertInput", "entry { id }"),
    "transfer": mutation("accountTransfer", "AccountTransferInput", "fromEntry { id } toEntry { id }"),
}
WEIGHTS = {
    "place": 60, "close": 6, "replace": 8, "cancel": 12, "deposit": 4, "withdraw": 4, "convert": 3, "transfer": 3
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is asked for, and what clients were told."""

    database: str
    folder: Path
    operations: int
    clients: int
    seed: int = 1
    accounts: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    done: int = 0
    placed: dict[str, str] = field(default_factory=dict)
    """Orders by the client's id under which they were acknowledged."""
    booked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Entries by idempotency key."""
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
        self._number, self._asked, self._open = number, 0, list[str]()
        self._past: list[tuple[str, dict[str, Any]]] = []
        headers = {"x-api-key": server.key}
        self._http = httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60.0, trust_env=False)

    async def deal(self) -> None:
        """Until the trial has as many operations as it shall."""
        async with self._http:
            while self._trial.done < self._trial.operations:
                self._trial.done += 1
                if self._past and self._chance.random() < 0.15:
                    deed, given = self._chance.choice(self._past[-50:])
                else:
                    deed, given = self._next()
                await self._do(deed, given)

    async def ask(self, document: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The payload; asked again while nobody answers."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                reply = await self._http.post("/graphql", json={"query": document, "variables": {"i": given}})
                body = reply.json()
                if reply.status_code == 200 and "errors" not in body:
                    payload: dict[str, Any] = body["data"]["r"]
                    return payload
                code = body["errors"][0]["extensions"]["code"]
                if "retry-after" not in reply.headers and code not in UNANSWERED:
                    self._trial.wrong.append(f"{document[:40]} {given}: {reply.text[:300]}")
                    return {"userErrors": [{"code": code}]}
                self._trial.outcomes[f"again: {code}"] += 1
            except (httpx.TransportError, ValueError):
                self._trial.outcomes["again: no answer"] += 1
            assert time.monotonic() < until
            await asyncio.sleep(0.1)

    def _next(self) -> tuple[str, dict[str, Any]]:
        chance, trial = self._chance, self._trial
        self._asked += 1
        deed = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        account, key = chance.choice(trial.accounts), f"{self._number}-{self._asked}"
        amount = str(Decimal(chance.randrange(1, 200_000)) / 100)
        match deed:
            case "place":
                return deed, self._wish(account, key)
            case "close":
                return deed, {"accountId": account, "symbol": SYMBOL, "clientOrderId": key}
            case "replace" | "cancel" if self._open:
                order = chance.choice(self._open)
                terms = {"quantity": str(Decimal(chance.randrange(1, 80)) / 100)} if deed == "replace" else {}
                return deed, {"orderId": order} | terms
            case "convert":
                ways = chance.choice([("USD", "EUR"), ("EUR", "USD")])
                return deed, {"accountId": account, "from": ways[0], "to": ways[1], "amount": amount,
                              "idempotencyKey": key}  # fmt: skip
            case "transfer":
                other = chance.choice([each for each in trial.accounts if each != account])
                return deed, {"fromAccountId": account, "toAccountId": other, "currency": "USD", "amount": amount,
                              "idempotencyKey": key}  # fmt: skip
            case _:
                deed = "withdraw" if deed == "withdraw" else "deposit"
                return deed, {"accountId": account, "currency": "USD", "amount": amount, "idempotencyKey": key}

    def _wish(self, account: str, key: str) -> dict[str, Any]:
        chance = self._chance
        given: dict[str, Any] = {
            "accountId": account, "symbol": SYMBOL, "side": chance.choice(["BUY", "SELL"]), "clientOrderId": key,
            "quantity": str(Decimal(chance.randrange(1, 60)) / 1_000),
        }  # fmt: skip
        if chance.random() < 0.55:
            given["type"] = "MARKET"
            if given["side"] == "BUY" and chance.random() < 0.2:
                given["stopLoss"] = {"trailPercent": "20"}
        else:
            # Far from the market on its own side: it rests.
            given |= {"type": "LIMIT", "limitPrice": "1000" if given["side"] == "BUY" else "900000"}
        return given

    async def _do(self, deed: str, given: dict[str, Any]) -> None:
        payload, trial = await self.ask(DEEDS[deed], given), self._trial
        if payload["userErrors"]:
            trial.outcomes[f"{deed}: {payload['userErrors'][0]['code']}"] += 1
            return
        trial.outcomes[f"{deed}: done"] += 1
        if key := given.get("clientOrderId") or given.get("idempotencyKey"):
            self._past.append((deed, given))
            self._keep(f"{given.get('accountId') or given.get('fromAccountId')} {key}", payload)
        if order := payload.get("order"):
            self._note(order, payload)

    def _keep(self, key: str, payload: Mapping[str, Any]) -> None:
        """What the same id was told before must be the same again."""
        trial = self._trial
        if order := payload.get("order"):
            if trial.placed.setdefault(key, order["id"]) != order["id"]:
                trial.wrong.append(f"{key}: {trial.placed[key]}, and {order['id']}")
            return
        told = tuple(payload[name]["id"] for name in ("entry", "fromEntry", "toEntry") if payload.get(name))
        if trial.booked.setdefault(key, told) != told:
            trial.wrong.append(f"{key}: {trial.booked[key]}, and {told}")

    def _note(self, order: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        id, status = str(order["id"]), str(order["status"])
        self._trial.fills |= {each["id"] for each in payload.get("fills", ())}
        if status in ENDED:
            if self._trial.ended.setdefault(id, status) != status:
                self._trial.wrong.append(f"{id}: {self._trial.ended[id]}, and then {status}")
            if id in self._open:
                self._open.remove(id)
        elif id not in self._open:
            self._open.append(id)


async def open_accounts(trial: Trial, server: Server, count: int = 10) -> None:
    """Half of cash, half of margin, open to the organisation."""
    client = Client(trial, server, 10_000)
    async with client._http:
        for number in range(count):
            given: dict[str, Any] = {
                "name": f"Account {number}", "currency": "USD", "initialBalance": "50000", "shared": True,
            }  # fmt: skip
            if number % 2:
                given |= {"margin": "MARGIN", "leverage": "3"}
            trial.accounts.append((await client.ask(CREATE, given))["account"]["id"])


async def check(trial: Trial) -> list[str]:
    """All that is wrong, read from the database: what was acknowledged is there once, and every account is whole."""
    store, found = Store(trial.database), list(trial.wrong)
    async with store.read() as tx:
        found += [str(each) for each in await verify(tx)]
        kept = {row.id: row for row in await tx.all(select(orders), OrderRow)}
        booked = await tx.all(select(entries), EntryRow)
        parts = await tx.all(select(lines), LineRow)
        filled = await tx.all(select(fills), FillRow)
        cash = (
            await tx.connection.execute(
                select(balances.c.account_id, balances.c.asset, balances.c.posted)
                .join(accounts, accounts.c.id == balances.c.account_id)
                .where(balances.c.ledger == "cash", accounts.c.margin == "CASH", balances.c.posted < Decimal(0))
            )
        ).all()
    await store.close()
    found += [f"{row.account_id} owes {row.posted} {row.asset}" for row in cash]
    sums: dict[str, Decimal] = {}
    for part in parts:
        sums[part.asset] = sums.get(part.asset, Decimal(0)) + part.amount
    found += [f"debits and credits of {asset} differ by {amount}" for asset, amount in sums.items() if amount]
    found += _missing("orders", trial.placed.values(), kept)
    found += _missing("entries", (id for ids in trial.booked.values() for id in ids), {row.id for row in booked})
    found += _missing("fills", trial.fills, {row.id for row in filled})
    found += [f"{id} was {how}, and is {kept[id].status}" for id, how in trial.ended.items() if kept[id].status != how]
    by_key = Counter((row.account_id, row.client_order_id) for row in kept.values() if row.client_order_id)
    return found + [f"{key} came {times} times" for key, times in by_key.items() if times > 1]


def _missing(what: str, told: Any, kept: Any) -> list[str]:
    """Of those that were acknowledged."""
    lost = [id for id in told if id not in kept]
    return [f"{len(lost)} acknowledged {what} are lost: {lost[:3]}"] if lost else []
