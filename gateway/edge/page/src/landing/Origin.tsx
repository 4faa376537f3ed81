// Where a value comes from and how old it is: beside every value that the page shows.
import { useNow } from "../polling";
import type { Mode, Provenance } from "../words";

const MEANING: Record<Mode, string> = {
  LIVE: "from the provider itself",
  RECORDED: "a recorded answer of the provider, with its own old time stamp",
  SIMULATED: "made up by a simulated exchange",
};

const CACHE: Record<string, string> = {
  HIT: "our copy, still fresh",
  MISS: "fetched for this answer",
  STALE: "our old copy, because fetching failed",
  COALESCED: "shared with another request for the same value",
};

export function Badge({ mode }: { mode: Mode }) {
  return (
    <span className={`badge ${mode.toLowerCase()}`} title={MEANING[mode]}>
      {mode}
    </span>
  );
}

type Props = { provenance: Provenance; receivedAt: number };

export function Origin({ provenance, receivedAt }: Props) {
  const { provider, mode, asOf, cacheStatus } = provenance;
  const stamp = asOf ? `stamped ${asOf} by ${provider}` : `${provider} sends no time stamp; the age counts from our fetch`;
  return (
    <span className="origin">
      <Badge mode={mode} /> <span className="provider">{provider}</span>{" "}
      <span className={cacheStatus === "STALE" ? "age stale" : "age"} title={`${stamp}; ${CACHE[cacheStatus] ?? cacheStatus}`}>
        {cacheStatus === "STALE" && "stale, "}
        <Age provenance={provenance} receivedAt={receivedAt} />
      </span>
    </span>
  );
}

// The schema's Int has 32 bits: an older value is told from its time stamp.
const OLDEST_MS = 2 ** 31 - 1;

export function Age({ provenance: { ageMs, asOf }, receivedAt }: Props) {
  const now = useNow();
  const then = ageMs >= OLDEST_MS && asOf ? Math.max(ageMs, receivedAt - Date.parse(asOf)) : ageMs;
  return <>{ageInWords(then + Math.max(0, now - receivedAt))}</>;
}

const UNITS: [string, number, number][] = [
  ["s", 1_000, 60_000],
  ["min", 60_000, 3_600_000],
  ["h", 3_600_000, 172_800_000],
  ["days", 86_400_000, 63_072_000_000],
  ["years", 31_536_000_000, Infinity],
];

function ageInWords(milliseconds: number): string {
  if (milliseconds < 1_000) return "just now";
  const [unit, size] = UNITS.find(([, , below]) => milliseconds < below)!;
  return `${Math.floor(milliseconds / size)} ${unit} old`;
}
