"""`cacheDrop`: what is dropped is fetched anew, and who drops it is written down."""

from __future__ import annotations

from tests.house import House
from tests.plugins.accounts.operator.office import ERRORS, change, hired

DROP = f"mutation($i: CacheDropInput!) {{ cacheDrop(input: $i) {{ dropped {ERRORS} }} }}"
QUOTE = '{ quote(symbol: "crypto:BTC/USD", route: {providers: ["kraken"]}) { provenance { cacheStatus } } }'


async def status(house: House) -> str:
    found = await house.ask(QUOTE)
    return str(found["data"]["quote"]["provenance"]["cacheStatus"])


async def test_what_is_dropped_is_fetched_anew(house: House):
    _, key = await hired(house)
    assert (await status(house), await status(house)) == ("MISS", "HIT")

    payload = await change(house, DROP, key, provider="kraken", capability="quotes", symbol="crypto:BTC/USD")

    assert payload == {"dropped": True, "userErrors": []}
    assert await status(house) == "MISS"


async def test_a_symbol_is_dropped_as_it_is_held_and_refused_where_it_is_none(house: House):
    _, key = await hired(house)
    await status(house)

    bare = await change(house, DROP, key, provider="kraken", capability="quotes", symbol="BTC-USD")
    held = await status(house)
    written = await change(house, DROP, key, provider="kraken", capability="quotes", symbol="CRYPTO:btc/usd")

    assert (bare["dropped"], bare["userErrors"][0]["code"], held) == (False, "INVALID", "HIT")
    assert (written["dropped"], await status(house)) == (True, "MISS")


async def test_what_nobody_offers_is_refused_and_nothing_is_dropped(house: House):
    _, key = await hired(house)
    await status(house)

    unknown = await change(house, DROP, key, provider="krakn")
    loose = await change(house, DROP, key, provider="kraken", symbol="crypto:BTC/USD")

    assert [each["dropped"] for each in (unknown, loose)] == [False, False]
    assert [each["userErrors"][0]["code"] for each in (unknown, loose)] == ["UNKNOWN_PROVIDER", "INVALID"]
    assert await status(house) == "HIT"
