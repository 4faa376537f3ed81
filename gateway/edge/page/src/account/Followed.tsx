// What a link in a mail, or the way back from a provider, asks the visitor to do. Nothing happens by opening a link
// alone: programs that look at mails open links, too.
import { useState } from "react";
import { useAccount } from "./account";
import { change, type Problem } from "./change";
import { CodeForm } from "./CodeForm";
import { Mailed } from "./Entrance";
import { Act, Form, NEW_PASSWORD } from "./Form";
import { Panel } from "./Panel";
import { keepInvitation, keptInvitation, type Place } from "./place";

type Props = { place: Place; leave(): void };

export function Verify({ place: { token }, leave }: Props) {
  const { refresh, tell } = useAccount();
  const [over, setOver] = useState(token === null);
  const send = async (): Promise<Problem[]> => {
    const { done, problems } = await change<{ passwordNeeded: boolean }>("userVerify", { token });
    setOver(problems.some(({ code }) => code === "TOKEN_INVALID"));
    if (done && problems.length === 0) {
      tell(done.passwordNeeded ? NEEDS_PASSWORD : "Your address is confirmed: you can sign in now.");
      leave();
      if (done.passwordNeeded) window.location.hash = "reset";
      refresh();
    }
    return problems;
  };
  return (
    <Panel title="Confirm your e-mail address">
      {token !== null && <Form fields={[]} button="Confirm" send={send} />}
      {over && (
        <>
          <p className="hint">We send you another link. It works once, for 24 hours.</p>
          <Mailed mutation="userVerificationResend" leave={leave} />
        </>
      )}
      <p className="ways">
        <a href="#sign-in">Back to sign in</a>
      </p>
    </Panel>
  );
}

const NEEDS_PASSWORD =
  "Your address is confirmed. It was signed up with twice, with different passwords: set a new one by a link that we send you.";

export function Reset({ place: { token }, leave }: Props) {
  const { refresh, tell } = useAccount();
  const send = async (values: FormData): Promise<Problem[]> => {
    const { problems } = await change("passwordReset", { token, password: String(values.get("password")) });
    if (problems.length === 0) {
      tell("The new password holds, and everybody was signed out: sign in with it.");
      leave();
      refresh();
    }
    return problems;
  };
  return (
    <Panel title="Set a new password">
      <Form fields={[NEW_PASSWORD]} button="Set the password" send={send} />
      <p className="ways">
        <a href="#reset">Send me another link</a>
      </p>
    </Panel>
  );
}

export function Confirm({ place: { returnTo }, leave }: Props) {
  const { refresh } = useAccount();
  const send = async (code: object): Promise<Problem[]> => {
    const { problems } = await change("sessionConfirm", code);
    if (problems.length === 0) {
      if (returnTo !== "/account") window.location.assign(returnTo);
      leave();
      refresh();
    }
    return problems;
  };
  return (
    <Panel title="Second factor">
      <CodeForm send={send} />
      <p className="ways">
        <a href="#sign-in">Back to sign in</a>
      </p>
    </Panel>
  );
}

/** Of an invitation at hand: to accept it when signed in, to ignore it in any case. */
export function Invited({ signedIn, leave }: { signedIn: boolean; leave(): void }) {
  const { refresh, tell } = useAccount();
  const token = keptInvitation();
  if (token === null) return null;
  const end = (words: string) => {
    keepInvitation(null);
    tell(words);
    leave();
    refresh();
  };
  const accept = async (): Promise<Problem[]> => {
    const { done, problems } = await change<Joined>("invitationAccept", { token });
    if (problems.length > 0 || !done?.organisation) return problems;
    const { id, name } = done.organisation;
    const switched = await change("organisationSwitch", { id });
    end(`You belong to ${name} now.`);
    return switched.problems;
  };
  const ignore = async (): Promise<Problem[]> => {
    end("The invitation was left alone; its link still works.");
    return [];
  };
  return (
    <Panel title="You are invited to an organisation">
      {!signedIn && <p className="hint">Sign in, or sign up, with the address that the invitation was sent to.</p>}
      <p className="ways">
        {signedIn && <Act label="Accept the invitation" send={accept} />}
        <Act label="Not now" send={ignore} />
      </p>
    </Panel>
  );
}

type Joined = { organisation: { id: string; name: string } | null };
