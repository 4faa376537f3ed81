"""Watchlists through GraphQL, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.identity import Role
from gateway.core.store import new_id
from plugins.watchlists.contents import MOST_SYMBOLS, changed
from plugins.watchlists.desk import MOST_LISTS
from plugins.watchlists.store import WatchlistRow, WatchlistStore
from plugins.watchlists.tables import lists
from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found

ERRORS = "userErrors { field code message }"
CREATE = f"mutation($i: WatchlistCreateInput!) {{ r: watchlistCreate(input: $i) {{ watchlist {{ id name symbols }} {ERRORS} }} }}"  # noqa: E501
UPDATE = f"mutation($i: WatchlistUpdateInput!) {{ r: watchlistUpdate(input: $i) {{ watchlist {{ id name symbols }} {ERRORS} }} }}"  # noqa: E501
DELETE = f"mutation($i: WatchlistDeleteInput!) {{ r: watchlistDelete(input: $i) {{ watchlistId {ERRORS} }} }}"
LISTS = "query($first: Int, $after: Cursor) { watchlists(first: $first, after: $after) { nodes { id name symbols } pageInfo { hasNextPage endCursor } } }"  # noqa: E501


@pytest.fixture
async def company(house: House) -> Company:
    """Ada's, where Bob is a viewer."""
    made = await found(house)
    await made.hire("bob", Role.VIEWER)
    await made.upgrade()
    return made


async def shown(company: Company, by: str) -> list[dict[str, Any]]:
    """A person's lists."""
    answer = await company.house.ask(LISTS, token=company.tokens[by])
    nodes: list[dict[str, Any]] = answer["data"]["watchlists"]["nodes"]
    return nodes


async def test_symbols_are_kept_as_canonical_ids_in_order_and_once(company: Company):
    symbols = ["ETH-USD", "btc/usd", "AAPL", "crypto:ETH/USD"]

    payload = await company.ask("bob", CREATE, name=" Majors ", symbols=symbols)

    kept = {"name": "Majors", "symbols": ["crypto:ETH/USD", "crypto:BTC/USD", "equity:AAPL"]}
    assert payload == {"watchlist": {"id": payload["watchlist"]["id"], **kept}, "userErrors": []}
    assert await shown(company, "bob") == [payload["watchlist"]]
    assert await company.acts() == ["watchlist.created"]


async def test_a_list_is_its_owners_alone(company: Company):
    made = (await company.ask("ada", CREATE, name="Mine"))["watchlist"]
    await company.guest("eve", "Eve and Sons")

    for by in ("bob", "eve"):
        strange = await company.ask(by, UPDATE, id=made["id"], name="Stolen")
        missing = await company.ask(by, UPDATE, id=new_id("list"), name="Stolen")
        assert strange == missing
        assert strange["userErrors"][0]["code"] == "NOT_FOUND"
        assert await company.codes(by, DELETE, id=made["id"]) == ["NOT_FOUND"]
        assert await shown(company, by) == []
        node = await company.house.ask(f'{{ node(id: "{made["id"]}") {{ id }} }}', token=company.tokens[by])
        assert node["data"]["node"] is None
    assert await shown(company, "ada") == [{"id": made["id"], "name": "Mine", "symbols": []}]


async def test_the_same_person_has_other_lists_in_another_organisation(company: Company):
    await company.ask("ada", CREATE, name="Here")
    made = await company.house.ask(
        'mutation { organisationCreate(input: {name: "Second"}) { organisation { id } } }', token=company.tokens["ada"]
    )
    there = made["data"]["organisationCreate"]["organisation"]["id"]
    switch = "mutation($id: ID!) { organisationSwitch(input: {id: $id}) { session { accessToken } } }"
    answer = await company.house.ask(switch, {"id": there}, token=company.tokens["ada"])
    company.tokens["there"] = answer["data"]["organisationSwitch"]["session"]["accessToken"]

    assert await shown(company, "there") == []


async def test_changes_are_made_together_or_not_at_all(company: Company):
    made = (await company.ask("bob", CREATE, name="Majors", symbols=["BTC-USD", "ETH-USD"]))["watchlist"]

    changed_list = await company.ask(
        "bob", UPDATE, id=made["id"], name="Mine", add=["AAPL", "ETH-USD"], remove=["BTC-USD", "SOL-USD"]
    )
    refused = await company.ask("bob", UPDATE, id=made["id"], name="Never", add=["SOL-USD", "no such thing!"])

    kept = {"id": made["id"], "name": "Mine", "symbols": ["crypto:ETH/USD", "equity:AAPL"]}
    assert changed_list["watchlist"] == kept
    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [("SYMBOL_INVALID", ["input", "add", "1"])]
    assert await shown(company, "bob") == [kept]


async def test_an_ambiguous_symbol_is_named_with_what_it_may_mean(company: Company):
    payload = await company.ask("bob", CREATE, name="Shares or coins", symbols=["BTC-USD", "LINK"])

    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("SYMBOL_AMBIGUOUS", ["input", "symbols", "1"])
    assert error["message"].startswith("'LINK' may mean ")
    assert "crypto:LINK/USD" in error["message"]
    assert await company.count(lists) == 0


async def test_a_security_is_kept_by_the_id_that_its_number_means(company: Company):
    payload = await company.ask("bob", CREATE, name="Numbers", symbols=["isin:US0378331005", "cik:320193", "BTC/USD"])
    refused = await company.ask("bob", CREATE, name="Unclear", symbols=["AAPL", "cik:1652044", "US0378331006"])

    assert payload["watchlist"]["symbols"] == ["equity:AAPL", "crypto:BTC/USD"]
    (error,) = refused["userErrors"]
    assert (error["code"], error["field"]) == ("SYMBOL_AMBIGUOUS", ["input", "symbols", "1"])
    assert error["message"] == "'cik:1652044' may mean equity:GOOG, equity:GOOGL: write one of these."
    assert await company.count(lists) == 1


@pytest.mark.parametrize("name", ["", "x" * 101, "nul\0"])
async def test_a_list_needs_a_name(company: Company, name: str):
    assert await company.codes("bob", CREATE, name=name) == ["NAME_INVALID"]
    assert await company.count(lists) == 0


async def test_parallel_additions_are_all_kept(company: Company):
    made = (await company.ask("bob", CREATE, name="Majors"))["watchlist"]
    symbols = [f"C{letter}{letter}-USD" for letter in "ABCDEFGH"]

    await asyncio.gather(*(company.ask("bob", UPDATE, id=made["id"], add=[symbol]) for symbol in symbols))

    assert len((await shown(company, "bob"))[0]["symbols"]) == len(symbols)


async def test_a_list_holds_at_most_two_hundred_symbols(company: Company):
    symbols = [f"crypto:C{number}/USD" for number in range(MOST_SYMBOLS)]
    made = (await company.ask("bob", CREATE, name="Long", symbols=symbols))["watchlist"]

    assert len(made["symbols"]) == MOST_SYMBOLS
    assert await company.codes("bob", UPDATE, id=made["id"], add=["AAPL"]) == ["TOO_MANY_SYMBOLS"]
    assert await company.codes("bob", CREATE, name="Longer", symbols=[*symbols, "AAPL"]) == ["TOO_MANY_SYMBOLS"]
    assert await company.count(lists) == 1


async def test_a_person_has_at_most_a_hundred_lists(company: Company):
    bob, now, store = company.people["bob"], company.house.clock.now(), WatchlistStore()
    async with company.house.store.write() as tx:
        for number in range(MOST_LISTS - 1):
            row = WatchlistRow(
                tenant_id=company.tenant, id=new_id("list"), owner=bob.id, name=f"List {number}", symbols=[],
                created_at=now, changed_at=now,
            )  # fmt: skip
            await store.add(tx, company.tenant, row)

    answers = await asyncio.gather(*(company.codes("bob", CREATE, name="Last") for _ in range(2)))

    assert sorted(answers) == [[], ["TOO_MANY_LISTS"]]
    assert await company.count(lists) == MOST_LISTS


async def test_lists_come_in_pages(company: Company):
    for name in ("first", "second", "third"):
        await company.ask("bob", CREATE, name=name)
        company.house.clock.turn(1)

    answer = await company.house.ask(LISTS, {"first": 2}, token=company.tokens["bob"])
    page = answer["data"]["watchlists"]
    rest = await company.house.ask(
        LISTS, {"first": 2, "after": page["pageInfo"]["endCursor"]}, token=company.tokens["bob"]
    )

    assert [node["name"] for node in page["nodes"]] == ["first", "second"]
    assert [node["name"] for node in rest["data"]["watchlists"]["nodes"]] == ["third"]


async def test_a_deleted_list_is_gone(company: Company):
    made = (await company.ask("bob", CREATE, name="Majors"))["watchlist"]

    assert await company.ask("bob", DELETE, id=made["id"]) == {"watchlistId": made["id"], "userErrors": []}
    assert await company.codes("bob", DELETE, id=made["id"]) == ["NOT_FOUND"]
    assert await company.count(lists) == 0


async def test_prices_of_a_list_are_asked_as_one_batch(company: Company, monkeypatch: pytest.MonkeyPatch):
    made = (await company.ask("bob", CREATE, name="Majors", symbols=["BTC-USD", "ETH-USD", "SOL-USD"]))["watchlist"]
    asked: list[int] = []
    fetch_many = type(company.house.gateway.data).fetch_many

    async def counted(self: Any, capability: Any, ask: Any, *rest: Any) -> Any:
        asked.append(len(ask.instruments))
        return await fetch_many(self, capability, ask, *rest)

    monkeypatch.setattr(type(company.house.gateway.data), "fetch_many", counted)
    document = (
        f'{{ node(id: "{made["id"]}") {{ ... on Watchlist {{ instruments(first: 2) {{ id quote {{ price }} }} }} }} }}'
    )
    answer = await company.house.ask(document, token=company.tokens["bob"])

    instruments = answer["data"]["node"]["instruments"]
    assert [each["id"] for each in instruments] == ["crypto:BTC/USD", "crypto:ETH/USD"]
    assert all(each["quote"]["price"] for each in instruments)
    assert asked == [2]


async def test_nobody_without_a_credential_reads_lists(house: House):
    answer = await house.ask(LISTS)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("whole", "add", "remove", "expected"),
    [
        (None, ["C"], [], ["A", "B", "C"]),
        (None, ["A"], [], ["A", "B"]),
        (None, ["A"], ["A"], ["B", "A"]),
        (["C", "C", "B"], [], [], ["C", "B"]),
        ([], [], [], []),
        (["C", "D"], ["A"], ["C"], ["D", "A"]),
    ],
)
def test_what_a_change_makes_of_a_list(whole: list[str] | None, add: list[str], remove: list[str], expected: list[str]):
    assert changed(["A", "B"], whole, add, remove) == expected
