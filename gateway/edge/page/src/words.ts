// The shapes that the page's queries return, and what their codes mean in plain English.
export type Mode = "LIVE" | "RECORDED" | "SIMULATED";

export type Provenance = { provider: string; mode: Mode; asOf: string | null; ageMs: number; cacheStatus: string };

export type Instrument = { id: string; symbol: string; name: string | null; assetClass: string };

export type Quote = {
  id: string;
  price: string;
  currency: string;
  changePercent: string | null;
  bid: string | null;
  ask: string | null;
  marketState: string;
  instrument: Instrument;
  provenance: Provenance;
};

export type Failure = { index: number; symbol: string; code: string; message: string };

export type Watchlist = { quotes: { nodes: (Quote | null)[]; failures: Failure[] } };

export type LiveUpdate = { quotes: { quotes: Quote[] } };

export type Columns = {
  openTime: string[];
  open: string[];
  high: string[];
  low: string[];
  close: string[];
  volume: (string | null)[];
  closed: boolean[];
};

export type Series = {
  currency: string;
  columns: Columns;
  gaps: { start: string; end: string; missing: number }[];
  provenance: Provenance[];
};

export type Source = {
  provider: string;
  quote: { price: string; provenance: Provenance } | null;
  deviationBps: string | null;
  outlier: boolean;
  excluded: { code: string; message: string } | null;
};

export type Consensus = {
  median: string;
  low: string;
  high: string;
  rangeBps: string;
  currency: string;
  asked: number;
  used: number;
  sources: Source[];
};

export type Found = Instrument & { type: string; venue: { name: string } | null };

export type ProviderHealth = { id: string; name: string; status: string; reason: string | null };

export type Health = { status: string; mode: string; env: string; version: string; providers: ProviderHealth[] };

const CODES: Record<string, string> = {
  UPSTREAM_UNAVAILABLE: "No provider answered",
  UPSTREAM_THROTTLED: "The provider asked us to slow down",
  UPSTREAM_QUOTA: "The provider's quota is used up",
  UPSTREAM_MALFORMED: "The provider sent something unreadable",
  PROVIDER_MISCONFIGURED: "The provider refuses our key",
  PROVIDER_KEY_MISSING: "The provider needs a key",
  NOT_COVERED: "No provider offers this",
  UNKNOWN_INSTRUMENT: "Unknown symbol",
  AMBIGUOUS_INSTRUMENT: "The symbol may mean several things",
  DATA_STALE: "Only outdated data is available",
  QUORUM_NOT_MET: "Too few providers to compare",
  DEADLINE_EXCEEDED: "The providers took too long",
  NOT_RECORDED: "Not part of the offline market",
  FORBIDDEN: "Not allowed",
  CSRF_FAILED: "Reload the page and try again",
  RATE_LIMITED: "Asked too often",
  QUOTA_EXCEEDED: "The quota is used up",
  TENANT_SUSPENDED: "The organisation is suspended",
};

export const inWords = (code: string): string => CODES[code] ?? "No answer";

const STATES: Record<string, string> = {
  PRE: "Pre-market",
  REGULAR: "Open",
  POST: "After hours",
  CLOSED: "Closed",
  HALTED: "Halted",
  UNKNOWN: "Not known",
};

export const marketState = (state: string): string => STATES[state] ?? state;

const STATUSES: Record<string, string> = {
  READY: "Ready",
  KEY_MISSING: "Needs a key",
  KEY_INVALID: "Key refused",
  DEGRADED: "Degraded",
  PAUSED: "Paused",
  DISABLED: "Disabled",
  FAILED_TO_LOAD: "Failed to load",
};

export const providerStatus = (status: string): string => STATUSES[status.toUpperCase()] ?? status;
