// Who can answer at the moment, and what keeps the others from it.
import type { Polled } from "../polling";
import { type Health, providerStatus } from "../words";

export function Providers({ wellness: { value, fault } }: { wellness: Polled<Health> }) {
  return (
    <section className="panel" id="providers" tabIndex={-1} aria-labelledby="providers-title">
      <div className="panel-head">
        <h2 id="providers-title">Providers</h2>
        {value && <span className="hint">{readiness(value)}</span>}
      </div>
      {!value && <p className={fault ? "fault" : "note"}>{fault?.message ?? "Asking…"}</p>}
      {value && value.providers.length === 0 && <p className="note">No provider is installed.</p>}
      {value && value.providers.length > 0 && (
        <table className="providers">
          <thead>
            <tr>
              <th>Provider</th>
              <th>Status</th>
              <th>Why</th>
            </tr>
          </thead>
          <tbody>
            {value.providers.map(({ id, name, status, reason }) => (
              <tr key={id}>
                <td>
                  <span className="name">{name}</span> {name !== id && <small>{id}</small>}
                </td>
                <td>
                  <span className={`status ${status.toLowerCase()}`}>{providerStatus(status)}</span>
                </td>
                <td>{reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function readiness({ providers }: Health): string {
  const ready = providers.filter(({ status }) => status.toUpperCase() === "READY").length;
  return `${ready} of ${providers.length} ready`;
}
