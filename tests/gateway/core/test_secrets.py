"""No secret reaches a message or a log line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.secrets import Keyring, Redactor, read_credential
from gateway.core.telemetry import configure_logging

KEY = "s3cr3t/key+with=signs&more"
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)


@given(SECRETS, st.sampled_from(["plain", "percent", "plus", "json", "slashes", "lower", "html-safe json"]))
def test_a_secret_is_masked_in_every_spelling(secret: str, form: str) -> None:
    spelled = {
        "plain": secret,
        "percent": quote(secret, safe=""),
        "plus": quote_plus(secret),
        "json": json.dumps(secret)[1:-1],
        "slashes": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "lower": quote(secret, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
        "html-safe json": json.dumps(secret)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c"),
    }[form]
    redact = Redactor((secret,))

    assert redact(f"[{spelled}]") == "[***]"
    assert redact.body(f"[{spelled}]".encode()) == b"[***]"


def test_other_text_is_left_as_it_is() -> None:
    redact = Redactor((KEY, "abc", ""))
    content = b'{"a": "abc"}'

    assert redact("an abc s3cr3t/key") == "an abc s3cr3t/key"
    assert redact.body(content) is content


def test_a_short_key_is_a_word_that_data_may_hold() -> None:
    redact = Redactor(("demo",))

    assert redact("the key demo is refused") == "the key *** is refused"
    assert redact.body(b'{"name": "demographics"}') == b'{"name": "demographics"}'


def test_the_longest_of_two_secrets_is_masked_first() -> None:
    assert Redactor(("abcd", "abcdefgh"))("abcdefgh abcd") == "*** ***"


def test_a_keyring_shows_names_only() -> None:
    keyring = Keyring({"alpha": {"key": KEY}})

    assert repr(keyring) == str(keyring) == "Keyring(alpha)"
    assert (keyring.of("alpha"), keyring.of("beta")) == ({"key": KEY}, {})
    assert keyring.redactor()(KEY) == "***"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("abc", {"key": "abc"}),
        (" abc \n", {"key": "abc"}),
        ("id=abc,secret=d=f", {"id": "abc", "secret": "d=f"}),
        ("id = abc , secret = def", {"id": "abc", "secret": "def"}),
        # Base64 ends in signs of equality.
        ("c2VjcmV0a2V5==", {"key": "c2VjcmV0a2V5=="}),
        ("c2VjcmV0a2V5=", {"key": "c2VjcmV0a2V5="}),
        ("a,b", {"key": "a,b"}),
        ("k1=a,b", {"key": "k1=a,b"}),
    ],
)
def test_a_credential_is_one_value_or_named_parts(text: str, parts: dict[str, str]) -> None:
    assert read_credential(text) == parts


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    root, level = logging.getLogger(), logging.getLogger().level
    handlers = root.handlers[:]
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_line_shows_a_secret_wherever_it_stands(
    logs_as_before: None, capsys: pytest.CaptureFixture[str], form: Any
) -> None:
    configure_logging("info", form, Redactor((KEY,)))
    log = structlog.get_logger("a")

    log.warning("one", plain=f"x {KEY}", nested={"url": [f"http://x/?k={quote(KEY)}"]}, error=ValueError(KEY))
    try:
        raise RuntimeError(KEY)
    except RuntimeError:
        log.exception("two")
        logging.getLogger("asyncio").exception("three %s", KEY)
    logging.getLogger("uvicorn.error").warning("http://x/?apikey=%s", quote(KEY, safe=""))

    told = capsys.readouterr().err
    assert "s3cr3t" not in told
    assert all(word in told for word in ("one", "two", "three", "RuntimeError", "***"))


ODD = "a\0b\x1b[2Jc\x9bd\u2028e\x85f\u202eg\u200bh\ud800i"
SHOWN = r"a\x00b\x1b[2Jc\x9bd\u2028e\x85f\u202eg\u200bh\ud800i"


@pytest.mark.parametrize("colours", [False, True])
def test_no_text_log_steers_a_terminal_or_parts_a_line_where_none_ends(
    logs_as_before: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colours: bool
) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as shown:
        monkeypatch.setattr(shown, "isatty", lambda: colours)
        monkeypatch.setattr("sys.stderr", shown)
        configure_logging("info", "text", Redactor())
        log = structlog.get_logger("a")

        log.warning("one", path=f"/{ODD}", nested=[ODD])
        try:
            raise RuntimeError(ODD)
        except RuntimeError:
            log.exception("two")
            logging.getLogger("asyncio").exception("three %s", f"{ODD}\nfour")

    told = (tmp_path / "log").read_text(encoding="utf-8")
    assert told.count(SHOWN) == 5
    assert rf"three {SHOWN}\nfour" in told
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told) if colours else told
    assert [each for each in plain if not each.isprintable() and each not in "\n\t"] == []


def test_an_http_clients_own_log_of_whole_urls_is_kept_quiet(
    logs_as_before: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug", "text", Redactor())

    logging.getLogger("httpx").info("HTTP Request: GET http://x/?apikey=abc")

    assert capsys.readouterr().err == ""
