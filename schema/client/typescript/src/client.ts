/** A client of one gateway: ask, change, listen. */

import { type Arguments, type TypedDocument, writes } from "./document.js";
import { type Fault, GatewayError } from "./errors.js";
import { ask, type Asked, type Http } from "./http.js";
import { type Live, stream, type StreamOptions } from "./live.js";
import type { Retry } from "./pause.js";
import type { WebSocketClass } from "./socket.js";

type Given = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** That of `/graphql`; in a browser also a path. Streams take it with `ws` in the place of `http`. */
  readonly url: string;
  /** An API key, or what fetches one before each request and connection. */
  readonly apiKey?: Given;
  /** An access token, or what fetches a fresh one. */
  readonly token?: Given;
  /** Further headers of queries and mutations. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof globalThis.fetch;
  /** Needed for streams where none is global: Node before 22 takes that of the package `ws`. */
  readonly webSocket?: WebSocketClass;
  /** How long a query or mutation may take, with all tries; 30,000 unless told. */
  readonly timeoutMs?: number;
  readonly retry?: Retry;
  /** How long a socket may be silent before it counts as dead; 60,000 unless told: the gateway pings every 25 s. */
  readonly silentMs?: number;
  /** Whether a document's hash is sent before its text; true unless told. */
  readonly persisted?: boolean;
}

export interface CallOptions {
  /** Whoever aborts gets the signal's reason thrown. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** An answer, or why there is none. */
export type Outcome<Data> =
  | { readonly ok: true; readonly data: Data }
  /** `data` is what came in spite of it: fields that failed are null. */
  | { readonly ok: false; readonly fault: Fault; readonly faults: readonly Fault[]; readonly data: Data | null };

export interface Client {
  /** Sent again where no answer came, unless it is a mutation. @throws {GatewayError} where a part of it failed. */
  query<Data, Variables>(
    document: TypedDocument<Data, Variables, "query">,
    ...given: Arguments<Variables, CallOptions>
  ): Promise<Data>;
  /** Sent again only where the gateway says that it never began. @throws {GatewayError} */
  mutate<Data, Variables>(
    document: TypedDocument<Data, Variables, "mutation">,
    ...given: Arguments<Variables, CallOptions>
  ): Promise<Data>;
  /** As `query`, with failures as values. */
  tryQuery<Data, Variables>(
    document: TypedDocument<Data, Variables, "query">,
    ...given: Arguments<Variables, CallOptions>
  ): Promise<Outcome<Data>>;
  /** As `mutate`, with failures as values. */
  tryMutate<Data, Variables>(
    document: TypedDocument<Data, Variables, "mutation">,
    ...given: Arguments<Variables, CallOptions>
  ): Promise<Outcome<Data>>;
  /** Messages as they come; a broken connection is opened again, and goes on behind the last `cursor`. */
  subscribe<Data, Variables>(
    document: TypedDocument<Data, Variables, "subscription">,
    ...given: Arguments<Variables, StreamOptions>
  ): AsyncGenerator<Data, void, undefined>;
  /** End all streams and close their sockets. */
  close(): void;
}

/** @throws {TypeError} where the options contradict each other. */
export function createClient(options: ClientOptions): Client {
  if (options.apiKey !== undefined && options.token !== undefined) {
    throw new TypeError("give apiKey or token, not both");
  }
  const http = httpOf(options);
  const closing = new AbortController();
  let live: Live | undefined;

  async function outcome<Data>(kind: Asked["kind"], document: object, variables: unknown, call: CallOptions = {}) {
    const text = String(document);
    const { data, faults } = await ask(http, { kind: writes(text) ? "mutation" : kind, text, variables, ...call });
    const [fault] = faults;
    return (fault ? { ok: false, fault, faults, data } : { ok: true, data }) as Outcome<Data>;
  }
  async function answer<Data>(kind: Asked["kind"], document: object, variables: unknown, call?: CallOptions) {
    const found = await outcome<Data>(kind, document, variables, call);
    if (found.ok) return found.data;
    throw new GatewayError(found.faults as [Fault, ...Fault[]], found.data);
  }
  return {
    query: (document, ...[variables, call]) => answer("query", document, variables, call),
    mutate: (document, ...[variables, call]) => answer("mutation", document, variables, call),
    tryQuery: (document, ...[variables, call]) => outcome("query", document, variables, call),
    tryMutate: (document, ...[variables, call]) => outcome("mutation", document, variables, call),
    subscribe(document, ...[variables, call]) {
      const text = String(document);
      if (writes(text)) throw new TypeError("a mutation is sent by mutate: a stream that breaks is opened again");
      live ??= liveOf(options, closing.signal);
      return stream(live, text, variables, call ?? {});
    },
    close: () => closing.abort(),
  };
}

function httpOf({ url, apiKey, token, headers, fetch, timeoutMs, retry, persisted }: ClientOptions): Http {
  return {
    url,
    fetch: fetch ?? globalThis.fetch.bind(globalThis),
    headers: async () => ({
      ...headers,
      ...(apiKey !== undefined && { "x-api-key": await valueOf(apiKey) }),
      ...(token !== undefined && { authorization: `Bearer ${await valueOf(token)}` }),
    }),
    timeoutMs: timeoutMs ?? 30_000,
    retry: retry ?? {},
    persisted: persisted ?? true,
  };
}

function liveOf({ url, apiKey, token, webSocket, retry, silentMs }: ClientOptions, closed: AbortSignal): Live {
  const found = webSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (!found) throw new TypeError("there is no global WebSocket: give createClient that of the package ws as webSocket");
  return {
    url: new URL(url, globalThis.location?.href).href.replace(/^http/, "ws"),
    webSocket: found,
    payload: async () => ({
      ...(apiKey !== undefined && { apiKey: await valueOf(apiKey) }),
      ...(token !== undefined && { authorization: `Bearer ${await valueOf(token)}` }),
    }),
    renews: typeof (apiKey ?? token) === "function",
    retry: retry ?? {},
    silentMs: silentMs ?? 60_000,
    lines: new Set(),
    closed,
  };
}

async function valueOf(given: Given): Promise<string> {
  return typeof given === "string" ? given : given();
}
