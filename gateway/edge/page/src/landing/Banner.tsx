// Says before anything else whether the numbers below are real.
import type { Polled } from "../polling";
import type { Health } from "../words";

export function Banner({ wellness }: { wellness: Polled<Health> }) {
  const { value, fault } = wellness;
  if (fault) {
    return (
      <p className="banner down" role="alert">
        <strong>NO CONTACT</strong> {fault.message} {value && "What you see below is the last that arrived."}
      </p>
    );
  }
  if (!value) return <p className="banner">Asking the gateway how it is…</p>;
  if (value.mode === "live") {
    return (
      <p className="banner live" role="status">
        <strong>LIVE</strong> Prices come from real providers, each with its own delay.
      </p>
    );
  }
  return (
    <p className="banner offline" role="status">
      <strong>OFFLINE</strong> Simulated and recorded data. No number on this page is a current market price.
    </p>
  );
}
