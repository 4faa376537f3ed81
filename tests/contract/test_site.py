"""The documentation as a site: every page has its place, every link leads somewhere, nothing is asked of others."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from posixpath import normpath
from typing import Any

import pytest

from gateway.cli.codes import CODES
from gateway.site import CONFIG, FENCE, configured, expanded, main, matches, moved, requests_of, staged

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
LATER = {
    "clients*.md", "telemetry.md", "runbooks*.md", "runbooks/*.md", "deploy*.md", "deploy/*.md", "retention.md",
    "backup.md", "releas*.md", "versioning.md", "security*.md", "repository/SECURITY.md",
}  # fmt: skip
"""Patterns of the navigation whose pages need not be there."""
PLACEHOLDER = "NNNN-title.md"


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return staged(ROOT)


@pytest.fixture(scope="module")
def navigation() -> Any:
    return tomllib.loads((ROOT / CONFIG).read_text(encoding="utf-8"))["project"]["nav"]


def names(entries: Any) -> list[str]:
    """Whatever a navigation names, sections opened."""
    if isinstance(entries, str):
        return [entries]
    values = entries.values() if isinstance(entries, dict) else entries
    return [name for entry in values for name in names(entry)]


def test_the_navigation_names_every_page_once_and_no_other(site: dict[str, bytes], navigation: Any):
    pages = [name for name in site if name.endswith(".md")]
    shown = Counter(names(expanded(navigation, pages)))

    assert {page: count for page, count in shown.items() if count > 1} == {}
    assert sorted(set(pages) - set(shown)) == []
    patterns = set(names(navigation))
    assert {each for each in patterns if not any(matches(page, each) for page in pages)} <= LATER
    assert patterns >= LATER


def test_every_code_has_one_page_and_no_page_is_left_from_a_code_that_went(site: dict[str, bytes]):
    assert {name for name in site if name.startswith("errors/")} == {f"errors/{code}.md" for code in CODES}


def test_every_link_of_the_site_and_every_anchor_leads_somewhere(site: dict[str, bytes]):
    pages = {name: content.decode() for name, content in site.items() if name.endswith(".md")}
    known = {name: anchors(text) for name, text in pages.items()}

    assert dead(pages, known, set(site)) == []


def test_every_link_of_the_repository_and_every_anchor_leads_somewhere():
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    pages = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}
    known = {name: anchors(text) for name, text in pages.items()}
    linked = {place(name, target) for name, text in pages.items() for target in LINK.findall(text)}

    assert dead(pages, known, {name for name in linked if (ROOT / name).exists()}) == []


def anchors(text: str) -> set[str]:
    """Those of the headings, as GitHub and the site make them; of equal ones the first."""
    headings = HEADING.findall(FENCE.sub("", text))
    words = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in words}


def place(page: str, link: str) -> str:
    """The file that a link of a page names."""
    target = link.partition("#")[0]
    return normpath(str(Path(page).parent / target)) if target else page


def dead(pages: dict[str, str], known: dict[str, set[str]], files: set[str]) -> list[str]:
    """Links that lead to no file, or to no heading of it."""
    found = []
    for page, text in pages.items():
        prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
        for link in LINK.findall(prose):
            target, anchor = place(page, link), link.partition("#")[2]
            if re.match(r"\w+:", link) or link == PLACEHOLDER:
                continue
            if target not in pages and target not in files:
                found.append(f"{page}: {link}")
            elif anchor and target in pages and anchor not in known[target]:
                found.append(f"{page}: {link} has no such heading")
    return found


def test_a_link_out_of_the_docs_takes_its_file_along_and_one_to_a_folder_becomes_words():
    text = "[add](../CONTRIBUTING.md#steps), [code](../gateway), [out](../../../b.md), [near](b.md#x), <https://a.example>\n\n```md\n[a](../b.md)\n```\n"

    page, led = moved(text, "docs/guides/a.md", lambda name: name.endswith(("CONTRIBUTING.md", "b.md")))
    other, _ = moved("[add](../CONTRIBUTING.md#steps)", "docs/a.md", lambda name: name == "CONTRIBUTING.md")

    assert led == ["docs/CONTRIBUTING.md", "docs/guides/b.md"]
    assert page == (
        "[add](../CONTRIBUTING.md#steps), code, out, [near](b.md#x), <https://a.example>\n\n```md\n[a](../b.md)\n```\n"
    )
    assert other == "[add](repository/CONTRIBUTING.md#steps)"


def test_patterns_become_the_pages_that_are_there_and_empty_sections_go():
    pages = ["a.md", "errors/B.md", "errors/A.md", "schema/a.md"]

    found = expanded(["a.md", {"Errors": ["e.md", "errors/*.md"]}, {"None": ["x*.md"]}, {"One": "schema/*.md"}], pages)

    assert found == ["a.md", {"Errors": ["errors/A.md", "errors/B.md"]}, {"One": "schema/a.md"}]


def test_the_configuration_stays_what_it_is_but_for_its_pages():
    text = (ROOT / CONFIG).read_text(encoding="utf-8")

    made, given = tomllib.loads(configured(text, ["index.md"])), tomllib.loads(text)

    assert made["project"].pop("nav") == ["index.md"]
    del given["project"]["nav"]
    assert made == given
    assert (given["project"]["theme"]["font"], len(given["project"]["theme"]["palette"])) == (False, 3)


def test_what_a_page_would_load_from_elsewhere_is_found_and_links_are_not():
    page = """<link rel="canonical" href="https://here.example/"><link rel="stylesheet" href="//fonts.example/a.css">
    <script src="https://cdn.example/a.js"></script><script src="assets/b.js"></script><img src="data:,">
    <a href="https://elsewhere.example">read</a>"""

    assert requests_of(page) == ["//fonts.example/a.css", "https://cdn.example/a.js"]


def test_a_built_site_is_judged_by_all_of_its_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "good.html").write_text("<p>")
    good = main(["--built", str(tmp_path)])
    (tmp_path / "bad.html").write_text('<img src="https://a.example/x.png">')
    bad = main(["--built", str(tmp_path)])

    assert (good, bad) == (0, 1)
    assert capsys.readouterr().out.splitlines()[-1] == "bad.html: https://a.example/x.png"


def test_a_command_line_that_means_nothing_writes_nothing(tmp_path: Path):
    assert main([]) == 2
    assert main(["--built"]) == 2
    assert list(tmp_path.iterdir()) == []
