// The watchlist: a row for every symbol, with its price and origin or with the reason why there is none.
import type { Shown } from "../live";
import type { Polled } from "../polling";
import { type Failure, inWords, marketState, type Watchlist } from "../words";
import { Change, Figure, Price } from "./Figure";
import { Origin } from "./Origin";
import type { Watched } from "./watched";

type Row = { symbol: string; shown: Shown | null; failure: Failure | null };

type Props = {
  rows: Row[];
  polled: Polled<Watchlist>;
  live: boolean;
  selected: string;
  onSelect(symbol: string): void;
  watched: Watched;
};

export function WatchTable({ rows, polled, live, selected, onSelect, watched }: Props) {
  return (
    <section className="panel watch" aria-labelledby="watch-title">
      <div className="panel-head">
        <h2 id="watch-title">Watchlist</h2>
        {watched.reset ? (
          <button type="button" className="quiet" onClick={watched.reset}>
            Reset
          </button>
        ) : (
          <span className="hint">{live ? "live" : "asked every 3 s"}</span>
        )}
      </div>
      {polled.fault && (
        <p className="fault" role="alert">
          {polled.fault.message} {polled.value && "The prices below are the last that arrived."}
        </p>
      )}
      <table role="table" className={polled.fault ? "aged" : ""}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">Instrument</th>
            <th role="columnheader" className="right">Price</th>
            <th role="columnheader" className="right">Change</th>
            <th role="columnheader">Source and age</th>
            <th role="columnheader" className="right wide">Bid / ask</th>
            <th role="columnheader" className="widest">Market</th>
            <th role="columnheader">
              <span className="unseen">Remove</span>
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr
              role="row"
              key={row.symbol}
              aria-current={row.symbol === selected ? "true" : undefined}
              onClick={() => onSelect(row.symbol)}
            >
              <td role="cell" className="c-name">
                <button type="button" className="name" aria-pressed={row.symbol === selected} onClick={() => onSelect(row.symbol)}>
                  {row.shown?.quote.instrument.symbol ?? row.symbol.replace(/^\w+:/, "")}
                </button>
                <small>{row.shown?.quote.instrument.name ?? row.symbol}</small>
              </td>
              <Answer row={row} polled={polled} />
              <td role="cell" className="c-remove">
                <button
                  type="button"
                  className="quiet remove"
                  aria-label={`Remove ${row.symbol} from the watchlist`}
                  disabled={rows.length === 1}
                  onClick={(event) => {
                    event.stopPropagation();
                    watched.remove(row.symbol);
                  }}
                >
                  ×
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Answer({ row: { shown, failure }, polled }: { row: Row; polled: Polled<Watchlist> }) {
  if (!shown) {
    return (
      <>
        <td role="cell" colSpan={3} className="c-failure">
          {failure && (
            <>
              <strong>{inWords(failure.code)}.</strong> {failure.message}
            </>
          )}
          {!failure && (polled.value ? "No answer." : polled.fault ? "Nothing arrived yet." : "Asking…")}
        </td>
        <td role="cell" className="wide" />
        <td role="cell" className="widest" />
      </>
    );
  }
  const { quote, receivedAt } = shown;
  return (
    <>
      <td role="cell" className="right c-price">
        <Price value={quote.price} unit={quote.currency} />
      </td>
      <td role="cell" className="right c-change">
        <Change percent={quote.changePercent} />
      </td>
      <td role="cell" className="c-origin">
        <Origin provenance={quote.provenance} receivedAt={receivedAt} />
      </td>
      <td role="cell" className="right wide c-book">
        <Figure value={quote.bid} />
        <br />
        <Figure value={quote.ask} />
      </td>
      <td role="cell" className="widest c-market">
        {marketState(quote.marketState)}
      </td>
    </>
  );
}
