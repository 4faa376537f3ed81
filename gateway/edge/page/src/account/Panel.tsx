// One section of the page.
import { type ReactNode, useId } from "react";

export function Panel({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {hint && <span className="hint">{hint}</span>}
      </div>
      <div className="inside">{children}</div>
    </section>
  );
}

export function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}</time>;
}
