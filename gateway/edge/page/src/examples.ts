// The queries that the landing page offers; each is a file that the tests validate against the schema.
import candles from "./examples/candles.graphql?raw";
import consensus from "./examples/consensus.graphql?raw";
import providers from "./examples/providers.graphql?raw";
import quote from "./examples/quote.graphql?raw";
import search from "./examples/search.graphql?raw";
import watchlist from "./examples/watchlist.graphql?raw";

export type Example = { title: string; about: string; query: string; variables?: Record<string, unknown> };

export const EXAMPLES: Example[] = [
  { title: "One price", about: "A price, who gave it, how old it is, and who was asked before and failed.", query: quote },
  {
    title: "A watchlist",
    about: "Many symbols in one answer. One that fails does not empty the others: it is listed under failures.",
    query: watchlist,
    variables: { symbols: ["BTC/USD", "AAPL", "EUR/USD", "NOSUCH/USD"] },
  },
  {
    title: "Candles",
    about: "Columns for a chart. Nothing is invented: what is missing is listed under gaps.",
    query: candles,
    variables: { symbol: "BTC/USD" },
  },
  { title: "Consensus", about: "The same question to several providers at once, with the ones that disagree named.", query: consensus },
  { title: "Search", about: "By symbol, name, ISIN or a provider's own symbol, with prices in the same answer.", query: search },
  { title: "Providers", about: "Who can answer, who cannot, and which setting would change that.", query: providers },
];

export function consoleLink({ query, variables }: Example): string {
  const address = new URLSearchParams({ query });
  if (variables) address.set("variables", JSON.stringify(variables, null, 2));
  return `/console?${address}`;
}

export function curlCommand({ query, variables }: Example): string {
  const body = JSON.stringify({ query: query.replace(/\s+/g, " ").trim(), ...(variables && { variables }) });
  return `curl ${window.location.origin}/graphql -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'`;
}
