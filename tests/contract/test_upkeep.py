"""Licences, advisories, coverage and releases: what the verbs of the Makefile ask of the project."""

from __future__ import annotations

import json
import runpy
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import gateway
from gateway.released import RELEASED, RELEASED_CODES, SCHEMA, released_texts, releases_in
from tests.upkeep import audit, coverage, release
from tests.upkeep.advisories import Advisory, Unreachable, advisories
from tests.upkeep.exceptions import Borne, told
from tests.upkeep.licences import allowed, licence_of, refused, report, shipped
from tests.upkeep.packages import ROOT, Package, node_packages, pinned, python_packages

# --- Licences


def test_all_that_goes_out_has_a_licence_that_allows_it() -> None:
    found, elsewhere = shipped()

    assert refused(found) == []
    assert {"PyPI", "npm"} == {package.ecosystem for package in found}
    assert len(found) > 150
    # Pinned for other systems and older Pythons.
    assert set(elsewhere) <= {"async-timeout", "colorama", "win32-setctime", "pywin32"}


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND (GPL-2.0-only OR AGPL-3.0-only)", False),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("SSPL-1.0", False),
        ("unknown", False),
        ("(MIT", False),
        ("MIT AND", False),
        ("", False),
    ],
)
def test_an_expression_is_allowed_if_some_choice_of_its_licences_is(expression: str, good: bool) -> None:
    assert allowed(expression) is good


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"License-Expression": "MIT AND PSF-2.0", "License": "something"}, "MIT AND PSF-2.0"),
        ({"License": "Apache 2.0"}, "Apache-2.0"),
        ({"License": "Copyright (c) 2001", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD-3-Clause"),
        ({"Classifier": "License :: OSI Approved :: GNU Affero General Public License v3"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_licence_is_read_wherever_packages_say_it(tmp_path: Path, facts: dict[str, str], expected: str) -> None:
    assert licence_of(package(tmp_path, facts)) == expected


def package(folder: Path, facts: dict[str, str]) -> Distribution:
    message = Message()
    for name, value in {"Name": "some", "Version": "1", **facts}.items():
        message[name] = value
    (folder / "METADATA").write_text(message.as_string())
    return PathDistribution(folder)


def test_the_report_names_what_has_no_licence() -> None:
    table = report([Package("npm", "left-pad", "1.3.0", ""), Package("PyPI", "some", "2", "MIT")])

    assert table.splitlines() == [
        "package   version  licence  from",
        "left-pad  1.3.0    unknown  npm",
        "some      2        MIT      PyPI",
    ]


# --- Advisories


def test_the_locks_of_both_worlds_are_asked_about() -> None:
    found = pinned()

    assert set(python_packages(ROOT / "requirements" / "dev.txt")) <= set(found)
    assert {"npm"} == {each.ecosystem for each in node_packages(ROOT / "gateway/edge/page/package-lock.json")}
    assert len({each.name for each in found if each.ecosystem == "npm"}) > 50


def test_one_request_tells_which_packages_are_vulnerable() -> None:
    asked: list[dict[str, Any]] = []
    packages = [Package("PyPI", "good", "1"), Package("npm", "@bad/one", "2")]

    with service([{}, {"vulns": [{"id": "GHSA-2"}, {"id": "CVE-1"}]}], asked) as url:
        found = advisories(packages, url)

    assert found == [Advisory(packages[1], ("CVE-1", "GHSA-2"))]
    assert asked == [
        {
            "queries": [
                {"package": {"ecosystem": "PyPI", "name": "good"}, "version": "1"},
                {"package": {"ecosystem": "npm", "name": "@bad/one"}, "version": "2"},
            ]
        }
    ]


def test_a_service_that_does_not_answer_is_no_clean_bill(capsys: pytest.CaptureFixture[str]) -> None:
    # Nobody listens on the discard port.
    nobody = "http://127.0.0.1:9"

    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 did not answer"):
        advisories([Package("PyPI", "good", "1")], nobody)
    assert (audit.vulnerabilities(nobody, strict=False), audit.vulnerabilities(nobody, strict=True)) == (0, 1)
    assert capsys.readouterr().out.count("advisories: NOT ASKED") == 2


TODAY = date(2026, 11, 29)
BAD = Package("npm", "@bad/one", "2")


def excepted(**changed: Any) -> Borne:
    facts = {"package": "@bad/one", "advisory": "CVE-1", "until": date(2026, 12, 31), "reason": "Not called."}
    return Borne(**{**facts, **changed})


def test_an_advisory_is_borne_with_a_reason_until_a_day() -> None:
    assert told([Advisory(BAD, ("CVE-1",))], [excepted()], TODAY) == (
        ["BORNE @bad/one 2: CVE-1 until 2026-12-31: Not called."], False,
    )  # fmt: skip
    assert told([Advisory(BAD, ("CVE-1", "GHSA-2"))], [excepted()], TODAY) == (
        ["BORNE @bad/one 2: CVE-1 until 2026-12-31: Not called.", "VULNERABLE @bad/one 2: GHSA-2"], True,
    )  # fmt: skip
    assert told([], [excepted()], TODAY) == (["NOT NEEDED any more: the exception for @bad/one: CVE-1"], False)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"until": date(2026, 11, 28)}, ", its exception ended 2026-11-28"),
        ({"until": date(2027, 2, 28)}, ", its exception ends 2027-02-28, more than 90 days from 2026-11-29"),
        ({"reason": " "}, ", its exception gives no reason"),
        ({"package": "other"}, ""),
        ({"advisory": "CVE-2"}, ""),
    ],
)
def test_an_exception_that_ended_or_is_for_something_else_bears_nothing(changed: dict[str, Any], why: str) -> None:
    lines, acted_on = told([Advisory(BAD, ("CVE-1",))], [excepted(**changed)], TODAY)

    assert (lines[0], acted_on) == (f"VULNERABLE @bad/one 2: CVE-1{why}", True)


@pytest.mark.parametrize("until", [date(2026, 11, 29), date(2027, 2, 27)])
def test_an_exception_holds_on_its_last_day_and_for_ninety(until: date) -> None:
    assert told([Advisory(BAD, ("CVE-1",))], [excepted(until=until)], TODAY)[1] is False


@pytest.mark.parametrize(
    ("licences", "advisories", "strict", "code"),
    [
        ([Package("PyPI", "good", "1", "MIT")], [], False, 0),
        ([Package("PyPI", "good", "1", "MIT"), Package("PyPI", "bad", "1", "AGPL-3.0-only")], [], False, 1),
        ([], [Advisory(BAD, ("CVE-1",))], False, 1),
        ([], Unreachable("silent"), False, 0),
        ([], Unreachable("silent"), True, 1),
    ],
)
def test_an_audit_fails_for_a_licence_for_an_advisory_and_strictly_for_silence(
    monkeypatch: pytest.MonkeyPatch, licences: list[Package], advisories: Any, strict: bool, code: int
) -> None:
    def asked(*_: object) -> list[Advisory]:
        if isinstance(advisories, Exception):
            raise advisories
        return list(advisories)

    monkeypatch.setattr(audit, "shipped", lambda: (licences, []))
    monkeypatch.setattr(audit, "advisories", asked)

    assert audit.main(["--strict"] if strict else []) == code


def test_an_audit_tells_what_it_refuses_and_takes_no_other_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "shipped", lambda: ([Package("PyPI", "bad", "1")], ["elsewhere"]))
    monkeypatch.setattr(audit, "advisories", lambda *_: [Advisory(BAD, ("CVE-1",))])
    monkeypatch.setattr(audit, "pinned", lambda: [BAD])

    assert (audit.main([]), audit.main(["--stict"])) == (1, 2)
    assert capsys.readouterr().out.splitlines()[2:] == [
        "not installed here, and so not looked at: elsewhere",
        "REFUSED bad 1: unknown",
        "licences: 0 allowed, 1 refused",
        "VULNERABLE @bad/one 2: CVE-1",
        "advisories: 1 packages asked, 1 with a known vulnerability",
    ]


@contextmanager
def service(results: list[dict[str, Any]], asked: list[dict[str, Any]]) -> Iterator[str]:
    """A double of the advisory service."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"results": results}).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# --- Coverage


def test_files_that_came_or_changed_since_count_as_not_run() -> None:
    kept = coverage.Measured(900, {"a.py": coverage.File("1", 600), "b.py": coverage.File("2", 400)})
    a, b = coverage.File("1", 700), coverage.File("2", 500)

    assert kept.percent == 90.0
    assert kept.least({"a.py": a, "b.py": b}) == 90.0
    assert kept.least({"a.py": a, "b.py": b, "c.py": coverage.File("3", 125)}) == 80.0
    # The hundred statements that were not run may be in either.
    assert kept.least({"a.py": a, "b.py": coverage.File("4", 400)}) == 50.0
    assert kept.least({"a.py": coverage.File("2", 700), "b.py": coverage.File("1", 400)}) == 0.0
    assert kept.least({"b.py": b}) == 75.0


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (coverage.Measured(11, {"a.py": coverage.File("1", 10)}), "11 statements run of 10"),
        (coverage.Measured(9, {"a.py": coverage.File("1", 10)}), r"10 statements in a\.py, which has 9 lines"),
    ],
)
def test_a_figure_that_cannot_be_true_is_refused(kept: coverage.Measured, told: str) -> None:
    with pytest.raises(coverage.Wrong, match=told):
        kept.least({"a.py": coverage.File("1", 9)})


def test_what_is_measured_is_what_goes_out() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert list(coverage.SOURCES) == wheel["packages"]
    assert f"--source {','.join(coverage.SOURCES)} " in (ROOT / "Makefile").read_text()
    names = coverage.today(ROOT).keys()
    assert {name.partition("/")[0] for name in names} == {*coverage.SOURCES}
    assert [name for name in names if "schema/client" in name] == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A file of code, and what two processes have run of it; a third has run nothing."""
    (tmp_path / "tests/upkeep").mkdir(parents=True)
    (tmp_path / "gateway").mkdir()
    source = tmp_path / "gateway" / "app.py"
    source.write_text("a = 1\n\n" * 100)
    told = tmp_path / "told"
    told.mkdir()
    for name, executed in (("1", range(50)), ("2", range(30, 81)), ("none", range(0))):
        lines = {"executed_lines": list(executed), "missing_lines": [n for n in range(100) if n not in executed]}
        # By its path, or by the path from the root.
        file = "gateway/app.py" if name == "none" else str(source)
        (told / f"{name}.json").write_text(json.dumps({"files": {file: lines}}))
    return tmp_path


def test_below_four_fifths_the_check_fails(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [coverage.main([], tree), coverage.main([str(tree / "told")], tree), coverage.main([], tree)]
    (tree / "gateway" / "new.py").write_text("a = 1\n" * 10)
    codes.append(coverage.main([], tree))

    digest = coverage.today(tree)["gateway/app.py"].digest
    assert codes == [1, 0, 0, 1]
    assert (tree / coverage.NAME).read_text() == (
        f'{{"covered": 81, "files": {{\n"gateway/app.py": ["{digest}", 100]\n}}}}\n'
    )
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "coverage: 81.0 % measured, at least 73.6 % now; 80 % are asked for"
    assert told.err.splitlines() == [
        "coverage: not measured yet, run make coverage",
        "coverage: too little is known to be run: test more, or measure what is new by make coverage",
    ]


def test_a_figure_above_what_is_measured_fails_the_measuring_once(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = coverage.today(tree)["gateway/app.py"].digest
    (tree / coverage.NAME).write_text(f'{{"covered": 82, "files": {{"gateway/app.py": ["{digest}", 100]}}}}')

    assert [coverage.main([str(tree / "told")], tree) for _ in range(2)] == [1, 0]
    assert capsys.readouterr().err == (
        "coverage: tests/upkeep/coverage.json said 82.0 %: look where it went, commit the file\n"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{{"covered": 1000, "files": {{"gateway/app.py": ["{digest}", 1000]}}}}',
            "1000 statements in gateway/app.py, which has 100 lines",
        ),
        ('{{"covered": 0, "files": {{}}}}', "it is of no file"),
        ('{{"covered": 1, "statements": 1, "lines": 1e9}}', "it does not say how many statements each file has"),
        ("", "it does not say how many statements each file has"),
    ],
)
def test_a_forged_figure_fails_the_check_and_is_measured_over(
    tree: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    digest = coverage.today(tree)["gateway/app.py"].digest
    (tree / coverage.NAME).write_text(text.format(digest=digest))

    assert coverage.main([], tree) == 1
    assert capsys.readouterr().err == (
        f"coverage: tests/upkeep/coverage.json cannot be true, run make coverage: {told}\n"
    )
    (tree / coverage.NAME).write_text('{"covered": 1}')
    assert [coverage.main([str(tree / "told")], tree), coverage.main([], tree)] == [0, 0]


# --- Releases

CHANGELOG = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- Something.

## [0.1.0] - 2026-11-01

- The first.
"""


def test_the_notes_of_a_release_are_its_part_of_the_changelog() -> None:
    assert release.notes("v0.2.0", CHANGELOG, "0.2.0", "0.2.0") == "### Added\n\n- Something.\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "version", "told"),
    [
        ("v0.2.1", CHANGELOG, "0.2.0", "the tag is v0.2.1, pyproject.toml says version 0.2.0"),
        ("v0.3.0", CHANGELOG, "0.3.0", "the newest release in CHANGELOG.md is 0.2.0, not 0.3.0"),
        ("v0.2.0", CHANGELOG.replace(" - 2026-12-01", ""), "0.2.0", "CHANGELOG.md gives no date for 0.2.0"),
        (
            "v0.2.0",
            CHANGELOG.replace("2026-12-01", "2026-13-99"),
            "0.2.0",
            "CHANGELOG.md dates 0.2.0 2026-13-99, which is no day",
        ),
        ("v0.2.0", CHANGELOG.replace("]\n\n## [0.2", "]\n\n- More.\n\n## [0.2"), "0.2.0", "under Unreleased"),
        ("v0.2.0", "## [0.2.0] - 2026-12-01\n", "0.2.0", "CHANGELOG.md says nothing about 0.2.0"),
        ("v0.1.0", "## [Unreleased]\n\n- All.\n", "0.1.0", "the newest release in CHANGELOG.md is none, not 0.1.0"),
    ],
)
def test_a_release_that_does_not_agree_with_itself_is_not_made(
    tag: str, changelog: str, version: str, told: str
) -> None:
    with pytest.raises(release.NotReady, match=told.replace(".", r"\.")):
        release.notes(tag, changelog, version, version)


def test_a_gateway_that_tells_another_version_is_not_released() -> None:
    with pytest.raises(release.NotReady, match=r"says version 0\.2\.0, what is installed says 0\.1\.0: run make setup"):
        release.notes("v0.2.0", CHANGELOG, "0.2.0", "0.1.0")


def test_the_version_is_written_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert gateway.__version__ == written
    monkeypatch.setattr(metadata, "version", {"marketgate": "7.8.9"}.__getitem__)
    assert runpy.run_path(str(gateway.__file__))["__getattr__"]("__version__") == "7.8.9"
    assert not hasattr(gateway, "__versoin__")


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which 0.2.0 may go out."""
    monkeypatch.setattr(release, "__version__", "0.2.0")
    (tmp_path / "schema").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / SCHEMA).write_text("type Query { a: Int }\n")
    for name, text in released_texts(releases_in(CHANGELOG)[0], "type Query { a: Int }").items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_release_that_is_ready_has_its_notes_written(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["v0.2.0"], ready) == 0
    assert (ready / release.NOTES).read_text() == "### Added\n\n- Something.\n"
    assert capsys.readouterr().out == "written build/notes.md\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("pyproject.toml", "0.2.0", "0.3.0", "the tag is v0.2.0, pyproject.toml says version 0.3.0\n"),
        (SCHEMA, "a: Int", "a: Int b: Int", "schema/released.graphql: not of this release"),
        (RELEASED, "# Of release 0.2.0, 2026-12-01", "# Before the first release", "schema/released.graphql: not of"),
        (RELEASED_CODES, "FORBIDDEN\n", "", "schema/released-codes.txt: not of this release"),
        ("CHANGELOG.md", "2026-12-01", "2026-12-02", "schema/released.graphql and schema/released-codes.txt: not of"),
    ],
)
def test_a_release_that_is_not_ready_fails_and_writes_no_notes(
    ready: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str, told: str
) -> None:
    text = (ready / name).read_text()
    assert old in text
    (ready / name).write_text(text.replace(old, new))

    assert release.main(["v0.2.0"], ready) == 1
    assert capsys.readouterr().err.startswith(told)
    assert not (ready / release.NOTES).exists()


def test_a_release_without_a_tag_is_none(ready: Path) -> None:
    assert (release.main([], ready), release.main(["v0.2.0", "v0.3.0"], ready)) == (2, 2)
    assert not (ready / release.NOTES).exists()
