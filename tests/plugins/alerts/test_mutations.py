"""Alerts through GraphQL: made, changed, refused, tried on history, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.identity import Role
from gateway.core.store import new_id
from plugins.alerts.conditions import Condition
from plugins.alerts.tables import alerts
from schema.words.quotes import PriceType
from tests.plugins.alerts.watching import CREATE, DELETE, DISABLE, ENABLE, LIST, UPDATE, Watch, watch

PREVIEW = """query($c: AlertConditionInput!, $s: String, $d: Int) {
  r: alertPreview(condition: $c, symbol: $s, days: $d) { wouldHaveFired times basis days text } }"""
ABOVE = {"crossesAbove": "100"}
SPREAD = {"providers": ["kraken", "bitstamp"], "atLeastBps": "10"}
RSI = {"kind": "RSI", "interval": "H1", "length": 14}
PERPETUAL = "crypto:BTC/USDT:USDT"
REFUSED: list[tuple[dict[str, Any], str, list[str] | None]] = [
    ({"symbol": "no such thing!", "condition": ABOVE}, "SYMBOL_INVALID", ["input", "symbol"]),
    ({"symbol": "LINK", "condition": ABOVE}, "SYMBOL_AMBIGUOUS", ["input", "symbol"]),
    ({"symbol": "crypto:NOSUCHCOIN/USD", "condition": ABOVE}, "UNKNOWN_SYMBOL", ["input", "symbol"]),
    ({"condition": ABOVE}, "SYMBOL_NEEDED", ["input", "symbol"]),
    ({"condition": {"crossesBelow": "-1"}}, "NEVER_TRUE", ["input", "condition", "crossesBelow"]),
    ({"condition": {"crossesAbove": "0"}}, "NEVER_TRUE", ["input", "condition", "crossesAbove"]),
    ({"condition": {"volumeAbove": "0"}}, "NEVER_TRUE", ["input", "condition", "volumeAbove"]),
    (
        {"condition": {"changePercent": {"atLeast": "5", "windowMs": 0}}},
        "NEVER_TRUE", ["input", "condition", "changePercent", "windowMs"],
    ),
    (
        {"condition": {"changePercent": {"atLeast": "-100", "windowMs": 60_000}}},
        "NEVER_TRUE", ["input", "condition", "changePercent", "atLeast"],
    ),
    (
        {"condition": {"changePercent": {"atLeast": "0", "windowMs": 60_000}}},
        "CONDITION_INVALID", ["input", "condition", "changePercent", "atLeast"],
    ),
    (
        {"condition": {"spreadBetween": {**SPREAD, "providers": ["kraken", "kraken"]}}},
        "NEVER_TRUE", ["input", "condition", "spreadBetween", "providers"],
    ),
    (
        {"condition": {"spreadBetween": {**SPREAD, "providers": ["kraken", "nobody"]}}},
        "UNKNOWN_PROVIDER", ["input", "condition"],
    ),
    (
        {"condition": {"spreadBetween": {**SPREAD, "providers": ["kraken", "ecb"]}}},
        "UNKNOWN_SYMBOL", ["input", "symbol"],
    ),
    ({"condition": {"funding": {"crossesAbove": "0.001"}}}, "NEVER_TRUE", ["input", "condition", "funding"]),
    (
        {"symbol": PERPETUAL, "condition": {"funding": {"crossesAbove": "1"}}},
        "NEVER_TRUE", ["input", "condition", "funding"],
    ),
    (
        {"symbol": PERPETUAL, "condition": {"funding": {}}}, "CONDITION_INVALID", ["input", "condition", "funding"],
    ),
    ({"condition": {"indicator": {**RSI, "crossesAbove": "100"}}}, "NEVER_TRUE", ["input", "condition", "indicator"]),
    (
        {"condition": {"indicator": {**RSI, "crossesAbove": "70", "crossesBelow": "30"}}},
        "CONDITION_INVALID", ["input", "condition", "indicator"],
    ),
    (
        {"condition": {"indicator": {**RSI, "length": 1, "crossesAbove": "70"}}},
        "CONDITION_INVALID", ["input", "condition", "indicator", "length"],
    ),
    ({"condition": {"news": {"keywords": [" "]}}}, "NEVER_TRUE", ["input", "condition", "news", "keywords"]),
    ({"condition": {"providerHealth": {"provider": "nobody"}}}, "UNKNOWN_PROVIDER", ["input", "condition"]),
    *(
        ({"condition": ABOVE, "priceType": kind}, "NEVER_TRUE", ["input", "priceType"])
        for kind in ("FIXING", "MARK", "CLOSE")
    ),
    ({"symbol": "EUR/USD", "condition": ABOVE, "priceType": "LAST"}, "NEVER_TRUE", ["input", "priceType"]),
    ({"condition": {"spreadBetween": SPREAD}, "priceType": "MARK"}, "NEVER_TRUE", ["input", "priceType"]),
    (
        {"symbol": "EUR/USD", "condition": {"volumeAbove": "1"}},
        "NEVER_TRUE", ["input", "condition", "volumeAbove"],
    ),
    ({"condition": ABOVE, "cooldownMs": -1}, "PERIOD_INVALID", ["input", "cooldownMs"]),
    ({"condition": ABOVE, "hysteresisBps": 10_000}, "PERIOD_INVALID", ["input", "hysteresisBps"]),
    ({"condition": ABOVE, "note": "x" * 501}, "NOTE_INVALID", ["input", "note"]),
]  # fmt: skip
KINDS: list[dict[str, Any]] = [
    ABOVE, {"crossesBelow": "100"}, {"changePercent": {"atLeast": "-5", "windowMs": 3_600_000}},
    {"spreadBetween": SPREAD}, {"volumeAbove": "1000"}, {"indicator": {**RSI, "crossesBelow": "30"}},
    {"news": {"keywords": ["Halving", "ETF"]}}, {"providerHealth": {"provider": "kraken"}},
]  # fmt: skip


@pytest.fixture
async def w(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(database, tmp_path) as made:
        await made.company.hire("bob", Role.VIEWER)
        yield made


async def test_a_refused_alert_is_not_stored(w: Watch):
    told = []
    for given, code, field in REFUSED:
        payload = await w.company.ask(
            "ada", CREATE, **{"symbol": "BTC/USD", **given} if code != "SYMBOL_NEEDED" else given
        )
        (error,) = payload["userErrors"]
        told.append((given, error["code"], error["field"]))
        assert payload["alert"] is None
        assert error["message"].endswith(".")
        assert (code, field) == (error["code"], error["field"]), (given, error)

    assert len(told) == len(REFUSED)
    assert await w.company.count(alerts) == 0


async def test_two_conditions_at_once_are_refused_by_graphql(w: Watch):
    both = {"symbol": "BTC/USD", "condition": {"crossesAbove": "1", "crossesBelow": "2"}}
    body = await w.house.ask(CREATE, {"i": both}, token=w.company.tokens["ada"])

    assert "errors" in body
    assert await w.company.count(alerts) == 0


async def test_every_kind_is_kept_and_shown_in_words(w: Watch):
    made = [(await w.company.ask("ada", CREATE, symbol="BTC/USD", condition=kind))["alert"] for kind in KINDS]
    funding = await w.company.ask("ada", CREATE, symbol=PERPETUAL, condition={"funding": {"crossesAbove": "0.001"}})

    assert [(each["condition"]["kind"], each["condition"]["text"], each["priceType"]) for each in made] == [
        ("PRICE", "price crosses above 100", "LAST"),
        ("PRICE", "price crosses below 100", "LAST"),
        ("CHANGE", "price changes by -5 % or more within 3600000 ms", "LAST"),
        ("SPREAD", "prices of bitstamp, kraken lie 10 bps or more apart", "LAST"),
        ("VOLUME", "volume rises above 1000", None),
        ("INDICATOR", "RSI(14) of H1 candles crosses below 30", None),
        ("NEWS", "an article holds 'etf' or 'halving'", None),
        ("PROVIDER_HEALTH", "kraken cannot be asked", None),
    ]
    assert made[-1]["symbol"] is None
    assert funding["userErrors"] == []
    assert await w.company.acts() == ["alert.created"] * 9


async def test_currency_pairs_are_watched_by_their_middle(w: Watch):
    made = await w.company.ask("ada", CREATE, symbol="EUR/USD", condition={"crossesAbove": "1.2"})

    assert made["alert"]["priceType"] == "MID"


async def test_a_price_that_quotes_do_not_have_is_refused_in_a_change_too(w: Watch):
    made = (await w.company.ask("ada", CREATE, symbol="BTC/USD", condition=ABOVE))["alert"]["id"]

    codes = await w.company.codes("ada", UPDATE, id=made, priceType="MARK")

    assert codes == ["NEVER_TRUE"]
    assert (await w.row(made))["price_type"] == "LAST"


async def test_quotes_without_the_usual_price_are_watched_by_theirs(w: Watch, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("plugins.alerts.markets.usual_price", lambda _: PriceType.MARK)

    made = await w.company.ask("ada", CREATE, symbol="BTC/USD", condition=ABOVE)

    assert (made["userErrors"], made["alert"]["priceType"]) == ([], "LAST")


async def test_two_changes_at_once_are_both_kept(w: Watch):
    made = await w.alert(condition=ABOVE)

    await asyncio.gather(
        w.company.ask("ada", UPDATE, id=made, note="x"), w.company.ask("ada", UPDATE, id=made, cooldownMs=7)
    )

    row = await w.row(made)
    assert (row["note"], row["cooldown_ms"], row["generation"]) == ("x", 7, 2)


async def test_an_alert_that_fires_while_it_is_changed_stays_off(w: Watch, monkeypatch: pytest.MonkeyPatch):
    made = await w.alert(condition=ABOVE)
    await w.tick("99")

    async def meanwhile(*_: object) -> PriceType:
        await w.tick("101")
        return PriceType.LAST

    monkeypatch.setattr("plugins.alerts.desk.counted_price", meanwhile)
    changed = await w.company.ask("ada", UPDATE, id=made, condition={"crossesAbove": "200"})

    row = await w.row(made)
    assert changed["alert"]["active"] is False
    assert (row["active"], row["condition"]["threshold"], row["generation"]) == (False, "200", 1)
    assert await w.fired() == [("101", False)]


async def test_a_change_of_the_price_goes_with_the_condition_that_another_has_written(
    w: Watch, monkeypatch: pytest.MonkeyPatch
):
    made, asked = await w.alert(condition=ABOVE), []

    async def meanwhile(_: object, condition: Condition, *__: object) -> PriceType:
        asked.append(condition.threshold)
        if len(asked) == 1:
            await w.company.ask("ada", UPDATE, id=made, condition={"crossesAbove": "200"})
        return PriceType.LAST

    monkeypatch.setattr("plugins.alerts.desk.counted_price", meanwhile)
    await w.company.ask("ada", UPDATE, id=made, priceType="LAST")

    assert [str(each) for each in asked] == ["100", "200", "200"]
    assert (await w.row(made))["condition"]["threshold"] == "200"


async def test_a_deleted_alert_moves_no_page(w: Watch):
    for _ in range(3):
        await w.company.ask("ada", CREATE, symbol="BTC/USD", condition=ABOVE)
    whole = (await w.house.ask(LIST, token=w.company.tokens["bob"]))["data"]["alerts"]["nodes"]
    first = (await w.house.ask(LIST, {"first": 2}, token=w.company.tokens["bob"]))["data"]["alerts"]

    await w.company.ask("ada", DELETE, id=whole[0]["id"])
    more = {"first": 2, "after": first["pageInfo"]["endCursor"]}
    rest = (await w.house.ask(LIST, more, token=w.company.tokens["bob"]))["data"]["alerts"]

    assert rest["nodes"] == whole[2:]


async def test_pages_nodes_and_changes(w: Watch):
    ids = [(await w.company.ask("ada", CREATE, symbol="BTC/USD", condition=ABOVE))["alert"]["id"] for _ in range(3)]

    first = (await w.house.ask(LIST, {"first": 2}, token=w.company.tokens["bob"]))["data"]["alerts"]
    cursor = first["pageInfo"]["endCursor"]
    rest = (await w.house.ask(LIST, {"first": 2, "after": cursor}, token=w.company.tokens["bob"]))["data"]["alerts"]
    changed = (await w.company.ask("ada", UPDATE, id=ids[0], note="x", recurrence="REPEATING", fireIfTrue=True))[
        "alert"
    ]
    off = (await w.company.ask("ada", DISABLE, id=ids[0]))["alert"]
    on = (await w.company.ask("ada", ENABLE, id=ids[0]))["alert"]
    gone = await w.company.ask("ada", DELETE, id=ids[0])
    node = await w.house.ask(
        f'{{ node(id: "{ids[1]}") {{ id ... on Alert {{ owner }} }} }}', token=w.company.tokens["bob"]
    )

    assert sorted(each["id"] for each in first["nodes"] + rest["nodes"]) == sorted(ids)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert (changed["note"], changed["recurrence"], changed["state"], changed["arm"]) == ("x", "REPEATING", "PRIMED", 1)
    assert (off["active"], on["active"], on["state"], on["arm"]) == (False, True, "PRIMED", 3)
    assert gone["alertId"] == ids[0]
    assert node["data"]["node"]["owner"] == w.company.people["ada"].id
    assert await w.company.count(alerts) == 2


async def test_another_organisations_alert_is_as_one_that_is_not_there(w: Watch):
    made = (await w.company.ask("ada", CREATE, symbol="BTC/USD", condition=ABOVE))["alert"]["id"]
    await w.company.guest("eve", "Eve and Sons")

    for document in (DELETE, ENABLE, DISABLE, UPDATE):
        strange = await w.company.ask("eve", document, id=made)
        missing = await w.company.ask("eve", document, id=new_id("alert"))
        assert strange == missing
        assert strange["userErrors"][0]["code"] == "NOT_FOUND"
    node = await w.house.ask(f'{{ node(id: "{made}") {{ id }} }}', token=w.company.tokens["eve"])
    assert node["data"]["node"] is None
    assert await w.company.refusal("bob", DELETE, id=made) == "FORBIDDEN"
    assert await w.company.count(alerts) == 1


async def test_the_same_client_key_makes_one_alert(w: Watch):
    given = {"symbol": "BTC/USD", "condition": ABOVE, "idempotencyKey": "k1"}

    first, second = [await w.company.ask("ada", CREATE, **given) for _ in range(2)]
    longer = await w.company.ask("ada", CREATE, **{**given, "condition": {"crossesAbove": "100.0"}})
    other = await w.company.codes("ada", CREATE, **{**given, "note": "another"})

    assert first == second == longer
    empty = (await w.company.ask("ada", CREATE, **{**given, "idempotencyKey": ""}))["userErrors"]

    assert other == ["IDEMPOTENCY_MISMATCH"]
    assert [(each["code"], each["field"]) for each in empty] == [
        ("IDEMPOTENCY_KEY_INVALID", ["input", "idempotencyKey"])
    ]
    assert await w.company.count(alerts) == 1


async def test_a_plan_bounds_how_many_there_are(w: Watch):
    from plugins.accounts.organisations.desk import OrganisationDesk

    async with w.house.store.write() as tx:
        await w.house.host.service(OrganisationDesk).set_plan(tx, w.company.tenant, "free")
    codes = []
    for _ in range(3):
        w.house.clock.turn(120)
        codes += [await w.company.codes("ada", CREATE, symbol="BTC/USD", condition=ABOVE) for _ in range(7)]

    assert codes == [[]] * 20 + [["TOO_MANY_ALERTS"]]
    assert await w.company.count(alerts) == 20


async def test_a_condition_is_tried_on_history_before_it_is_saved(w: Watch):
    price = (await w.house.ask('{ quote(symbol: "BTC/USD") { price } }'))["data"]["quote"]["price"]
    asked = {"c": {"crossesAbove": price}, "s": "BTC/USD"}

    preview = (await w.house.ask(PREVIEW, asked, token=w.company.tokens["ada"]))["data"]["r"]
    never = await w.house.ask(PREVIEW, {**asked, "c": {"crossesBelow": "-1"}}, token=w.company.tokens["ada"])
    news = (await w.house.ask(PREVIEW, {"c": {"news": {"keywords": ["x"]}}}, token=w.company.tokens["ada"]))["data"][
        "r"
    ]

    assert preview["basis"] == "M15"
    assert preview["wouldHaveFired"] > 0
    assert len(preview["times"]) == min(100, preview["wouldHaveFired"])
    assert preview["text"] == f"would have fired {preview['wouldHaveFired']} times in 30 days, by M15 candles"
    assert never["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert (news["wouldHaveFired"], news["text"]) == (None, "not known: there is no history that it could be tried on")
    assert await w.company.count(alerts) == 0


WHOLE = "preview { text basis } userErrors { code }"


@pytest.mark.parametrize(
    ("selected", "fragment"),
    [
        (WHOLE, ""),
        (f"... on AlertCreatePayload {{ {WHOLE} }}", ""),
        (f"... {{ {WHOLE} }}", ""),
        ("...whole", f"fragment whole on AlertCreatePayload {{ {WHOLE} }}"),
    ],
)
async def test_what_was_made_says_how_often_it_would_have_fired(w: Watch, selected: str, fragment: str):
    document = f"mutation($i: AlertCreateInput!) {{ r: alertCreate(input: $i) {{ {selected} }} }} {fragment}"

    made = await w.company.ask(
        "ada", document, symbol="BTC/USD", condition={"indicator": {**RSI, "crossesAbove": "60"}}
    )

    assert made["userErrors"] == []
    assert made["preview"]["basis"] == "H1"
    assert made["preview"]["text"].startswith("would have fired ")
