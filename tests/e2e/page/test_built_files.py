"""The built pages belong to their sources, ask nobody else for anything, and their queries fit the schema."""

from __future__ import annotations

import json
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from struct import unpack

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from tests.e2e.page.screenshots import HEIGHT, LARGEST_BYTES, SHOWN, WIDTH

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "gateway" / "edge" / "page"
STATIC = ROOT / "gateway" / "edge" / "static"
QUERIES = sorted(PAGE.glob("src/*/*.graphql"))


@cache
def whole_schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema" / "schema.graphql").read_text())


def fingerprint(folder: Path) -> str:
    """What `build/seal.js` computes: the digest of a listing as `sha256sum` prints it."""
    paths = sorted(
        (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()), key=lambda p: p.encode()
    )
    listed = [path for path in paths if "node_modules" not in path.split("/") and path != "fingerprint.json"]
    lines = (f"{sha256((folder / path).read_bytes()).hexdigest()}  {path}\n" for path in listed)
    return sha256("".join(lines).encode()).hexdigest()


def test_the_built_files_are_those_of_the_sources():
    told = json.loads((STATIC / "fingerprint.json").read_text())

    assert told == {"algorithm": "sha256", "sources": fingerprint(PAGE), "built": fingerprint(STATIC)}, "run `make gen`"


@pytest.mark.parametrize("name", ["index.html", "account.html", "console.html"])
def test_a_page_loads_files_of_this_gateway_only_and_has_no_inline_script(name: str):
    page = (STATIC / name).read_text()

    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert [a for a in addresses if not re.fullmatch(r"/static/assets/[\w.-]+-[\w-]{8}\.(js|css|svg)", a)] == []
    assert [a for a in addresses if not (STATIC / a.removeprefix("/static/")).is_file()] == []
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []


def test_style_sheets_load_files_of_this_gateway_only():
    addresses = {
        address for sheet in STATIC.glob("assets/*.css") for address in re.findall(r"url\(([^)]*)\)", sheet.read_text())
    }

    assert {a for a in addresses if not a.strip("\"'").startswith(("/static/assets/", "data:", "#"))} == set()


def test_every_package_that_is_built_in_is_in_the_licence_list():
    needed = json.loads((PAGE / "package.json").read_text())["dependencies"]
    listed = re.findall(r"^={80}\n(\S+) \S+ \((.+)\)$", (STATIC / "THIRD_PARTY_LICENSES.txt").read_text(), re.MULTILINE)

    assert set(needed) - {name for name, _ in listed} == set()
    # Licences that ask for more than a notice would need a decision first.
    assert {licence for _, licence in listed} <= {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD"}


def test_the_pictures_of_the_readme_are_there_in_both_schemes_and_small():
    pictures = {path.name: path.read_bytes() for path in (ROOT / "docs" / "images").glob("*.png")}

    assert set(pictures) == {f"{name}-{scheme}.png" for name in SHOWN for scheme in ("light", "dark")}
    # Width and height stand at a fixed place of every PNG.
    assert {unpack(">II", data[16:24]) for data in pictures.values()} == {(WIDTH, HEIGHT)}
    assert max(map(len, pictures.values())) < LARGEST_BYTES


def test_the_lock_names_no_registry():
    lock = json.loads((PAGE / "package-lock.json").read_text())

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.relative_to(PAGE / "src").as_posix())
def test_a_query_of_the_pages_fits_the_schema(path: Path):
    assert [error.message for error in validate(whole_schema(), parse(path.read_text()))] == []
