"""Trusted documents: read from a file or folder at the start, known by the SHA-256 of their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from gateway.core.settings import PREFIX, Settings, SettingsError
from gateway.edge.documents import digest_of

SETTING = f"{PREFIX}TRUSTED_DOCUMENTS"


def read_trusted(settings: Settings) -> Mapping[str, str]:
    """Texts by hash; SettingsError where they cannot be read, or where a list is demanded and there is none."""
    path = settings.trusted_documents
    if path is None:
        if settings.trusted_only:
            raise SettingsError(f"{PREFIX}TRUSTED_ONLY: needs {SETTING}, or nothing could be executed")
        return {}
    try:
        found = _folder(path) if path.is_dir() else _file(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{SETTING}: {path} cannot be read ({type(error).__name__})") from None
    if not found:
        raise SettingsError(f"{SETTING}: {path} holds no document")
    return found


def name_of(settings: Settings, digest: str) -> str:
    """Where the document with this hash stands, for whoever must mend it."""
    path = settings.trusted_documents
    if path is not None and path.is_dir():
        return next((str(each) for each in _files(path) if digest_of(each.read_text("utf-8")) == digest), digest)
    return f"{path}, {digest}"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.graphql"))


def _folder(folder: Path) -> dict[str, str]:
    texts = [path.read_text("utf-8") for path in _files(folder)]
    return {digest_of(text): text for text in texts}


def _file(path: Path) -> dict[str, str]:
    found = orjson.loads(path.read_bytes())
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise SettingsError(f"{SETTING}: {path} must be a JSON object of ids and documents")
    for id, text in found.items():
        if id.removeprefix("sha256:").lower() != digest_of(text):
            raise SettingsError(f"{SETTING}: {path}: {id[:80]!r} is not the SHA-256 of its document")
    return {digest_of(text): text for text in found.values()}
