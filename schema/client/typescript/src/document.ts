/** GraphQL documents that carry the types of their answers and variables. */

export type Kind = "query" | "mutation" | "subscription";

/** Also what GraphQL Code Generator's client preset makes with `documentMode: "string"`. */
export interface TypedDocument<Result, Variables, Operation extends Kind = any> {
  /** Only the types know of it. */
  readonly __apiType?: (variables: Variables) => Result;
  /** Nor is this there: it keeps a mutation from being asked as a query. */
  readonly __kind?: Operation;
  toString(): string;
}

/** A document of your own, typed by hand: `graphql<{ quote: { price: Decimal } | null }, { symbol: string }>("…")`. */
export function graphql<Result, Variables = Record<string, never>>(text: string): TypedDocument<Result, Variables> {
  return text as TypedDocument<Result, Variables>;
}

/** Left out where no variable is needed. */
export type Arguments<Variables, Options> =
  {} extends Variables
    ? [variables?: Variables, options?: Options]
    : [variables: Variables, options?: Options];

const HIDDEN = /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n\r]*/g;
const INNERMOST = /\{[^{}]*\}|\([^()]*\)/g;

/** Whether one of its operations is a mutation, whatever a comment, a text or a name says. */
export function writes(text: string): boolean {
  let bare = text.replace(HIDDEN, " ");
  for (let before = ""; bare !== before; ) {
    before = bare;
    bare = before.replace(INNERMOST, (part) => (part[0] === "{" ? ";" : ""));
  }
  return /(?:^|;)[\s,\uFEFF]*mutation\b/.test(bare);
}
