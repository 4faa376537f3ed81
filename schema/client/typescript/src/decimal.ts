/** Exact decimal numbers as texts: everything here works on the digits, nothing passes through a Number. */

import type { Decimal } from "./scalars.js";

const WRITTEN = /^(-?)(\d+)(?:\.(\d+))?$/;

interface Parts {
  readonly negative: boolean;
  readonly whole: string;
  readonly tail: string;
}

/**
 * A Decimal of a text or a whole number.
 *
 * @throws {TypeError} where the text is no plain decimal, or the number no exact whole one: 0.1 is none in binary.
 */
export function decimal(value: string | number | bigint): Decimal {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new TypeError(`${value} is no exact whole number: write it as a text`);
  }
  const text = String(value);
  partsOf(text);
  return text as Decimal;
}

/** Whether a text is a plain decimal: digits, perhaps a sign and a point; no exponent. */
export function isDecimal(text: string): text is Decimal {
  return WRITTEN.test(text);
}

/** -1, 0 or 1, as `sort` wants it. */
export function compare(left: Decimal, right: Decimal): -1 | 0 | 1 {
  const [a, b] = [partsOf(left), partsOf(right)];
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const order = compareSizes(a, b);
  return a.negative ? (-order as -1 | 0 | 1) : order;
}

/** Whether both are the same number: "1.0" is "1". */
export function equals(left: Decimal, right: Decimal): boolean {
  return compare(left, right) === 0;
}

export function isZero(value: Decimal): boolean {
  const { whole, tail } = partsOf(value);
  return !/[1-9]/.test(whole + tail);
}

/** Whether it is less than zero: "-0" is not. */
export function isNegative(value: Decimal): boolean {
  return partsOf(value).negative;
}

/** The same digits with the other sign; zero stays as it is. */
export function negate(value: Decimal): Decimal {
  if (isZero(value)) return value;
  return (value.startsWith("-") ? value.slice(1) : `-${value}`) as Decimal;
}

/** A copy in ascending order of what `of` takes of each element; those without a number come last. */
export function sortedBy<Element>(
  elements: readonly Element[],
  of: (element: Element) => Decimal | null | undefined,
): Element[] {
  return [...elements].sort((left, right) => {
    const [a, b] = [of(left), of(right)];
    if (a == null || b == null) return Number(a == null) - Number(b == null);
    return compare(a, b);
  });
}

/** How a number is shown. */
export interface DecimalFormat {
  /** A BCP 47 tag such as "de-CH"; the machine's unless told. */
  readonly locale?: string;
  /** At most so many digits behind the point, rounded half to even; all unless told. */
  readonly maxDigits?: number;
  /** At least so many digits behind the point, filled with zeros; none unless told. */
  readonly minDigits?: number;
  /** Whether thousands stand apart; yes unless told. */
  readonly grouping?: boolean;
}

/**
 * The number as people of a locale write it; every digit is the gateway's own.
 *
 * @throws {RangeError} where a count of digits is none, or both contradict each other.
 */
export function format(value: Decimal, options: DecimalFormat = {}): string {
  const { maxDigits = Number.POSITIVE_INFINITY, minDigits = 0, grouping = true } = options;
  checkDigits("minDigits", minDigits);
  if (maxDigits !== Number.POSITIVE_INFINITY) checkDigits("maxDigits", maxDigits);
  if (minDigits > maxDigits) throw new RangeError("minDigits is greater than maxDigits");
  const { negative, whole, tail } = rounded(partsOf(value), maxDigits);
  const signs = signsOf(options.locale);
  const head = grouping ? grouped(whole, signs) : whole;
  const end = tail.padEnd(minDigits, "0");
  const text = head + (end && signs.point + end);
  const shown = signs.digits === "0123456789" ? text : text.replace(/\d/g, (digit) => [...signs.digits][+digit] ?? digit);
  return (negative ? signs.minus : "") + shown;
}

function checkDigits(name: string, digits: number): void {
  if (!Number.isInteger(digits) || digits < 0) {
    throw new RangeError(`${name} must be a whole number, 0 or more, not ${digits}`);
  }
}

function partsOf(value: string): Parts {
  const found = WRITTEN.exec(value);
  if (!found) throw new TypeError(`not a decimal: ${value}`);
  const [, sign = "", digits = "", tail = ""] = found;
  const whole = digits.replace(/^0+(?=\d)/, "");
  return { negative: sign === "-" && /[1-9]/.test(whole + tail), whole, tail };
}

function compareSizes(a: Parts, b: Parts): -1 | 0 | 1 {
  if (a.whole.length !== b.whole.length) return a.whole.length < b.whole.length ? -1 : 1;
  const width = Math.max(a.tail.length, b.tail.length);
  const [left, right] = [a.whole + a.tail.padEnd(width, "0"), b.whole + b.tail.padEnd(width, "0")];
  return left < right ? -1 : left > right ? 1 : 0;
}

function rounded(parts: Parts, places: number): Parts {
  if (parts.tail.length <= places) return parts;
  const digits = parts.whole + parts.tail.slice(0, places);
  const rest = parts.tail.slice(places);
  const half = `5${"0".repeat(rest.length - 1)}`;
  const odd = /[13579]$/.test(digits);
  const up = rest > half || (rest === half && odd);
  const all = String(BigInt(digits) + (up ? 1n : 0n)).padStart(places + 1, "0");
  const whole = all.slice(0, all.length - places);
  return { negative: parts.negative && /[1-9]/.test(all), whole, tail: all.slice(all.length - places) };
}

interface Signs {
  readonly minus: string;
  readonly point: string;
  readonly group: string;
  /** How many digits a group has: the last one, and those before it. */
  readonly sizes: readonly [number, number];
  /** How long the whole part is where groups begin. */
  readonly from: number;
  readonly digits: string;
}

const known = new Map<string | undefined, Signs>();

/** Asked of Intl once a locale, with numbers of our own: never with a price. */
function signsOf(locale: string | undefined): Signs {
  const kept = known.get(locale);
  if (kept) return kept;
  const intl = new Intl.NumberFormat(locale, { minimumFractionDigits: 1 });
  const parts = intl.formatToParts(-123456789.5);
  const one = (type: string, other: string): string => parts.find((part) => part.type === type)?.value ?? other;
  // Where digits run against the script, marks of direction keep the sign in its place.
  const sign = parts.slice(0, parts.findIndex((part) => part.type === "integer"));
  const groups = parts.filter((part) => part.type === "integer").map((part) => [...part.value].length);
  const last = groups.at(-1) ?? 3;
  const small = intl.formatToParts(1234.5).some((part) => part.type === "group");
  const plain = new Intl.NumberFormat(locale, { useGrouping: false });
  const signs: Signs = {
    minus: sign.map((part) => part.value).join("") || "-",
    point: one("decimal", "."),
    group: one("group", ""),
    sizes: [last, groups.at(-2) ?? last],
    from: last + (small ? 1 : 2),
    digits: [..."0123456789"].map((digit) => plain.format(BigInt(digit))).join(""),
  };
  known.set(locale, signs);
  return signs;
}

function grouped(whole: string, { group, sizes, from }: Signs): string {
  if (whole.length < from) return whole;
  const found = [whole.slice(-sizes[0])];
  for (let end = whole.length - sizes[0]; end > 0; end -= sizes[1]) {
    found.unshift(whole.slice(Math.max(0, end - sizes[1]), end));
  }
  return found.join(group);
}
