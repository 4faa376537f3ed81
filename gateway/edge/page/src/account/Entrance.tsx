// Signing in and up, and asking for a link when the password or the mail is lost.
import { useState } from "react";
import { useAccount } from "./account";
import { change, type Problem } from "./change";
import { CodeForm } from "./CodeForm";
import { EMAIL, Form, NEW_PASSWORD, PASSWORD } from "./Form";
import { Panel } from "./Panel";
import { keptInvitation, type Name } from "./place";

const PROVIDERS: [string, string, string][] = [
  ["GOOGLE", "google", "Google"],
  ["GITHUB", "github", "GitHub"],
];

export function Entrance({ name, leave }: { name: Name | null; leave(): void }) {
  if (name === "sign-up") return <SignUp leave={leave} />;
  if (name === "reset") return <Forgotten leave={leave} />;
  return <SignIn leave={leave} />;
}

type Opened = { secondFactorRequired: boolean };

function SignIn({ leave }: { leave(): void }) {
  const { refresh, tell } = useAccount();
  const [known, setKnown] = useState<{ email: string; password: string } | null>(null);
  const [unconfirmed, setUnconfirmed] = useState(false);

  const open = async (input: { email: string; password: string; code?: string; recoveryCode?: string }): Promise<Problem[]> => {
    const { done, problems } = await change<Opened>("sessionCreate", { ...input, cookie: true });
    setUnconfirmed(problems.some(({ code }) => code === "EMAIL_NOT_VERIFIED"));
    if (done?.secondFactorRequired) setKnown({ email: input.email, password: input.password });
    else if (problems.length === 0) {
      tell("");
      leave();
      refresh();
    }
    return problems;
  };
  if (known) {
    return (
      <Panel title="Second factor" hint={known.email}>
        <CodeForm send={(code) => open({ ...known, ...code })} />
        <p className="ways">
          <button type="button" className="quiet" onClick={() => setKnown(null)}>
            Back
          </button>
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Sign in">
      <Form
        fields={[EMAIL, PASSWORD]}
        button="Sign in"
        send={(values) => open({ email: String(values.get("email")), password: String(values.get("password")) })}
      />
      <Providers />
      <p className="ways">
        <a href="#sign-up">Sign up</a>
        <a href="#reset">Forgot the password?</a>
        {unconfirmed && <a href="#verify">Send me another link to confirm my address</a>}
      </p>
    </Panel>
  );
}

function Providers() {
  const { seen } = useAccount();
  const invitation = keptInvitation();
  const asked = new URLSearchParams({ return_to: "/account", ...(invitation && { invitation }) });
  const offered = PROVIDERS.filter(([method]) => seen?.signInMethods.includes(method));
  if (offered.length === 0) return null;
  return (
    <p className="ways">
      {offered.map(([method, path, words]) => (
        <a key={method} className="quiet" href={`/oauth/${path}/start?${asked}`}>
          Continue with {words}
        </a>
      ))}
    </p>
  );
}

function SignUp({ leave }: { leave(): void }) {
  const { tell } = useAccount();
  const send = async (values: FormData): Promise<Problem[]> => {
    const email = String(values.get("email"));
    const invitationToken = keptInvitation();
    const input = { email, password: String(values.get("password")), ...(invitationToken && { invitationToken }) };
    const { problems } = await change("userSignUp", input);
    if (problems.length === 0) {
      tell(`A mail is on its way to ${email}. Follow the link in it to confirm the address; then sign in here.`);
      leave();
    }
    return problems;
  };
  return (
    <Panel title="Sign up">
      <Form fields={[EMAIL, { ...NEW_PASSWORD, label: "Password" }]} button="Sign up" send={send} />
      <Providers />
      <p className="ways">
        <a href="#sign-in">I have an account</a>
      </p>
    </Panel>
  );
}

function Forgotten({ leave }: { leave(): void }) {
  return (
    <Panel title="Set a new password">
      <p className="hint">We send you a link that sets a new password. It works for one hour.</p>
      <Mailed mutation="passwordResetRequest" leave={leave} />
      <p className="ways">
        <a href="#sign-in">Back to sign in</a>
      </p>
    </Panel>
  );
}

/** Asks for a mail with a link; whether the address has an account is told nobody. */
export function Mailed({ mutation, leave }: { mutation: string; leave(): void }) {
  const { tell } = useAccount();
  const send = async (values: FormData): Promise<Problem[]> => {
    const email = String(values.get("email"));
    const { problems } = await change(mutation, { email });
    if (problems.length === 0) {
      tell(`A mail is on its way to ${email}.`);
      leave();
    }
    return problems;
  };
  return <Form fields={[EMAIL]} button="Send me a link" send={send} />;
}
