"""A log that cannot be written: nothing fails by it, what is lost is counted, and it goes on by itself."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway.core import logfile, telemetry
from gateway.core.logfile import LogFile, Stderr
from gateway.core.secrets import Redactor
from tests.gateway.telemetry.test_endings import Change
from tests.gateway.telemetry.test_sent import as_before

__all__ = ["as_before"]

FULL = Path("/dev/full")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "gateway.log"


def test_a_full_disk_breaks_nothing_and_is_told_and_counted(
    as_before: None, path: Path, capsys: pytest.CaptureFixture[str]
):
    refused = Change("marketgate_log_refused_lines_total", place="file")
    path.parent.mkdir()
    path.symlink_to(FULL)
    telemetry.configure_logging("info", "json", Redactor(), path)
    log = structlog.get_logger("a")

    log.info("first")
    log.info("second")
    path.unlink()
    log.info("third")

    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"MARKETGATE_LOG_FILE: {path} cannot be written (No space left on device): its lines go here"
    assert ["first" in told[1], "second" in told[2]] == [True, True]
    assert told[3:] == [f"MARKETGATE_LOG_FILE: {path} is written again, after 2 lines"]
    assert refused() == 2
    assert [line.count("third") for line in path.read_text().splitlines()] == [1]


def test_a_folder_that_was_moved_away_is_made_anew(path: Path):
    log = LogFile(path)

    log.write("first\n")
    path.parent.rename(path.parent.with_name("gone"))
    log.write("second\n")

    log.close()
    assert path.read_text() == "second\n"


def test_a_file_that_cannot_be_opened_is_tried_again_and_its_lines_go_to_stderr_meanwhile(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    now, tries = [100.0], [0]
    log = LogFile(path)
    opened = os.open

    def denied(*given: object) -> int:
        tries[0] += 1
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(logfile, "monotonic", lambda: now[0])
    monkeypatch.setattr(os, "open", denied)
    path.unlink()
    log.write("first\n")
    log.write("second\n")
    now[0] += 1
    log.write("third\n")

    assert tries == [2]
    monkeypatch.setattr(os, "open", opened)
    log.write("fourth\n")
    now[0] += 1
    log.write("fifth\n")

    log.close()
    assert capsys.readouterr().err.splitlines() == [
        f"MARKETGATE_LOG_FILE: {path} cannot be written (Permission denied): its lines go here",
        "first", "second", "third", "fourth",
        f"MARKETGATE_LOG_FILE: {path} is written again, after 4 lines",
    ]  # fmt: skip
    assert path.read_text() == "fifth\n"


def test_a_line_whose_end_found_no_room_is_ended_before_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    log, put = LogFile(path), os.write
    answers = iter([3, OSError(28, "No space left on device"), None])

    def narrow(file: int, line: bytes) -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return put(file, line[:answer])

    monkeypatch.setattr(os, "write", narrow)
    log.write("first\n")
    log.write("second\n")

    log.close()
    assert path.read_text() == "fir\nsecond\n"
    assert "first" in capsys.readouterr().err.splitlines()


def test_a_log_is_opened_anew_when_that_is_asked_for(path: Path):
    log = LogFile(path)
    log.write("first\n")
    before = log._file
    os.dup2(os.open(os.devnull, os.O_WRONLY), before or 0)

    log.write("lost\n")
    log.reopen()
    log.write("second\n")

    log.close()
    assert path.read_text() == "first\nsecond\n"


@pytest.fixture
def hangups_as_before() -> Iterator[None]:
    before = [(number, signal.getsignal(number)) for number in (signal.SIGHUP, signal.SIGTERM)]
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before:
        signal.signal(number, handler)


def test_a_hangup_opens_the_log_anew_and_ends_nothing(
    as_before: None, hangups_as_before: None, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    telemetry.configure_logging("info", "json", Redactor(), path)
    telemetry.mind_hangups()
    opened: list[str] = []
    monkeypatch.setattr(LogFile, "reopen", lambda _: opened.append("anew"))

    signal.raise_signal(signal.SIGHUP)

    assert opened == ["anew"]


def test_the_hangup_of_a_terminal_is_a_request_to_go(hangups_as_before: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    telemetry.mind_hangups()

    signal.raise_signal(signal.SIGHUP)

    assert asked == [signal.SIGTERM]


def test_a_hangup_that_is_ignored_stays_so(hangups_as_before: None):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    telemetry.mind_hangups()

    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_stderr_that_takes_nothing_is_counted_and_breaks_nothing():
    refused = Change("marketgate_log_refused_lines_total", place="stderr")
    closed = io.StringIO()
    closed.close()

    Stderr(_Full()).write("first\n")
    Stderr(closed).write("second\n")

    assert refused() == 2


class _Full(io.StringIO):
    """Has no room."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")
