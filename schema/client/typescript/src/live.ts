/** Subscriptions that outlive their connections: each goes on behind the cursor of the last message. */

import { type Fault, faultsOf, GatewayError } from "./errors.js";
import type { NoticePartsFragment } from "./generated/operations.js";
import { pauseMs, refusedForNow, type Retry, sleep } from "./pause.js";
import { type Ending, Line, results, type WebSocketClass } from "./socket.js";

export type Notice = NoticePartsFragment;

/** Whether a stream flows. */
export type StreamState =
  | { readonly state: "open" }
  /** It broke, and is opened again in a while. */
  | { readonly state: "waiting"; readonly fault: Fault; readonly retryInMs: number };

export interface StreamOptions {
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal;
  /** Go on behind this cursor of an earlier stream. */
  readonly after?: string;
  /** How many messages may wait for a slow reader; then the stream is stopped and, once it has read them, resumed. 1,000 */
  readonly buffer?: number;
  readonly onState?: (state: StreamState) => void;
  /** News about the stream itself, as far as the document asks for `notices`: also a part of each message. */
  readonly onNotice?: (notice: Notice) => void;
  /** Fields of a message that failed, where others did not. */
  readonly onFaults?: (faults: readonly Fault[]) => void;
}

export interface Live {
  readonly url: string;
  readonly webSocket: WebSocketClass;
  /** The payload of `connection_init`. */
  readonly payload: () => Promise<object>;
  /** Whether `payload` may bring another credential than the last one. */
  readonly renews: boolean;
  readonly retry: Retry;
  readonly silentMs: number;
  readonly lines: Set<Line>;
  /** Aborted when the client is closed. */
  readonly closed: AbortSignal;
}

type AccessCode = "UNAUTHENTICATED" | "FORBIDDEN";

/** Closes for which another connection is no help: a wrong message, a wrong protocol. */
const FINAL = new Set([1009, 4400, 4406, 4409, 4429]);
/** Closes that say of the credential what HTTP says with these codes. */
const ACCESS: Readonly<Record<number, AccessCode>> = { 4401: "UNAUTHENTICATED", 4403: "FORBIDDEN" };
/** Statuses with which a balancer answers in a gateway's place, for a while. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Each message's `data`, until the gateway completes the stream or the signal ends it.
 *
 * @throws {GatewayError} where the gateway refuses it for good.
 */
export async function* stream<Data>(
  live: Live,
  query: string,
  variables: unknown,
  options: StreamOptions,
): AsyncGenerator<Data, void, undefined> {
  const signal = options.signal ? AbortSignal.any([options.signal, live.closed]) : live.closed;
  let { after } = options;
  let opened = false;
  for (let failures = 0; !signal.aborted; ) {
    const request = { query, variables, ...(after !== undefined && { extensions: { after } }) };
    const messages = results(freeLine(live), request, options.buffer ?? 1_000, signal);
    let ending: Ending;
    let flows = false;
    try {
      for (;;) {
        const step = await messages.next();
        if (step.done) {
          ending = step.value;
          break;
        }
        const { data, errors } = step.value;
        if (data == null) throw new GatewayError(faultsOf(errors?.length ? errors : [{ message: "no data came" }]));
        if (!flows) options.onState?.({ state: "open" });
        flows = opened = true;
        failures = 0;
        if (errors?.length) options.onFaults?.(faultsOf(errors));
        for (const notice of partsOf(data).flatMap(({ notices }) => notices ?? [])) options.onNotice?.(notice);
        after = partsOf(data).find(({ cursor }) => typeof cursor === "string")?.cursor ?? after;
        yield data as Data;
      }
    } finally {
      await messages.return({ type: "complete" });
    }
    if (ending.type === "complete") return;
    if (ending.type === "behind") continue;
    const fault = passingFault(ending, live, opened);
    const retryInMs = pauseMs(fault, failures++, live.retry);
    if (retryInMs === undefined) throw new GatewayError([fault]);
    options.onState?.({ state: "waiting", fault, retryInMs });
    await sleep(retryInMs, signal).catch(() => undefined); // Aborted: the loop ends.
  }
}

function freeLine(live: Live): Line {
  const { lines } = live;
  for (const line of lines) {
    if (line.free) return line;
    if (line.over) lines.delete(line);
  }
  const line = new Line(live.webSocket, live.url, live.payload, live.silentMs);
  lines.add(line);
  return line;
}

interface Part {
  readonly cursor?: string;
  readonly notices?: readonly Notice[];
}

/** The root fields of a message that are objects; a subscription has one. */
function partsOf(data: unknown): Part[] {
  return Object.values(data as object).filter((part) => typeof part === "object" && part !== null);
}

/** Why the stream broke. @throws where it would break again. */
function passingFault(ending: Exclude<Ending, { type: "complete" | "behind" }>, live: Live, opened: boolean): Fault {
  if (ending.type === "failed") throw ending.error;
  if (ending.type === "error") {
    const faults = faultsOf(ending.errors);
    if (refusedForNow(faults[0]) || faults[0].code === "DATABASE_UNAVAILABLE") return faults[0];
    throw new GatewayError(faults);
  }
  const { code: closeCode, reason, accepted, status } = ending;
  if (status && !opened && !PASSING.has(status)) {
    const message = `the socket was refused with status ${status}: is ${live.url} that of /graphql?`;
    throw new GatewayError([{ code: "CONNECTION_REFUSED", message, closeCode }]);
  }
  const message = `the socket was closed with ${closeCode}${reason && `: ${reason}`}`;
  // The gateway's reasons are `CODE: words`; a browser may hide them.
  const code = ACCESS[closeCode] && ((/^([A-Z_]{4,}): /.exec(reason)?.[1] as AccessCode) ?? ACCESS[closeCode]);
  const renewed = live.renews && accepted && code;
  if (code && !renewed) throw new GatewayError([{ code, message }]);
  if (FINAL.has(closeCode)) throw new GatewayError([{ code: "CONNECTION_REFUSED", message, closeCode }]);
  return { code: "NETWORK_FAILED", message, cause: undefined };
}
