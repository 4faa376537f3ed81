// What the newest answer cost, as the gateway said it; whoever asks tells it here, the page shows it.
import { useSyncExternalStore } from "react";

/** Points: of the answer, and left until `resetsAt`; null where nothing limits them. */
export type Cost = { actual: number; remaining: number | null; resetsAt: string | null };

let last: Cost | null = null;
const watchers = new Set<() => void>();

/** Takes `extensions` of an answer, whatever they hold. */
export function told(extensions: unknown): void {
  const cost = (extensions as { cost?: Cost } | undefined)?.cost;
  if (typeof cost?.actual !== "number") return;
  last = cost;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Of the newest answer that told one. */
export const useCost = (): Cost | null => useSyncExternalStore(watch, () => last);
