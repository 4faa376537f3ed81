"""The account page on a running gateway: from signing up to signing out, as a person with a browser and a mailbox."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from websockets.sync.client import ClientConnection

from tests.e2e.accounts.process import LINK, Running, running
from tests.e2e.page.browser import Page

PASSWORD = "plum violin harbour cactus"
OTHER_PASSWORD = "amber kettle meadow trumpet"
PATIENCE = 10.0
QUOTE = '{ quote(symbol: "BTC/USD") { price } }'
PANEL = "[...document.querySelectorAll('.panel')].find(panel => panel.querySelector('h2').innerText === {title!r})"


@pytest.fixture(scope="module")
def gateway(chromium: ClientConnection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("account")
    with running(
        folder, f"sqlite:///{folder / 'accounts.sqlite3'}", ANONYMOUS="false", ANONYMOUS_POINTS="100000"
    ) as started:
        wait_for_link(started)
        yield started


def wait_for_link(gateway: Running) -> str:
    """The link that is signed in, printed once the process listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := LINK.search(gateway.output):
            return found.group()
        time.sleep(0.05)
    raise AssertionError(gateway.output)


def address(gateway: Running) -> str:
    return str(gateway.client.base_url).rstrip("/")


def panel(page: Page, title: str) -> str:
    """An expression for a section that is on the page."""
    found = PANEL.format(title=title)
    page.wait(found)
    return found


def fill(page: Page, title: str, **values: str) -> None:
    """Type into the fields of a section by their names."""
    for name, value in values.items():
        page.ask(f"({panel(page, title)}).querySelector('input[name={name}]').focus()")
        page.ask("document.activeElement.select()")
        page.type(value)


def press(page: Page, title: str, words: str) -> None:
    """Press the button or follow the link of a section that says *words*."""
    buttons = f"[...({panel(page, title)}).querySelectorAll('button, summary, a')]"
    page.wait(f"{buttons}.find(each => each.innerText === {words!r})")
    page.ask(f"{buttons}.find(each => each.innerText === {words!r}).click()")


def told(page: Page, begin: str) -> str:
    """What the page says above its sections, once it begins so."""
    notice = "document.querySelector('main > [role=status]').innerText"
    return str(page.wait(f"{notice}.startsWith({begin!r}) && {notice}"))


def letter(gateway: Running, recipient: str, link: str) -> str:
    """What stands behind the # of such a link in the newest mail to somebody that the process printed."""
    pattern = re.compile(rf"{address(gateway)}/account#({link}\?token=[\w&=-]+).* to={recipient}$", re.MULTILINE)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := pattern.findall(gateway.output):
            return str(found[-1])
        time.sleep(0.05)
    raise AssertionError(f"no {link} mail to {recipient}:\n{gateway.output}")


def sign_up(page: Page, gateway: Running, email: str) -> None:
    """From the form over the mail to a confirmed address."""
    page.open(f"{address(gateway)}/account")
    press(page, "Sign in", "Sign up")
    fill(page, "Sign up", email=email, password=PASSWORD)
    press(page, "Sign up", "Sign up")
    told(page, f"A mail is on its way to {email}.")
    page.open(f"{address(gateway)}/account#{letter(gateway, email, 'verify')}")
    press(page, "Confirm your e-mail address", "Confirm")
    told(page, "Your address is confirmed")


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """At the form, which the page shows already."""
    fill(page, "Sign in", email=email, password=password)
    press(page, "Sign in", "Sign in")


def sign_out(page: Page) -> None:
    page.ask("document.querySelector('nav button').click()")
    told(page, "You are signed out.")
    panel(page, "Sign in")


def facts(page: Page) -> list[str]:
    """Name, role and plan of the organisation."""
    words = f"[...({panel(page, 'Organisation')}).querySelectorAll('dd')].map(each => each.innerText)"
    return list(page.ask(words))


def alert(page: Page, title: str) -> str:
    """The first thing that a section says is wrong."""
    return str(page.wait(f"({panel(page, title)}).querySelector('[role=alert]').innerText"))


def asked(gateway: Running, key: str) -> int:
    """The status of a price asked with a key."""
    return gateway.client.post("/graphql", json={"query": QUOTE}, headers={"x-api-key": key}).status_code


def test_a_newcomer_signs_up_and_has_a_key_that_works_until_it_is_revoked(page: Page, gateway: Running):
    sign_up(page, gateway, "anna@example.com")
    sign_in(page, "anna@example.com")
    press(page, "API keys", "Create a key")
    fill(page, "API keys", name="price bot")
    press(page, "API keys", "Create the key")
    key = page.wait("document.querySelector('.secret').innerText")
    before = asked(gateway, key)
    press(page, "API keys", "Revoke")
    press(page, "API keys", "Revoke for good")
    page.wait("document.querySelector('.keys em').innerText === 'revoked'")
    page.resize(380, 900)

    assert facts(page) == ["anna", "owner", "free"]
    assert re.fullmatch(r"mg_dev_[0-9A-Za-z]+_[0-9A-Za-z]+", key)
    assert "market:read, stream:read" in page.ask("document.querySelector('.keys li').innerText")
    assert (before, asked(gateway, key)) == (200, 401)
    assert page.fits(380)
    assert page.errors == []
    assert page.other_origins(address(gateway)) == []


def test_a_token_of_a_mail_leaves_the_address_bar_and_is_in_no_address_that_is_asked(page: Page, gateway: Running):
    page.open(f"{address(gateway)}/account")
    press(page, "Sign in", "Forgot the password?")
    fill(page, "Set a new password", email="dev@marketgate.test")
    press(page, "Set a new password", "Send me a link")
    told(page, "A mail is on its way to dev@marketgate.test.")
    link = letter(gateway, "dev@marketgate.test", "reset")
    page.open(f"{address(gateway)}/account#{link}")
    page.wait("document.querySelector('input[name=password]')")

    assert page.ask("location.href") == f"{address(gateway)}/account#reset"
    assert [url for url in page.requests if link.partition("=")[2] in url.partition("#")[0]] == []


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once(page: Page, gateway: Running):
    sign_up(page, gateway, "boris@example.com")
    press(page, "Sign in", "Forgot the password?")
    fill(page, "Set a new password", email="boris@example.com")
    press(page, "Set a new password", "Send me a link")
    told(page, "A mail is on its way to boris@example.com.")
    link = letter(gateway, "boris@example.com", "reset")
    page.open(f"{address(gateway)}/account#{link}")
    fill(page, "Set a new password", password="short")
    press(page, "Set a new password", "Set the password")
    weak = alert(page, "Set a new password")
    fill(page, "Set a new password", password=OTHER_PASSWORD)
    press(page, "Set a new password", "Set the password")
    told(page, "The new password holds")
    sign_in(page, "boris@example.com")
    refused = alert(page, "Sign in")
    sign_in(page, "boris@example.com", OTHER_PASSWORD)
    entered = facts(page)
    page.ask("location.hash = " + repr(link))
    fill(page, "Set a new password", password=PASSWORD)
    press(page, "Set a new password", "Set the password")

    assert "10" in weak
    assert refused == "The address or the password is not right."
    assert entered == ["boris", "owner", "free"]
    assert alert(page, "Set a new password") == "This link was used before, or is too old: ask for another one."


def test_what_is_wrong_stands_beside_its_field_which_has_the_focus(page: Page, gateway: Running):
    page.open(f"{address(gateway)}/account#sign-up")
    fill(page, "Sign up", email="carla@example.com", password="password12")
    press(page, "Sign up", "Sign up")
    words = alert(page, "Sign up")

    described = "document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ')[1])"
    assert page.wait("document.activeElement.name") == "password"
    assert page.ask("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert page.ask(f"{described}.innerText") == words
    assert page.ask("[...document.querySelectorAll('input')].every(input => input.labels.length === 1)") is True


def test_the_printed_link_is_signed_in_to_the_development_organisation(page: Page, gateway: Running):
    page.open(wait_for_link(gateway))
    header = page.wait(
        "document.querySelector('.me').innerText.includes('@') && document.querySelector('.me').innerText"
    )
    price = page.wait("document.querySelector('.watch .price .figure').title")
    page.open(f"{address(gateway)}/account")
    shown = facts(page)
    sign_out(page)
    page.open(f"{address(gateway)}/")

    assert header.endswith("dev@marketgate.test")
    assert re.fullmatch(r"[\d.]+ USD", price)
    assert shown == ["Development", "owner", "unlimited"]
    assert page.wait("document.querySelector('.closed').innerText") == "This gateway wants you to sign in."
    assert page.ask("document.querySelector('.closed a').getAttribute('href')") == "/account"
    assert page.ask("document.querySelector('.me').innerText") == "Sign in"


def test_a_second_factor_is_asked_for_after_the_password(page: Page, gateway: Running):
    sign_up(page, gateway, "dora@example.com")
    sign_in(page, "dora@example.com")
    press(page, "Second factor", "Set up an authenticator")
    secret = page.wait("document.querySelector('.secret').innerText")
    fill(page, "Second factor", code=code_at(secret, time.time()))
    press(page, "Second factor", "Switch it on")
    recovery = page.wait("document.querySelector('.codes code').innerText")
    sign_out(page)
    sign_in(page, "dora@example.com")
    press(page, "Second factor", "Use a recovery code")
    fill(page, "Second factor", recoveryCode="not-a-code")
    press(page, "Second factor", "Sign in")
    refused = alert(page, "Second factor")
    fill(page, "Second factor", recoveryCode=recovery)
    press(page, "Second factor", "Sign in")

    assert facts(page) == ["dora", "owner", "free"]
    assert refused
    assert page.wait(f"({panel(page, 'Second factor')}).querySelector('.hint').innerText") == "on"


def test_an_invited_person_signs_up_and_joins_by_the_links_of_two_mails(page: Page, gateway: Running):
    invite = "mutation($input: InvitationCreateInput!) { invitationCreate(input: $input) { userErrors { message } } }"
    made = gateway.ask(invite, input={"email": "emil@example.com", "role": "ANALYST"})
    page.open(f"{address(gateway)}/account#{letter(gateway, 'emil@example.com', 'invitation')}")
    panel(page, "You are invited to an organisation")
    press(page, "Sign in", "Sign up")
    fill(page, "Sign up", email="emil@example.com", password=PASSWORD)
    press(page, "Sign up", "Sign up")
    told(page, "A mail is on its way")
    link = letter(gateway, "emil@example.com", "verify")
    page.ask("sessionStorage.clear()")
    page.open("about:blank")
    page.open(f"{address(gateway)}/account#{link}")
    press(page, "Confirm your e-mail address", "Confirm")
    told(page, "Your address is confirmed")
    sign_in(page, "emil@example.com")
    press(page, "You are invited to an organisation", "Accept the invitation")
    told(page, "You belong to Development now.")
    page.wait("[...document.querySelectorAll('dd')].some(each => each.innerText === 'Development')")

    assert made["data"]["invitationCreate"]["userErrors"] == []
    assert facts(page) == ["Development", "analyst", "unlimited"]
    # An analyst may not see keys.
    assert page.ask("[...document.querySelectorAll('h2')].map(each => each.innerText)") == [
        "Organisation", "Sessions", "Password", "Second factor",
    ]  # fmt: skip


def test_a_member_of_two_organisations_switches_between_them(page: Page, gateway: Running):
    sign_up(page, gateway, "hanna@example.com")
    sign_in(page, "hanna@example.com")
    own = facts(page)
    invite = "mutation($input: InvitationCreateInput!) { invitationCreate(input: $input) { userErrors { message } } }"
    gateway.ask(invite, input={"email": "hanna@example.com", "role": "VIEWER"})
    page.open(f"{address(gateway)}/account#{letter(gateway, 'hanna@example.com', 'invitation')}")
    press(page, "You are invited to an organisation", "Accept the invitation")
    told(page, "You belong to Development now.")
    page.wait("document.querySelector('option').innerText === 'hanna (owner)'")
    joined = facts(page)
    press(page, "Organisation", "Switch")
    told(page, "You act in hanna now.")
    page.wait("document.querySelector('option').innerText === 'Development (viewer)'")

    assert (own, joined, facts(page)) == (
        ["hanna", "owner", "free"], ["Development", "viewer", "unlimited"], ["hanna", "owner", "free"],
    )  # fmt: skip
    assert page.errors == []


def test_the_landing_page_stays_within_the_smallest_plan(page: Page, gateway: Running):
    sign_up(page, gateway, "ida@example.com")
    sign_in(page, "ida@example.com")
    facts(page)
    page.open(f"{address(gateway)}/")
    page.wait("document.querySelector('.watch .price') && document.querySelector('.plot canvas')")
    page.wait("document.querySelector('.votes li') || document.querySelector('.consensus [role=status]')")
    page.wait("document.querySelector('.me').innerText.includes('ida@example.com')")

    assert page.errors == []


def test_another_session_is_revoked_and_the_password_changed(page: Page, gateway: Running):
    sign_up(page, gateway, "fritz@example.com")
    sign_in(page, "fritz@example.com")
    facts(page)
    open_session = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } } }"
    asking = {"input": {"email": "fritz@example.com", "password": PASSWORD}}
    opened = gateway.client.post("/graphql", json={"query": open_session, "variables": asking}).json()
    bearer = {"authorization": f"Bearer {opened['data']['sessionCreate']['session']['accessToken']}"}
    before = gateway.client.post("/graphql", json={"query": QUOTE}, headers=bearer).status_code
    page.open(f"{address(gateway)}/account")
    page.wait("document.querySelectorAll('.sessions li').length === 2")
    press(page, "Sessions", "Revoke")
    page.wait("document.querySelectorAll('.sessions li').length === 1")
    press(page, "Password", "Change the password")
    fill(page, "Password", currentPassword="wrong", newPassword=OTHER_PASSWORD)
    page.ask(f"({panel(page, 'Password')}).querySelector('form button').click()")
    refused = alert(page, "Password")
    fill(page, "Password", currentPassword=PASSWORD, newPassword=OTHER_PASSWORD)
    page.ask(f"({panel(page, 'Password')}).querySelector('form button').click()")
    told(page, "The new password holds.")

    assert before == 200
    assert gateway.client.post("/graphql", json={"query": QUOTE}, headers=bearer).status_code == 401
    assert refused
    assert page.ask("document.querySelector('.sessions strong').innerText") == "This browser"
    assert page.errors == []


def test_the_console_of_a_signed_in_browser_may_change_things(page: Page, gateway: Running):
    sign_up(page, gateway, "greta@example.com")
    sign_in(page, "greta@example.com")
    facts(page)
    query = 'mutation { watchlistCreate(input: {name: "Mine", symbols: ["BTC/USD"]}) { watchlist { name } } }'
    page.open(f"{address(gateway)}/console?{urlencode({'query': query})}")
    page.wait("document.querySelector('.graphiql-query-editor .view-line')?.innerText.includes('mutation')")
    page.ask("document.querySelector('.graphiql-execute-button').click()")

    assert page.wait('/"name":\\s*"Mine"/.test(document.querySelector(\'.result-window\').innerText)') is True


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (380, "dark"), (640, "light"), (1280, "dark")])
def test_the_account_page_fits_its_window(page: Page, gateway: Running, width: int, scheme: str):
    page.resize(width, 900)
    page.prefer(scheme)
    page.open(f"{address(gateway)}/account")
    panel(page, "Sign in")

    assert page.fits(width)
    ground = page.ask("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == {"light": "rgb(244, 243, 238)", "dark": "rgb(12, 18, 20)"}[scheme]
    assert page.errors == []


def code_at(secret: str, moment: float) -> str:
    """What an authenticator shows (RFC 6238, six digits, thirty seconds)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, int(moment // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    number = int.from_bytes(digest[digest[-1] & 15 :][:4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
