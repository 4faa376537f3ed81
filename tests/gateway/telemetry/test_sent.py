"""What leaves the process: spans by OTLP, faults to Sentry, lines to a file; all masked."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.core import telemetry
from gateway.core.logfile import LogFile
from gateway.core.otlp import Redacting
from gateway.core.redaction import redactor_of, secrets_in
from gateway.core.secrets import Redactor
from gateway.core.settings import Settings, SettingsError, load_settings
from gateway.core.telemetry import configure_logging
from gateway.core.tracing import CURRENT, TRACES, span
from tests.gateway.telemetry.collector import attributes_of, collecting
from tests.gateway.telemetry.conftest import Told

KEY = "s3cr3t/k=y 5"


@pytest.fixture
def as_before() -> Iterator[None]:
    """Loggers are one a process."""
    before, root = structlog.get_config(), logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    configured = root.handlers[:]
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    TRACES.tracer = None
    telemetry.FAULTS.clear()
    for handler in configured:
        if isinstance(stream := getattr(handler, "stream", None), LogFile):
            stream.close()


def settings_of(**values: str) -> Settings:
    return load_settings({f"MARKETGATE_{name}": value for name, value in values.items()}, None).settings


# --- Traces


async def test_spans_are_sent_with_the_headers_of_the_settings_and_who_we_are(as_before: None):
    with collecting() as collector:
        telemetry.begin(
            settings_of(OTLP_ENDPOINT=collector.url, OTLP_HEADERS="X-Token=t0ken=1, a=b", ENV="development")
        )
        with span("outer", "server", provider="p"), span("inner", count=2, none=None):
            pass
        await telemetry.end()

    assert TRACES.tracer is None
    (request,) = collector.requests
    assert request.path == "/v1/traces"
    assert (request.headers["x-token"], request.headers["a"]) == ("t0ken=1", "b")
    inner, outer = collector.spans
    assert (inner.name, outer.name, inner.parent_span_id) == ("inner", "outer", outer.span_id)
    assert attributes_of(inner.attributes) == {"marketgate.count": 2}
    (resource,) = collector.resources
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("marketgate", "development")
    assert len(resource["service.instance.id"]) == 36


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ("x-token=1", "Basic bmFtZTpwYXNzL3dvcmQtMQ=="),
        ("Authorization=Bearer t0ken-of-headers", "Bearer t0ken-of-headers"),
    ],
)
async def test_headers_come_before_a_password_in_the_endpoint(as_before: None, headers: str, sent: str):
    with collecting() as collector:
        endpoint = collector.url.replace("http://", "http://name:pass%2Fword-1@")
        settings = settings_of(OTLP_ENDPOINT=endpoint, OTLP_HEADERS=headers)
        telemetry.begin(settings)
        with span("one"):
            pass
        await telemetry.end()

    assert [each.headers["authorization"] for each in collector.requests] == [sent]
    assert redactor_of(settings)("pass/word-1 pass%2Fword-1") == "*** ***"


async def test_what_is_sent_is_masked_in_names_attributes_and_events(as_before: None):
    with collecting() as collector:
        telemetry.begin(settings_of(OTLP_ENDPOINT=f"{collector.url}/v1/traces", KEY_COINGECKO=KEY))
        with span(f"call {KEY}", where=f"x?k={KEY}") as made:
            assert made is not None
            made.event("tried", why=f"refused {KEY}")
        await telemetry.end()

    assert "s3cr3t" not in collector.text
    (sent,) = collector.spans
    assert (sent.name, sent.events[0].name) == ("call ***", "tried")


async def test_a_collector_that_is_away_stops_nothing_and_says_so_once(as_before: None, capsys: Any):
    telemetry.begin(settings_of(OTLP_ENDPOINT="http://127.0.0.1:1", LOG_FORMAT="json", OTLP_HEADERS="a=h3ader-secret"))
    telemetry.LAST_S, before = 0.2, telemetry.LAST_S
    try:
        with span("lost"):
            pass
        await telemetry.end()
    finally:
        telemetry.LAST_S = before

    assert "h3ader-secret" not in capsys.readouterr().err


async def test_of_a_ratio_of_none_nothing_is_sent_but_what_a_caller_wants_traced(as_before: None):
    with collecting() as collector:
        telemetry.begin(settings_of(OTLP_ENDPOINT=collector.url, TRACE_RATIO="0"))
        with span("ours"):
            pass
        with span("theirs", parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
            pass
        with span("unwanted", parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"):
            pass
        await telemetry.end()

    assert [each.name for each in collector.spans] == ["theirs"]


def test_an_exception_is_told_by_its_kind_alone(told: Told):
    with pytest.raises(ValueError, match=KEY), span("work"):
        raise ValueError(KEY)

    assert told.named("work").attributes == {"error.type": "ValueError"}
    assert told.named("work").events == ()
    assert CURRENT.get() is None


def test_masking_changes_nothing_else(told: Told):
    with span("plain", n=1, share=0.5, yes=True, word="word") as made:
        assert made is not None
    (one,) = told.spans

    masked = Redacting(told.exporter, Redactor((KEY,)))._masked(one)

    assert masked.to_json() == one.to_json()


# --- Logs


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_name_the_trace_that_they_belong_to(as_before: None, told: Told, capsys: pytest.CaptureFixture[str]):
    configure_logging("info", "json", Redactor())
    log = structlog.get_logger("a")

    with span("work") as made:
        log.info("inside")
        logging.getLogger("library").warning("inside %s", "too")
    log.info("outside")

    assert made is not None
    inside, library, outside = lines(capsys.readouterr().err)
    assert (inside["trace_id"], inside["span_id"]) == (made.trace_id, made.span_id)
    assert library["trace_id"] == made.trace_id
    assert "trace_id" not in outside


def test_the_standard_librarys_lines_have_the_same_form(as_before: None, capsys: pytest.CaptureFixture[str]):
    configure_logging("info", "json", Redactor((KEY,)))

    try:
        raise RuntimeError(KEY)
    except RuntimeError:
        logging.getLogger("asyncio").exception("three %s", KEY)

    (line,) = lines(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == ("three ***", "error", "asyncio")
    assert line["exception"].endswith("RuntimeError: ***")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_file_that_was_moved_away_is_begun_anew(as_before: None, tmp_path: Path, form: Any):
    path = tmp_path / "logs" / "gateway.log"
    configure_logging("info", form, Redactor(), path)
    log = structlog.get_logger("a")

    log.info("first")
    path.rename(tmp_path / "gateway.log.1")
    log.info("second")
    logging.getLogger("library").warning("third")

    assert "first" in (tmp_path / "gateway.log.1").read_text()
    written = path.read_text()
    assert ("second" in written, "third" in written, "first" in written) == (True, True, False)


def test_a_log_file_that_cannot_be_written_stops_the_start(as_before: None, tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"MARKETGATE_LOG_FILE: .*/file/log cannot be written"):
        telemetry.begin(settings_of(LOG_FILE=str(tmp_path / "file" / "log")))


# --- Sentry


async def test_a_fault_is_sent_with_its_line_and_nothing_of_the_request(as_before: None):
    with collecting() as collector:
        dsn = collector.url.replace("http://", "http://publickey@") + "/42"
        telemetry.begin(settings_of(SENTRY_DSN=dsn, KEY_COINGECKO=KEY, LOG_FORMAT="json"))
        log = structlog.get_logger("a")
        password = KEY
        try:
            raise RuntimeError(f"boom {password}")
        except RuntimeError as fault:
            log.error("internal_error", error_id="e1", request_id="r1", path=["secret path"], exc_info=fault)
        log.error("only_words")
        logging.getLogger("asyncio").error("Task exception %s", KEY)
        await telemetry.end()

    assert all(each.path == "/api/42/envelope/" for each in collector.requests)
    first, second = collector.envelopes
    (value,) = first["exception"]["values"]
    assert (value["type"], value["value"]) == ("RuntimeError", "boom ***")
    assert first["tags"] == {"event": "internal_error", "error_id": "e1", "request_id": "r1"}
    assert first["release"].startswith("marketgate@")
    assert not {"request", "user", "breadcrumbs", "server_name", "extra", "modules", "contexts"} & first.keys()
    assert all("vars" not in frame for frame in value["stacktrace"]["frames"])
    assert second["logger"] == "asyncio"
    assert "s3cr3t" not in "".join(str(each.body) for each in collector.requests)


async def test_what_the_sending_itself_has_to_say_is_no_fault(as_before: None, capsys: pytest.CaptureFixture[str]):
    with collecting() as collector:
        telemetry.begin(settings_of(SENTRY_DSN=collector.url.replace("http://", "http://key@") + "/42"))
        for name in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "urllib3.x"):
            logging.getLogger(name).error("Failed to export span batch code: 500")
        await telemetry.end()

    assert collector.requests == []
    assert capsys.readouterr().err.count("Failed to export") == 2


def test_without_its_package_the_start_says_which_extra_is_missing(as_before: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    with pytest.raises(SettingsError) as caught:
        telemetry.begin(settings_of(SENTRY_DSN="https://key@sentry.example/1"))

    assert str(caught.value) == (
        "MARKETGATE_SENTRY_DSN: the package is not installed: pip install 'marketgate[sentry]'"
    )


# --- What is masked


def test_the_redactor_knows_every_secret_of_the_settings():
    given = {
        "KEY_COINGECKO": "provider-key-1", "DATABASE_URL": "postgresql://u:data%2Fbase-pw@h/n",
        "REDIS_URL": "redis://:redis-pw-1@h/0", "SMTP_URL": "smtps://u:smtp-pw-1@h:465",
        "SECRET_KEY": "root-secret-abcdefghijklmnopqrstuvwxyz", "JWT_SECRET": "jwt-secret-abcdefghijklmnopqrstuvwxyz",
        "OAUTH_GITHUB": "client_id=open-client,client_secret=oauth-secret-1", "STRIPE_KEY": "stripe-key-1",
        "STRIPE_WEBHOOK_SECRET": "stripe-hook-1", "OTLP_HEADERS": "authorization=otlp-header-1",
        "SENTRY_DSN": "https://sentry-key-1@h/1",
    }  # fmt: skip
    settings = settings_of(**given)
    secrets = {
        "provider-key-1", "data/base-pw", "data%2Fbase-pw", "redis-pw-1", "smtp-pw-1", "oauth-secret-1", "stripe-key-1",
        "stripe-hook-1", "otlp-header-1", "sentry-key-1", given["SECRET_KEY"], given["JWT_SECRET"],
    }  # fmt: skip

    assert set(secrets_in(settings)) == secrets
    redact = redactor_of(settings)
    assert all(redact(f"x {each} y") == "x *** y" for each in secrets)
    assert redact("open-client at h") == "open-client at h"


@pytest.mark.parametrize(
    "secret",
    [
        "mg_live_0123456789ab_" + "a" * 43, "mgat_0123456789ab_" + "B" * 43, "mgop_dev_0123456789ab_" + "c" * 43,
        "whsec_" + "QUJD" * 8, "whsk_" + "QUJD" * 8, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_that_we_give_out_is_masked_without_being_known(secret: str):
    assert Redactor()(f"sent {secret}, refused") == "sent ***, refused"


def test_a_credential_of_another_shape_is_masked_where_it_says_what_it_is():
    assert Redactor()("Authorization: Bearer opaque-token-123456") == "Authorization: Bearer ***"


@pytest.mark.parametrize(
    "text", ["mg_live_ prefix", "key_0v7mabcdefgh", "whsec_ is missing", "eyJ is JSON", "Bearer x"]
)
def test_words_about_secrets_stay(text: str):
    assert Redactor()(text) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTLP_ENDPOINT", "collector:4318"), ("OTLP_HEADERS", "no pair"), ("OTLP_HEADERS", "a=\u00e9"),
        ("TRACE_RATIO", "1.5"), ("TRACE_NETWORKS", "everywhere"), ("SENTRY_DSN", "https://host/1"),
        ("SENTRY_DSN", "https://key@host/project"),
    ],
)  # fmt: skip
def test_a_wrong_setting_names_itself(name: str, value: str):
    with pytest.raises(SettingsError) as caught:
        settings_of(**{name: value})

    assert str(caught.value).startswith(f"MARKETGATE_{name}: ")
    if name in ("OTLP_HEADERS", "SENTRY_DSN"):
        assert value not in str(caught.value)
