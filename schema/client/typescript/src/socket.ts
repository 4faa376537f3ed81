/**
 * One WebSocket that carries many operations, by the protocol `graphql-transport-ws`.
 *
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */

import { LONGEST_MS } from "./pause.js";
import { isResponse, isWritten, type WrittenError, type WrittenResponse } from "./errors.js";

/** The parts of a WebSocket that are used: a browser's own, Node's from 22 on, or that of the package `ws`. */
export interface WebSocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** That of the package `ws`: drops the connection without a goodbye. */
  terminate?(): void;
}

export type WebSocketClass = new (url: string, protocols: string) => WebSocketLike;

/** How an operation ended. */
export type Ending =
  | { readonly type: "complete" }
  /** The gateway refused it. */
  | { readonly type: "error"; readonly errors: readonly WrittenError[] }
  /** The socket is gone; `accepted` tells whether the gateway had taken the credential. */
  | {
      readonly type: "lost";
      readonly code: number;
      readonly reason: string;
      readonly accepted: boolean;
      /** With which HTTP refused the socket, where that is told: by the package `ws`. */
      readonly status: number;
    }
  /** The reader fell so far behind that the operation was stopped. */
  | { readonly type: "behind" }
  /** There was no credential to be had. */
  | { readonly type: "failed"; readonly error: unknown };

type Heard = Ending | { readonly type: "next"; readonly result: WrittenResponse };
type Ear = (heard: Heard) => void;

interface Message {
  readonly type: string;
  readonly id: string;
  readonly payload?: any;
}

const PROTOCOL = "graphql-transport-ws";
/** The gateway answers the first message at once. */
const GREETING_MS = 15_000;
/** How long a socket that is closed may wait for the other end's goodbye. */
const GOODBYE_MS = 2_000;
/** The close code of a socket on which nothing is heard. */
const SILENT = 4408;
/** What a socket may carry. */
const OPERATIONS = 100;

export class Line {
  private readonly ears = new Map<string, Ear>();
  private readonly socket: WebSocketLike;
  private waiting: Message[] = [];
  private accepted = false;
  private ended = false;
  private lastId = 0;
  private status = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    Socket: WebSocketClass,
    url: string,
    payload: () => Promise<object>,
    private readonly silentMs: number,
  ) {
    this.socket = new Socket(url, PROTOCOL);
    this.listenFor(GREETING_MS);
    this.socket.onopen = () => {
      payload().then(
        (given) => this.send({ type: "connection_init", payload: given }),
        (error: unknown) => this.end({ type: "failed", error }),
      );
    };
    this.socket.onmessage = ({ data }: { data: unknown }) => this.hear(String(data));
    this.socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      this.lose(code, reason);
      clearTimeout(this.timer);
    };
    this.socket.onerror = (event?: { message?: unknown }) => {
      this.status = Number(/^Unexpected server response: (\d+)$/.exec(String(event?.message))?.[1] ?? 0);
    }; // `onclose` follows.
  }

  /** Whether another operation can begin on it. */
  get free(): boolean {
    return !this.ended && this.ears.size < OPERATIONS;
  }

  /** Whether nothing is heard on it any more. */
  get over(): boolean {
    return this.ended;
  }

  /** Begin an operation; what is heard of it goes to `ear`, its ending last. */
  start(request: object, ear: Ear): string {
    const id = String(++this.lastId);
    this.ears.set(id, ear);
    const message = { type: "subscribe", id, payload: request };
    if (this.accepted) this.send(message);
    else this.waiting.push(message);
    return id;
  }

  /** Stop an operation that has not ended; a socket without any is closed. */
  stop(id: string): void {
    if (this.ears.delete(id) && this.accepted) this.send({ type: "complete", id });
    if (this.ears.size === 0) this.lose(1000, "nothing is listened to");
  }

  private hear(text: string): void {
    if (this.ended) return;
    const message = read(text);
    if (!message) return this.lose(4400, "a message that is not JSON");
    this.listenFor(this.silentMs);
    const { type, id, payload } = message;
    const ear = this.ears.get(id);
    if (type === "connection_ack") {
      this.accepted = true;
      for (const each of this.waiting.splice(0)) {
        if (this.ears.has(each.id)) this.send(each);
      }
    } else if (type === "ping") {
      this.send({ type: "pong", ...(payload && { payload }) });
    } else if (type === "next" ? !isResponse(payload) : type === "error" && !isWritten(payload)) {
      this.lose(4400, `a message ${type} of another shape`);
    } else if (type === "next") {
      ear?.({ type, result: payload });
    } else if (type === "error" || type === "complete") {
      this.ears.delete(id);
      ear?.(type === "error" ? { type, errors: payload } : { type });
    }
  }

  private send(message: object): void {
    if (!this.ended) this.socket.send(JSON.stringify(message));
  }

  private listenFor(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lose(SILENT, `nothing was heard for ${ms} ms`), Math.min(ms, LONGEST_MS));
  }

  private lose(code: number, reason: string): void {
    this.end({ type: "lost", code, reason, accepted: this.accepted, status: this.status });
  }

  /** Close the socket; where that is possible, whoever does not answer is not waited for. */
  private leave(silent: boolean): void {
    const { socket } = this;
    socket.close(1000);
    if (silent) socket.terminate?.();
    else if (socket.terminate) this.timer = setTimeout(() => socket.terminate?.(), GOODBYE_MS);
  }

  private end(ending: Ending): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.leave(ending.type === "lost" && ending.code === SILENT);
    const ears = [...this.ears.values()];
    this.ears.clear();
    for (const ear of ears) ear(ending);
  }
}

function read(text: string): Message | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The results of one operation, and how it ended. An aborted signal ends it as `complete`.
 *
 * @param room how many results may wait for the reader before the operation is stopped.
 */
export async function* results(
  line: Line,
  request: object,
  room: number,
  signal: AbortSignal,
): AsyncGenerator<WrittenResponse, Ending, undefined> {
  const heard: Heard[] = [];
  let wake = (): void => undefined;
  const tell = (each: Heard): void => {
    heard.push(each);
    wake();
  };
  const id = line.start(request, (each) => {
    if (each.type !== "next" || heard.length < room) return tell(each);
    tell({ type: "behind" });
    line.stop(id);
  });
  // A reader that stands at a result may never ask for the next one.
  const stop = (): void => {
    line.stop(id);
    wake();
  };
  signal.addEventListener("abort", stop);
  try {
    while (!signal.aborted) {
      const next = heard.shift();
      if (!next) await new Promise<void>((resolve) => (wake = resolve));
      else if (next.type === "next") yield next.result;
      else return next;
    }
    return { type: "complete" };
  } finally {
    signal.removeEventListener("abort", stop);
    line.stop(id);
  }
}
