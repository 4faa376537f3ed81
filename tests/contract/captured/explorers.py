"""Explorers of chains."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.contract.captured.asks import Asking, Plan
from tests.contract.captured.onchain import coins, moment
from tests.contract.captures import Capture


def moved(row: Any) -> dict[str, Any]:
    """What a transaction of Blockchain.com tells."""
    return {
        "hash": row["hash"], "time": moment(row["time"]), "block": str(row["block_height"]), "fee": coins(row["fee"]),
        "amount": coins(sum(each["value"] for each in row["out"])),
    }  # fmt: skip


def transaction(capture: Capture) -> Plan:
    """One input, one output."""
    row = capture.body
    ends = {"sender": row["inputs"][0]["prev_out"]["addr"], "receiver": row["out"][0]["addr"]}
    return Plan(capability="transactions", ask={"chain": "bitcoin", "hash": row["hash"]}, expected=[moved(row) | ends])


def second_balance(capture: Capture) -> Plan:
    """Of the second of two addresses."""
    row = capture.body["addresses"][1]
    expected = {
        "amount": coins(row["final_balance"]), "received": coins(row["total_received"]),
        "sent": coins(row["total_sent"]), "transactions": row["n_tx"],
    }  # fmt: skip
    return Plan(capability="balance", ask={"chain": "bitcoin", "address": row["address"]}, expected=expected)


def second_transactions(capture: Capture) -> Plan:
    """The second address took part in both: it sent all that it had got."""
    row = capture.body["addresses"][1]
    tip = capture.body["info"]["latest_block"]["height"]
    changes = [-row["total_sent"], row["total_received"]]
    expected = [
        moved(each) | {"change": coins(change), "confirmations": tip - each["block_height"] + 1}
        for each, change in zip(capture.body["txs"], changes, strict=True)
    ]
    return Plan(capability="transactions", ask={"chain": "bitcoin", "address": row["address"]}, expected=expected)


def blockchair_stats(capture: Capture) -> Plan:
    """Times without a zone are in UTC."""
    row = capture.body["data"]
    expected = {
        "block": str(row["best_block_height"]), "difficulty": row["difficulty"], "hash_rate": row["hashrate_24h"],
        "block_time": datetime.fromisoformat(row["best_block_time"]).replace(tzinfo=UTC),
        "supply": coins(row["circulation"]), "waiting_transactions": row["mempool_transactions"],
        "transactions24h": row["transactions_24h"],
    }  # fmt: skip
    return Plan(capability="chainStatus", ask={"chain": "bitcoin"}, expected=expected)


def blockchair_balance(capture: Capture) -> Plan:
    """By its address."""
    ((address, found),) = capture.body["data"].items()
    row = found["address"]
    expected = {
        "amount": coins(row["balance"]), "received": coins(row["received"]), "sent": coins(row["spent"]),
        "transactions": row["transaction_count"],
    }  # fmt: skip
    return Plan(capability="balance", ask={"chain": "bitcoin", "address": address}, expected=expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("blockchain_info", "tx: 1 in 1 out"): (transaction,),
    ("blockchain_info", "addresses: two"): (second_balance, second_transactions),
    ("blockchair", "stats: bitcoin"): (blockchair_stats,),
    ("blockchair", "address: dashboard"): (blockchair_balance,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("blockchair", "erc20: USDT stats"): "not called: figures of a token are no capability",
    ("blockchair", "aggregate: infinitable"): "not called: sums over blocks are no capability",
}
