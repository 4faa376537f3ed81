// The candles on a canvas, and the exact figures of the one under the cursor beside it.
import {
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef, useState } from "react";
import { shown } from "../decimal";
import type { Columns, Series } from "../words";
import { Figure } from "./Figure";

type Parts = { chart: IChartApi; candles: ISeriesApi<"Candlestick">; volumes: ISeriesApi<"Histogram"> };

const seconds = (time: string) => (Date.parse(time) / 1000) as UTCTimestamp;

export function CandleChart({ symbol, words, series }: { symbol: string; words: string; series: Series }) {
  const box = useRef<HTMLDivElement>(null);
  const parts = useRef<Parts | null>(null);
  const [under, setUnder] = useState<number | null>(null);
  const { columns, currency } = series;
  const index = under !== null && under < columns.openTime.length ? under : columns.openTime.length - 1;

  useEffect(() => {
    const made = draw(box.current!);
    parts.current = made;
    made.chart.subscribeCrosshairMove(({ time, logical }) => setUnder(time === undefined ? null : (logical ?? null)));
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    const recolour = () => paint(made, box.current!);
    scheme.addEventListener("change", recolour);
    return () => {
      scheme.removeEventListener("change", recolour);
      parts.current = null;
      made.chart.remove();
    };
  }, []);

  useEffect(() => {
    if (parts.current) fill(parts.current, columns, box.current!);
  }, [columns]);

  const summary =
    `${symbol}: ${columns.openTime.length} candles of ${words}, from ${columns.openTime[0]} to ${columns.openTime.at(-1)}, ` +
    `last close ${columns.close.at(-1)} ${currency}`;
  return (
    <>
      <dl className="legend">
        <div className="when">
          <dt>{columns.closed[index] ? "Opened" : "Forming since"}</dt>
          <dd>{columns.openTime[index]!.replace("T", " ").replace(/:00(\.0+)?Z$/, " UTC")}</dd>
        </div>
        {(["open", "high", "low", "close", "volume"] as const).map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Figure value={columns[name][index] ?? null} />
            </dd>
          </div>
        ))}
      </dl>
      <div ref={box} className="plot" role="img" aria-label={summary} />
    </>
  );
}

function draw(box: HTMLElement): Parts {
  const chart = createChart(box, {
    autoSize: true,
    timeScale: { timeVisible: true, secondsVisible: false, borderVisible: false, rightOffset: 3 },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.22 } },
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
  });
  const volumes = chart.addSeries(HistogramSeries, {
    priceScaleId: "",
    priceFormat: { type: "volume" },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  const made = { chart, volumes, candles: chart.addSeries(CandlestickSeries, { borderVisible: false }) };
  paint(made, box);
  return made;
}

function paint({ chart, candles }: Parts, box: HTMLElement): void {
  const colour = palette(box);
  chart.applyOptions({
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: colour("--quiet"),
      fontFamily: "system-ui, sans-serif",
    },
    grid: { vertLines: { color: colour("--hair") }, horzLines: { color: colour("--hair") } },
  });
  const [up, down] = [colour("--up"), colour("--down")];
  candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
}

/** The canvas takes numbers; exact figures are shown from the strings. */
function fill({ chart, candles, volumes }: Parts, columns: Columns, box: HTMLElement): void {
  const first = candles.data().length === 0;
  const precision = Math.min(8, Math.max(...columns.close.map((close) => close.split(".")[1]?.length ?? 0)));
  const colour = palette(box);
  const formatter = (price: number) => shown(price.toFixed(precision));
  candles.applyOptions({ priceFormat: { type: "custom", formatter, minMove: 10 ** -precision } });
  candles.setData(
    columns.openTime.map((time, i) => ({
      time: seconds(time),
      open: Number(columns.open[i]),
      high: Number(columns.high[i]),
      low: Number(columns.low[i]),
      close: Number(columns.close[i]),
    })),
  );
  volumes.setData(
    columns.openTime.map((time, i) => ({ time: seconds(time), value: Number(columns.volume[i] ?? 0), color: colour("--volume") })),
  );
  if (first) chart.timeScale().fitContent();
}

function palette(box: HTMLElement): (name: string) => string {
  const style = window.getComputedStyle(box);
  return (name) => style.getPropertyValue(name).trim();
}
