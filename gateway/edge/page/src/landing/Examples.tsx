// Queries to take away: copy them, run them in the console, or send them with curl.
import { useState } from "react";
import { Copy } from "../Copy";
import { consoleLink, curlCommand, EXAMPLES } from "../examples";

export function Examples({ hasConsole }: { hasConsole: boolean }) {
  const [chosen, setChosen] = useState(EXAMPLES[0]!);
  return (
    <section className="panel" id="examples" tabIndex={-1} aria-labelledby="examples-title">
      <div className="panel-head">
        <h2 id="examples-title">Ask it yourself</h2>
        <span className="hint">
          POST <code>/graphql</code>
        </span>
      </div>
      <fieldset className="choices">
        <legend className="unseen">Example queries</legend>
        {EXAMPLES.map((example) => (
          <label key={example.title}>
            <input type="radio" name="example" checked={example === chosen} onChange={() => setChosen(example)} />
            <span>{example.title}</span>
          </label>
        ))}
      </fieldset>
      <p className="about">{chosen.about}</p>
      <pre tabIndex={0} aria-label={`Query: ${chosen.title}`}>
        <code>{chosen.query.trim()}</code>
        {chosen.variables && <code className="variables">{`\n\n# variables\n${JSON.stringify(chosen.variables, null, 2)}`}</code>}
      </pre>
      <div className="actions">
        {hasConsole && (
          <a className="button" href={consoleLink(chosen)}>
            Open in console
          </a>
        )}
        <Copy label="Copy query" text={chosen.query} />
        <Copy label="Copy as curl" text={curlCommand(chosen)} />
      </div>
    </section>
  );
}
