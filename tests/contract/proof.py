"""`python -m tests.contract.proof`: counts the captures beside the checkout and writes `providers/proof.json`.

What it counts as exact is what `test_captures.py` compares number by number: without a green suite the file says
nothing, and a test holds the file to the count.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from gateway.core.grades import PROOF, STREAMS
from tests.contract.captured import plans_of
from tests.contract.captured.stream_plans import StreamPlan
from tests.contract.captured.streams import plan_of
from tests.contract.captures import FILES, FOLDER, Capture, captures_of
from tests.contract.suite import PROVIDERS


def exact() -> dict[str, int]:
    """Captured answers with data that a provider's adapter is compared with; providers without one are left out."""
    found: Counter[str] = Counter()
    for capture in (each for provider in FILES if provider in PROVIDERS for each in captures_of(provider)):
        plans = plans_of(capture)
        found[capture.provider] += not isinstance(plans, str) and any(not plan.error for plan in plans)
    return {name: count for name, count in sorted(found.items()) if count}


def streamed() -> list[tuple[Capture, StreamPlan | str]]:
    """Every captured frame of a socket, and how it is run."""
    captures = [capture for provider in FILES if provider in PROVIDERS for capture in captures_of(provider)]
    frames = [capture for capture in captures if capture.call.startswith("ws_")]
    return [(capture, plan_of(capture, PROVIDERS[capture.provider].streams)) for capture in frames]


def streams_exact() -> dict[str, int]:
    """Captured frames that a provider's feed is compared with."""
    found = Counter(capture.provider for capture, plan in streamed() if not isinstance(plan, str))
    return dict(sorted(found.items()))


def report() -> list[str]:
    """A line for each provider, and one for each capture that is not run."""
    lines = []
    for provider in sorted(PROVIDERS):
        frames = [plan for capture, plan in streamed() if capture.provider == provider]
        others = [capture for capture in captures_of(provider) if not capture.call.startswith("ws_")]
        outcomes = [(capture, plans_of(capture)) for capture in others]
        passed_over = [(capture, plans) for capture, plans in outcomes if isinstance(plans, str)]
        refusals = sum(not isinstance(plans, str) and all(plan.error for plan in plans) for _, plans in outcomes)
        same = len(outcomes) - len(passed_over) - refusals
        told = f"{len(outcomes)} captures: {same} exact, {refusals} refusals, {len(passed_over)} not run"
        lines.append(f"{provider}: {told}" if outcomes else f"{provider}: no captures")
        read = sum(not isinstance(plan, str) for plan in frames)
        lines += [f"  {len(frames)} frames of its socket: {read} exact"] if frames else []
        lines += [f"  {capture.name}: {reason}" for capture, reason in passed_over]
    return lines


def summary() -> list[str]:
    """What all providers' captures come to, and how many are not run for each reason."""
    reasons: Counter[str] = Counter()
    read = refused = 0
    for plans in (plans_of(each) for provider in FILES if provider in PROVIDERS for each in captures_of(provider)):
        if isinstance(plans, str):
            reasons[plans] += 1
        elif all(plan.error for plan in plans):
            refused += 1
        else:
            read += 1
    total = read + refused + reasons.total()
    told = f"{total} captures: {read} exact, {refused} refusals, {reasons.total()} not run"
    return [told, *(f"  {count} {reason}" for reason, count in reasons.most_common())]


if __name__ == "__main__":
    if not FOLDER.is_dir():
        sys.exit("there are no captures beside this checkout: the proof stays as it is")
    sys.stdout.write("\n".join(report()) + "\n")
    PROOF.write_text(json.dumps(exact() | {STREAMS: streams_exact()}, indent=2) + "\n", encoding="utf-8")
