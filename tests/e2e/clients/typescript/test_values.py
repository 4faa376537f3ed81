"""What the TypeScript client reckons by itself: exact decimals, instants, bars."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.clients.typescript.node import Node, Thrown
from tests.e2e.clients.typescript.test_types import SNIPPETS

EXACT = Context(prec=200)
DIGITS = st.text("0123456789", min_size=1, max_size=30)
TEXTS = st.builds("{}{}{}".format, st.sampled_from(["", "-"]), DIGITS, st.just("") | DIGITS.map(".{}".format))


def spelt_twice(text: str) -> tuple[str, str]:
    """The same number."""
    return text, text + ("0" if "." in text else ".0")


def shown(value: str, digits: int) -> str:
    """As Python's own decimals write it."""
    number = EXACT.create_decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN, EXACT)
    return f"{abs(number) if number == 0 else number:,f}"


@settings(max_examples=30)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS) | TEXTS.map(spelt_twice), min_size=1, max_size=20))
def test_two_numbers_stand_in_the_order_of_their_values(node: Node, pairs: list[tuple[str, str]]):
    orders = node.run("return given.pairs.map(([a, b]) => [compare(a, b), equals(a, b)]);", pairs=pairs)

    expected = [(Decimal(a) > Decimal(b)) - (Decimal(a) < Decimal(b)) for a, b in pairs]
    assert orders == [[order, order == 0] for order in expected]


@settings(max_examples=30)
@given(texts=st.lists(TEXTS, min_size=1, max_size=20), digits=st.integers(0, 12))
def test_a_number_is_rounded_and_grouped_as_python_does(node: Node, texts: list[str], digits: int):
    written = node.run(
        """return given.texts.map((text) =>
            format(text, { locale: "en-US", maxDigits: given.digits, minDigits: given.digits }));""",
        texts=texts,
        digits=digits,
    )

    assert written == [shown(text, digits) for text in texts]


@pytest.mark.parametrize(("value", "options", "expected"), [
    ("91234.123456789012345678", {"locale": "en-US"}, "91,234.123456789012345678"),
    ("91234.5", {"locale": "de-DE", "minDigits": 2}, "91.234,50"),
    ("1234567.25", {"locale": "en-IN"}, "12,34,567.25"),
    ("1234.5", {"locale": "es-ES"}, "1234,5"),
    ("12345.5", {"locale": "es-ES"}, "12.345,5"),
    ("-1234.5", {"locale": "en-US", "grouping": False}, "-1234.5"),
    ("1234.5", {"locale": "ar-EG"}, "\u0661\u066c\u0662\u0663\u0664\u066b\u0665"),
    ("-1234.5", {"locale": "ar-EG"}, "\u061c-\u0661\u066c\u0662\u0663\u0664\u066b\u0665"),
    ("-1.5", {"locale": "he"}, "\u200e-1.5"),
    ("-1.5", {"locale": "sv"}, "\u22121,5"),
    ("0.5", {"locale": "en-US", "maxDigits": 0}, "0"),
    ("1.5", {"locale": "en-US", "maxDigits": 0}, "2"),
    ("-0.004", {"locale": "en-US", "maxDigits": 2}, "0.00"),
    ("999.999", {"locale": "en-US", "maxDigits": 2}, "1,000.00"),
    ("007.10", {"locale": "en-US"}, "7.10"),
    ("123456789012345678901234567890.1", {"locale": "en-US"}, "123,456,789,012,345,678,901,234,567,890.1"),
])  # fmt: skip
def test_every_digit_is_shown_as_the_locale_writes_it(
    node: Node, value: str, options: dict[str, object], expected: str
):
    assert node.run("return format(given.value, given.options);", value=value, options=options) == expected


@pytest.mark.parametrize("name", ["maxDigits", "minDigits"])
@pytest.mark.parametrize("digits", ["-1", "1.5", "0.5", "NaN", "null", "'2'"])
def test_a_count_of_digits_that_is_none_is_refused(node: Node, name: str, digits: str):
    with pytest.raises(Thrown, match=f"^{name} must be a whole number, 0 or more, not ") as thrown:
        node.run(f"return format('1.2345', {{ locale: 'en-US', {name}: {digits} }});")

    assert thrown.value.name == "RangeError"


def test_all_digits_are_shown_where_no_most_is_told(node: Node):
    found = node.run(
        "return [undefined, Infinity].map((maxDigits) => format('1.2345', { locale: 'en-US', maxDigits }));"
    )

    assert found == ["1.2345", "1.2345"]


def test_signs_zeros_and_orders(node: Node):
    found = node.run(
        """
        const rows = [{ price: "10" }, { price: null }, { price: "9.99" }, { price: "-1" }];
        return [isZero("-0.00"), isZero("0.01"), isNegative("-0"), isNegative("-0.1"), negate("1.50"), negate("-2"),
            negate("0.0"), sortedBy(rows, ({ price }) => price).map(({ price }) => price)];""",
    )

    assert found == [True, False, False, True, "-1.50", "2", "0.0", ["-1", "9.99", "10", None]]


@pytest.mark.parametrize("written", ["1e5", "NaN", "", ".5", "5.", "+1", "1,000", " 1"])
def test_what_is_no_plain_decimal_is_refused(node: Node, written: str):
    assert node.run("return isDecimal(given.written);", written=written) is False
    with pytest.raises(Thrown, match="not a decimal: "):
        node.run("decimal(given.written);", written=written)


def test_a_number_becomes_a_decimal_only_where_it_is_exact(node: Node):
    assert node.run("return [decimal(42), decimal(-7n), decimal('0.1')];") == ["42", "-7", "0.1"]
    with pytest.raises(Thrown, match=r"0\.1 is no exact whole number: write it as a text"):
        node.run("decimal(0.1);")


@pytest.mark.parametrize(("call", "message"), [
    ("dateTime('2026-11-20T12:00:00')", "not an instant with its zone"),
    ("dateTime('2026-13-20T12:00:00Z')", "not an instant with its zone"),
    ("dateTime('2026-02-30T12:00:00Z')", "not an instant with its zone"),
    ("dateTime('2026-11-20T24:00:00Z')", "not an instant with its zone"),
    ("dateTime(new Date(NaN))", "not an instant with its zone"),
    ("calendarDate('2026-02-30')", "not a day"),
    ("calendarDate('20261120')", "not a day"),
])  # fmt: skip
def test_what_is_no_time_is_refused(node: Node, call: str, message: str):
    with pytest.raises(Thrown, match=message):
        node.run(f"{call};")


def test_times_are_taken_from_texts_and_dates(node: Node):
    found = node.run(
        "return [dateTime('2026-11-20T12:00:00+01:00'), dateTime(new Date(0)), calendarDate('2024-02-29')];"
    )

    assert found == ["2026-11-20T12:00:00+01:00", "1970-01-01T00:00:00.000Z", "2024-02-29"]


COLUMNS = {
    "openTime": ["2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z", "2026-11-20T16:00:00Z"],
    "open": ["1.5", "2", "3"], "high": ["2", "2.5", "4"], "low": ["1", "2", "3"], "close": ["2", "2.25", "3.5"],
}  # fmt: skip
BARS = [
    {"time": 1_795_176_000, "open": 1.5, "high": 2, "low": 1, "close": 2},
    {"time": 1_795_179_600, "open": 2, "high": 2.5, "low": 2, "close": 2.25},
    {"time": 1_795_190_400, "open": 3, "high": 4, "low": 3, "close": 3.5},
]
GAPS = [{"start": "2026-11-20T14:00:00Z", "end": "2026-11-20T16:00:00Z", "missing": 2}]


def test_columns_become_bars_and_gaps_are_left_out(node: Node):
    assert node.run("return toBars(given.series);", series={"columns": COLUMNS, "gaps": GAPS}) == BARS


def test_rows_become_bars_and_a_later_row_of_the_same_time_counts(node: Node):
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]
    revised = [*reversed(rows), {**rows[2], "close": "9"}]

    assert node.run("return toBars(given.series);", series={"rows": revised}) == [*BARS[:2], {**BARS[2], "close": 9}]


def test_what_a_stream_tells_joins_the_bars(node: Node):
    candles = [dict(zip(COLUMNS, [values[at] for values in COLUMNS.values()], strict=True)) for at in (2, 0)]
    bars = node.run(
        "return merged(given.bars, given.candles);",
        bars=BARS[:2],
        candles=[candles[0], {**candles[1], "close": "1.75"}],
    )

    assert bars == [{**BARS[0], "close": 1.75}, *BARS[1:]]


def test_gaps_may_keep_their_places(node: Node):
    bars = node.run("return toBars(given.series, { gaps: 'whitespace' });", series={"columns": COLUMNS, "gaps": GAPS})

    assert bars == [*BARS[:2], {"time": 1_795_183_200}, {"time": 1_795_186_800}, BARS[2]]


def test_what_no_chart_can_draw_is_refused(node: Node):
    candle = {name: values[0] for name, values in COLUMNS.items()}
    for wrong in ({"openTime": "soon"}, {"close": "NaN"}, {"high": "9" * 400}):
        with pytest.raises(Thrown, match="no chart can draw ") as thrown:
            node.run("return toBar(given.candle);", candle={**candle, **wrong})
        assert thrown.value.name == "TypeError"
    short = {**COLUMNS, "low": ["1"]}
    with pytest.raises(Thrown, match="no chart can draw undefined"):
        node.run("return toBars({ columns: given.short });", short=short)


CHART = """{
    const [drawn, asked] = [[], []];
    const createClient = () => ({
        query: async (_, variables) => { asked.push(variables); return { candles: { rows: given.stored.shift() } }; },
        async *subscribe() { yield* given.messages.map((candles) => ({ candles })); },
    });
    const plot = { setData: (bars) => drawn.push(bars.map(({ close }) => close)) };
    const createChart = () => ({ addSeries: () => plot });
    const [CandlestickSeries, document] = [null, { body: null }];
    %s
    return [drawn, asked];
}"""


def test_the_chart_of_the_readme_shows_the_bars_that_its_stream_has_missed(node: Node):
    [snippet] = [each for each in SNIPPETS if "createChart" in each]
    script = re.sub(r"^import .*\n| as const|: Promise<Bar\[\]>", "", snippet, flags=re.MULTILINE)

    def candle(minute: int, close: str) -> dict[str, str]:
        prices = dict.fromkeys(("open", "high", "low", "close"), close)
        return {"openTime": f"2026-11-20T12:{minute:02}:00Z", **prices}

    def message(*candles: dict[str, str], snapshot: bool = False, code: str | None = None) -> dict[str, object]:
        notices = [] if code is None else [{"code": code, "message": "", "symbol": None, "provider": None}]
        return {"snapshot": snapshot, "candles": candles, "notices": notices}

    drawn, asked = node.run(
        CHART % script,
        stored=[
            [candle(0, "1"), candle(1, "2")],
            [candle(0, "1"), candle(1, "3")],
            [candle(0, "1"), candle(1, "3"), candle(2, "4"), candle(3, "5"), candle(4, "5.5")],
        ],
        messages=[
            message(candle(1, "3.5"), snapshot=True),
            message(code="GAP"),
            message(candle(4, "6"), code="FRESH_AGAIN"),
            message(candle(5, "7")),
        ],
    )

    assert drawn == [[1, 2], [1, 3.5], [1, 3.5], [1, 3, 4, 5, 6], [1, 3, 4, 5, 6, 7]]
    assert [each["last"] for each in asked] == [500, 500, 500]
