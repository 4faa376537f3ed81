"""The two pages on the running gateway, as a newcomer sees them."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from tests.e2e.page.browser import Page

ROW = "[...document.querySelectorAll('.watch tbody tr')].find(row => row.innerText.includes('BTC/USD'))"


def test_the_landing_page_shows_a_price_with_its_provider_mode_and_age(page: Page, gateway_url: str):
    page.open(f"{gateway_url}/")
    price = page.wait(f"{ROW}.querySelector('.price .figure').title")
    origin = page.ask(f"{ROW}.querySelector('.origin').innerText")

    assert re.fullmatch(r"\d+(\.\d+)? USD", price)
    assert re.fullmatch(r"SIMULATED\s+sandbox\s+(just now|\d+ s old)", origin)
    assert page.ask("document.querySelector('.banner').innerText").startswith("OFFLINE")


def test_the_landing_page_draws_candles_and_a_provider_table_without_an_error(page: Page, gateway_url: str):
    page.open(f"{gateway_url}/")
    page.wait("document.querySelector('.plot canvas')")
    page.wait("document.querySelectorAll('.providers tbody tr').length")
    # The consensus is there or says why not; both are an answer.
    page.wait("document.querySelector('.votes li') || document.querySelector('.consensus [role=status]')")

    summary = page.ask("document.querySelector('.plot').getAttribute('aria-label')")
    assert re.match(r"crypto:BTC/USD: 180 candles of 1 hour, from .*Z to .*Z, last close [\d.]+ USD$", summary)
    assert "Sandbox" in page.ask("document.querySelector('.providers').innerText")
    assert page.errors == []
    assert page.other_origins(gateway_url) == []


def test_the_landing_page_shows_prices_as_they_change(page: Page, gateway_url: str):
    page.open(f"{gateway_url}/")
    page.wait("document.querySelector('.watch .hint')?.innerText === 'live'")
    price = f"{ROW}.querySelector('.price .figure').title"
    page.wait(f"{ROW}?.querySelector('.price .figure')")
    first = page.ask(price)

    page.wait(f"{price} !== {first!r}")
    polled = "performance.getEntriesByType('resource').filter(each => each.name.endsWith('/graphql')).length"
    asked = page.ask(polled)
    second = page.ask(price)
    page.wait(f"{price} !== {second!r}")

    # A price came while nothing was asked: the stream's own entry is written at its end.
    assert page.ask(polled) - asked <= 1
    assert page.errors == []


def test_the_landing_page_tells_what_its_last_query_cost(page: Page, gateway_url: str):
    page.open(f"{gateway_url}/")
    page.wait("document.querySelector('.spent strong')")

    told = page.ask("document.querySelector('.spent').innerText")
    assert re.fullmatch(r"Last query: \d+ points?, \d+ left, all again in \d+ s", told)


def test_all_that_the_landing_page_leads_to_is_there(page: Page, gateway_url: str):
    page.open(f"{gateway_url}/")
    page.wait("document.querySelector('.spent strong')")

    links = page.ask("[...document.querySelectorAll('nav a, footer a')].map(a => a.href)")
    found = {link.removeprefix(gateway_url): page.ask(f"fetch({link!r}).then(r => r.status)") for link in links}
    pages = ["/account", "/console", "/docs", "/health", "/metrics", "/static/THIRD_PARTY_LICENSES.txt"]
    assert {link: found[link] for link in pages} == dict.fromkeys(pages, 200)
    assert set(found.values()) == {200}
    assert page.other_origins(gateway_url) == []


def test_the_search_finds_apple_and_shows_it(page: Page, gateway_url: str):
    page.open(f"{gateway_url}/")
    page.wait("document.querySelector('[role=combobox]')")
    page.ask("document.querySelector('[role=combobox]').focus()")
    page.type("apple")
    found = page.wait("document.querySelector('[role=option]').innerText")
    page.press("Enter")

    assert "AAPL" in found
    page.wait("document.querySelector('#detail-title').innerText === 'AAPL'")
    assert page.ask("location.hash") == "#equity%3AAAPL"
    assert page.errors == []


def test_the_console_listens_to_a_subscription_until_it_is_stopped(page: Page, gateway_url: str):
    query = 'subscription { quotes(symbols: ["BTC/USD"]) { cursor quotes { price } } }'
    page.open(f"{gateway_url}/console?{urlencode({'query': query})}")
    page.wait("document.querySelector('.graphiql-query-editor .view-line')?.innerText.includes('quotes')")
    page.ask("document.querySelector('.graphiql-execute-button').click()")
    shown = '/"cursor":\\s"([^"]+)"/.exec(document.querySelector(\'.result-window\').innerText)?.[1]'
    first = page.wait(shown)
    page.wait(f"{shown} !== {first!r}")
    page.ask("document.querySelector('.graphiql-execute-button').click()")

    # A button that runs again is one that listens no more.
    page.wait("document.querySelector('.graphiql-execute-button').ariaLabel.startsWith('Execute')")
    assert page.errors == []


def test_the_console_runs_the_query_of_its_address(page: Page, gateway_url: str):
    query = "query One($symbol: String!) { quote(symbol: $symbol) { price provenance { mode } } }"
    address = urlencode({"query": query, "variables": '{"symbol": "BTC/USD"}'})
    page.open(f"{gateway_url}/console?{address}")
    page.wait("document.querySelector('.graphiql-query-editor .view-line')?.innerText.includes('quote')")
    page.ask("document.querySelector('.graphiql-execute-button').click()")
    result = page.wait("/\"price\"[^}]*SIMULATED/s.exec(document.querySelector('.result-window').innerText)?.[0]")

    assert re.search(r'"price":\s"\d+(\.\d+)?"', result)
    # The documentation pane comes from introspection, which is on in development.
    page.ask("document.querySelector('[aria-label=\"Show Documentation Explorer\"]').click()")
    page.wait("document.querySelector('.graphiql-doc-explorer').innerText.includes('Query')")
    assert page.errors == []
    assert page.other_origins(gateway_url) == []
