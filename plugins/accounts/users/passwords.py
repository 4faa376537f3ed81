"""Passwords: which are strong enough, and their slow hashes, a few at a time."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schema.words.problems import Refused

if TYPE_CHECKING:
    from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST = 10
"""Characters."""
LONGEST = 512
"""Bytes."""
LEAST_SCORE = 3
ESTIMATED = 72
"""What the estimator is given: its time grows faster than the text."""
SHORTEST_NAME = 4
"""A local part that is shorter occurs in good passwords by chance."""
AT_ONCE = 2
"""Hashes that are worked out at the same time: each takes 64 MB."""


def weakness(password: str, email: str) -> str | None:
    """What is wrong with a password and what to do; None where nothing is. Takes milliseconds: not for the loop."""
    from zxcvbn import zxcvbn

    password, local = _composed(password), email.partition("@")[0]
    if len(password) < SHORTEST:
        return f"The password has {len(password)} characters: take {SHORTEST} or more, such as four uncommon words."
    if _size(password) > LONGEST:
        return f"The password has more than {LONGEST} bytes: take a shorter one."
    if len(local) >= SHORTEST_NAME and local in password.lower():
        return "The password holds the name of your address, which is guessed first: leave it out."
    found = zxcvbn(password[:ESTIMATED], user_inputs=[local, email, "marketgate"])
    if found["score"] < LEAST_SCORE:
        reason = found["feedback"]["warning"] or "This password is easy to guess."
        return f"{reason.rstrip('.')}: take a longer one, such as four uncommon words."
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Whether a password is right, and a hash of today's strength where the stored one is of another day's."""

    right: bool
    rehashed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """Parameters of Argon2id; these follow RFC 9106's second recommendation."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4

    def hasher(self) -> Argon2Hasher:
        """With salts and digests of the usual lengths."""
        from pwdlib.hashers.argon2 import Argon2Hasher

        return Argon2Hasher(
            time_cost=self.passes, memory_cost=self.memory_kib, parallelism=self.lanes, salt_len=16, hash_len=32
        )

    def nobodys(self) -> str:
        """A hash of no password: to compare with it costs as much as with anybody's."""
        salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
        return f"$argon2id$v=19$m={self.memory_kib},t={self.passes},p={self.lanes}${salt}${digest}"


class Passwords:
    """Argon2id in threads. `hashes` and `verifications` count the work, which is the same whoever asks."""

    def __init__(self, strength: Strength | None = None) -> None:
        self._strength = strength or Strength()
        self._nobodys = self._strength.nobodys()
        self.hashes = self.verifications = 0
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")

    async def check(self, password: str, email: str, *field: str) -> None:
        """Refuse a weak password."""
        problem = await asyncio.to_thread(weakness, password, email)
        if problem is not None:
            raise Refused("WEAK_PASSWORD", problem, *(field or ("password",)))

    async def hash(self, password: str) -> str:
        """What is stored."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._hash, password)

    async def verify(self, password: str, stored: str | None) -> Verified:
        """Compare; without a stored hash the same work leads to no."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._verify, password, stored)

    @cached_property
    def _hasher(self) -> Argon2Hasher:
        return self._strength.hasher()

    def _hash(self, password: str) -> str:
        self.hashes += 1
        return self._hasher.hash(_composed(password))

    def _verify(self, password: str, stored: str | None) -> Verified:
        self.verifications += 1
        # Nothing that long was ever set; to hash it would be work of the sender's choice.
        fits = _size(password) <= LONGEST
        same = self._hasher.verify(_composed(password) if fits else "", stored or self._nobodys)
        if not (same and fits and stored):
            return Verified(right=False)
        old = self._hasher.check_needs_rehash(stored)
        return Verified(right=True, rehashed=self._hash(password) if old else None)


def _composed(password: str) -> str:
    """Keyboards differ in how they compose a letter with its accent."""
    return unicodedata.normalize("NFC", password)


def _size(password: str) -> int:
    return len(password.encode())
