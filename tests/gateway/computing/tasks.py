"""What worker processes run in tests."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import Any

from gateway.core.quant.refusals import Infeasible, NotComputable
from schema.errors import BadInput


class Singular(NotComputable):
    """An error of a module that only worker processes import."""

    code = "SINGULAR"


def echo(value: Any) -> Any:
    return value


def loud(value: Any) -> Any:
    print("a word of a library's")  # noqa: T201 - what is tested
    return value


def pid() -> int:
    return os.getpid()


def forever() -> None:
    threading.Event().wait()


def busy() -> None:
    while True:
        pass


def touch_and_hang(path: str) -> None:
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    threading.Event().wait()


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crashed() -> None:
    ctypes.string_at(0)


def greedy() -> int:
    return len(bytearray(16 * 2**30))


def bad_input() -> None:
    raise BadInput("weights", "sum to 0.9: they must sum to 1")


def infeasible() -> None:
    raise Infeasible("No portfolio satisfies them.", ("longOnly", "turnover"))


def singular() -> None:
    raise Singular("The covariance is singular.")


def unsendable() -> None:
    error = NotComputable("It holds a lock.")
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    raise error


def broken() -> float:
    return 1 / 0


def array() -> Any:
    import numpy as np

    return [np.float64(0.5)]


def mean(values: list[float]) -> float:
    import numpy as np

    return float(np.mean(values))


def settings_seen() -> list[str]:
    return [name for name in os.environ if name.startswith("MARKETGATE_")]


def threads() -> str:
    return os.environ["OPENBLAS_NUM_THREADS"]


def loaded(name: str) -> bool:
    return name in sys.modules
