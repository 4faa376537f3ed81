// Prices are exact strings; everything here works on the digits, and nothing rounds.
const PARTS = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Thousands apart; a tail beyond `digits` telling digits is cut with an ellipsis, and the whole string belongs in a title. */
export function shown(text: string, digits = Infinity): string {
  const parts = PARTS.exec(text);
  if (!parts) return text;
  const [, sign = "", whole = "", tail = ""] = parts;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const places = isZero(whole) ? /^0*/.exec(tail)![0].length + digits : Math.max(2, digits - whole.length);
  const kept = tail.length > places ? `${tail.slice(0, places)}…` : tail;
  return sign.replace("-", "\u2212") + grouped + (kept && `.${kept}`);
}

export const isNegative = (text: string): boolean => text.startsWith("-") && !isZero(text);

export const isZero = (text: string): boolean => /^-?0*\.?0*$/.test(text);

/** -1, 0 or 1 as for `sort`; 0 where a text is no plain decimal. */
export function compare(left: string, right: string): number {
  const [a, b] = [PARTS.exec(left), PARTS.exec(right)];
  if (!a || !b) return 0;
  const [low, high] = [isNegative(left), isNegative(right)];
  if (low !== high) return low ? -1 : 1;
  const order = compareDigits(a, b);
  return low ? -order : order;
}

function compareDigits(a: RegExpExecArray, b: RegExpExecArray): number {
  const width = Math.max(a[2]!.length, b[2]!.length);
  const scale = Math.max(a[3]?.length ?? 0, b[3]?.length ?? 0);
  const left = a[2]!.padStart(width, "0") + (a[3] ?? "").padEnd(scale, "0");
  const right = b[2]!.padStart(width, "0") + (b[3] ?? "").padEnd(scale, "0");
  return left < right ? -1 : left > right ? 1 : 0;
}
