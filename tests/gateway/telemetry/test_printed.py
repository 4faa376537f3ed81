"""The suite looks through all that tests print."""

from __future__ import annotations

import pytest

from tests.conftest import pytest_runtest_makereport
from tests.planted import PLANTED


@pytest.mark.parametrize(("printed", "outcome"), [(PLANTED[0], "failed"), (PLANTED[1], "failed"), ("words", "passed")])
def test_a_test_that_prints_a_planted_secret_fails(printed: str, outcome: str):
    sections = [("Captured stdout call", "before"), ("Captured stderr call", f"x={printed};")]
    made = pytest.TestReport("test_it", ("", 0, ""), {}, "passed", None, "call", sections=sections)
    looking = pytest_runtest_makereport()
    next(looking)

    with pytest.raises(StopIteration) as ended:
        looking.send(made)

    assert ended.value.value.outcome == outcome
    assert (printed in str(made.longrepr)) is (outcome == "failed")
