"""Passwords, tokens and codes are in no log line, no error and no line of the audit trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from pyotp import TOTP
from sqlalchemy import select

from plugins.accounts.mail.outbox import Outbox
from plugins.accounts.tables import audit, mails
from plugins.accounts.users.store import Users
from tests.house import House, open_house
from tests.plugins.accounts.users.conftest import (
    ANNA,
    ASK_RESET,
    CHANGE,
    OTHER,
    PASSWORD,
    RENEW,
    RESET,
    SIGN_IN,
    SIGN_UP,
    TOTP_CONFIRM,
    TOTP_DISABLE,
    TOTP_START,
    VERIFY,
    People,
    make_fast,
)
from tests.plugins.accounts.users.mail_server import mail_server

WRONG = "not the password 4711"


async def stored(house: House) -> str:
    """The audit trail and the outbox as one text."""
    async with house.store.read() as tx:
        lines = [*(await tx.connection.execute(select(audit))), *(await tx.connection.execute(select(mails)))]
    return json.dumps([tuple(line) for line in lines], default=str)


async def live(people: People) -> list[str]:
    """Everything that a person does with an account; the secrets that were used or shown."""
    house = people.house
    verify = (await people.signed_up()).token
    await people.ask(VERIFY, token=verify)
    await people.ask(SIGN_IN, email=ANNA, password=WRONG)
    session = (await people.sign_in())["session"]
    token = session["accessToken"]
    started = await people.ask(TOTP_START, by=token)
    totp = TOTP(started["secret"])
    codes = (await people.ask(TOTP_CONFIRM, by=token, code=totp.at(house.clock.now())))["recoveryCodes"]
    await people.letter()
    await people.sign_in(recoveryCode=codes[0])
    await people.letter()
    house.clock.turn(30)
    renewed = await people.ask(RENEW, by=token, password=PASSWORD, code=totp.at(house.clock.now()))
    await people.letter()
    await people.ask(CHANGE, by=token, currentPassword=PASSWORD, newPassword=OTHER)
    await people.letter()
    await people.ask(TOTP_DISABLE, by=token, password=OTHER, code=renewed["recoveryCodes"][0])
    house.clock.turn(3600)
    async with house.store.read() as tx:
        seen = await tx.values(select(mails.c.id))
    people.seen.update(seen)
    await people.ask(ASK_RESET, email=ANNA)
    reset = (await people.letter()).token
    await people.ask(RESET, token=reset, password=PASSWORD)
    return [
        PASSWORD, OTHER, WRONG, verify, reset, token, session["refreshToken"], started["secret"], *codes,
        *renewed["recoveryCodes"],
    ]  # fmt: skip


async def test_no_secret_of_a_whole_life_is_logged_or_audited(
    database: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    logged: list[dict[str, Any]] = []

    def note(_: Any, __: str, event: Any) -> Any:
        logged.append(dict(event))
        raise structlog.DropEvent

    before = structlog.get_config()["processors"]
    structlog.configure(processors=[structlog.processors.format_exc_info, note])
    try:
        async with (
            mail_server({"end": "451 4.7.1 later"}) as server,
            open_house(
                database, tmp_path, env="production", upstreams="recorded", log_level="debug",
                smtp_url=f"smtp://127.0.0.1:{server.port}",
            ) as house,
        ):  # fmt: skip
            secrets = await live(make_fast(house))
            await house.host.service(Outbox).deliver()
            text = await stored(house)
    finally:
        structlog.configure(processors=before)

    said = json.dumps(logged, default=str) + "".join(capfd.readouterr())
    assert len(secrets) == 28
    assert "mail_not_sent" in said
    assert "user.password_reset" in text
    assert [secret for secret in secrets if secret in text or secret in said] == []


async def test_no_secret_is_in_the_answer_or_the_log_of_a_failure(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the store is broken")

    async with open_house(sqlite_url, tmp_path) as house:
        people = make_fast(house)
        monkeypatch.setattr(Users, "add", broken)
        monkeypatch.setattr(Users, "by_email", broken)
        with structlog.testing.capture_logs(processors=[structlog.processors.format_exc_info]) as logged:
            for document in (SIGN_UP, SIGN_IN):
                body = await house.ask(document, {"i": {"email": ANNA, "password": PASSWORD}})
                assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL"]
                assert PASSWORD not in json.dumps(body)

        assert await people.counts() == {}
    assert len(logged) >= 2
    assert PASSWORD not in json.dumps(logged, default=str)
