// The account page: the way in for who is signed out; organisation, keys, sessions and security for who is signed in.
import { useEffect, useRef } from "react";
import { Boundary } from "../landing/Boundary";
import { Mark } from "../Mark";
import { AccountContext, useAccount, useSeen } from "./account";
import { change, type Problem } from "./change";
import { Entrance } from "./Entrance";
import { Confirm, Invited, Reset, Verify } from "./Followed";
import { Act } from "./Form";
import { Keys } from "./Keys";
import { Organisation } from "./Organisation";
import { type Place, usePlace } from "./place";
import { Password, SecondFactor } from "./Security";
import { Sessions } from "./Sessions";
import { failed, type Viewer } from "./words";

export function App() {
  const account = useSeen();
  const [place, leave] = usePlace();
  const { seen, fault, notice, refresh } = account;
  const user = seen?.viewer?.user ?? null;
  return (
    <AccountContext value={account}>
      <a className="skip" href="#main" onClick={skip}>
        Skip to the account
      </a>
      <header className="top">
        <a className="brand" href="/">
          <Mark />
          Marketgate
        </a>
        <nav aria-label="Pages">
          <a href="/">Prices</a>
          {user && <SignOut />}
        </nav>
      </header>
      <main id="main" className="account" tabIndex={-1}>
        <Title email={user?.email ?? null} place={place} />
        <p role="status" className={notice ? "note" : ""}>
          {notice}
        </p>
        {place.failure && (
          <p className="fault" role="alert">
            {failed(place.failure)}
          </p>
        )}
        {fault && (
          <p className="fault" role="alert">
            {fault.message}{" "}
            <button type="button" className="quiet" onClick={refresh}>
              Try again
            </button>
          </p>
        )}
        {!seen && !fault && <p className="note">Asking who you are…</p>}
        {seen && (
          <Boundary>
            <Content place={place} leave={leave} viewer={seen.viewer} />
          </Boundary>
        )}
      </main>
    </AccountContext>
  );
}

function Content({ place, leave, viewer }: { place: Place; leave(): void; viewer: Viewer | null }) {
  const signedIn = viewer?.user != null;
  if (place.name === "verify") return <Verify key={place.token} place={place} leave={leave} />;
  if (place.name === "reset" && place.token) return <Reset key={place.token} place={place} leave={leave} />;
  if (place.name === "second-factor" && !signedIn) return <Confirm place={place} leave={leave} />;
  return (
    <>
      <Invited signedIn={signedIn} leave={leave} />
      {signedIn ? <Everything viewer={viewer} /> : <Entrance key={place.name} name={place.name} leave={leave} />}
    </>
  );
}

function Everything({ viewer }: { viewer: Viewer }) {
  const tenant = viewer.tenant?.id ?? "none";
  return (
    <>
      <Organisation viewer={viewer} />
      {/* Another organisation has other keys: nothing of the last one may stay on the screen. */}
      {viewer.scopes.includes("keys:read") && <Keys key={tenant} scopes={viewer.scopes} />}
      <Sessions />
      <Password email={viewer.user!.email} />
      <SecondFactor on={viewer.user!.totpEnabled} />
    </>
  );
}

/** Takes the focus when the place changes: who cannot see the page hears where it leads. */
function Title({ email, place }: { email: string | null; place: Place }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [place, email]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      Your account
      {email && <small> {email}</small>}
    </h1>
  );
}

function SignOut() {
  const { refresh, tell } = useAccount();
  const send = async (): Promise<Problem[]> => {
    const { problems } = await change("sessionEnd");
    tell("You are signed out.");
    refresh();
    return problems;
  };
  return <Act label="Sign out" send={send} />;
}

// What stands after the # is a place of this page.
function skip(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
