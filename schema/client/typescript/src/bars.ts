/** Candles as TradingView's lightweight-charts takes them. A chart draws pixels: here, and only here, prices are Numbers. */

import type { DateTime, Decimal } from "./scalars.js";

/** Seconds since 1970, UTC: a `UTCTimestamp` of lightweight-charts. */
export type Seconds = number & { [Symbol.species]: "UTCTimestamp" };

export interface Bar {
  time: Seconds;
  open: number;
  high: number;
  low: number;
  close: number;
}

/** A place on the time axis without a bar. */
export interface Whitespace {
  time: Seconds;
}

/** What a bar is made of: `candles.rows` and the messages of the subscription `candles` hold such. */
export interface CandleLike {
  readonly openTime: DateTime;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
}

export interface GapLike {
  readonly start: DateTime;
  readonly end: DateTime;
  readonly missing: number;
}

/** A series by rows or by columns; columns win where it has both. */
export interface SeriesLike {
  readonly rows?: readonly CandleLike[];
  readonly columns?: {
    readonly openTime: readonly DateTime[];
    readonly open: readonly Decimal[];
    readonly high: readonly Decimal[];
    readonly low: readonly Decimal[];
    readonly close: readonly Decimal[];
  };
  readonly gaps?: readonly GapLike[];
}

export interface BarOptions {
  /** Whether candles that are missing are left out (bars stand beside each other), or keep their place; left out. */
  readonly gaps?: "omit" | "whitespace";
}

/** The bars of a series, ascending, one a time: of two candles with the same `openTime` the later one. */
export function toBars(series: SeriesLike, options?: { readonly gaps?: "omit" }): Bar[];
export function toBars(series: SeriesLike, options: BarOptions): (Bar | Whitespace)[];
export function toBars(series: SeriesLike, options: BarOptions = {}): (Bar | Whitespace)[] {
  const gaps = options.gaps === "whitespace" ? (series.gaps ?? []) : [];
  return byTime([...gaps.flatMap(timesOf).map((time) => ({ time })), ...barsOf(series)]);
}

/**
 * The bars with the candles of a stream's message: new ones behind them, revised ones in their places.
 *
 * What a stream has missed it says with a snapshot or a notice GAP: those bars come by a query alone.
 */
export function merged(bars: readonly Bar[], candles: readonly CandleLike[]): Bar[] {
  return byTime([...bars, ...candles.map(toBar)]);
}

/** One bar: what `series.update` takes as a candle grows. */
export function toBar({ openTime, open, high, low, close }: CandleLike): Bar {
  const [o, h, l, c] = [open, high, low, close].map(numberOf) as [number, number, number, number];
  return { time: secondsOf(openTime), open: o, high: h, low: l, close: c };
}

function byTime<Place extends Whitespace>(places: readonly Place[]): Place[] {
  const found = new Map(places.map((place) => [place.time, place]));
  return [...found.values()].sort((a, b) => a.time - b.time);
}

function barsOf({ rows, columns }: SeriesLike): Bar[] {
  if (!columns) return (rows ?? []).map(toBar);
  const { openTime, open, high, low, close } = columns;
  return openTime.map((time, at) =>
    toBar({ openTime: time, open: open[at]!, high: high[at]!, low: low[at]!, close: close[at]! }),
  );
}

/** The places of the missing candles, at even distances: what a gap tells is how many they are. */
function timesOf({ start, end, missing }: GapLike): Seconds[] {
  const [from, to] = [secondsOf(start), secondsOf(end)];
  return Array.from({ length: missing }, (_, at) => Math.floor(from + ((to - from) * at) / missing) as Seconds);
}

function secondsOf(time: DateTime): Seconds {
  return Math.floor(finite(Date.parse(time), time) / 1000) as Seconds;
}

function numberOf(price: Decimal): number {
  return finite(Number(price), price);
}

/** A chart takes NaN without a word, and draws nothing any more. */
function finite(value: number, text: string): number {
  if (!Number.isFinite(value)) throw new TypeError(`no chart can draw ${text}`);
  return value;
}
