"""The ladder: sorted levels fire what a look at every alert would fire, over any tape."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.alerts.evaluation.ladder import Act, AlertState, Ladder, Mode, Move, Rung
from tests.gateway.doubles import NOON

Seen = tuple[str, str, int, str]


def naive(rungs: list[Rung], tape: list[tuple[Decimal, Mode]]) -> list[list[Seen]]:
    """What the rules say, alert by alert, without any order among levels."""
    told = []
    gone: set[str] = set()
    for number, (value, mode) in enumerate(tape):
        now, step = NOON + timedelta(seconds=number), list[Seen]()
        for rung in rungs:
            if rung.id in gone:
                continue
            for act in judged(rung, value, mode, now):
                step.append((rung.id, act.value, rung.arm, rung.state.value))
            if rung.state is AlertState.FIRED and not rung.repeating and step and step[-1][:2] == (rung.id, "FIRED"):
                gone.add(rung.id)
        told.append(sorted(step))
    return told


def judged(rung: Rung, value: Decimal, mode: Mode, now: object) -> list[Act]:
    x, level = (-value, -rung.threshold) if rung.below else (value, rung.threshold)
    true = x >= level if rung.inclusive else x > level
    if rung.state in (AlertState.WAITING, AlertState.FIRED):
        back = level - abs(level) * rung.hysteresis_bps / 10_000
        far = rung.state is AlertState.FIRED and rung.hysteresis_bps
        if not (x <= back if far else x < level):
            return []
        rung.state, rung.arm = AlertState.ARMED, rung.arm + 1
        return [Act.ARMED]
    primed = rung.state is AlertState.PRIMED
    if not true:
        rung.state = AlertState.ARMED
        return [Act.ARMED] if primed else []
    if mode is Mode.SHOWN and not primed:
        return []
    if mode is Mode.ANCHOR and not primed:
        rung.state = AlertState.WAITING
        return [Act.MUTED]
    rested = rung.fired_at is None or now >= rung.fired_at + rung.cooldown  # type: ignore[operator]
    rung.state = AlertState.FIRED
    if not rested:
        return [Act.MUTED]
    rung.fired_at = now  # type: ignore[assignment]
    return [Act.FIRED]


def seen(moves: list[Move]) -> list[Seen]:
    return sorted((move.rung.id, move.act.value, move.arm, move.state.value) for move in moves)


LEVELS = st.integers(-6, 6).map(Decimal)
RUNGS = st.lists(
    st.builds(
        Rung, id=st.just(""), threshold=LEVELS, below=st.booleans(), inclusive=st.booleans(),
        hysteresis_bps=st.sampled_from([0, 2_500, 9_999]), repeating=st.booleans(),
        cooldown=st.integers(0, 4).map(lambda seconds: timedelta(seconds=seconds)),
        state=st.sampled_from(list(AlertState)),
    ),
    max_size=12,
).map(lambda rungs: [replace(rung, id=f"a{number}") for number, rung in enumerate(rungs)])  # fmt: skip
TAPES = st.lists(
    st.tuples(st.integers(-14, 14).map(lambda n: Decimal(n) / 2), st.sampled_from([Mode.TICK] * 6 + list(Mode))),
    max_size=40,
)


@settings(max_examples=150)
@given(RUNGS, TAPES)
def test_a_ladder_moves_whom_a_look_at_every_alert_would_move(
    rungs: list[Rung], tape: list[tuple[Decimal, Mode]]
) -> None:
    ladder = Ladder()
    for rung in rungs:
        ladder.put(replace(rung))

    told = [seen(ladder.step(value, NOON + timedelta(seconds=n), mode)) for n, (value, mode) in enumerate(tape)]

    assert told == naive([replace(rung) for rung in rungs], tape)


@given(RUNGS, TAPES)
def test_an_alert_that_has_left_moves_no_more_and_the_others_as_before(
    rungs: list[Rung], tape: list[tuple[Decimal, Mode]]
) -> None:
    ladder, half = Ladder(), len(tape) // 2
    for rung in rungs:
        ladder.put(replace(rung))
    for n, (value, mode) in enumerate(tape[:half]):
        ladder.step(value, NOON + timedelta(seconds=n), mode)
    for rung in rungs[::2]:
        ladder.remove(rung.id)

    told = [
        seen(ladder.step(value, NOON + timedelta(seconds=half + n), mode))
        for n, (value, mode) in enumerate(tape[half:])
    ]

    left = {rung.id for rung in rungs[1::2]}
    expected = naive([replace(rung) for rung in rungs], tape)[half:]
    assert told == [[each for each in step if each[0] in left] for step in expected]


def test_each_arming_fires_at_most_once_and_armings_are_numbered() -> None:
    ladder = Ladder()
    ladder.put(Rung(id="a", threshold=Decimal(100), repeating=True))

    told = [
        each
        for n, price in enumerate(["99", "101", "99", "102", "103", "98", "100", "101"])
        for each in seen(ladder.step(Decimal(price), NOON + timedelta(seconds=n)))
    ]

    assert [(act, arm) for _, act, arm, _ in told] == [
        ("ARMED", 1), ("FIRED", 1), ("ARMED", 2), ("FIRED", 2), ("ARMED", 3), ("FIRED", 3),
    ]  # fmt: skip


def test_what_leaves_again_and_again_does_not_heap_up() -> None:
    ladder = Ladder()

    for number in range(10_000):
        ladder.put(Rung(id=f"a{number % 10}", threshold=Decimal(number)))

    assert len(ladder) == 10
    assert sum(len(heap.entries) for heap in (*ladder._firing.values(), *ladder._resting.values())) < 100
