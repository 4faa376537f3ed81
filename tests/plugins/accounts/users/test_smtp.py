"""The way to a mail server, on the wire."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.core.ports import Mail, MailFailed
from gateway.core.smtp import MailServer, Smtp
from gateway.core.smtp import mail_server as read_url
from tests.gateway.doubles import NOON, ManualClock
from tests.plugins.accounts.users.mail_server import mail_server

MAIL = Mail(
    to="anna@example.com", subject="Grüße", text="Follow this link:\n\nhttps://x.example/account#verify?token=abc\n"
)
SENDER = "Marketgate <no-reply@marketgate.example>"


def smtp(port: int, credentials: str = "", scheme: str = "smtp") -> Smtp:
    return Smtp(f"{scheme}://{credentials}127.0.0.1:{port}", SENDER, ManualClock())


async def test_a_mail_arrives_whole_with_a_head_that_the_next_attempt_repeats():
    async with mail_server() as server:
        await smtp(server.port, "mail%40er:p%3Aw@").deliver(MAIL, "mail_1")
        await smtp(server.port).deliver(MAIL, "mail_1")

    first, second = server.messages
    assert server.commands[:6] == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert server.credentials == ["\0mail@er\0p:w"]
    assert server.senders[0].startswith("FROM:<no-reply@marketgate.example>")
    assert server.recipients[0] == "TO:<anna@example.com>"
    assert dict(first.items()) == {
        "From": "Marketgate <no-reply@marketgate.example>",
        "To": "anna@example.com",
        "Subject": "Grüße",
        "Date": "Fri, 20 Nov 2026 12:00:00 +0000",
        "Message-ID": "<mail_1@marketgate.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert first.get_content().replace("\r\n", "\n") == MAIL.text
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_domain_of_other_letters_is_sent_as_mail_servers_know_it():
    async with mail_server() as server:
        await smtp(server.port).deliver(Mail(to="anna@bücher.example", subject="x", text="x"), "mail_1")

    assert server.recipients == ["TO:<anna@xn--bcher-kva.example>"]


@pytest.mark.parametrize(
    ("says", "for_good", "said"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, True, "550"),
        ({"RCPT": "451 4.7.1 try later"}, False, "451"),
        ({"AUTH": "535 5.7.8 who are you"}, False, "535"),
        ({"MAIL": "421 4.3.2 busy"}, False, "421"),
        ({"end": "554 5.7.1 spam"}, False, "554"),
        ({"hello": "554 go away"}, False, "554"),
    ],
)
async def test_a_refusal_is_told_and_only_that_of_a_recipient_is_for_good(
    says: dict[str, str], for_good: bool, said: str
):
    async with mail_server(says) as server:
        with pytest.raises(MailFailed, match=said) as failed:
            await smtp(server.port, "mailer:secret@").deliver(MAIL, "mail_1")

    assert failed.value.for_good is for_good


async def test_what_the_server_quotes_of_a_mail_is_not_told():
    async with mail_server(
        {"end": "554 no https://x.example/account#verify?token=0v7mQ2Kd8sLw4HtYpXc1Zr5Nb9Gf3Jq6"}
    ) as server:
        with pytest.raises(MailFailed) as failed:
            await smtp(server.port).deliver(MAIL, "mail_1")

    assert "0v7mQ2Kd8sLw4HtYpXc1Zr5Nb9Gf3Jq6" not in str(failed.value)
    assert "***" in str(failed.value)


async def test_a_server_that_is_not_there_is_told():
    async with mail_server() as server:
        pass

    with pytest.raises(MailFailed, match="SMTPConnectError"):
        await smtp(server.port).deliver(MAIL, "mail_1")


async def test_a_head_with_a_line_of_its_own_is_never_sent():
    async with mail_server() as server:
        for mail in (
            Mail(to="anna@example.com\r\nBcc: all@example.com", subject="x", text="x"),
            Mail(to="anna@example.com", subject="x\nBcc: all@example.com", text="x"),
        ):
            with pytest.raises(MailFailed, match="head of the message") as failed:
                await smtp(server.port).deliver(mail, "mail_1")
            assert failed.value.for_good is True

    assert server.commands == []


async def test_a_server_without_a_trusted_certificate_gets_no_password(tmp_path: Path):
    async with mail_server(tls=_untrusted(tmp_path)) as server:
        with pytest.raises(MailFailed, match="certificate"):
            await smtp(server.port, "mailer:secret@", "smtps").deliver(MAIL, "mail_1")

    assert server.commands == []


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "start_tls"),
    [
        ("smtps://mail.example.com", "mail.example.com", 465, True, False),
        ("smtp://mail.example.com", "mail.example.com", 587, False, True),
        ("smtp://mail.example.com:2525", "mail.example.com", 2525, False, None),
        ("smtp://u:p@mail.example.com:2525", "mail.example.com", 2525, False, True),
        ("smtp://u:p@localhost:2525", "localhost", 2525, False, False),
        ("smtp://[::1]:25", "::1", 25, False, False),
    ],
)
def test_a_password_never_leaves_this_machine_in_clear(
    url: str, host: str, port: int, tls: bool, start_tls: bool | None
):
    found = read_url(url)

    assert (found.host, found.port, found.tls, found.start_tls) == (host, port, tls, start_tls)


def test_the_password_is_not_shown():
    assert "secret" not in repr(MailServer(host="x", port=25, user="u", password="secret"))


def _untrusted(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=9_000))
        .not_valid_after(NOON + timedelta(days=9_000))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
