/** What went wrong, as values that `switch (fault.code)` tells apart: every code of docs/errors.md, and the client's own. */

import type { DataCode, ErrorCode } from "./codes.js";
import type { FailureCode } from "./generated/operations.js";

/** What one provider said. */
export interface Attempt {
  readonly provider: string;
  readonly code: FailureCode;
  readonly message: string;
  readonly retryAfterMs: number | null;
}

interface OfData {
  readonly symbol?: string;
  readonly provider?: string;
  /** Who was asked, in order. */
  readonly attempts?: readonly Attempt[];
  readonly retryAfterMs?: number;
}

interface OfLimits {
  /** Which limit: `points`, `concurrency`, `streams`… */
  readonly limit?: string;
  readonly retryAfterMs?: number;
}

/** What a code brings along besides its message. */
interface Details extends Record<Exclude<DataCode, "AMBIGUOUS_INSTRUMENT" | "UNKNOWN_INSTRUMENT">, OfData> {
  readonly AMBIGUOUS_INSTRUMENT: { readonly symbol?: string; readonly candidates: readonly string[] };
  /** There where the text is no symbol: then it has candidates, perhaps none. A provider that lists it not names none. */
  readonly UNKNOWN_INSTRUMENT: OfData & { readonly candidates?: readonly string[] };
  readonly BAD_USER_INPUT: { readonly field?: string };
  readonly FORBIDDEN: { readonly missingScope?: string; readonly field?: string };
  readonly INTERNAL: { readonly errorId?: string };
  readonly LIMIT_EXCEEDED: { readonly limit?: string; readonly max?: number };
  readonly RATE_LIMITED: OfLimits;
  readonly QUOTA_EXCEEDED: OfLimits;
  readonly LIMITS_UNAVAILABLE: OfLimits;
  readonly OVERLOADED: OfLimits;
  readonly DATABASE_UNAVAILABLE: OfLimits;
  /** Nothing came back: no connection, or one that broke. */
  readonly NETWORK_FAILED: { readonly cause: unknown };
  /** The client's own time was over. */
  readonly CLIENT_TIMEOUT: { readonly timeoutMs: number };
  /** Something else than the gateway answered, such as a proxy. */
  readonly ANSWER_UNREADABLE: { readonly status: number; readonly retryAfterMs?: number };
  /** The socket was closed in a way that connecting again does not help. */
  readonly CONNECTION_REFUSED: { readonly closeCode: number };
}

/** Codes that this client adds to those of the gateway. */
export type ClientCode = "NETWORK_FAILED" | "CLIENT_TIMEOUT" | "ANSWER_UNREADABLE" | "CONNECTION_REFUSED";

interface Told<Code> {
  readonly code: Code;
  readonly message: string;
  readonly docs?: string;
  readonly requestId?: string;
  readonly path?: readonly (string | number)[];
}

/** One thing that went wrong. A newer gateway may have codes that are not here: keep a `default`. */
export type Fault = {
  [Code in ErrorCode | ClientCode]: Told<Code> & (Code extends keyof Details ? Details[Code] : unknown);
}[ErrorCode | ClientCode];

/** The fault with this code. */
export type FaultOf<Code extends Fault["code"]> = Extract<Fault, { readonly code: Code }>;

/** An operation that failed; `fault` is the first of `faults`. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly fault: Fault;
  readonly faults: readonly Fault[];
  /** What came in spite of it: fields that failed are null. */
  readonly data: unknown;

  constructor(faults: readonly [Fault, ...Fault[]], data: unknown = null) {
    super(`${faults[0].code}: ${faults[0].message}`, "cause" in faults[0] ? { cause: faults[0].cause } : undefined);
    this.fault = faults[0];
    this.faults = faults;
    this.data = data;
  }
}

/** Whether it is a GatewayError whose first fault has this code, and then so typed. */
export function failedWith<Code extends Fault["code"]>(
  error: unknown,
  code: Code,
): error is GatewayError & { readonly fault: FaultOf<Code> } {
  return error instanceof GatewayError && error.fault.code === code;
}

/** One entry of `userErrors`. */
export interface UserError {
  readonly field?: readonly string[] | null;
  readonly code: string;
  readonly message: string;
}

/** A mutation that was understood and refused. */
export class RefusedError<Refusal extends UserError = UserError> extends Error {
  override readonly name = "RefusedError";
  readonly userErrors: readonly Refusal[];

  constructor(userErrors: readonly Refusal[]) {
    super(userErrors.map(({ code, message }) => `${code}: ${message}`).join("; "));
    this.userErrors = userErrors;
  }
}

/**
 * The payload of a mutation that did what it should.
 *
 * @throws {RefusedError} where it has `userErrors`.
 */
export function accepted<Payload extends { readonly userErrors: readonly UserError[] }>(payload: Payload): Payload {
  if (payload.userErrors.length > 0) throw new RefusedError(payload.userErrors);
  return payload;
}

/** An error as GraphQL writes it. */
export interface WrittenError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A response as GraphQL writes it. */
export interface WrittenResponse {
  readonly data?: unknown;
  readonly errors?: readonly WrittenError[] | null;
}

/** Whether it has the shape of a response; what its data hold is not looked at. */
export function isResponse(value: unknown): value is WrittenResponse {
  if (!isObject(value)) return false;
  const { data, errors } = value as WrittenResponse;
  return (data == null || isObject(data)) && (errors == null || isWritten(errors, data != null)) && (data ?? errors) != null;
}

/** Whether it is a list of errors. */
export function isWritten(errors: unknown, mayBeEmpty = false): errors is readonly WrittenError[] {
  return Array.isArray(errors) && errors.every(isObject) && (mayBeEmpty || errors.length > 0);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The faults of a response's `errors`; at least one. */
export function faultsOf(errors: readonly WrittenError[]): [Fault, ...Fault[]] {
  const faults = errors.map(
    ({ message, path, extensions }) => ({ code: "INTERNAL", ...extensions, message, ...(path && { path }) }) as Fault,
  );
  return faults as [Fault, ...Fault[]];
}
