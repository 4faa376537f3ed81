"""What the pages show when something is odd: long numbers, missing data, a gateway that is gone, a small window."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.e2e.page.browser import Page
from tests.e2e.page.stub import Script

GONE = "The gateway cannot answer at the moment (status 503). Trying again."
REFUSED = "Failed to load resource: the server responded with a status of 503"


def text(page: Page, selector: str) -> str:
    """The words of an element once it is there, its lines joined."""
    page.wait(f"document.querySelector({selector!r})")
    return " ".join(str(page.ask(f"document.querySelector({selector!r}).innerText")).split())


def row(symbol: str) -> str:
    return f"[...document.querySelectorAll('.watch tbody tr')].find(row => row.innerText.includes('{symbol}'))"


def test_a_price_of_twenty_digits_is_shown_whole(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.big .price')")

    assert text(page, ".big .price") == "91,234.123456789012345 USD"
    assert page.ask("document.querySelector('.big .figure').title") == "91234.123456789012345 USD"
    # A row of the table has no room: the cut is marked, the digits before it are untouched.
    assert page.ask(f"{row('BTC/USD')}.querySelector('.price').innerText").split() == ["91,234.1234…", "USD"]


def test_a_symbol_without_an_answer_says_why_and_leaves_the_others_alone(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait(f"{row('NVDA')}.querySelector('strong')")

    words = page.ask(f"{row('NVDA')}.querySelector('.c-failure').innerText")
    assert words == "Not part of the offline market. equity:NVDA is in no recording"
    assert page.ask("document.querySelectorAll('.watch .c-origin').length") == 7


def test_an_age_beyond_the_range_of_the_schema_is_told_from_the_time_stamp(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait(f"{row('MSFT')}.querySelector('.age')")

    age = page.ask(f"{row('MSFT')}.querySelector('.age').innerText")
    days = page.ask("Math.floor((Date.now() - Date.parse('2026-09-01T12:00:00Z')) / 86400000)")
    assert age == f"{days} days old" if days < 730 else f"{days // 365} years old"


def test_missing_candles_are_counted_in_words(page: Page, stub_url: str):
    page.open(f"{stub_url}/")

    told = text(page, ".sources .hint")
    assert told == "2 candles are missing while the venue was open; nothing is filled in."


def test_a_consensus_names_the_outlier_and_who_was_left_out(page: Page, stub_url: str):
    page.open(f"{stub_url}/")

    assert text(page, ".votes .outlier .deviation") == "84.2 bps · outlier"
    assert text(page, ".votes .excluded") == "left out: only outdated data is available"


def test_a_refused_consensus_is_a_sentence(page: Page, stub_url: str):
    page.open(f"{stub_url}/#equity%3AAAPL")

    # The same place says first that the providers are being asked.
    page.wait("document.querySelector('.consensus .note').innerText.startsWith('Too few')")
    assert text(page, ".consensus .note") == "Too few providers to compare: equity:AAPL: 1 of 2 sources"


def test_a_gateway_that_stops_answering_is_named_and_the_last_prices_stay(page: Page, stub_url: str, script: Script):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.big .price')")

    script.status = 503

    page.wait("document.querySelector('.watch .fault')")
    assert text(page, ".watch .fault") == f"{GONE} The prices below are the last that arrived."
    assert text(page, ".big .price") == "91,234.123456789012345 USD"
    assert {error.partition(" (")[0] for error in page.errors} == {REFUSED}

    script.status = 200

    assert page.wait("!document.querySelector('.watch .fault')") is True


def test_a_gateway_that_never_answered_leaves_no_empty_screen(page: Page, stub_url: str, script: Script):
    script.status = 503
    page.open(f"{stub_url}/")

    assert text(page, ".banner.down") == f"NO CONTACT {GONE}"
    assert text(page, ".watch .fault") == GONE
    assert text(page, ".candles .fault") == GONE
    assert text(page, ".consensus .fault") == GONE


def test_real_prices_are_called_live(page: Page, stub_url: str, script: Script):
    script.mode = "live"
    page.open(f"{stub_url}/")

    assert text(page, ".banner.live") == "LIVE Prices come from real providers, each with its own delay."


def test_the_cost_of_the_last_query_is_told(page: Page, stub_url: str, script: Script):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.spent strong')")

    assert text(page, ".spent") == "Last query: 7 points, 53 left, all again in 0 s"


def test_a_cost_without_a_limit_is_told_alone(page: Page, stub_url: str, script: Script):
    script.cost = {"requested": 1, "actual": 1, "remaining": None, "resetsAt": None}
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.spent strong')")

    assert text(page, ".spent") == "Last query: 1 point"


def test_the_page_leads_to_the_console_the_docs_and_the_health(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.plot canvas')")

    links = page.ask("[...document.querySelectorAll('nav a')].map(link => link.getAttribute('href'))")
    assert links == ["#examples", "#providers", "/docs", "/health", "/account", "/console"]


def test_all_of_the_page_is_reached_with_the_tab_key_beginning_with_a_way_past_the_links(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.plot canvas')")
    page.wait("document.querySelector('.votes')")
    focused = "(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText).trim()"
    last = "document.activeElement === [...document.querySelectorAll('footer a')].at(-1)"

    page.press("Tab")
    assert page.ask(focused) == "Skip to the prices"
    page.press("Enter")
    assert page.ask("document.activeElement.id") == "main"
    page.ask("document.querySelector('.skip').focus()")
    seen: list[str] = []
    while len(seen) < 80 and not page.ask(last):
        page.press("Tab")
        seen.append(page.ask(focused))
    assert page.ask(last) is True
    reached = {
        "GraphiQL console",
        "Docs",
        "Health",
        "BTC/USD",
        "Remove crypto:ETH/USD from the watchlist",
        "Copy query",
    }
    assert reached - set(seen) == set()


def test_nothing_leads_to_the_console_in_production_where_there_is_none(page: Page, stub_url: str, script: Script):
    script.env = "production"
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('footer').innerText.includes('production')")

    assert page.ask("document.querySelectorAll('a[href^=\"/console\"]').length") == 0
    assert page.ask("document.querySelectorAll('.actions button').length") == 2


def test_a_found_instrument_is_chosen_with_the_keyboard_and_stays_on_the_watchlist(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.big .price')")
    page.ask("document.querySelector('.remove[aria-label*=AAPL]').click()")
    page.ask("document.querySelector('[role=combobox]').focus()")
    page.type("us")
    page.wait("document.querySelectorAll('[role=option]').length === 5")
    page.press("Escape")
    page.wait("!document.querySelector('[role=option]')")
    page.ask("document.querySelector('[role=combobox]').select()")
    page.type("apple")
    page.wait("document.querySelectorAll('[role=option]').length === 1")
    page.press("ArrowDown")
    page.press("Enter")

    assert page.wait("document.querySelector('#detail-title').innerText === 'AAPL'") is True
    page.open(f"{stub_url}/")
    assert page.wait("document.querySelector('.watch tbody .name').innerText") == "AAPL"


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (380, "dark"), (640, "light"), (1280, "dark")])
def test_the_page_fits_its_window_and_the_two_colour_schemes(page: Page, stub_url: str, width: int, scheme: str):
    page.resize(width, 900)
    page.prefer(scheme)
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('.plot canvas') && document.querySelector('.votes')")

    assert page.fits(width)
    assert (
        page.ask("document.querySelector('.watch').scrollWidth <= document.querySelector('.watch').clientWidth") is True
    )
    ground = page.ask("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == {"light": "rgb(244, 243, 238)", "dark": "rgb(12, 18, 20)"}[scheme]
    assert page.errors == []


def test_the_link_of_an_example_opens_it_in_the_console(page: Page, stub_url: str):
    page.open(f"{stub_url}/")
    page.wait("document.querySelector('#examples')")
    page.ask("document.querySelectorAll('.choices input')[2].click()")
    link = page.ask("document.querySelector('.actions a').href")
    page.open(link)
    page.wait("document.querySelector('.graphiql-query-editor .view-line')?.innerText.includes('Chart')")
    page.ask("document.querySelector('.graphiql-execute-button').click()")

    page.wait("document.querySelector('.result-window').innerText.includes('openTime')")
    assert page.errors == []
    assert page.other_origins(stub_url) == []


def test_prettify_in_the_console_keeps_comments(page: Page, stub_url: str):
    query = '{\n# why\nquote(symbol: "BTC/USD") { # {\n      price\n}\n}'
    page.open(f"{stub_url}/console?{urlencode({'query': query})}")
    page.wait("document.querySelectorAll('.graphiql-query-editor .view-line').length > 5")
    page.ask("document.querySelector('[aria-label^=\"Prettify\"]').click()")

    tidy = '{\n  # why\n  quote(symbol: "BTC/USD") { # {\n    price\n  }\n}\n'
    page.wait(f"__MONACO.editor.getModels().find(m => m.uri.path.endsWith('graphql')).getValue() === {tidy!r}")
    assert page.errors == []


def test_the_console_says_when_the_gateway_sends_no_json(page: Page, stub_url: str, script: Script):
    script.status = 503
    page.open(f"{stub_url}/console")

    # The editor breaks long lines, so the words are compared without their spaces.
    page.wait("document.querySelector('.result-window').innerText.includes('503')")
    told = "".join(text(page, ".result-window .view-lines").split())
    assert '"Thegatewayansweredwithstatus503andnoJSON:upstreamconnecterror"' in told
