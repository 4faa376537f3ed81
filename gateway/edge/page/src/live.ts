// Prices as they change, over one connection: opened again when it ends, and closed while nobody looks.
import { useEffect, useState } from "react";
import { csrf } from "./csrf";
import { isStream, results } from "./events";
import liveQuery from "./queries/live.graphql?raw";
import type { LiveUpdate, Quote } from "./words";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export type Shown = { quote: Quote; receivedAt: number };

/** `up` as long as the gateway sends; what came stays when it no longer does. Quotes by their ids. */
export type Live = { up: boolean; quotes: ReadonlyMap<string, Shown> };

const SILENT: Live = { up: false, quotes: new Map() };

export function useLive(symbols: string[]): Live {
  const [live, setLive] = useState(SILENT);
  const key = symbols.join(" ");

  useEffect(() => {
    const stopped = new AbortController();
    let connection = new AbortController();
    let timer = 0;
    let failures = 0;

    const hear = (update: LiveUpdate) => {
      const receivedAt = Date.now();
      failures = 0;
      setLive(({ quotes }) => ({
        up: true,
        quotes: new Map([...quotes, ...update.quotes.quotes.map((quote) => [quote.id, { quote, receivedAt }] as const)]),
      }));
    };
    const listen = async () => {
      connection = new AbortController();
      try {
        const response = await subscribe(symbols, AbortSignal.any([stopped.signal, connection.signal]));
        if (isStream(response)) {
          for await (const result of results(response)) {
            const { data } = result as { data?: LiveUpdate | null };
            if (!data) break;
            hear(data);
          }
        }
      } catch {
        // The gateway is away, or nobody looks: what is polled says the first.
      }
      connection.abort();
      if (stopped.signal.aborted) return;
      setLive(({ quotes }) => ({ up: false, quotes }));
      failures += 1;
      timer = window.setTimeout(next, Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS));
    };
    const next = () => {
      if (!document.hidden) void listen();
      else document.addEventListener("visibilitychange", next, { once: true, signal: stopped.signal });
    };
    const hide = () => document.hidden && connection.abort();

    document.addEventListener("visibilitychange", hide, { signal: stopped.signal });
    next();
    return () => {
      stopped.abort();
      window.clearTimeout(timer);
    };
    // `symbols` is a new array at each render; `key` names them.
  }, [key]);

  return live;
}

function subscribe(symbols: string[], signal: AbortSignal): Promise<Response> {
  return fetch("/graphql", {
    method: "POST",
    headers: { ...csrf(), "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: liveQuery, variables: { symbols } }),
    signal,
  });
}
