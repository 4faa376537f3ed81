"""Worker processes: what they answer, how they end, whose turn it is, and that none is left."""

from __future__ import annotations

import array
import asyncio
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.core.computing.pool import GRACE_S, ProcessPool
from gateway.core.computing.process import WorkerProcess
from gateway.core.computing.refusals import ComputingFailed, TaskFailed
from gateway.core.quant.refusals import Infeasible, NotComputable
from schema.errors import BadInput, DeadlineExceeded, RateLimited
from tests.gateway.doubles import ManualClock
from tests.loopmonitor import MOST_S, watched_loop

ROOT = Path(__file__).parents[3]
TASKS = "tests.gateway.computing.tasks"
LEFT = """
import asyncio, os, signal, sys
from pathlib import Path
from gateway.core.clock import SystemClock
from gateway.core.computing.pool import ProcessPool

async def run():
    pool = ProcessPool(clock=SystemClock(), memory_mb=2048, processes=2, allowed="tests.")
    await pool.run("t", "tests.gateway.computing.tasks:pid")
    for task, given in (("busy", ()), ("touch_and_hang", (sys.argv[1],))):
        asyncio.create_task(pool.run("t", f"tests.gateway.computing.tasks:{task}", *given))
    while len(pool.pids) < 2 or not Path(sys.argv[1]).exists():
        await asyncio.sleep(0.01)
    print(*pool.pids, flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(3)

asyncio.run(run())
"""
PLAIN = f"""
import asyncio, sys
from gateway.core.clock import SystemClock
from gateway.core.computing.pool import ProcessPool

async def run():
    pool = ProcessPool(clock=SystemClock(), memory_mb=2048, processes=1, allowed="tests.")
    value = await pool.run("t", "{TASKS}:mean", [1.0, 2.0, 6.0])
    there = await pool.run("t", "{TASKS}:loaded", "numpy")
    await pool.close()
    return value, there

print(*asyncio.run(run()), *[name for name in ("numpy", "scipy", "pandas", "clarabel") if name in sys.modules])
"""


@asynccontextmanager
async def opened(processes: int = 1, **more: Any) -> AsyncIterator[ProcessPool]:
    given: dict[str, Any] = {"clock": ManualClock(), "memory_mb": 2048, "allowed": "tests.", **more}
    pool = ProcessPool(processes=processes, **given)
    try:
        yield pool
    finally:
        await pool.close()


def task(name: str) -> str:
    return f"{TASKS}:{name}"


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while is_alive(pid):  # noqa: ASYNC110 - another process's end sets no event here
            await asyncio.sleep(0.005)


# --- What is answered


async def test_a_task_answers_plain_values_from_a_process_that_is_kept():
    async with opened() as pool:
        assert pool.pids == []
        first = await pool.run("t", task("pid"))
        second = await pool.run("t", task("pid"))

        assert first == second
        assert pool.pids == [first]
        assert first != os.getpid()
        assert await pool.run("t", task("echo"), {"a": [1.0, None, "ä"]}) == {"a": [1.0, None, "ä"]}


async def test_what_a_library_prints_does_not_stand_between_answers():
    async with opened() as pool:
        assert await pool.run("t", task("loud"), 1) == 1
        assert await pool.run("t", task("loud"), 2) == 2


async def test_a_process_that_computes_knows_no_setting_and_has_one_thread(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKETGATE_SECRET_KEY", "secret")

    async with opened() as pool:
        assert await pool.run("t", task("settings_seen")) == []
        assert await pool.run("t", task("threads")) == "1"


async def test_errors_for_callers_arrive_as_they_were_raised():
    async with opened() as pool:
        with pytest.raises(BadInput) as bad:
            await pool.run("t", task("bad_input"))
        with pytest.raises(Infeasible) as infeasible:
            await pool.run("t", task("infeasible"))

        assert (bad.value.field, bad.value.message) == ("weights", "weights: sum to 0.9: they must sum to 1")
        assert str(bad.value) == bad.value.message
        assert infeasible.value.constraints == ("longOnly", "turnover")
        assert infeasible.value.message == "No portfolio satisfies them."


async def test_an_error_of_a_module_for_workers_arrives_as_its_ancestor_with_its_code():
    async with opened() as pool:
        with pytest.raises(NotComputable) as singular:
            await pool.run("t", task("singular"))

    assert (type(singular.value), singular.value.code) == (NotComputable, "SINGULAR")
    assert singular.value.extensions() == {"code": "SINGULAR", "docs": "/docs/errors/SINGULAR"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("broken", "ZeroDivisionError: division by zero"),
        ("unsendable", "TypeError: cannot pickle '_thread.lock' object"),
        ("array", "TypeError: a task answers plain values, not numpy.float64"),
        ("missing", f"AttributeError: module '{TASKS}' has no attribute 'missing'"),
    ],
)
async def test_a_fault_of_ours_is_told_to_the_log_and_the_process_goes_on(name: str, told: str):
    async with opened() as pool:
        before = await pool.run("t", task("pid"))
        with pytest.raises(TaskFailed) as failed:
            await pool.run("t", task(name))

        assert str(failed.value) == f"{task(name)} has failed: {told}"
        assert await pool.run("t", task("pid")) == before


async def test_only_tasks_of_the_package_that_is_allowed_are_run():
    async with opened(allowed="gateway.core.quant.") as pool:
        with pytest.raises(ValueError, match=r"os:getpid: tasks begin with gateway\.core\.quant\."):
            await pool.run("t", "os:getpid")

        assert pool.pids == []


async def test_what_cannot_be_sent_fails_and_the_next_task_has_another_process():
    async with opened() as pool:
        with pytest.raises(TypeError, match="cannot pickle"):
            await pool.run("t", task("echo"), threading.Lock())

        assert await pool.run("t", task("echo"), 1) == 1


# --- How processes end


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "killed",
            "The process that computed it was killed, most likely for lack of memory: ask for fewer instruments, a "
            "shorter range or a longer interval.",
        ),
        ("crashed", "The process that computed it has crashed: the log says more. Other input may do."),
        (
            "greedy",
            "It needs more than the 2048 MiB that a computation may use: ask for fewer instruments, a shorter range or "
            "a longer interval.",
        ),
    ],
)
async def test_a_process_that_dies_fails_its_own_task_and_is_replaced(name: str, told: str):
    async with opened() as pool:
        before = await pool.run("t", task("pid"))
        with pytest.raises(ComputingFailed) as failed:
            await pool.run("t", task(name))
        after = await pool.run("t", task("pid"))

        assert failed.value.message == told
        assert before != after
        assert not is_alive(before)


async def test_a_task_that_takes_too_long_is_ended_with_its_process():
    async with opened() as pool:
        before = await pool.run("t", task("pid"))
        with pytest.raises(DeadlineExceeded) as late:
            await pool.run("t", task("busy"), timeout_s=0.1)

        assert late.value.message == (
            "It was not computed in 0.1 s: ask for fewer instruments, a shorter range or a longer interval."
        )
        assert await pool.run("t", task("pid")) != before
        assert not is_alive(before)


async def test_the_time_in_the_queue_counts_and_who_waited_in_vain_leaves_it():
    async with opened() as pool:
        running = asyncio.create_task(pool.run("t", task("forever")))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            await pool.run("t", task("echo"), 1, timeout_s=0.05)

        assert len(pool._queue) == 0
        assert not running.done()
        running.cancel()


async def test_a_caller_that_leaves_ends_what_runs_for_nobody_else():
    async with opened() as pool:
        pid = await pool.run("t", task("pid"))
        running = asyncio.create_task(pool.run("t", task("forever")))
        await asyncio.sleep(0)
        running.cancel()
        began = asyncio.get_running_loop().time()
        await until_gone(pid)

        assert asyncio.get_running_loop().time() - began >= GRACE_S - 0.1
        assert await pool.run("t", task("echo"), 1) == 1


async def test_an_idle_process_ends_after_five_minutes():
    clock = ManualClock()
    async with opened(clock=clock) as pool:
        pid = await pool.run("t", task("pid"))
        clock.turn(299)
        await pool.reap()
        kept = pool.pids
        clock.turn(1)
        await pool.reap()

        assert kept == [pid]
        assert pool.pids == []
        assert not is_alive(pid)
        assert await pool.run("t", task("pid")) != pid


async def test_closing_leaves_no_process_and_fails_what_waits_and_runs():
    async with opened() as pool:
        pid = await pool.run("t", task("pid"))
        running, waiting = (asyncio.create_task(pool.run("t", task("forever"))) for _ in range(2))
        await asyncio.sleep(0)
        await pool.close()
        ends = await asyncio.gather(running, waiting, pool.run("t", task("pid")), return_exceptions=True)

        assert [str(end) for end in ends] == ["The gateway is stopping: ask again in a moment."] * 3
        assert {type(end) for end in ends} == {ComputingFailed}
        assert not is_alive(pid)


@pytest.mark.parametrize(("end", "code"), [("killed", -9), ("exits without closing", 3)])
async def test_no_process_outlives_a_gateway_that_ends_while_it_computes(tmp_path: Path, end: str, code: int):
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", LEFT, str(tmp_path / "running"), end], cwd=ROOT, capture_output=True,
        timeout=30,
    )  # fmt: skip
    pids = [int(pid) for pid in done.stdout.split()]

    assert done.returncode == code
    assert len(pids) == 2
    for pid in pids:
        await until_gone(pid)


# --- Whose turn it is


class Recorded(WorkerProcess):
    """Runs nothing: notes what it was given, and waits where the test says."""

    def __init__(self, ran: list[str], gate: threading.Event) -> None:
        super().__init__(0)
        self._ran, self._gate = ran, gate

    def compute(self, task: str, given: tuple[Any, ...]) -> Any:
        self._gate.wait()
        self._ran.append(given[0])
        return given[0]


async def test_a_hundred_requests_of_one_tenant_let_another_have_every_second_turn():
    ran: list[str] = []
    gate = threading.Event()

    async with opened(make=lambda _: Recorded(ran, gate)) as pool:
        asked = [pool.run("a", task("x"), f"a{n}") for n in range(90)] + [
            pool.run("b", task("x"), f"b{n}") for n in range(10)
        ]
        running = [asyncio.create_task(each) for each in asked]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*running)

    turns = [name for n in range(10) for name in (f"a{n + 1}", f"b{n}")]
    assert ran == ["a0", *turns, *(f"a{n}" for n in range(11, 90))]


async def test_too_many_of_a_tenant_are_refused_and_a_caller_that_leaves_makes_room():
    ran: list[str] = []
    gate = threading.Event()

    async with opened(make=lambda _: Recorded(ran, gate), most_waiting=2) as pool:
        running = [asyncio.create_task(pool.run("a", task("x"), f"a{n}")) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await pool.run("a", task("x"), "a3")
        running[1].cancel()
        await asyncio.sleep(0)
        last = asyncio.create_task(pool.run("a", task("x"), "a4"))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*running, last, return_exceptions=True)

    assert ran == ["a0", "a2", "a4"]


# --- The loop, and the gateway's own modules


async def test_a_million_numbers_go_there_and_back_and_the_loop_runs_on():
    numbers, answers, longest = [float(n) for n in range(1_000_000)], [], []

    began = time.perf_counter()
    pickle.loads(pickle.dumps(numbers))
    on_the_loop = time.perf_counter() - began
    async with opened() as pool:
        await pool.run("t", task("pid"))
        for _ in range(2):
            async with watched_loop() as stalls:
                # Kept: to let go of so many takes the loop's time too.
                answers.append(await pool.run("t", task("echo"), numbers))
            longest.append(stalls.longest)
            assert stalls.busiest < MOST_S

        assert answers == [numbers] * 2
        assert min(longest) < on_the_loop / 2
        assert await pool.run("t", task("echo"), array.array("d", [0.5])) == array.array("d", [0.5])


def test_the_process_that_asks_loads_nothing_of_numpy():
    done = subprocess.run([sys.executable, "-c", PLAIN], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["3.0", "True"]
