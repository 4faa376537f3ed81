// Compiles as it stands: what must not compile is marked, and a mark without its error is an error itself.
import {
  accepted,
  AlertCreateDocument,
  CandlesDocument,
  type Client,
  compare,
  createClient,
  type Cursor,
  type DateTime,
  dateTime,
  decimal,
  type Decimal,
  failedWith,
  type Fault,
  graphql,
  OrderPlaceDocument,
  QuoteDocument,
  QuoteStreamDocument,
  RefusedError,
  toBars,
  ViewerDocument,
} from "@marketgate/client";
import { CandlestickSeries, createChart } from "lightweight-charts";
import { WebSocket } from "ws";

const client: Client = createClient({ url: "/graphql", webSocket: WebSocket, token: async () => "t" });

export async function answersAreTyped(): Promise<void> {
  const { quote } = await client.query(QuoteDocument, { symbol: "BTC/USD" });
  const price: Decimal | undefined = quote?.price;
  const asOf: DateTime | null | undefined = quote?.provenance.asOf;
  // @ts-expect-error A field that was not asked for.
  quote?.vwap;
  // @ts-expect-error It may be null.
  quote.price;
  // @ts-expect-error A Decimal is no number.
  const wrong: number = quote!.price;
  // @ts-expect-error An instant is no Decimal.
  compare(quote!.price, asOf!);
  // @ts-expect-error Any text is no Decimal.
  compare(quote!.price, "1.5");
  compare(quote!.price, decimal("1.5"));
  void [price, wrong];
}

export async function variablesAreTyped(after: Cursor): Promise<void> {
  await client.query(ViewerDocument);
  // @ts-expect-error The symbol is missing.
  await client.query(QuoteDocument);
  // @ts-expect-error The symbol is missing.
  await client.query(QuoteDocument, {});
  // @ts-expect-error There is no such interval.
  await client.query(CandlesDocument, { symbol: "BTC/USD", interval: "1h" });
  // @ts-expect-error A start is an instant.
  await client.query(CandlesDocument, { symbol: "BTC/USD", interval: "H1", start: "yesterday" });
  await client.query(CandlesDocument, { symbol: "BTC/USD", interval: "H1", start: dateTime("2026-11-20T00:00:00Z"), after });
  // @ts-expect-error An alert waits for exactly one thing.
  await client.mutate(AlertCreateDocument, { input: { condition: { crossesAbove: decimal(1), crossesBelow: decimal(2) } } });
}

export async function refusalsAreTyped(accountId: string): Promise<void> {
  const input = { accountId, symbol: "BTC/USD", side: "BUY", type: "MARKET", quantity: decimal("0.5") } as const;
  const { orderPlace } = await client.mutate(OrderPlaceDocument, { input });
  for (const { code } of orderPlace.userErrors) {
    if (code === "INSUFFICIENT_FUNDS") return;
    // @ts-expect-error No order is refused for that.
    if (code === "NOTE_INVALID") return;
  }
  const { order } = accepted(orderPlace);
  order?.status satisfies string | undefined;
}

export function faultsAreToldApart(fault: Fault): string {
  switch (fault.code) {
    case "RATE_LIMITED":
      return `${fault.limit} ${fault.retryAfterMs}`;
    case "AMBIGUOUS_INSTRUMENT":
      return fault.candidates.join();
    case "UNKNOWN_INSTRUMENT":
      return fault.candidates?.join() ?? fault.provider ?? "";
    case "UPSTREAM_UNAVAILABLE":
      return fault.attempts?.map(({ provider }) => provider).join() ?? "";
    case "CLIENT_TIMEOUT":
      return `${fault.timeoutMs}`;
    // @ts-expect-error There is no such code.
    case "NO_SUCH_CODE":
      return "";
    case "FORBIDDEN":
      // @ts-expect-error That is a detail of another code.
      return fault.candidates;
    default:
      return fault.message;
  }
}

export async function errorsAreToldApart(): Promise<void> {
  try {
    await client.query(ViewerDocument);
  } catch (error) {
    if (failedWith(error, "QUOTA_EXCEEDED")) error.fault.retryAfterMs satisfies number | undefined;
    if (error instanceof RefusedError) error.userErrors satisfies readonly { code: string }[];
  }
  const outcome = await client.tryQuery(ViewerDocument);
  // @ts-expect-error Only where it is ok there is data for certain.
  outcome.data.viewer;
  if (outcome.ok) outcome.data.viewer?.tenant?.plan satisfies string | undefined;
  else outcome.fault.code satisfies string;
}

export async function ownDocumentsAreTyped(): Promise<void> {
  const own = graphql<{ quote: { price: Decimal } | null }, { symbol: string }>(
    "query ($symbol: String!) { quote(symbol: $symbol) { price } }",
  );
  const { quote } = await client.query(own, { symbol: "BTC/USD" });
  quote?.price satisfies Decimal | undefined;
  // @ts-expect-error The symbol is a text.
  await client.query(own, { symbol: 1 });
}

export async function operationsAreToldApart(accountId: string): Promise<void> {
  const input = { accountId, symbol: "BTC/USD", side: "BUY", type: "MARKET", quantity: decimal("0.5") } as const;
  // @ts-expect-error A mutation is no query: a query is sent again.
  await client.query(OrderPlaceDocument, { input });
  // @ts-expect-error Nor here.
  await client.tryQuery(OrderPlaceDocument, { input });
  // @ts-expect-error Nor is it a stream.
  client.subscribe(OrderPlaceDocument, { input });
  // @ts-expect-error A query changes nothing.
  await client.mutate(QuoteDocument, { symbol: "BTC/USD" });
  // @ts-expect-error A subscription has many answers.
  await client.query(QuoteStreamDocument, { symbols: ["BTC/USD"] });
}

export async function streamsAreTyped(stop: AbortSignal): Promise<void> {
  const options = { signal: stop, onNotice: ({ code }: { code: string }) => console.log(code) };
  for await (const { quotes } of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] }, options)) {
    quotes.cursor satisfies Cursor;
    quotes.quotes[0]?.price satisfies Decimal | undefined;
  }
}

export async function chartsTakeBars(place: HTMLElement): Promise<void> {
  const { candles } = await client.query(CandlesDocument, { symbol: "BTC/USD", interval: "H1", last: 100 });
  const chart = createChart(place);
  if (candles) chart.addSeries(CandlestickSeries).setData(toBars(candles, { gaps: "whitespace" }));
}
