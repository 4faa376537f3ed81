/** Queries and mutations over fetch: automatic persisted queries, and tries again where nothing can be done twice. */

import { faultsOf, type Fault, isResponse, type WrittenResponse } from "./errors.js";
import { LONGEST_MS, pauseMs, refusedForNow, type Retry, sleep } from "./pause.js";

export interface Http {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  /** Those of each request: the credential, and the caller's own. */
  readonly headers: () => Promise<Record<string, string>>;
  readonly retry: Retry;
  readonly timeoutMs: number;
  /** Whether a document's hash is sent before its text. */
  readonly persisted: boolean;
}

export interface Asked {
  readonly kind: "query" | "mutation";
  readonly text: string;
  readonly variables: unknown;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came back; `faults` is empty where all is well. */
export interface Reply {
  readonly data: unknown;
  readonly faults: readonly Fault[];
  readonly status: number;
}

const GONE_SOON = new Set<string>(["DATABASE_UNAVAILABLE", "NETWORK_FAILED"]);

/**
 * The reply to an operation, after as many tries as it takes.
 *
 * @throws the signal's reason where the caller aborted.
 */
export async function ask(http: Http, asked: Asked): Promise<Reply> {
  const timeoutMs = asked.timeoutMs ?? http.timeoutMs;
  const patience = AbortSignal.timeout(Math.min(timeoutMs, LONGEST_MS));
  const signal = asked.signal ? AbortSignal.any([asked.signal, patience]) : patience;
  try {
    return await tries(http, asked, signal);
  } catch (error) {
    asked.signal?.throwIfAborted();
    if (!patience.aborted) throw error;
    const message = `there was no answer within ${timeoutMs} ms`;
    return { data: null, faults: [{ code: "CLIENT_TIMEOUT", message, timeoutMs }], status: 0 };
  }
}

async function tries(http: Http, asked: Asked, signal: AbortSignal): Promise<Reply> {
  for (let failures = 0; ; failures++) {
    const reply = await attempt(http, asked, signal);
    const [fault] = reply.faults;
    if (!fault || failures >= (http.retry.attempts ?? 3) || !mayBeSentAgain(fault, reply, asked.kind)) return reply;
    const ms = pauseMs(fault, failures, http.retry);
    if (ms === undefined) return reply;
    await sleep(ms, signal);
  }
}

/** A mutation is sent again only where the status says that it never began. */
function mayBeSentAgain(fault: Fault, { data, status }: Reply, kind: Asked["kind"]): boolean {
  if (kind === "mutation") return refusedForNow(fault) && (status === 429 || status === 503);
  if (holdsAnything(data)) return false;
  if (fault.code === "ANSWER_UNREADABLE") return status === 429 || (status >= 502 && status <= 504);
  return refusedForNow(fault) || GONE_SOON.has(fault.code);
}

function holdsAnything(data: unknown): boolean {
  return typeof data === "object" && data !== null && Object.values(data).some((field) => field !== null);
}

async function attempt(http: Http, { text, variables }: Asked, signal: AbortSignal): Promise<Reply> {
  const sha256Hash = http.persisted ? await hashOf(text) : undefined;
  if (sha256Hash === undefined) return post(http, { query: text, variables }, signal);
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const reply = await post(http, { variables, extensions }, signal);
  if (reply.faults[0]?.code !== "PERSISTED_QUERY_NOT_FOUND") return reply;
  return post(http, { query: text, variables, extensions }, signal);
}

const hashes = new Map<string, string>();

/** Undefined where there is no WebCrypto: browsers have it on https and localhost alone. */
async function hashOf(text: string): Promise<string | undefined> {
  const kept = hashes.get(text);
  if (kept !== undefined || !globalThis.crypto?.subtle) return kept;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hashes.size >= 1_000) hashes.clear();
  hashes.set(text, hash);
  return hash;
}

async function post(http: Http, body: object, signal: AbortSignal): Promise<Reply> {
  const headers = {
    "content-type": "application/json",
    accept: "application/graphql-response+json, application/json;q=0.9",
    ...(await http.headers()),
  };
  let response: Response;
  let read: string;
  try {
    response = await http.fetch(http.url, { method: "POST", headers, body: JSON.stringify(body), signal });
    read = await response.text();
  } catch (cause) {
    signal.throwIfAborted();
    const message = `nothing came back from ${http.url}`;
    return { data: null, faults: [{ code: "NETWORK_FAILED", message, cause }], status: 0 };
  }
  const written = parsed(read);
  if (!written) return { data: null, faults: [unreadable(response)], status: response.status };
  const { status } = response;
  const hint = status === 404 || status === 405 ? ` Is ${http.url} that of /graphql?` : "";
  const faults = written.errors?.length ? faultsOf(written.errors) : [];
  return { data: written.data ?? null, faults: faults.map((each) => ({ ...each, message: each.message + hint })), status };
}

function parsed(text: string): WrittenResponse | undefined {
  try {
    const written: unknown = JSON.parse(text);
    return isResponse(written) ? written : undefined;
  } catch {
    return undefined;
  }
}

function unreadable({ status, headers }: Response): Fault {
  const seconds = Number(headers.get("retry-after") ?? 0);
  const message = `the answer (status ${status}) is none of a gateway: is the URL that of /graphql?`;
  return { code: "ANSWER_UNREADABLE", message, status, ...(seconds > 0 && { retryAfterMs: seconds * 1000 }) };
}
