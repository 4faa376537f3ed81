"""What a client asks for next: all that accounts take, of several markets, by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.e2e.trading.board import SYMBOLS, Board

Given = dict[str, Any]


def mutation(name: str, kind: str, wanted: str) -> str:
    return f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {wanted} userErrors {{ code message }} }} }}"


STAND = "id status filledQuantity"
ORDER = f"order {{ {STAND} }} fills {{ id }}"
DEEDS = {
    "place": mutation("orderPlace", "OrderPlaceInput", ORDER),
    "bracket": mutation("orderPlace", "OrderPlaceInput", ORDER),
    "wait": mutation("orderPlace", "OrderPlaceInput", ORDER),
    "close": mutation("positionClose", "PositionCloseInput", ORDER),
    "group": mutation("orderGroupPlace", "OrderGroupPlaceInput", f"orders {{ {STAND} }}"),
    "protect": mutation("positionProtect", "PositionProtectInput", f"orders {{ {STAND} }}"),
    "replace": mutation("orderReplace", "OrderReplaceInput", f"order {{ {STAND} }}"),
    "cancel": mutation("orderCancel", "OrderCancelInput", f"order {{ {STAND} }}"),
    "cancelAll": mutation("ordersCancelAll", "OrdersCancelAllInput", f"canceled {{ {STAND} }}"),
    "hedge": mutation("hedgeExecute", "HedgeExecuteInput", "hedge { id }"),
    "schedule": mutation("orderScheduleCreate", "OrderScheduleCreateInput", "orderSchedule { id }"),
    "deposit": mutation("accountDeposit", "AccountDepositInput", "entry { id }"),
    "withdraw": mutation("accountWithdraw", "AccountWithdrawInput", "entry { id }"),
    "convert": mutation("accountConvert", "AccountConvertInput", "entry { id }"),
    "transfer": mutation("accountTransfer", "AccountTransferInput", "fromEntry { id } toEntry { id }"),
}
WEIGHTS = {
    "place": 44, "bracket": 8, "wait": 5, "group": 5, "close": 6, "protect": 3, "replace": 8, "cancel": 10,
    "cancelAll": 1, "hedge": 2, "schedule": 2, "deposit": 3, "withdraw": 3, "convert": 2, "transfer": 2,
}  # fmt: skip
OTHER = {"BUY": "SELL", "SELL": "BUY"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """An order that was placed, as far as what comes next depends on it."""

    account: str
    symbol: str
    type: str


class Asking:
    """Of one client; *margin* may borrow, so many times their equity, and *poor* have next to nothing."""

    def __init__(
        self, chance: random.Random, board: Board, accounts: list[str], margin: Mapping[str, int], poor: set[str],
        open_: dict[str, Dealt],
    ) -> None:  # fmt: skip
        self._chance, self._board, self._accounts = chance, board, accounts
        self._margin, self._poor, self._open = margin, poor, open_
        self._ways: dict[str, Callable[[str, str], Given]] = {
            "place": self._one, "bracket": self._bracket, "wait": self._waiting, "group": self._group,
            "protect": self._protect, "hedge": self._hedge, "schedule": self._schedule, "convert": self._convert,
            "transfer": self._transfer,
        }  # fmt: skip

    def next(self, key: str) -> tuple[str, Given]:
        """A deed and its input; *key* is used once."""
        deed = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        account = self._chance.choice(self._accounts)
        if deed in ("replace", "cancel"):
            if self._open:
                return deed, self._change(deed)
            deed = "deposit"
        if deed in self._ways:
            return deed, self._ways[deed](account, key)
        if deed in ("close", "cancelAll"):
            named = {"accountId": account, "symbol": self._symbol()}
            return deed, named | ({"clientOrderId": key} if deed == "close" else {})
        return deed, {"accountId": account, "currency": "USD", "amount": self._amount(account), "idempotencyKey": key}

    def _symbol(self) -> str:
        return self._chance.choice(list(SYMBOLS))

    def _points(self) -> int:
        """A hundredth of a per cent is what the sandbox moves in a minute."""
        return self._chance.randint(1, 8)

    def _amount(self, account: str) -> str:
        return str(Decimal(self._chance.randrange(1, 1_000 if account in self._poor else 200_000)) / 100)

    def _money(self, account: str) -> int:
        """Some of those that may borrow go to the end of their leverage, long and short; the poor cannot pay fees."""
        if account in self._poor:
            return self._chance.randint(6, 30)
        large = account in self._margin and self._chance.random() < 0.15
        most = 25_000 * self._margin.get(account, 1)
        return self._chance.randint(10_000, most) if large else self._chance.randint(20, 3_000)

    def _one(self, account: str, key: str) -> Given:
        return self._wish(account) | {"accountId": account, "clientOrderId": key}

    def _wish(self, account: str, *, rests: bool = False) -> Given:
        """At the market, near it, far from it, or behind it."""
        symbol, side, board = self._symbol(), self._chance.choice(["BUY", "SELL"]), self._board
        ahead = 1 if side == "BUY" else -1
        given: Given = {"symbol": symbol, "side": side, "quantity": board.units(symbol, self._money(account))}
        kinds = ["LIMIT", "FAR", "STOP_MARKET", "TRAILING_STOP"] + ([] if rests else ["MARKET"] * 5 + ["IOC"])
        match self._chance.choice(kinds):
            case "MARKET":
                return given | {"type": "MARKET"}
            case "IOC":
                return given | {
                    "type": "LIMIT", "limitPrice": board.near(symbol, ahead * self._points()), "timeInForce": "IOC"
                }  # fmt: skip
            case "LIMIT":
                return given | {"type": "LIMIT", "limitPrice": board.near(symbol, -ahead * self._points())}
            case "FAR":
                return given | {"type": "LIMIT", "limitPrice": board.near(symbol, -ahead * 4_000)}
            case "STOP_MARKET":
                return given | {"type": "STOP_MARKET", "stopPrice": board.near(symbol, ahead * self._points())}
            case _:
                return given | {"type": "TRAILING_STOP", "trailPercent": str(Decimal(self._points()) / 100)}

    def _exits(self, symbol: str, side: str) -> Given:
        """Of what was bought, or sold: near enough to be met soon."""
        ahead = 1 if side == "BUY" else -1
        stop = {"stopPrice": self._board.near(symbol, -ahead * self._points())}
        trail = {"trailPercent": str(Decimal(self._points()) / 100)}
        exits = {
            "takeProfit": {"limitPrice": self._board.near(symbol, ahead * self._points())},
            "stopLoss": self._chance.choice([stop, trail]),
        }
        if (left := self._chance.choice([None, None, "takeProfit", "stopLoss"])) is not None:
            del exits[left]
        return exits

    def _bracket(self, account: str, key: str) -> Given:
        symbol = self._symbol()
        side = self._chance.choice(["BUY", "SELL"]) if account in self._margin else "BUY"
        given = {
            "accountId": account, "symbol": symbol, "side": side, "type": "MARKET", "clientOrderId": key,
            "quantity": self._board.units(symbol, self._money(account)),
        } | self._exits(symbol, side)  # fmt: skip
        if self._chance.random() < 0.3:
            near = -2 if side == "BUY" else 2
            given |= {"type": "LIMIT", "limitPrice": self._board.near(symbol, near)}
        return given

    def _waiting(self, account: str, key: str) -> Given:
        """For a price of its own or of another market, an instant, another order."""
        given = self._wish(account) | {"accountId": account, "clientOrderId": key}
        given.pop("timeInForce", None)
        behind = [id for id, each in self._open.items() if each.account == account]
        ways = ["price", "time"] + (["order"] if behind else [])
        match self._chance.choice(ways):
            case "price":
                symbol, above = self._symbol(), self._chance.random() < 0.5
                level = self._board.near(symbol, self._points() if above else -self._points())
                crossing = "ABOVE" if above else "BELOW"
                return given | {"condition": {"price": {"symbol": symbol, "crossing": crossing, "level": level}}}
            case "time":
                at = datetime.now(UTC) + timedelta(seconds=self._chance.randint(1, 5))
                return given | {"condition": {"time": at.isoformat().replace("+00:00", "Z")}}
            case _:
                return given | {"condition": {"orderFilled": self._chance.choice(behind)}}

    def _group(self, account: str, key: str) -> Given:
        rule = self._chance.choice(["ALL", "OTO", "OCO"])
        orders = [
            self._wish(account, rests=rule == "OCO") | {"strategy": key} for _ in range(self._chance.randint(2, 3))
        ]
        return {"accountId": account, "rule": rule, "orders": orders, "idempotencyKey": key}

    def _protect(self, account: str, key: str) -> Given:
        symbol = self._symbol()
        side = self._chance.choice(["BUY", "SELL"]) if account in self._margin else "BUY"
        return {"accountId": account, "symbol": symbol} | self._exits(symbol, side)

    def _hedge(self, account: str, key: str) -> Given:
        account = self._chance.choice(sorted(self._margin))
        first, second = self._chance.sample(list(SYMBOLS), 2)
        side = self._chance.choice(["BUY", "SELL"])
        legs = [
            {"symbol": symbol, "side": way, "quantity": self._board.units(symbol, self._chance.randint(20, 3_000))}
            for symbol, way in ((first, side), (second, OTHER[side]))
        ]
        return {"accountId": account, "legs": legs, "clientHedgeId": key, "strategy": key}

    def _schedule(self, account: str, key: str) -> Given:
        symbol, side = self._symbol(), self._chance.choice(["BUY", "SELL"])
        return {
            "accountId": account, "symbol": symbol, "side": side, "every": "HOUR", "most": 1, "idempotencyKey": key,
            "quantity": self._board.units(symbol, self._money(account)),
        }  # fmt: skip

    def _convert(self, account: str, key: str) -> Given:
        ways = self._chance.choice([("USD", "EUR"), ("EUR", "USD")])
        return {
            "accountId": account, "from": ways[0], "to": ways[1], "amount": self._amount(account), "idempotencyKey": key
        }  # fmt: skip

    def _transfer(self, account: str, key: str) -> Given:
        others = [each for each in self._accounts if each != account and each not in self._poor]
        other = self._chance.choice(others)
        return {
            "fromAccountId": account, "toAccountId": other, "currency": "USD", "amount": self._amount(account),
            "idempotencyKey": key,
        }  # fmt: skip

    def _change(self, deed: str) -> Given:
        order = self._chance.choice(list(self._open))
        if deed == "cancel":
            return {"orderId": order}
        dealt, points = self._open[order], self._chance.choice([1, -1]) * self._points()
        terms: Given = {"quantity": self._board.units(dealt.symbol, self._money(dealt.account))}
        if dealt.type in ("LIMIT", "STOP_MARKET") and self._chance.random() < 0.7:
            price = {"limitPrice" if dealt.type == "LIMIT" else "stopPrice": self._board.near(dealt.symbol, points)}
            terms = price | (terms if self._chance.random() < 0.5 else {})
        return {"orderId": order} | terms
