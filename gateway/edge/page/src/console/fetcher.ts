// Sends an operation to the gateway, and turns everything that is no GraphQL answer into one.
import { csrf } from "../csrf";

type Operation = { query: string; operationName?: string | null | undefined; variables?: unknown };
type Options = { headers?: Record<string, string> | undefined };

const failure = (message: string) => ({ errors: [{ message }] });

export async function fetcher(operation: Operation, options?: Options): Promise<object> {
  let response: Response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers: {
        ...csrf(),
        ...options?.headers,
        "content-type": "application/json",
        accept: "application/graphql-response+json",
      },
      body: JSON.stringify(operation),
    });
  } catch {
    return failure("The gateway does not answer. Is it running, and is this page still on its address?");
  }
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return failure(`The gateway answered with status ${response.status} and no JSON: ${text.slice(0, 200)}`);
  }
}
