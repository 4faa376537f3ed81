// Sends an operation to the gateway, and turns everything that is no GraphQL answer into one. Subscriptions come as events.
import { type DocumentNode, getOperationAST } from "graphql";
import { csrf } from "../csrf";
import { isStream, results } from "../events";

type Operation = { query: string; operationName?: string | null | undefined; variables?: unknown };
type Options = { headers?: Record<string, string> | undefined; documentAST?: DocumentNode | undefined };

const failure = (message: string) => ({ errors: [{ message }] });
const UNREACHABLE = "The gateway does not answer. Is it running, and is this page still on its address?";

export function fetcher(operation: Operation, options?: Options): Promise<object> | AsyncIterable<object> {
  const asked = options?.documentAST && getOperationAST(options.documentAST, operation.operationName);
  return asked?.operation === "subscription" ? listen(operation, options) : once(operation, options);
}

async function once(operation: Operation, options?: Options): Promise<object> {
  try {
    return await answerOf(await post(operation, options, "application/graphql-response+json"));
  } catch {
    return failure(UNREACHABLE);
  }
}

function post(operation: Operation, options: Options | undefined, accept: string, signal?: AbortSignal): Promise<Response> {
  return fetch("/graphql", {
    method: "POST",
    headers: { ...csrf(), ...options?.headers, "content-type": "application/json", accept },
    body: JSON.stringify(operation),
    ...(signal && { signal }),
  });
}

async function answerOf(response: Response): Promise<object> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return failure(`The gateway answered with status ${response.status} and no JSON: ${text.slice(0, 200)}`);
  }
}

/** The messages of a subscription; whoever stops listening closes the connection at once. */
function listen(operation: Operation, options?: Options): AsyncIterable<object> {
  const stopped = new AbortController();
  const found = messages(operation, options, stopped.signal);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => found.next(),
      return: async () => {
        stopped.abort();
        return { done: true, value: undefined };
      },
    }),
  };
}

async function* messages(operation: Operation, options: Options | undefined, signal: AbortSignal): AsyncGenerator<object, undefined> {
  try {
    const response = await post(operation, options, "text/event-stream", signal);
    if (!isStream(response)) {
      yield await answerOf(response);
      return;
    }
    const whole = yield* results(response);
    if (!whole) yield failure("The gateway has ended the connection: run it again.");
  } catch {
    if (!signal.aborted) yield failure(UNREACHABLE);
  }
}
