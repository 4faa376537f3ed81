// The symbols on the watchlist: some of each class at first, then what the visitor keeps in this browser.
import { useState } from "react";

const KEY = "marketgate.watchlist";

export const MOST_WATCHED = 24;

const FIRST = [
  "crypto:BTC/USD",
  "crypto:ETH/USD",
  "crypto:SOL/USD",
  "equity:AAPL",
  "equity:MSFT",
  "equity:NVDA",
  "fx:EUR/USD",
  "fx:USD/JPY",
];

export type Watched = {
  symbols: string[];
  add(symbol: string): void;
  remove(symbol: string): void;
  reset: (() => void) | null;
};

export function useWatched(): Watched {
  const [symbols, setSymbols] = useState(remembered);
  const keep = (next: string[]) => {
    setSymbols(next);
    try {
      window.localStorage.setItem(KEY, JSON.stringify(next));
    } catch {
      // A browser that keeps nothing for this site still shows the list until the page closes.
    }
  };
  return {
    symbols,
    add: (symbol) => symbols.includes(symbol) || keep([symbol, ...symbols].slice(0, MOST_WATCHED)),
    remove: (symbol) => keep(symbols.filter((other) => other !== symbol)),
    reset: symbols.join() === FIRST.join() ? null : () => keep(FIRST),
  };
}

function remembered(): string[] {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? "null");
    if (Array.isArray(kept) && kept.length > 0 && kept.every((symbol) => typeof symbol === "string")) return kept;
  } catch {
    // Unreadable or forbidden storage is an empty one.
  }
  return FIRST;
}
