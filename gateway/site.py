"""The documentation as a site: `python -m gateway.site build` writes its source, `--built build/site` judges it.

Pages lie in `docs`, some of them lead to files elsewhere in the repository. What they lead to comes along, so that the
site needs nothing outside itself; a link to a folder becomes plain text.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

ROOT = Path(__file__).parents[1]
NAME = "zensical.toml"
CONFIG = f"docs/{NAME}"
LEFT_OUT = frozenset({CONFIG})
ELSEWHERE = "repository"
"""The folder of the site for files from outside `docs`."""

FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]*)\]\(([^)#:\s]+)(#[^)]*)?\)")
OUTSIDE = re.compile(r"(https?:)?//")
QUIET = frozenset({"canonical", "next", "prev", "alternate"})
"""Links of a page's head that are not loaded."""
NAVIGATION = re.compile(r"^nav = \[$.*?^\]$", re.MULTILINE | re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Write the source of the site into a folder, or judge a built one; the exit code."""
    match list(arguments):
        case ["--built", folder]:
            found = [
                f"{page.name}: {url}"
                for page in sorted(Path(folder).rglob("*.html"))
                for url in requests_of(page.read_text())
            ]
            print("\n".join(found) or f"{folder} asks for nothing outside itself")
            return 1 if found else 0
        case [folder] if not folder.startswith("-"):
            write(ROOT, Path(folder))
            return 0
    print("usage: python -m gateway.site FOLDER | --built FOLDER", file=sys.stderr)
    return 2


def write(root: Path, folder: Path) -> None:
    """The pages below `docs`, and the configuration beside them."""
    pages = staged(root)
    config = configured((root / CONFIG).read_text(encoding="utf-8"), list(pages))
    shutil.rmtree(folder / "docs", ignore_errors=True)
    for name, content in (*((f"docs/{name}", content) for name, content in pages.items()), (NAME, config.encode())):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def staged(root: Path) -> dict[str, bytes]:
    """The files of the site by their paths in it."""
    waiting = [path.relative_to(root).as_posix() for path in sorted((root / "docs").rglob("*")) if path.is_file()]
    done: dict[str, bytes] = {}
    while waiting:
        name = waiting.pop()
        if name in LEFT_OUT or placed(name) in done:
            continue
        content = (root / name).read_bytes()
        if name.endswith(".md"):
            text, led = moved(content.decode(), name, lambda target: (root / target).is_file())
            content, waiting = text.encode(), [*waiting, *led]
        done[placed(name)] = content
    return done


def placed(name: str) -> str:
    """Where a file of the repository is in the site."""
    return name.removeprefix("docs/") if name.startswith("docs/") else f"{ELSEWHERE}/{name}"


def moved(text: str, name: str, is_file: Callable[[str], bool]) -> tuple[str, list[str]]:
    """A page with its links as the site needs them, and the files that they lead to."""
    led: list[str] = []

    def link(found: re.Match[str]) -> str:
        words, target, anchor = found.groups()
        path = normpath(str(PurePosixPath(name).parent / target))
        if path.startswith("..") or not is_file(path):
            return words
        led.append(path)
        return f"[{words}]({relpath(placed(path), str(PurePosixPath(placed(name)).parent))}{anchor or ''})"

    parts = FENCE.split(text)
    return "".join(part if FENCE.match(part) else LINK.sub(link, part) for part in parts), led


def configured(config: str, pages: Sequence[str]) -> str:
    """The configuration with the pages that are there in place of patterns."""
    navigation = expanded(tomllib.loads(config)["project"]["nav"], pages)
    return NAVIGATION.sub(lambda _: f"nav = {_toml(navigation)}", config)


def expanded(navigation: Sequence[Any], pages: Sequence[str]) -> list[Any]:
    """Sections with the names of pages; a section without any is left out."""
    found: list[Any] = []
    for entry in navigation:
        if isinstance(entry, str):
            found += [page for page in sorted(pages) if matches(page, entry)]
        else:
            ((title, below),) = entry.items()
            inner = expanded([below] if isinstance(below, str) else below, pages)
            found += [{title: inner[0] if isinstance(below, str) else inner}] if inner else []
    return found


def matches(page: str, pattern: str) -> bool:
    """A star stands for anything within one name."""
    return page.count("/") == pattern.count("/") and fnmatchcase(page, pattern)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(each)}" for name, each in value.items()) + " }"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


def requests_of(page: str) -> list[str]:
    """What a browser would ask of other hosts by itself to show a page; a link is not asked."""
    reader = _Requests()
    reader.feed(page)
    return reader.found


class _Requests(HTMLParser):
    """Collects addresses of other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Whatever loads something."""
        given = {name: value or "" for name, value in attrs}
        loads = [given.get("src", "")]
        if tag == "link" and given.get("rel") not in QUIET:
            loads.append(given.get("href", ""))
        self.found += [url for url in loads if OUTSIDE.match(url)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
