"""Charts as SVG that stretches, with labels beside it that do not: readable at any width, without a script."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from gateway.cli.report.markup import Markup, element, joined
from gateway.cli.report.numbers import percent, ratio
from gateway.cli.report.scales import Scale, day_ticks, scale_of

WIDTH, HEIGHT = 1000.0, 400.0
NARROW = 4
"""So many days have room on a telephone."""
MOST_POINTS = 1_000
"""Of a line; of longer ones the lowest and the highest of each piece are drawn, so that no extreme is lost."""

Point = tuple[date, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Values on days, None where there is none. The first line of a chart is solid, the second dashed."""

    name: str
    dates: Sequence[date]
    values: Sequence[float | None]

    def points(self) -> list[Point]:
        """Those that have a value."""
        return [(day, value) for day, value in zip(self.dates, self.values, strict=True) if value is not None]

    def pieces(self) -> Iterator[list[Point]]:
        """Runs of days that have a value."""
        pairs = zip(self.dates, self.values, strict=True)
        for there, run in groupby(pairs, key=lambda pair: pair[1] is not None):
            if there:
                yield [(day, value) for day, value in run if value is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn, and in which words and units."""

    key: str
    title: str
    note: str
    lines: Sequence[Line]
    percent: bool = False
    logarithmic: bool = False
    filled: bool = False
    """Between the first line and 0."""

    def shown(self, value: float) -> str:
        """A value with its unit."""
        return percent(value) if self.percent else ratio(value)


def drawn(chart: Chart) -> Markup:
    """The chart with its caption; a sentence where no line has two points."""
    lines = [line for line in chart.lines if len(line.points()) > 1]
    if not lines:
        return element("p", f"{chart.title}: there are too few values to draw.", class_="none")
    points = [point for line in lines for point in line.points()]
    start, end = min(day for day, _ in points), max(day for day, _ in points)
    scale = scale_of([value for _, value in points] + ([0.0] if chart.filled else []), logarithmic=chart.logarithmic)
    span = (end - start).days

    def across(day: date) -> float:
        return (day - start).days / span

    title, told = f"{chart.key}-title", f"{chart.key}-told"
    picture = element(
        "svg", element("title", chart.title, id=title), element("desc", _told(chart, lines), id=told),
        *_grid(scale), *_paths(chart, lines, across, scale),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", preserveAspectRatio="none", role="img", aria_labelledby=f"{title} {told}",
    )  # fmt: skip
    plot = element("div", picture, *_labels(chart, scale, across, start, end), class_="plot")
    caption = element("figcaption", element("strong", chart.title), f": {chart.note}", _legend(lines))
    return element("figure", caption, plot, id=chart.key)


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most about a thousand of them: the first, the last, and the extremes between."""
    if len(points) <= MOST_POINTS:
        return list(points)
    size = math.ceil(len(points) / (MOST_POINTS // 2))
    found = [points[0]]
    for start in range(0, len(points), size):
        piece = points[start : start + size]
        ends = {min(piece, key=lambda point: point[1]), max(piece, key=lambda point: point[1])}
        found += sorted(ends - {points[0]})
    return found if found[-1] == points[-1] else [*found, points[-1]]


def _paths(
    chart: Chart, lines: Sequence[Line], across: Callable[[date], float], scale: Scale
) -> Iterator[Markup]:  # fmt: skip
    zero = _down(scale, 0.0) if chart.filled else 0.0
    for number, line in enumerate(lines, 1):
        for piece in line.pieces():
            places = [(across(day) * WIDTH, _down(scale, value)) for day, value in thinned(piece)]
            way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            if chart.filled and number == 1:
                yield element("path", d=f"M{places[0][0]:.1f},{zero:.1f} L{way} L{places[-1][0]:.1f},{zero:.1f} Z",
                              class_="area")  # fmt: skip
            yield element("path", d=f"M{way}", class_=f"line line{number}")


def _grid(scale: Scale) -> Iterator[Markup]:
    for value in scale.ticks():
        kind = "zero" if value == 0 else "grid"
        yield element("path", d=f"M0,{_down(scale, value):.1f} H{WIDTH:g}", class_=kind)


def _labels(
    chart: Chart, scale: Scale, across: Callable[[date], float], start: date, end: date
) -> Iterator[Markup]:  # fmt: skip
    """They say what the description of the picture says too, so they are not read aloud."""
    for value in scale.ticks():
        words, top = _tick(chart, value), f"top:{(1 - scale.share(value)) * 100:.2f}%"
        yield element("span", words, class_="value", style=top, aria_hidden="true")
    days = day_ticks(start, end)
    for number, (day, words) in enumerate(days):
        # Where the page is narrow there is no room for all of them.
        kind = "day spare" if number % 2 and len(days) > NARROW else "day"
        yield element("span", words, class_=kind, style=f"left:{across(day) * 100:.2f}%", aria_hidden="true")


def _tick(chart: Chart, value: float) -> str:
    return f"{value * 100:.6g}\u00a0%" if chart.percent else f"{value:.6g}"


def _legend(lines: Sequence[Line]) -> Markup:
    if len(lines) < 2:
        return joined()
    names = [
        element("li", element("span", class_=f"key key{number}", aria_hidden="true"), f"{line.name} ({how})")
        for number, (line, how) in enumerate(zip(lines, ("solid", "dashed"), strict=False), 1)
    ]
    return element("ul", *names, class_="legend")


def _told(chart: Chart, lines: Sequence[Line]) -> str:
    """The picture in words: where each line begins and ends, and its extremes."""
    sentences = []
    for line in lines:
        points = line.points()
        low, high = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
        places = {"from": points[0], "to": points[-1], "lowest": low, "highest": high}
        said = [f"{word} {chart.shown(value)} on {day}" for word, (day, value) in places.items()]
        sentences.append(f"{line.name}: {', '.join(said)}.")
    return " ".join(sentences)


def _down(scale: Scale, value: float) -> float:
    return (1 - scale.share(value)) * HEIGHT
