"""`python -m tests.contract.proof`: counts the captures beside the checkout and writes `providers/proof.json`.

What it counts as exact is what `test_captures.py` compares number by number: without a green suite the file says
nothing, and a test holds the file to the count.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from gateway.core.grades import PROOF
from tests.contract.captured import plans_of
from tests.contract.captures import FILES, FOLDER, captures_of
from tests.contract.suite import PROVIDERS


def exact() -> dict[str, int]:
    """Captured answers with data that a provider's adapter is compared with; providers without one are left out."""
    found: Counter[str] = Counter()
    for capture in (each for provider in FILES if provider in PROVIDERS for each in captures_of(provider)):
        plans = plans_of(capture)
        found[capture.provider] += not isinstance(plans, str) and any(not plan.error for plan in plans)
    return {name: count for name, count in sorted(found.items()) if count}


def report() -> list[str]:
    """A line for each provider, and one for each capture that is not run."""
    lines = []
    for provider in sorted(PROVIDERS):
        outcomes = [(capture, plans_of(capture)) for capture in captures_of(provider)]
        passed_over = [(capture, plans) for capture, plans in outcomes if isinstance(plans, str)]
        refusals = sum(not isinstance(plans, str) and all(plan.error for plan in plans) for _, plans in outcomes)
        same = len(outcomes) - len(passed_over) - refusals
        told = f"{len(outcomes)} captures: {same} exact, {refusals} refusals, {len(passed_over)} not run"
        lines.append(f"{provider}: {told}" if outcomes else f"{provider}: no captures")
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
    PROOF.write_text(json.dumps(exact(), indent=2) + "\n", encoding="utf-8")
