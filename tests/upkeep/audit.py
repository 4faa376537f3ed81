"""`make audit`: the licences of what goes out, and the advisories on what is pinned. Exit code 1 where one is refused.

An advisory is borne only by an exception with a reason and a last day (exceptions.py). Where the advisory service
cannot be reached, that is said, and only `--strict`, as in CI, takes it for a failure.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gateway.core.clock import SystemClock
from tests.upkeep.advisories import SERVICE, Unreachable, advisories
from tests.upkeep.exceptions import BORNE, Borne, told
from tests.upkeep.licences import UNKNOWN, refused, report, shipped
from tests.upkeep.packages import pinned


def main(arguments: Sequence[str], service: str = SERVICE) -> int:
    """Both parts; the exit code."""
    if list(arguments) not in ([], ["--strict"]):
        print("usage: python -m tests.upkeep.audit [--strict]", file=sys.stderr)
        return 2
    return max(licences(), vulnerabilities(service, strict=bool(arguments)))


def licences() -> int:
    """The table of licences; 1 where one is refused."""
    found, elsewhere = shipped()
    print(report(found))
    if elsewhere:
        print(f"not installed here, and so not looked at: {', '.join(elsewhere)}")
    wrong = refused(found)
    for package in wrong:
        print(f"REFUSED {package.name} {package.version}: {package.licence or UNKNOWN}")
    print(f"licences: {len(found) - len(wrong)} allowed, {len(wrong)} refused")
    return 1 if wrong else 0


def vulnerabilities(service: str, *, strict: bool, borne: Sequence[Borne] = BORNE) -> int:
    """The advisories; 1 where there is one that is not borne."""
    packages = pinned()
    try:
        found = advisories(packages, service)
    except Unreachable as error:
        print(f"advisories: NOT ASKED, {error}")
        return 1 if strict else 0
    lines, acted_on = told(found, borne, SystemClock().now().date())
    for line in lines:
        print(line)
    print(f"advisories: {len(packages)} packages asked, {len(found)} with a known vulnerability")
    return 1 if acted_on else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
