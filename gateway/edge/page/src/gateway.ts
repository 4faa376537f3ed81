// Asking the gateway: one function for queries, one for health, and every way to fail as one sentence.
import { told } from "./cost";
import { csrf } from "./csrf";
import { type Health, inWords } from "./words";

const PATIENCE_MS = 15_000;

export const UNAUTHENTICATED = "UNAUTHENTICATED";

const SIGN_IN = "This gateway wants you to sign in.";

type GraphQLFault = { message: string; extensions?: { code?: string } };

export class Fault extends Error {
  readonly code: string | null;

  constructor(message: string, code: string | null = null) {
    super(message);
    this.code = code;
  }
}

export async function ask<T>(query: string, variables: object, signal = new AbortController().signal): Promise<T> {
  const response = await inTurn(() =>
    reach("/graphql", signal, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json", ...csrf() },
      body: JSON.stringify({ query, variables }),
    }),
  );
  const { data, errors, extensions } = (await readJson(response)) as {
    data?: T & object;
    errors?: GraphQLFault[];
    extensions?: object;
  };
  told(extensions);
  // One bad field never empties its neighbours: an error is a failure only where nothing came with it.
  if (data && Object.values(data).some((field) => field !== null)) return data;
  if (errors?.[0]) throw new Fault(sentence(errors[0]), errors[0].extensions?.code ?? null);
  if (!data) throw new Fault(response.ok ? "The gateway sent an answer without data." : refusal(response.status));
  return data;
}

export async function health(signal: AbortSignal): Promise<Health> {
  const response = await reach("/health", signal, { headers: { accept: "application/json" } });
  // A gateway that is not well says so with a 5xx status and the same body.
  return (await readJson(response)) as Health;
}

// The smallest plan allows two operations at a time: what is more waits here instead of being refused there.
const AT_ONCE = 2;
let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(send: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((turn) => waiting.push(turn));
  else running += 1;
  try {
    return await send();
  } finally {
    // Who waits takes over the place; without one it is free.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

async function reach(path: string, signal: AbortSignal, init: RequestInit): Promise<Response> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(path, { ...init, signal: AbortSignal.any([signal, patience]) });
  } catch (error) {
    if (signal.aborted) throw error;
    if (patience.aborted) throw new Fault("The gateway takes too long to answer.");
    throw new Fault("The gateway does not answer. Trying again.");
  }
}

async function readJson(response: Response): Promise<object> {
  try {
    const answer: unknown = await response.json();
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // Told below: a proxy's error page, or a connection that broke off.
  }
  throw new Fault(response.ok ? "The gateway sent an answer that is not JSON." : refusal(response.status));
}

function sentence({ message, extensions }: GraphQLFault): string {
  const code = extensions?.code;
  if (code === UNAUTHENTICATED) return SIGN_IN;
  return code ? `${inWords(code)}: ${message}` : message;
}

function refusal(status: number): string {
  if (status === 401 || status === 403) return SIGN_IN;
  if (status === 404) return "This server has no GraphQL endpoint at /graphql.";
  if (status === 429) return "This page asked too often. It waits a little.";
  if (status >= 500) return `The gateway cannot answer at the moment (status ${status}). Trying again.`;
  return `The gateway refused the request (status ${status}).`;
}
