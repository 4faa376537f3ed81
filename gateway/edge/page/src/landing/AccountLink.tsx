// The way to one's account: says who is signed in; who is not, or cannot be known, is invited to sign in.
import { useEffect, useState } from "react";
import { ask } from "../gateway";
import viewerQuery from "../queries/viewer.graphql?raw";

type Seen = { viewer: { user: { email: string } | null } | null };

export function AccountLink() {
  const [email, setEmail] = useState<string | null>(null);
  useEffect(() => {
    const stopped = new AbortController();
    ask<Seen>(viewerQuery, {}, stopped.signal).then(
      ({ viewer }) => setEmail(viewer?.user?.email ?? null),
      // A gateway that fails says so in the other parts of the page.
      () => setEmail(null),
    );
    return () => stopped.abort();
  }, []);
  return email ? (
    <a className="me" href="/account" title="Account">
      <span className="unseen">Account: </span>
      {email}
    </a>
  ) : (
    <a className="me" href="/account">
      Sign in
    </a>
  );
}
