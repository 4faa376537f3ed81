"""Skips end a run as one summary by reason, and fail it where none is allowed."""

from __future__ import annotations

import pytest

from tests.skips import SETTING, refused

SUITE = """
    import pytest
    @pytest.mark.parametrize("n", range(3))
    def test_browser(n):
        pytest.skip("no Chromium on this machine")
    @pytest.mark.skipif(True, reason="no captured payloads in ../shared/recordings")
    def test_captures(): ...
    def test_runs(): ...
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest("from tests.skips import pytest_sessionfinish, pytest_terminal_summary")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(SUITE)
    return pytester


@pytest.mark.parametrize("value", [None, "", "0"])
def test_what_was_skipped_is_told_once_by_reason(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    if value is not None:
        monkeypatch.setenv(SETTING, value)

    done = suite.runpytest_inprocess("-p", "no:xdist")

    done.stdout.fnmatch_lines(
        [
            "*skipped, by reason*",
            "   3 no Chromium on this machine",
            "   1 no captured payloads in ../shared/recordings",
        ]
    )
    assert done.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("workers", [0, 1])
def test_where_none_is_allowed_a_skip_fails_the_run(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setenv(SETTING, "1")

    done = suite.runpytest_inprocess("-n", str(workers))

    done.stdout.fnmatch_lines(["REFUSED    3 no Chromium on this machine", "   1 no captured payloads*"])
    assert done.ret == pytest.ExitCode.TESTS_FAILED


def test_data_beside_a_checkout_is_nobodys_to_have(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "1")

    done = suite.runpytest_inprocess("-p", "no:xdist", "-k", "not browser")

    assert done.ret == pytest.ExitCode.OK


def test_only_data_beside_a_checkout_is_a_reason() -> None:
    kept = [
        "/home/me/my work/shared/data is not there",
        "/shared/data/us20_adjclose_daily_1990_2022.csv.gz is not there",
        "no us20.csv.gz beside the repository",
        "no captured payloads in ../shared/recordings",
        "the page lies beside a checkout only",
    ]
    lost = [
        "no npm on this machine",
        "npm's registry cannot be reached",
        "needs kubectl, which renders the overlays",
        "kubectl: /shared/data is not there",
        "/usr/bin/kubectl: /shared/data is not there",
        "/shared/data is not there, nor is npm",
        "no npm beside the repository",
        "needs npm, no us20.csv.gz beside the repository",
        "the page lies beside a checkout only and npm is missing",
        "ccxt is an extra: make extras",
        "arch is an extra: make extras",
    ]

    assert refused([*kept, *lost]) == sorted(lost)
