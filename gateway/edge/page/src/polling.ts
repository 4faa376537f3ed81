// Asking again and again: never twice at once, not while nobody looks, and slower while it fails.
import { useEffect, useState, useSyncExternalStore } from "react";
import { Fault } from "./gateway";

const SLOWEST_MS = 30_000;

export type Polled<T> = { value: T | null; receivedAt: number; fault: Fault | null };

const NOTHING = { value: null, receivedAt: 0, fault: null };

/** The newest answer of `load`, asked every `everyMs`; a new `key` is a new question and forgets the old answer. */
export function usePolled<T>(key: string, everyMs: number, load: (signal: AbortSignal) => Promise<T>): Polled<T> {
  const [state, setState] = useState<Polled<T> & { key: string }>({ ...NOTHING, key });

  useEffect(() => {
    const stopped = new AbortController();
    let timer = 0;
    let failures = 0;

    const round = async () => {
      try {
        const value = await load(stopped.signal);
        failures = 0;
        if (!stopped.signal.aborted) setState({ key, value, receivedAt: Date.now(), fault: null });
      } catch (error) {
        failures += 1;
        if (!stopped.signal.aborted) setState((old) => ({ ...(old.key === key ? old : { ...NOTHING, key }), fault: asFault(error) }));
      }
      if (!stopped.signal.aborted) timer = window.setTimeout(next, Math.min(everyMs * 2 ** failures, Math.max(everyMs, SLOWEST_MS)));
    };
    const next = () => {
      if (!document.hidden) void round();
      else document.addEventListener("visibilitychange", next, { once: true, signal: stopped.signal });
    };

    void round();
    return () => {
      stopped.abort();
      window.clearTimeout(timer);
    };
    // `load` is a new function at each render; `key` names the question.
  }, [key, everyMs]);

  return state.key === key ? state : NOTHING;
}

function asFault(error: unknown): Fault {
  return error instanceof Fault ? error : new Fault(`This page failed: ${error instanceof Error ? error.message : error}`);
}

let now = Date.now();
let clock = 0;
const watchers = new Set<() => void>();

function everySecond(watcher: () => void): () => void {
  if (watchers.size === 0) clock = window.setInterval(tick, 1000);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) window.clearInterval(clock);
  };
}

function tick(): void {
  now = Date.now();
  for (const watcher of watchers) watcher();
}

/** The time of day to the second, for ages that grow on the screen. */
export const useNow = (): number => useSyncExternalStore(everySecond, () => now);
