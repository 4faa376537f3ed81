// The password and the second factor of the signed-in person.
import { useState } from "react";
import { Copy } from "../Copy";
import { useAccount } from "./account";
import { change, type Problem } from "./change";
import { Act, CODE, type Field, Form, NEW_PASSWORD, PASSWORD } from "./Form";
import { Panel } from "./Panel";

const CURRENT: Field = { ...PASSWORD, name: "currentPassword", label: "Current password" };
const NEXT: Field = { ...NEW_PASSWORD, name: "newPassword" };
const EITHER: Field = { ...CODE, hint: "Six digits of your authenticator, or a recovery code." };

export function Password({ email }: { email: string }) {
  const { refresh, tell } = useAccount();
  const send = async (values: FormData): Promise<Problem[]> => {
    const { problems } = await change("passwordChange", Object.fromEntries(values));
    if (problems.length === 0) {
      tell("The new password holds. Everybody else who used the account was signed out.");
      refresh();
    }
    return problems;
  };
  const mail = async (): Promise<Problem[]> => {
    const { problems } = await change("passwordResetRequest", { email });
    if (problems.length === 0) tell(`A mail is on its way to ${email}.`);
    return problems;
  };
  return (
    <Panel title="Password">
      <details>
        <summary>Change the password</summary>
        <Form fields={[CURRENT, NEXT]} button="Change the password" send={send} />
        <p className="ways">
          <Act label="I have none, or forgot it: send me a link" send={mail} />
        </p>
      </details>
    </Panel>
  );
}

type Started = { secret: string | null; uri: string | null };
type Codes = { recoveryCodes: string[] | null };

export function SecondFactor({ on }: { on: boolean }) {
  const { refresh } = useAccount();
  const [started, setStarted] = useState<Started | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);

  const start = async (): Promise<Problem[]> => {
    const { done, problems } = await change<Started>("totpStart");
    if (problems.length === 0) setStarted(done);
    return problems;
  };
  const sent = async (mutation: string, values: FormData): Promise<Problem[]> => {
    const { done, problems } = await change<Codes>(mutation, Object.fromEntries(values));
    if (problems.length === 0) {
      setStarted(null);
      setCodes(done?.recoveryCodes ?? null);
      refresh();
    }
    return problems;
  };
  return (
    <Panel title="Second factor" hint={on ? "on" : "off"}>
      <div role="status">{codes && <RecoveryCodes codes={codes} />}</div>
      {!on && !started && <Act label="Set up an authenticator" send={start} />}
      {!on && started && (
        <>
          <p>
            Type this secret into your authenticator, or <a href={started.uri!}>open it there</a>; then enter the code that it shows.
          </p>
          <code className="secret">{started.secret}</code>
          <Form fields={[CODE]} button="Switch it on" send={(values) => sent("totpConfirm", values)} />
        </>
      )}
      {on && (
        <>
          <details>
            <summary>New recovery codes</summary>
            <Form fields={[PASSWORD, EITHER]} button="Make new codes" send={(values) => sent("recoveryCodesRenew", values)} />
          </details>
          <details>
            <summary>Switch it off</summary>
            <Form fields={[PASSWORD, EITHER]} button="Switch it off" send={(values) => sent("totpDisable", values)} />
          </details>
        </>
      )}
    </Panel>
  );
}

function RecoveryCodes({ codes }: { codes: string[] }) {
  return (
    <div className="once">
      <p>Recovery codes, each for one sign-in without the authenticator. Keep them safe: they are not shown again.</p>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <Copy label="Copy the codes" text={codes.join("\n")} />
    </div>
  );
}
