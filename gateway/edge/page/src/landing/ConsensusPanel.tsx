// The same question put to several providers: the middle, the range, and who disagrees or was left out and why.
import { ask } from "../gateway";
import { shown } from "../decimal";
import { usePolled } from "../polling";
import consensusQuery from "../queries/consensus.graphql?raw";
import { type Consensus, inWords, type Source } from "../words";
import { Figure } from "./Figure";
import { Origin } from "./Origin";

export function ConsensusPanel({ symbol }: { symbol: string }) {
  const { value, fault, receivedAt } = usePolled(`consensus ${symbol}`, 15_000, (signal) =>
    ask<{ consensus: Consensus | null }>(consensusQuery, { symbol }, signal),
  );
  const consensus = value?.consensus;
  return (
    <div className="consensus">
      <div className="panel-head">
        <h3>Consensus</h3>
        {consensus && (
          <span className="hint">
            {consensus.used} of {consensus.asked} providers count
          </span>
        )}
      </div>
      {fault && <p className={fault.code ? "note" : "fault"} role="status">{fault.message}</p>}
      {!fault && !value && <p className="note">Asking several providers…</p>}
      {value && !consensus && !fault && <p className="note">No provider could be compared.</p>}
      {consensus && (
        <>
          <dl className="facts">
            <Fact name="Median" value={consensus.median} unit={consensus.currency} />
            <Fact name="Low" value={consensus.low} />
            <Fact name="High" value={consensus.high} />
            <Fact name="Range" value={consensus.rangeBps} unit="bps" />
          </dl>
          <ul className="votes">
            {consensus.sources.map((source) => (
              <Vote key={source.provider} source={source} receivedAt={receivedAt} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Fact({ name, value, unit }: { name: string; value: string; unit?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{unit ? <Figure value={value} unit={unit} /> : <Figure value={value} />}</dd>
    </div>
  );
}

function Vote({ source, receivedAt }: { source: Source; receivedAt: number }) {
  const { provider, quote, deviationBps, outlier, excluded } = source;
  return (
    <li className={outlier ? "outlier" : ""}>
      {quote ? <Origin provenance={quote.provenance} receivedAt={receivedAt} /> : <span className="provider">{provider}</span>}
      {quote && <Figure value={quote.price} />}
      {deviationBps !== null && !excluded && (
        <span className="deviation" title={`${deviationBps} basis points from the median`}>
          {shown(deviationBps)} bps{outlier && " · outlier"}
        </span>
      )}
      {excluded && (
        <span className="excluded" title={excluded.message}>
          left out: {excluded.code === "NOT_COVERED" ? "not comparable" : inWords(excluded.code).toLowerCase()}
        </span>
      )}
    </li>
  );
}
