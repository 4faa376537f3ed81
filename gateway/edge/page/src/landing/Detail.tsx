// One instrument in depth: its price, its candles and what other providers say.
import { useState } from "react";
import { ask } from "../gateway";
import type { Shown } from "../live";
import { usePolled } from "../polling";
import chartQuery from "../queries/chart.graphql?raw";
import { type Failure, inWords, marketState, type Series } from "../words";
import { Boundary } from "./Boundary";
import { CandleChart } from "./CandleChart";
import { ConsensusPanel } from "./ConsensusPanel";
import { Change, Figure, Price } from "./Figure";
import { Origin } from "./Origin";

const CANDLES = 180;

const INTERVALS: [string, string, string][] = [
  ["M1", "1m", "1 minute"],
  ["M5", "5m", "5 minutes"],
  ["M15", "15m", "15 minutes"],
  ["H1", "1h", "1 hour"],
  ["H4", "4h", "4 hours"],
  ["D1", "1d", "1 day"],
  ["W1", "1w", "1 week"],
];

type Props = { symbol: string; shown: Shown | null; failure: Failure | null };

export function Detail({ symbol, shown, failure }: Props) {
  const { quote, receivedAt } = shown ?? { quote: null, receivedAt: 0 };
  return (
    <section className="panel detail" aria-labelledby="detail-title">
      <div className="headline">
        <div>
          <h2 id="detail-title">{quote?.instrument.symbol ?? symbol}</h2>
          <p className="hint">{quote?.instrument.name ?? symbol}</p>
        </div>
        {quote && (
          <div className="now">
            <div className="big">
              <Price value={quote.price} unit={quote.currency} whole />
              <Change percent={quote.changePercent} />
            </div>
            <p>
              <Origin provenance={quote.provenance} receivedAt={receivedAt} />
            </p>
          </div>
        )}
        {!quote && failure && (
          <p className="fault">
            <strong>{inWords(failure.code)}.</strong> {failure.message}
          </p>
        )}
      </div>
      {quote && (
        <dl className="facts">
          <div>
            <dt>Bid</dt>
            <dd>
              <Figure value={quote.bid} />
            </dd>
          </div>
          <div>
            <dt>Ask</dt>
            <dd>
              <Figure value={quote.ask} />
            </dd>
          </div>
          <div>
            <dt>Market</dt>
            <dd>{marketState(quote.marketState)}</dd>
          </div>
          <div>
            <dt>Id</dt>
            <dd>
              <code>{quote.instrument.id}</code>
            </dd>
          </div>
        </dl>
      )}
      <Boundary>
        <Candles symbol={symbol} />
      </Boundary>
      <Boundary>
        <ConsensusPanel symbol={symbol} />
      </Boundary>
    </section>
  );
}

function Candles({ symbol }: { symbol: string }) {
  const [interval, setInterval] = useState("H1");
  const { value, fault, receivedAt } = usePolled(`candles ${symbol} ${interval}`, 10_000, (signal) =>
    ask<{ candles: Series | null }>(chartQuery, { symbol, interval, last: CANDLES }, signal),
  );
  const series = value?.candles;
  const empty = series && series.columns.openTime.length === 0;
  const words = INTERVALS.find(([id]) => id === interval)![2];

  return (
    <div className="candles">
      <div className="panel-head">
        <h3>Candles</h3>
        <fieldset className="intervals">
          <legend className="unseen">Interval of the candles</legend>
          {INTERVALS.map(([id, short, long]) => (
            <label key={id} title={long}>
              <input type="radio" name="interval" value={id} checked={id === interval} onChange={() => setInterval(id)} />
              <span>{short}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {fault && (
        <p className="fault" role="status">
          {fault.message} {series && "The chart shows what arrived before."}
        </p>
      )}
      {series && !empty ? (
        <CandleChart key={`${symbol} ${interval}`} symbol={symbol} words={words} series={series} />
      ) : (
        <div className="plot blank">
          {empty ? "There are no candles for this." : fault ? "No chart without candles." : "Asking for candles…"}
        </div>
      )}
      {series && (
        <p className="sources">
          {series.provenance.map((provenance) => (
            <Origin key={provenance.provider + provenance.mode} provenance={provenance} receivedAt={receivedAt} />
          ))}
          <span className="hint">{gapsInWords(series)}</span>
        </p>
      )}
    </div>
  );
}

function gapsInWords({ gaps }: Series): string {
  if (gaps.length === 0) return "No candle is missing.";
  const missing = gaps.reduce((sum, gap) => sum + gap.missing, 0);
  return `${missing} ${missing === 1 ? "candle is" : "candles are"} missing while the venue was open; nothing is filled in.`;
}
