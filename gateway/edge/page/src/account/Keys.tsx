// The organisation's API keys: made with the scopes that are ticked, shown once, revoked for good.
import { useState } from "react";
import { Copy } from "../Copy";
import { useAccount, useList } from "./account";
import { change, type Problem } from "./change";
import { Act, type Field, Form } from "./Form";
import { Moment, Panel } from "./Panel";
import { type ApiKey, inSmall } from "./words";

const NAME: Field = { name: "name", label: "Name", hint: "What it is for, such as “price bot”." };
const USUAL = ["market:read", "stream:read"];

type Made = { apiKey: { name: string } | null; secret: string | null };

export function Keys({ scopes }: { scopes: string[] }) {
  const { refresh } = useAccount();
  const { nodes, fault, more } = useList<ApiKey>("apiKeys");
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  const mayChange = scopes.includes("keys:write");

  const make = async (values: FormData): Promise<Problem[]> => {
    const input = { name: String(values.get("name")), scopes: values.getAll("scopes").map(String) };
    const { done, problems } = await change<Made>("apiKeyCreate", input);
    if (done?.apiKey && done.secret) {
      setMade({ name: done.apiKey.name, secret: done.secret });
      refresh();
    }
    return problems;
  };
  const revoke = async (id: string): Promise<Problem[]> => {
    const { problems } = await change("apiKeyRevoke", { id });
    if (problems.length === 0) refresh();
    return problems;
  };
  return (
    <Panel title="API keys" hint="sent as the header X-API-Key">
      <div role="status">
        {made && (
          <div className="once">
            <p>
              The key <strong>{made.name}</strong>. Copy it now: it is not shown again.
            </p>
            <code className="secret">{made.secret}</code>
            <Copy label="Copy the key" text={made.secret} />
          </div>
        )}
      </div>
      {fault && (
        <p className="fault" role="alert">
          {fault.message}
        </p>
      )}
      {nodes?.length === 0 && <p className="hint">There is no key yet.</p>}
      <ul className="rows keys">
        {nodes?.map((key) => (
          <li key={key.id}>
            <div>
              <strong>{key.name}</strong> <code>{key.prefix}</code> {key.status !== "ACTIVE" && <em>{inSmall(key.status)}</em>}
              <small>
                {key.scopes.join(", ")} · made <Moment at={key.createdAt} />
                {key.expiresAt && (
                  <>
                    {" · ends "}
                    <Moment at={key.expiresAt} />
                  </>
                )}
                {" · "}
                {key.lastUsedAt ? (
                  <>
                    used <Moment at={key.lastUsedAt} />
                  </>
                ) : (
                  "not used yet"
                )}
              </small>
            </div>
            {mayChange && ["ACTIVE", "ROTATED"].includes(key.status) && (
              <div>
                <Act label="Revoke" sure="Revoke for good" about={key.name} send={() => revoke(key.id)} />
              </div>
            )}
          </li>
        ))}
      </ul>
      {more && (
        <button type="button" className="quiet" onClick={more}>
          Show more
        </button>
      )}
      {mayChange && (
        <details>
          <summary>Create a key</summary>
          <Form fields={[NAME]} button="Create the key" send={make}>
            <fieldset className="scopes">
              <legend>What it may do</legend>
              {scopes.map((scope) => (
                <label key={scope}>
                  <input type="checkbox" name="scopes" value={scope} defaultChecked={USUAL.includes(scope)} />
                  <code>{scope}</code>
                </label>
              ))}
            </fieldset>
          </Form>
        </details>
      )}
    </Panel>
  );
}
