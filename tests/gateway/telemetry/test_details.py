"""What a database says of a row: its values reach neither the log nor Sentry."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from gateway.core import telemetry
from gateway.core.engines import make_engine
from gateway.core.secrets import Redactor
from gateway.core.telemetry import configure_logging
from tests.gateway.telemetry.collector import collecting
from tests.gateway.telemetry.test_sent import as_before, lines, settings_of

__all__ = ["as_before"]

VALUE = "pl4nted-in-a-row"
MADE = "CREATE TEMPORARY TABLE planted (url text UNIQUE, n integer CHECK (n > 0))"


async def refused(url: str, statement: str) -> DBAPIError:
    """What PostgreSQL says of a statement with a secret in its row."""
    engine = make_engine(make_url(url.replace("postgresql://", "postgresql+asyncpg://")))
    try:
        async with engine.connect() as connection:
            await connection.execute(text(MADE))
            await connection.execute(text(f"INSERT INTO planted VALUES ('{VALUE}', 1)"))
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text(statement), {"url": VALUE} if ":url" in statement else {})
    finally:
        await engine.dispose()
    return caught.value


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("INSERT INTO planted VALUES (:url, 0)", "planted_n_check"),
        ("INSERT INTO planted VALUES (:url, 1)", "planted_url_key"),
        ("SELECT (SELECT url FROM planted)::integer", "invalid input syntax for type integer"),
        ("SELECT CAST(:url AS integer)", "invalid input for query argument $1"),
    ],
)
async def test_a_refused_row_is_told_without_its_values(
    as_before: None, postgresql_url: str, capsys: pytest.CaptureFixture[str], statement: str, told: str
):
    error = await refused(postgresql_url, statement)
    with collecting() as collector:
        dsn = collector.url.replace("http://", "http://publickey@") + "/42"
        telemetry.begin(settings_of(SENTRY_DSN=dsn, LOG_FORMAT="json"))
        structlog.get_logger("a").error("internal_error", exc_info=error)
        logging.getLogger("asyncio").error("lost", exc_info=error)
        await telemetry.end()

    written = capsys.readouterr().err
    sent = json.dumps(collector.envelopes)
    assert (VALUE in written, VALUE in sent) == (False, False)
    assert [told in line["exception"] for line in lines(written)] == [True, True]
    assert [told in json.dumps(each) for each in collector.envelopes] == [True, True]


async def test_values_are_gone_from_the_exception_itself(postgresql_url: str):
    error = await refused(postgresql_url, "INSERT INTO planted VALUES (:url, 0)")

    assert VALUE not in "".join(traceback.format_exception(error))
    assert "planted_n_check" in str(error)


DETAIL = f'Failing row contains (ten_1, http://h/{VALUE}\nq, "{VALUE}").'
CHECKED = 'new row for relation "a" violates check constraint "b"'


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"E: {CHECKED}\nDETAIL:  {DETAIL}", f"E: {CHECKED}\nDETAIL:***"),
        (f"E: x\nDETAIL:  {DETAIL}\nHINT:  y", "E: x\nDETAIL:***\nHINT:  y"),
        (f"E: x\nDETAIL:  {DETAIL}\n\nThe above exception", "E: x\nDETAIL:***\n\nThe above exception"),
        (f"E: x\nDETAIL:  {DETAIL}\n[SQL: INSERT]", "E: x\nDETAIL:***\n[SQL: INSERT]"),
        (f"E: x\nDETAIL:  Key (name)=(one\n\n{VALUE}) already exists.\n[SQL: INSERT]",
         "E: x\nDETAIL:***\n[SQL: INSERT]"),
        (f"E: x\nCONTEXT:  COPY a, line 1, column url: \"{VALUE}\"", "E: x\nCONTEXT:***"),
        (DETAIL, "Failing row contains ***"),
        (f"Key (url)=({VALUE}) already exists.", "Key (url)=***"),
        (f"Key (lower(a), b)=({VALUE}), (x)) is not present in table \"t\".",
         "Key (lower(a), b)=***"),
        (f'invalid input syntax for type uuid: "{VALUE}"', "invalid input syntax for type uuid: ***"),
        (f"invalid input for query argument $2: '{VALUE}' (an integer is required)",
         "invalid input for query argument $2: ***"),
    ],
)  # fmt: skip
def test_the_redactor_masks_what_a_database_says_of_a_row(text: str, masked: str):
    redact = Redactor()

    assert redact(text) == masked
    assert redact(masked) == masked


def test_what_only_begins_like_a_row_is_read_once():
    # 400 kB of a path that anybody may ask for: to look for each one's end would take minutes.
    path = "Key (" * 80_000

    assert Redactor()(path) == path


@pytest.mark.parametrize("form", ["json", "text"])
def test_nested_details_are_masked_and_lines_stay_whole(as_before: None, capsys: pytest.CaptureFixture[str], form: str):
    configure_logging("info", form, Redactor())  # type: ignore[arg-type]
    told = f"x\nDETAIL:  {DETAIL}"

    structlog.get_logger("a").warning("one", nested=[{"a": told}], error=ValueError(told), after="kept")
    logging.getLogger("library").warning("two %s", told)

    written = capsys.readouterr().err
    assert VALUE not in written
    if form == "json":
        assert [line["event"].split()[0] for line in lines(written)] == ["one", "two"]
        assert lines(written)[0]["after"] == "kept"
