"""The two clients of the repository as an application has them: the Python one by path, the TypeScript one built."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

CLIENTS = Path(__file__).parents[3] / "schema" / "client"
PYTHON = CLIENTS / "python" / "marketgate_client"
TYPESCRIPT = CLIENTS / "typescript"
DONE = "driver.mjs"
# One webhook a line, and one line back.
DRIVER = """
import { createInterface } from "node:readline";
import { WebhookVerificationError, verifyWebhook } from "@marketgate/client";
for await (const line of createInterface({ input: process.stdin })) {
  const { text, bytes, headers, fetched, secret, now, toleranceSeconds } = JSON.parse(line);
  let answer;
  try {
    const body = text ?? Buffer.from(bytes, "base64");
    const options = { ...(now && { now: new Date(now) }), ...(toleranceSeconds && { toleranceSeconds }) };
    answer = await verifyWebhook(body, fetched ? new Headers(headers) : headers, secret, options);
  } catch (error) {
    const reason = error instanceof WebhookVerificationError ? error.reason : error.constructor.name;
    answer = { error: { reason, message: error.message } };
  }
  console.log(JSON.stringify(answer));
}
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as a client gave it."""

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


class Refused(Exception):
    """What a client threw; `reason` is the verification error's, or the name of another error's class."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Client(Protocol):
    """One of them."""

    def verify(
        self,
        body: bytes | str,
        headers: Mapping[str, str],
        secret: str | Sequence[str],
        *,
        now: datetime | None = None,
        tolerance_s: float | None = None,
    ) -> Taken:
        """The event, or Refused."""
        ...


def python_module() -> ModuleType:
    """`marketgate_client.webhooks`, which nothing installs here."""
    spec = spec_from_file_location("marketgate_client_webhooks", PYTHON / "webhooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # Dataclasses look their module up.
    spec.loader.exec_module(module)
    return module


def built(folder: Path) -> Path:
    """A folder in whose `node_modules` the TypeScript client stands as its package holds it, beside its tools.

    The file DONE is written last.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no npm on this machine")
    source = folder / "source"
    shutil.copytree(TYPESCRIPT, source, ignore=shutil.ignore_patterns("node_modules", "dist"))
    run(source, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    run(source, "npm", "run", "build")
    [archive] = json.loads(run(source, "npm", "pack", "--json", "--ignore-scripts"))
    home = folder / "node_modules" / "@marketgate" / "client"
    home.mkdir(parents=True)
    run(home, "tar", "-xzf", str(source / archive["filename"]), "--strip-components=1")
    for package in (source / "node_modules").iterdir():
        (folder / "node_modules" / package.name).symlink_to(package)
    (folder / DONE).write_text(DRIVER, encoding="utf-8")
    return folder


def run(folder: Path, *words: str) -> str:
    """What a command prints; skips where npm's registry is out of reach."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH", done.stderr):
        pytest.skip("npm's registry cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Python:
    """The Python client."""

    def __init__(self) -> None:
        self.module = python_module()

    def verify(
        self,
        body: bytes | str,
        headers: Mapping[str, str],
        secret: str | Sequence[str],
        *,
        now: datetime | None = None,
        tolerance_s: float | None = None,
    ) -> Taken:
        """The event, or Refused."""
        more = {} if tolerance_s is None else {"tolerance": timedelta(seconds=tolerance_s)}
        try:
            event = self.module.verify(body, headers, secret, now=now, **more)
        except self.module.WebhookVerificationError as error:
            raise Refused(error.reason, str(error)) from None
        except ValueError as error:
            raise Refused("TypeError", str(error)) from None
        return Taken(event.id, event.type, event.timestamp, event.data)


class TypeScript:
    """The TypeScript client in a process of Node."""

    def __init__(self, folder: Path, *, fetched: bool) -> None:
        self.fetched = fetched
        self.process = subprocess.Popen(
            ["node", "--no-warnings", DONE],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def verify(
        self,
        body: bytes | str,
        headers: Mapping[str, str],
        secret: str | Sequence[str],
        *,
        now: datetime | None = None,
        tolerance_s: float | None = None,
    ) -> Taken:
        """The event, or Refused."""
        given = {"text": body} if isinstance(body, str) else {"bytes": base64.b64encode(body).decode()}
        said = {
            **given,
            "headers": dict(headers),
            "fetched": self.fetched,
            "secret": secret,
            "now": now and now.isoformat(),
            "toleranceSeconds": tolerance_s,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(**answer["error"])
        return Taken(answer["id"], answer["type"], datetime.fromisoformat(answer["timestamp"]), answer["data"])

    def close(self) -> None:
        """End the process."""
        self.process.communicate()
