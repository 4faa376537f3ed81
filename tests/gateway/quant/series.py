"""Real series beside the checkout (`../shared/data`), read in place; tests that need them are skipped without."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[4] / "shared" / "data"


@cache
def columns(name: str) -> dict[str, list[str]]:
    """A file's columns as text; the test is skipped where the folder is not there."""
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is not there")
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def dates(name: str) -> list[str]:
    """The ISO days of a file."""
    return columns(name)["date"]


def days(name: str) -> list[date]:
    """As dates."""
    return [date.fromisoformat(day) for day in dates(name)]


def numbers(name: str, column: str) -> list[float | None]:
    """A column, None where it is blank."""
    return [float(text) if text else None for text in columns(name)[column]]


def present(name: str, column: str) -> NDArray[np.float64]:
    """A column without its blanks."""
    return np.array([number for number in numbers(name, column) if number is not None])
