"""The outbox: a mail is sent after the change that wants it, tried until it works, by one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from sqlalchemy import select

from gateway.core.ports import Mail, Mailer, MailFailed, MailTransport
from plugins.accounts.mail.outbox import BadMail, Outbox, wait_after
from plugins.accounts.mail.store import MailRow
from plugins.accounts.tables import mails
from tests.gateway.doubles import ManualClock
from tests.house import House, open_house
from tests.plugins.accounts.users.mail_server import mail_server

MAIL = Mail(to="anna@example.com", subject="Hello", text="https://x.example/account#verify?token=abc")


class Post:
    """A transport that keeps what it is given, or fails as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.sent = list(failures), list[tuple[Mail, str]]()
        self.open: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        self.begun.set()
        if self.open is not None:
            await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((mail, mail_id))


@asynccontextmanager
async def posting(database: str, folder: Path, post: Post | None, **settings: Any) -> AsyncIterator[House]:
    async with open_house(database, folder, **settings) as house:
        if post is not None:
            house.host.services[MailTransport] = post
        yield house


async def put_in(house: House, mail: Mail = MAIL) -> None:
    async with house.store.write() as tx:
        await house.host.service(Mailer).send(tx, mail)


async def undone(house: House) -> None:
    async with house.store.write() as tx:
        await house.host.service(Mailer).send(tx, MAIL)
        raise ZeroDivisionError


async def deliver(house: House) -> None:
    await house.host.service(Outbox).deliver()


async def rows(house: House) -> list[MailRow]:
    async with house.store.read() as tx:
        return await tx.all(select(mails), MailRow)


async def test_a_mail_goes_over_the_wire_and_its_text_is_removed(database: str, tmp_path: Path):
    async with (
        mail_server() as server,
        open_house(database, tmp_path, smtp_url=f"smtp://127.0.0.1:{server.port}") as house,
    ):
        await put_in(house)
        [waiting] = await rows(house)
        await deliver(house)
        await deliver(house)
        [sent] = await rows(house)

    assert "token" not in waiting.sealed_text
    assert [message["To"] for message in server.messages] == ["anna@example.com"]
    assert server.messages[0].get_content().strip() == MAIL.text
    assert (sent.sealed_text, sent.sent_at, sent.attempts) == ("", house.clock.now(), 1)


async def test_a_mail_of_a_change_that_was_undone_is_never_sent(database: str, tmp_path: Path):
    post = Post()
    async with posting(database, tmp_path, post) as house:
        with pytest.raises(ZeroDivisionError):
            await undone(house)
        await deliver(house)

        assert await rows(house) == []
    assert post.sent == []


async def test_a_failure_is_noted_and_tried_again_under_the_same_id(database: str, tmp_path: Path):
    post = Post(MailFailed("451 later"))
    async with posting(database, tmp_path, post) as house:
        await put_in(house)
        await deliver(house)
        [failed] = await rows(house)
        house.clock.turn(59)
        await deliver(house)
        early = list(post.sent)
        house.clock.turn(1)
        await deliver(house)

    assert (failed.last_error, failed.failed_at, failed.attempts) == ("451 later", None, 1)
    assert early == []
    assert post.sent == [(MAIL, failed.id)]


def test_waits_double_from_a_minute_to_six_hours():
    assert [wait_after(n) for n in (1, 2, 3, 9, 10, 1000)] == [
        timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=256), timedelta(hours=6),
        timedelta(hours=6),
    ]  # fmt: skip


async def test_a_refused_recipient_is_not_tried_again(database: str, tmp_path: Path):
    async with posting(database, tmp_path, Post(MailFailed("550 no such user", for_good=True))) as house:
        await put_in(house)
        await deliver(house)
        [row] = await rows(house)

        assert (row.failed_at, row.sealed_text, row.last_error) == (house.clock.now(), "", "550 no such user")


async def test_after_five_days_it_is_given_up(database: str, tmp_path: Path):
    post = Post(*[MailFailed("451 later") for _ in range(100)])
    async with posting(database, tmp_path, post) as house:
        await put_in(house)
        for _ in range(6 * 24):
            await deliver(house)
            house.clock.turn(3600)
        [row] = await rows(house)

        assert row.failed_at is not None
        assert timedelta(days=5) <= row.failed_at - row.created_at <= timedelta(days=5, hours=7)
    assert row.last_error == "it is older than five days"
    assert row.attempts == 28


async def test_processes_side_by_side_send_each_mail_once(database: str, tmp_path: Path):
    clock, posts = ManualClock(), (Post(), Post())
    async with (
        posting(database, tmp_path, posts[0], clock=clock) as one,
        posting(database, tmp_path, posts[1], clock=clock) as other,
    ):
        for number in range(25):
            await put_in(one, Mail(to="anna@example.com", subject=f"Mail {number}", text="x"))
        await asyncio.gather(deliver(one), deliver(other))
        found = await rows(one)

    subjects = sorted(mail.subject for post in posts for mail, _ in post.sent)
    assert subjects == sorted(f"Mail {number}" for number in range(25))
    assert all(row.sent_at is not None and row.attempts == 1 for row in found)


async def test_a_mail_of_a_process_that_died_is_taken_up_by_another_after_a_minute(database: str, tmp_path: Path):
    clock, stuck, well = ManualClock(), Post(), Post()
    stuck.open = asyncio.Event()
    async with (
        posting(database, tmp_path, stuck, clock=clock) as dying,
        posting(database, tmp_path, well, clock=clock) as living,
    ):
        await put_in(dying)
        attempt = asyncio.create_task(deliver(dying))
        await stuck.begun.wait()
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        await deliver(living)
        early = len(well.sent)
        clock.turn(60)
        await deliver(living)

    assert (early, len(well.sent)) == (0, 1)


async def test_in_development_without_a_server_the_log_is_the_console(sqlite_url: str, tmp_path: Path):
    async with posting(sqlite_url, tmp_path, None) as house:
        await put_in(house)
        with structlog.testing.capture_logs() as logged:
            await deliver(house)
        [row] = await rows(house)

    assert logged == [{"event": "mail", "log_level": "info", "to": MAIL.to, "subject": MAIL.subject, "text": MAIL.text}]
    assert row.sent_at is not None
    assert row.sealed_text == ""


async def test_in_production_without_a_server_mails_wait_and_one_warning_says_why(sqlite_url: str, tmp_path: Path):
    async with posting(sqlite_url, tmp_path, None, env="production", upstreams="recorded") as house:
        with structlog.testing.capture_logs() as logged:
            await deliver(house)
            await put_in(house)
            await deliver(house)
            await deliver(house)
        [row] = await rows(house)

    reason = "MARKETGATE_SMTP_URL is not set: mails wait in the outbox until it is"
    assert logged == [{"event": "mails_wait", "log_level": "warning", "reason": reason}]
    assert (row.sent_at, row.attempts) == (None, 0)


@pytest.mark.parametrize(
    ("to", "subject"),
    [("anna@example.com\r\nBcc: all@example.com", "x"), ("anna@example.com", "x\nBcc: all@example.com")],
)
async def test_a_head_of_more_than_one_line_is_refused(sqlite_url: str, tmp_path: Path, to: str, subject: str):
    async with posting(sqlite_url, tmp_path, None) as house:
        with pytest.raises(BadMail, match="one line each"):
            await put_in(house, Mail(to=to, subject=subject, text="x"))

        assert await rows(house) == []


async def test_mails_of_long_ago_are_forgotten(sqlite_url: str, tmp_path: Path):
    async with posting(sqlite_url, tmp_path, Post()) as house:
        await put_in(house)
        await deliver(house)
        house.clock.turn(30 * 24 * 3600)
        await put_in(house)
        await house.host.service(Outbox).tidy()
        kept = len(await rows(house))
        house.clock.turn(1)
        await house.host.service(Outbox).tidy()

        assert (kept, len(await rows(house))) == (2, 1)
