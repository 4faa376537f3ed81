"""The committed locks: complete, hashed, free of addresses, and the same versions in development as in production."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime", "image", "dev", "extras", "tools", "coverage", "docs", "deploy", "node")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)(\[[a-z,]+\])?==(?P<version>[^ ;]+)(?P<marker> ;[^\\]+)? \\$")


def entries(lock: str) -> list[str]:
    """One string per pinned package: the pin and, behind it, its hashes."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return re.split(r"\n(?=\S)", text.strip())


def pins(lock: str) -> set[tuple[str, str, str]]:
    matches = [PIN.match(entry.splitlines()[0]) for entry in entries(lock)]
    return {(m["name"], m["version"], (m["marker"] or "").strip()) for m in matches if m is not None}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_a_pin_with_hashes_and_nothing_else(lock: str) -> None:
    for entry in entries(lock):
        pin, *hashes = entry.splitlines()

        assert PIN.match(pin), pin
        assert hashes, pin
        for line in hashes:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


def test_development_has_every_runtime_package_at_the_same_version() -> None:
    assert pins("runtime") - pins("dev") == set()


def test_the_image_has_every_runtime_package_and_the_one_that_a_setting_of_it_needs() -> None:
    assert {name for name, _, _ in pins("image") - pins("runtime")} == {"sentry-sdk"}
    assert pins("image") - pins("dev") == pins("runtime") - pins("image") == set()


def test_extras_are_beside_what_development_has_at_the_same_version() -> None:
    shared = {name for name, _, _ in pins("dev")}

    assert {pin for pin in pins("extras") if pin[0] in shared} - pins("dev") == set()


def test_every_declared_dependency_is_locked() -> None:
    manifest = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = manifest["dependency-groups"]
    declared = {
        "runtime": manifest["project"]["dependencies"],
        "dev": groups["dev"],
        "extras": [
            *manifest["project"]["optional-dependencies"]["ccxt"],
            *manifest["project"]["optional-dependencies"]["garch"],
        ],
        "tools": groups["tools"] + manifest["build-system"]["requires"],
        "coverage": groups["coverage"],
        "node": groups["node"],
        "docs": groups["docs"],
        "deploy": groups["deploy"],
    }

    for lock, requirements in declared.items():
        names = {re.split(r"[\[><=]", requirement)[0] for requirement in requirements}
        assert names - {name for name, _, _ in pins(lock)} == set()
