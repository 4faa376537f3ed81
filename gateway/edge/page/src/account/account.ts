// Who is signed in, for every part of the page: asked once, and again after each change.
import { createContext, useCallback, useContext, useEffect, useState } from "react";
import { ask, Fault } from "../gateway";
import { documentOf } from "./change";
import type { Seen } from "./words";

export type Account = {
  seen: Seen | null;
  fault: Fault | null;
  /** How often it was answered: lists are asked again once it is known who asks, and what they may. */
  version: number;
  refresh(): void;
  notice: string;
  /** Says something that outlives the form that said it. */
  tell(notice: string): void;
};

export const AccountContext = createContext<Account | null>(null);

export const useAccount = (): Account => useContext(AccountContext)!;

export function useSeen(): Account {
  const [seen, setSeen] = useState<Seen | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [notice, tell] = useState("");
  const [asked, setAsked] = useState(0);
  const [version, setVersion] = useState(0);
  const refresh = useCallback(() => setAsked((before) => before + 1), []);

  useEffect(() => {
    const stopped = new AbortController();
    ask<Seen>(documentOf("account"), {}, stopped.signal).then(
      (found) => {
        setSeen(found);
        setVersion((before) => before + 1);
        setFault(null);
      },
      (error) => {
        if (!stopped.signal.aborted) setFault(error instanceof Fault ? error : new Fault(String(error)));
      },
    );
    return () => stopped.abort();
  }, [asked]);

  return { seen, fault, version, refresh, notice, tell };
}

type Page<T> = { nodes: T[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };

export type Listed<T> = { nodes: T[] | null; fault: Fault | null; more: (() => void) | null };

/** A list of the gateway by the name of its field, page after page. */
export function useList<T>(field: string): Listed<T> {
  const { version } = useAccount();
  const [pages, setPages] = useState<Page<T>[] | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);

  const load = useCallback(
    async (before: Page<T>[], signal?: AbortSignal) => {
      try {
        const after = before.at(-1)?.pageInfo.endCursor ?? null;
        const data = await ask<Record<string, Page<T>>>(documentOf(field), { after }, signal);
        setPages([...before, data[field]!]);
        setFault(null);
      } catch (error) {
        if (!signal?.aborted) setFault(error instanceof Fault ? error : new Fault(String(error)));
      }
    },
    [field],
  );
  useEffect(() => {
    const stopped = new AbortController();
    void load([], stopped.signal);
    return () => stopped.abort();
  }, [load, version]);

  const hasMore = pages?.at(-1)?.pageInfo.hasNextPage ?? false;
  return {
    nodes: pages?.flatMap(({ nodes }) => nodes) ?? null,
    fault,
    more: pages && hasMore ? () => void load(pages) : null,
  };
}
