"""Python imports this before all else where `make coverage` puts its folder on the path: each process, workers of the
suite and the gateways that they start alike, writes down what it has run of our code when it ends."""

from __future__ import annotations

import atexit
import json
import os
import sys
from pathlib import Path

from slipcover import Slipcover
from slipcover.importer import FileMatcher, SlipcoverMetaPathFinder

FOLDER, ROOT = Path(os.environ["TRACED_DIR"]), Path(os.environ["TRACED_ROOT"])
OURS = [ROOT / name for name in ("gateway", "plugins", "providers", "schema")]


def write(traced: Slipcover, process: int) -> None:
    """One file a process; a child that was forked from it is another one, and writes nothing."""
    if os.getpid() == process:
        files = {str(ROOT / name): lines for name, lines in traced.get_coverage()["files"].items()}
        (FOLDER / f"{process}.json").write_text(json.dumps({"files": files}), encoding="utf-8")


_traced = Slipcover()
sys.meta_path.insert(0, SlipcoverMetaPathFinder(_traced, FileMatcher(sources=OURS, omit=[f"{ROOT}/schema/client/*"])))
atexit.register(write, _traced, os.getpid())
