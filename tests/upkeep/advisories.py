"""Which pinned packages have a known vulnerability, asked of https://osv.dev: one request for all of them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from tests.upkeep.packages import Package

SERVICE = "https://api.osv.dev"
PATIENCE_S = 30.0
AT_ONCE = 1000
"""The service's own limit."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """A package, and the ids under which its vulnerabilities are known."""

    package: Package
    ids: tuple[str, ...]


class Unreachable(Exception):
    """The service gave no answer: nothing is known of any package."""


def advisories(packages: Sequence[Package], service: str = SERVICE) -> list[Advisory]:
    """Those that have some; Unreachable where the service did not say."""
    found = []
    for begin in range(0, len(packages), AT_ONCE):
        asked = packages[begin : begin + AT_ONCE]
        for package, answer in zip(asked, _answers(asked, service), strict=True):
            if ids := tuple(sorted(each["id"] for each in answer.get("vulns", ()))):
                found.append(Advisory(package, ids))
    return found


def _answers(packages: Sequence[Package], service: str) -> list[dict[str, list[dict[str, str]]]]:
    queries = [
        {"package": {"ecosystem": each.ecosystem, "name": each.name}, "version": each.version} for each in packages
    ]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(f"{service}/v1/querybatch", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return list(json.load(response)["results"])
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError, KeyError) as error:
        raise Unreachable(f"{service} did not answer: {error}") from error
