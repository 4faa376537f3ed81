/** Client of a Marketgate gateway. */

export { type Bar, type BarOptions, type CandleLike, merged, type SeriesLike, toBar, toBars, type Whitespace } from "./bars.js";
export { type CallOptions, type Client, type ClientOptions, createClient, type Outcome } from "./client.js";
export type * from "./codes.js";
export * from "./decimal.js";
export { graphql, type TypedDocument } from "./document.js";
export {
  accepted,
  type Attempt,
  failedWith,
  type Fault,
  type FaultOf,
  GatewayError,
  RefusedError,
  type UserError,
} from "./errors.js";
export * from "./generated/operations.js";
export type { Notice, StreamOptions, StreamState } from "./live.js";
export type { Retry } from "./pause.js";
export {
  type Branded,
  type CalendarDate,
  calendarDate,
  type Cursor,
  type DateTime,
  dateTime,
  type Decimal,
} from "./scalars.js";
export type { WebSocketClass, WebSocketLike } from "./socket.js";
export * from "./webhooks.js";
