/** GraphQL documents that carry the types of their answers and variables. */

/** Also what GraphQL Code Generator's client preset makes with `documentMode: "string"`. */
export interface TypedDocument<Result, Variables> {
  /** Only the types know of it. */
  readonly __apiType?: (variables: Variables) => Result;
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
