// Changing something: one mutation by its name, and all that may be wrong with it as one list.
import { ask, Fault } from "../gateway";
import { refusal } from "./words";

const DOCUMENTS = import.meta.glob<string>("./*.graphql", { query: "?raw", import: "default", eager: true });

export const documentOf = (name: string): string => DOCUMENTS[`./${name}.graphql`]!;

/** What is wrong; with the name of a form's field where it is one field's fault. */
export type Problem = { field: string | null; code: string; message: string };

export type Changed<T> = { done: T | null; problems: Problem[] };

type Payload = { userErrors: { field: string[] | null; code: string; message: string }[] };

export async function change<T extends object>(name: string, input?: object): Promise<Changed<T>> {
  try {
    const data = await ask<Record<string, T & Payload>>(documentOf(name), input ? { input } : {});
    const payload = data[name]!;
    const problems = payload.userErrors.map(({ field, code, message }) => ({
      field: field?.at(-1) ?? null,
      code,
      message: refusal(code, message),
    }));
    return { done: payload, problems };
  } catch (error) {
    if (error instanceof Fault) return { done: null, problems: [{ field: null, code: error.code ?? "", message: error.message }] };
    throw error;
  }
}
