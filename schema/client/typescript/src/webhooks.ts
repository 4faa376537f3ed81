/**
 * Verifies webhooks by Standard Webhooks 1.0: `v1` (HMAC-SHA256) and `v1a` (ed25519). It needs nothing but WebCrypto.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

import { isDay } from "./scalars.js";

/** What is wrong with a webhook. */
export type WebhookVerificationReason =
  | "HEADER_MISSING"
  | "HEADER_MALFORMED"
  | "TOO_OLD"
  | "IN_THE_FUTURE"
  | "NO_SIGNATURE_MATCHES"
  | "BODY_MALFORMED";

/** A webhook to refuse (answer 400); `reason` says why, and neither it nor the message shows a secret. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly reason: WebhookVerificationReason;

  constructor(reason: WebhookVerificationReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** An event that the gateway has signed. */
export interface WebhookEvent<Data = Record<string, unknown>> {
  /** The same each time that the event comes: dedupe on it. */
  readonly id: string;
  /** Such as `provider.degraded`; new ones come without notice. */
  readonly type: string;
  /** When it happened. */
  readonly timestamp: Date;
  /** As GraphQL prints the event; amounts are strings. */
  readonly data: Data;
}

export interface VerifyOptions {
  /** How far `webhook-timestamp` may be from `now`, either way; 300 unless told. */
  readonly toleranceSeconds?: number;
  /** The time to compare with; the machine's unless told. */
  readonly now?: Date;
}

/** Those of `fetch`, or those of Node's `request.headers`. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

type Check = (signature: string, content: Uint8Array<ArrayBuffer>) => Promise<boolean>;

const [SHORTEST, LONGEST] = [24, 64]; // Bytes of a shared secret.
const RFC_3339 = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * The event of a request, once one of its signatures is good for one of the secrets.
 *
 * @param body the raw one, before any JSON is read.
 * @param headers the case of their names does not matter.
 * @param secret the endpoint's `whsec_…`, its public key `whpk_…`, or several of them.
 * @throws {WebhookVerificationError} where the request is to be refused.
 * @throws {TypeError} where a secret is none.
 */
export async function verifyWebhook<Data = Record<string, unknown>>(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): Promise<WebhookEvent<Data>> {
  const checks = await Promise.all((typeof secret === "string" ? [secret] : secret).map(checkOf));
  if (checks.length === 0) throw new TypeError("there is no secret: give the endpoint's whsec_… or whpk_…");
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature").split(/\s+/);
  checkTime(timestamp, options.toleranceSeconds ?? 300, options.now ?? new Date());
  const raw = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (!(await anyIsGood(checks, signatures, signed(id, timestamp, raw)))) {
    throw new WebhookVerificationError(
      "NO_SIGNATURE_MATCHES",
      "no signature in webhook-signature is good: give the secret of this endpoint, and the body as it came",
    );
  }
  return eventOf<Data>(id, raw);
}

function header(headers: WebhookHeaders, name: string): string {
  const value = (find(headers, name) ?? "").trim();
  if (value === "") throw new WebhookVerificationError("HEADER_MISSING", `the header ${name} is missing`);
  if (!/^[\x00-\x7f]*$/.test(value)) {
    throw new WebhookVerificationError("HEADER_MALFORMED", `the header ${name} is not ASCII`);
  }
  return value;
}

function find(headers: WebhookHeaders, name: string): string | undefined {
  if (isFetched(headers)) return headers.get(name) ?? undefined;
  const key = Object.keys(headers).find((each) => each.toLowerCase() === name);
  const value = key === undefined ? undefined : headers[key];
  return typeof value === "string" ? value : value?.join(" ");
}

function isFetched(headers: WebhookHeaders): headers is Headers {
  return typeof headers.get === "function";
}

function checkTime(timestamp: string, tolerance: number, now: Date): void {
  if (!/^[0-9]{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationError("HEADER_MALFORMED", "webhook-timestamp is not a number of whole seconds");
  }
  const age = now.getTime() / 1000 - Number(timestamp);
  if (!Number.isFinite(age) || !(tolerance >= 0)) throw new TypeError("now is no time, or toleranceSeconds no number");
  const clock = `more than the tolerance of ${tolerance} s; is the clock of this machine right?`;
  if (age > tolerance) {
    throw new WebhookVerificationError("TOO_OLD", `webhook-timestamp is ${age.toFixed(0)} s ago, ${clock}`);
  }
  if (age < -tolerance) {
    throw new WebhookVerificationError("IN_THE_FUTURE", `webhook-timestamp is ${(-age).toFixed(0)} s ahead, ${clock}`);
  }
}

async function checkOf(secret: string): Promise<Check> {
  if (secret.startsWith("whsec_")) return shared(keyOf(secret.slice("whsec_".length)));
  if (secret.startsWith("whpk_")) return ed25519(keyOf(secret.slice("whpk_".length)));
  throw new TypeError("a secret begins with whsec_, a public key with whpk_");
}

function keyOf(text: string): Uint8Array<ArrayBuffer> {
  const key = decoded(text);
  if (key === undefined) throw new TypeError("a secret or public key is base64 behind its prefix");
  return key;
}

async function shared(bytes: Uint8Array<ArrayBuffer>): Promise<Check> {
  if (bytes.length < SHORTEST || bytes.length > LONGEST) {
    throw new TypeError(`a secret has ${SHORTEST} to ${LONGEST} bytes, this one has ${bytes.length}`);
  }
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
  return checkWith("v1", "HMAC", key); // `verify` compares in constant time.
}

async function ed25519(bytes: Uint8Array<ArrayBuffer>): Promise<Check> {
  if (bytes.length !== 32) throw new TypeError(`a public key has 32 bytes, this one has ${bytes.length}`);
  const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
  return checkWith("v1a", "Ed25519", key);
}

function checkWith(version: string, algorithm: string, key: CryptoKey): Check {
  return async (signature, content) => {
    if (!signature.startsWith(`${version},`)) return false;
    const text = signature.slice(version.length + 1);
    const value = decoded(text);
    // Other texts of the same bytes, such as those without padding, are no signatures.
    if (value === undefined || btoa(String.fromCharCode(...value)) !== text) return false;
    return crypto.subtle.verify(algorithm, key, value, content);
  };
}

async function anyIsGood(
  checks: readonly Check[],
  signatures: readonly string[],
  content: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const check of checks) {
    for (const signature of signatures) {
      if (await check(signature, content)) return true;
    }
  }
  return false;
}

function signed(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  return content;
}

function decoded(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function eventOf<Data>(id: string, body: Uint8Array): WebhookEvent<Data> {
  const read = parsed(body);
  if (!isObject(read) || typeof read.type !== "string" || typeof read.timestamp !== "string" || !isObject(read.data)) {
    throw new WebhookVerificationError(
      "BODY_MALFORMED",
      "the body is not an object with the texts type and timestamp, and the object data",
    );
  }
  return Object.freeze({ id, type: read.type, timestamp: timeOf(read.timestamp), data: read.data as Data });
}

function parsed(body: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new WebhookVerificationError("BODY_MALFORMED", "the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new WebhookVerificationError("BODY_MALFORMED", "the body is not JSON");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function timeOf(text: string): Date {
  const [, day = ""] = RFC_3339.exec(text) ?? [];
  const time = new Date(text);
  const year = time.getUTCFullYear();
  if (!isDay(day) || day < "0001" || !(year >= 1 && year <= 9999)) {
    throw new WebhookVerificationError("BODY_MALFORMED", "the body's timestamp is not RFC 3339 with a time zone");
  }
  return time;
}
