"""What a Grafana dashboard asks of Prometheus, as a file of rules: promtool reads it, and finds what is no PromQL.

`python deploy/dashboard.py FILE`; exit code 1, and what is wrong, for a file that is no dashboard.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INTERVAL = "$__rate_interval"
"""Grafana puts a duration in its place."""
VALUES = re.compile(r"label_values\((.+), \w+\)")
"""Grafana's own function around a series, in a variable."""


def rules(board: dict[str, Any]) -> dict[str, Any]:
    """A rule for every expression; KeyError and TypeError for what has another shape."""
    asked = [
        {"record": "asked", "labels": {"place": place}, "expr": expression.replace(INTERVAL, "5m")}
        for place, expression in _expressions(board)
    ]
    return {"groups": [{"name": str(board["uid"]), "rules": asked}]}


def _expressions(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """By panel and letter, or by the name of a variable."""
    for variable in board["templating"]["list"]:
        yield f"variable {variable['name']}", VALUES.sub(r"\1", variable["definition"])
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['id']} ({panel['title']}) {target['refId']}", target["expr"]


def main(path: Path) -> int:
    """Print the rules."""
    try:
        print(json.dumps(rules(json.loads(path.read_text(encoding="utf-8"))), indent=1))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{path.name} is no dashboard: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
