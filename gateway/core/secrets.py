"""Credentials and their redaction: no secret reaches a message, a log line or a trace."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MASK = "***"
_SHORTEST = 4
_SHORTEST_IN_BODY = 8
"""Shorter ones (`demo`) are words that data may hold."""
_PLAIN = re.compile(r"[A-Za-z0-9]+")
_SHAPES = tuple(
    (needle, re.compile(shape))
    for needle, shape in (
        ("mg", r"\bmg[a-z]*(?:_[a-z]+)?_[0-9A-Za-z]{8,64}_[0-9A-Za-z]{20,64}"),
        ("wh", r"\bwh(?:sec|sk)_[0-9A-Za-z+/=_-]{16,}"),
        ("eyJ", r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"),
        ("earer ", r"(?<=earer )[\w.~+/=-]{12,}"),
    )
)
"""What secrets look like that no setting holds: API keys and tokens, signing secrets, JWTs, other credentials."""
_OF_ROWS = ("DETAIL:", "CONTEXT:", "Failing row", "Key (", "invalid input")
_ROW = re.compile(
    r"(DETAIL:|CONTEXT:|Failing row contains |Key \([^=]{1,500}\)=|invalid input (?:syntax for type|value for enum) "
    r"[^:]{1,200}: |invalid input for query argument \$\d+: )(?!\*\*\*).*?"
    r"(?=(?:\n|\\n)(?:HINT: |\[SQL: |\(Background on |(?:\n|\\n)(?:The above |During handling |Traceback ))|\Z)",
    re.DOTALL,
)
"""What a database tells of a row's values. They may hold anything, ends of lines too: all is cut up to what follows."""


class Redactor:
    """Replaces secrets in a text: every known one, plain or with any of its characters escaped for a URL or for JSON,
    whatever has the shape of those that the gateway itself gives out, and the rows that a database's errors show."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        # The longest run of plain characters is looked for first: it is the same in every spelling, and fast to find.
        self._known = [(max(_PLAIN.findall(each), key=len, default=""), _pattern(each)) for each in known]
        self._in_bodies = [
            (needle.encode(), re.compile(pattern.pattern.encode()))
            for each, (needle, pattern) in zip(known, self._known, strict=True)
            if len(each) >= _SHORTEST_IN_BODY
        ]

    def __call__(self, text: str) -> str:
        for needle, pattern in self._known:
            if needle in text:
                text = pattern.sub(MASK, text)
        for needle, pattern in _SHAPES:
            if needle in text:
                text = pattern.sub(MASK, text)
        for needle in _OF_ROWS:
            if needle in text:
                return _ROW.sub(rf"\1{MASK}", text)
        return text

    def body(self, content: bytes) -> bytes:
        """An upstream may echo its key anywhere; masked before excerpts are cut, for half a secret is none to us."""
        for needle, pattern in self._in_bodies:
            if needle in content:
                content = pattern.sub(MASK.encode(), content)
        return content


def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_spellings, secret)))


def _spellings(character: str) -> str:
    """A regular expression for one character in all its escaped forms."""
    plain = re.escape(character)
    if character.isascii() and character.isalnum():
        return plain
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    space = r"|\+" if character == " " else ""
    return rf"(?:{plain}|(?i:{percent}|\\u{ord(character):04x})|\\{plain}{space})"


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Platform credentials by provider id and part name; its repr shows no value."""

    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, provider: str) -> Mapping[str, str]:
        """The parts of one provider's credential; empty where none is set."""
        return self.keys.get(provider, {})

    def redactor(self) -> Redactor:
        """Knows every value."""
        return Redactor(value for parts in self.keys.values() for value in parts.values())

    def __repr__(self) -> str:
        return f"Keyring({', '.join(sorted(self.keys))})"


def read_credential(text: str) -> dict[str, str]:
    """One value, or `name=value` pairs separated by commas; a lone value is the part named `key`."""
    pairs = [part.partition("=") for part in text.split(",")]
    # A value that ends in signs of equality, as base64 does, is no pair.
    if all(name.strip().isidentifier() and value.strip("= \n") for name, _, value in pairs):
        return {name.strip(): value.strip() for name, _, value in pairs}
    return {"key": text.strip()}


_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


def read_signing_keys(text: str) -> list[Ed25519PrivateKey]:
    """Ed25519 private keys as PEM, one after the other; ValueError, which shows nothing of them, for anything else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # A variable may carry the ends of lines escaped.
    found = [match.group() for match in _PEM.finditer(text.replace("\\n", "\n"))]
    try:
        keys = [load_pem_private_key(pem.encode(), password=None) for pem in found]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        keys = []
    private = [key for key in keys if isinstance(key, Ed25519PrivateKey)]
    if not private or len(private) != len(found):
        raise ValueError("must be Ed25519 private keys: `openssl genpkey -algorithm ed25519` makes one")
    return private


class Sealed(Exception):
    """A text that no known root secret opens."""


class Vault:
    """Everything that is derived from the root secret: encryption at rest, digests of keys and tokens, signing keys.

    One key per purpose (HKDF-SHA256), so that none can stand in for another. The previous root secrets still open and
    verify; new texts are made with the first. Nothing is derived before it is asked for.
    """

    def __init__(self, roots: Callable[[], tuple[str, ...]]) -> None:
        self._find = roots

    @cached_property
    def _roots(self) -> tuple[bytes, ...]:
        return tuple(root.encode() for root in self._find())

    def keys(self, purpose: str) -> tuple[bytes, ...]:
        """32 bytes for a purpose from each root secret, the newest first."""
        return tuple(_derived(root, purpose) for root in self._roots)

    @cached_property
    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self.keys("at rest")])

    def encrypt(self, text: str) -> str:
        """At rest: opens only with the root secret."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        """Raises Sealed where no known root secret opens it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(text.encode()).decode()
        except InvalidToken:
            raise Sealed("no known root secret opens it: set MARKETGATE_SECRET_KEY_PREVIOUS") from None

    def rotated(self, text: str) -> str:
        """The same, sealed with the newest root secret."""
        return self._fernet.rotate(text.encode()).decode()

    def digests(self, purpose: str, secret: str) -> tuple[str, ...]:
        """What is stored instead of a random secret, by each root secret, the newest first: HMAC-SHA256, hexadecimal.

        Only for secrets of full entropy (keys, tokens); passwords have a slow hash of their own.
        """
        keys = self.keys(f"digest of {purpose}")
        return tuple(hmac.new(key, secret.encode(), hashlib.sha256).hexdigest() for key in keys)

    def digest(self, purpose: str, secret: str) -> str:
        """The digest to store."""
        return self.digests(purpose, secret)[0]


def _derived(root: bytes, purpose: str) -> bytes:
    """HKDF (RFC 5869) with SHA-256, one block: extract with an empty salt, expand with the purpose."""
    extracted = hmac.new(bytes(32), root, hashlib.sha256).digest()
    return hmac.new(extracted, f"marketgate {purpose}".encode() + b"\x01", hashlib.sha256).digest()
