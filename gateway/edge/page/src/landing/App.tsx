// The whole page: what the gateway is, whether its data is real, prices, one instrument in depth, providers, examples.
import { useEffect, useState } from "react";
import { ask, health, UNAUTHENTICATED } from "../gateway";
import { type Shown, useLive } from "../live";
import { Mark } from "../Mark";
import { usePolled } from "../polling";
import watchlistQuery from "../queries/watchlist.graphql?raw";
import type { Found, Quote, Watchlist } from "../words";
import { AccountLink } from "./AccountLink";
import { Banner } from "./Banner";
import { Boundary } from "./Boundary";
import { CostLine } from "./CostLine";
import { Detail } from "./Detail";
import { Examples } from "./Examples";
import { Providers } from "./Providers";
import { Search } from "./Search";
import { useWatched } from "./watched";
import { WatchTable } from "./WatchTable";

export function App() {
  const watched = useWatched();
  const [selected, setSelected] = useState(() => decodeURIComponent(window.location.hash.slice(1)) || watched.symbols[0]!);
  const asked = watched.symbols.includes(selected) ? watched.symbols : [...watched.symbols, selected];

  const wellness = usePolled("health", 10_000, health);
  const live = useLive(asked);
  // All that this page asks in a minute stays within the 60 points of the smallest plan.
  const prices = usePolled(`quotes ${asked.join(" ")}`, live.up ? 30_000 : 3_000, (signal) =>
    ask<Watchlist>(watchlistQuery, { symbols: asked }, signal),
  );

  // The console comes with introspection, and both are off in production.
  const hasConsole = wellness.value?.env !== "production";

  useEffect(() => {
    const follow = () => {
      const symbol = decodeURIComponent(window.location.hash.slice(1));
      if (symbol) setSelected(symbol);
    };
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);

  const choose = (symbol: string) => {
    setSelected(symbol);
    window.history.replaceState(null, "", `#${encodeURIComponent(symbol)}`);
  };
  const pick = (found: Found) => {
    watched.add(found.id);
    choose(found.id);
  };

  const failureOf = (symbol: string) => prices.value?.quotes.failures.find((failure) => failure.index === asked.indexOf(symbol));
  const shown = (symbol: string): Shown | null => {
    const polled: Quote | null = prices.value?.quotes.nodes[asked.indexOf(symbol)] ?? null;
    const told = polled && live.quotes.get(polled.id);
    if (told && told.receivedAt > prices.receivedAt) return told;
    return polled && { quote: polled, receivedAt: prices.receivedAt };
  };
  const rows = watched.symbols.map((symbol) => ({ symbol, shown: shown(symbol), failure: failureOf(symbol) ?? null }));
  const chosen = shown(selected);

  return (
    <>
      <a className="skip" href="#main">
        Skip to the prices
      </a>
      <header className="top">
        <a className="brand" href="/">
          <Mark />
          Marketgate
        </a>
        <nav aria-label="Pages">
          <a href="#examples" onClick={scrollTo("examples")}>
            Examples
          </a>
          <a href="#providers" onClick={scrollTo("providers")}>
            Providers
          </a>
          <a href="/docs">Docs</a>
          <a href="/health">Health</a>
          <AccountLink />
          {hasConsole && (
            <a className="button" href="/console">
              GraphiQL console
            </a>
          )}
        </nav>
      </header>
      <Banner wellness={wellness} />
      {prices.fault?.code === UNAUTHENTICATED && (
        <p className="banner closed" role="alert">
          This gateway wants you to <a href="/account">sign in</a>.
        </p>
      )}
      <main id="main" tabIndex={-1}>
        <div className="hero">
          <div>
            <h1>Every price, with its source and its age.</h1>
            <p>Marketgate is one GraphQL endpoint over many market-data providers. If one fails, the next answers, and says so.</p>
            <CostLine />
          </div>
          <Search onPick={pick} />
        </div>
        <div className="desk">
          <div className="column">
            <Boundary>
              <WatchTable rows={rows} polled={prices} live={live.up} selected={selected} onSelect={choose} watched={watched} />
            </Boundary>
            <Boundary>
              <Providers wellness={wellness} />
            </Boundary>
          </div>
          <div className="column">
            <Boundary key={selected}>
              <Detail symbol={selected} shown={chosen} failure={failureOf(selected) ?? null} />
            </Boundary>
            <Boundary>
              <Examples hasConsole={hasConsole} />
            </Boundary>
          </div>
        </div>
      </main>
      <footer>
        <span>Marketgate {wellness.value?.version}</span>
        <span>{wellness.value?.env}</span>
        {hasConsole && <a href="/metrics">Metrics</a>}
        <a href="/static/THIRD_PARTY_LICENSES.txt">Licences of bundled software</a>
        <span>Charts: Lightweight Charts™, © TradingView, Inc.</span>
      </footer>
    </>
  );
}

// The address after # names the chosen instrument, so links within the page scroll without changing it.
const scrollTo = (id: string) => (event: { preventDefault(): void }) => {
  event.preventDefault();
  const target = document.getElementById(id);
  target?.scrollIntoView({ behavior: "smooth" });
  target?.focus({ preventScroll: true });
};
