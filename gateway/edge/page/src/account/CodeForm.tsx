// The second step of signing in: a code of the authenticator, or a recovery code when it is lost.
import { useState } from "react";
import type { Problem } from "./change";
import { CODE, type Field, Form } from "./Form";

const RECOVERY: Field = { name: "recoveryCode", label: "Recovery code", hint: "Each works once." };

export function CodeForm({ send }: { send(code: { code: string } | { recoveryCode: string }): Promise<Problem[]> }) {
  const [lost, setLost] = useState(false);
  return (
    <>
      <Form
        key={String(lost)}
        fields={[lost ? RECOVERY : CODE]}
        button="Sign in"
        send={(values) => send(lost ? { recoveryCode: String(values.get("recoveryCode")) } : { code: String(values.get("code")) })}
      />
      <p className="ways">
        <button type="button" className="quiet" onClick={() => setLost(!lost)}>
          {lost ? "Use the authenticator" : "Use a recovery code"}
        </button>
      </p>
    </>
  );
}
