/** Whether and when to try again. */

import type { Fault } from "./errors.js";

export interface Retry {
  /** How often an operation is sent again; 3 unless told, 0 for never. Streams connect again without end. */
  readonly attempts?: number;
  /** The first pause, doubled each time, less up to a half by chance; 250 unless told. */
  readonly baseMs?: number;
  /** The longest pause; 30,000 unless told. What asks to wait longer fails at once. */
  readonly maxMs?: number;
}

/** A timer takes more than this for nothing. */
export const LONGEST_MS = 2 ** 31 - 1;

const REFUSED = new Set<string>(["RATE_LIMITED", "OVERLOADED", "LIMITS_UNAVAILABLE"]);

/** Whether the gateway did nothing, and says when to come back: what could never fit has no such time. */
export function refusedForNow(fault: Fault): boolean {
  return REFUSED.has(fault.code) && "retryAfterMs" in fault;
}

/** The pause before the next try (`failures` begins with 0); undefined where the fault asks for too long a one. */
export function pauseMs(fault: Fault, failures: number, { baseMs = 250, maxMs = 30_000 }: Retry): number | undefined {
  const grown = Math.min(baseMs * 2 ** Math.min(failures, 30), maxMs) * (1 - Math.random() / 2);
  const asked = "retryAfterMs" in fault ? Number(fault.retryAfterMs) : 0;
  if (asked > maxMs) return undefined;
  // Who was told the same time comes back at different ones.
  return asked > 0 ? asked + grown / 2 : grown;
}

/** @throws the signal's reason, as soon as it is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    const stop = (): void => {
      clearTimeout(timer);
      fail(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      done();
    }, Math.min(ms, LONGEST_MS));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
}
