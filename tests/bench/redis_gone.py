"""Redis is killed and started anew under load: what a gateway's clients are answered, limits open and closed."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.market.process import running
from tests.e2e.market.upstream import Upstream
from tests.e2e.market.world import WORLD
from tests.e2e.resilience.load import Load, loaded
from tests.servers import RestartableValkey, restartable_valkey

SECONDS, KILLS, QUIET = 3.0, 3, 50


def phase(load: Load, name: str, seconds: float = SECONDS) -> str:
    """A line of what was answered in the next seconds."""
    before = Counter(load.outcomes)
    time.sleep(seconds)
    found = ", ".join(f"{count} {told}" for told, count in sorted((load.outcomes - before).items()))
    return f"  {name:14} {found}"


def kill(server: RestartableValkey, load: Load) -> list[str]:
    """Away for some seconds and back, empty; how long until nobody is refused any more."""
    server.stop()
    away = phase(load, "killed")
    server.start()
    begun = time.perf_counter()
    load.until_none("LIMITS_UNAVAILABLE", QUIET)
    return [
        away,
        phase(load, "back"),
        f"  nobody refused {time.perf_counter() - begun - SECONDS:.1f} s after the start",
    ]


def report() -> Sequence[str]:
    """Both settings, each with several kills."""
    lines = [f"Redis killed {KILLS} times under the load of four clients (target: open, no failed query)"]
    for setting in ("open", "closed"):
        lines.append(f"limits {setting}")
        with (
            tempfile.TemporaryDirectory() as folder,
            Upstream(WORLD).running() as upstream,
            restartable_valkey() as server,
            running(
                Path(folder), UPSTREAM_BASE=upstream.url, REDIS_URL=server.url, ANONYMOUS="true",
                ANONYMOUS_POINTS="1000000", LIMITS_WITHOUT_REDIS=setting,
            ) as gateway,
            loaded(gateway) as load,
        ):  # fmt: skip
            lines.append(phase(load, "before"))
            for _ in range(KILLS):
                lines += kill(server, load)
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
