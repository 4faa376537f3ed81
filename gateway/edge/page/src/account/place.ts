// Where on the page the visitor is: mails and providers lead to places of it. Tokens stand behind the #, which no
// browser sends to anybody; they leave the address bar as soon as they are read.
import { useEffect, useState } from "react";

const NAMES = ["sign-in", "sign-up", "reset", "verify", "invitation", "second-factor"] as const;

export type Name = (typeof NAMES)[number];

export type Place = { name: Name | null; token: string | null; returnTo: string; failure: string | null };

const INVITATION = "marketgate.invitation";

export function usePlace(): [Place, () => void] {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const follow = () => setPlace(read());
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    // Not while rendering: React may render twice, and the second time must find the token, too.
    if (window.location.search || window.location.hash.includes("?")) {
      window.history.replaceState(null, "", `/account${place.name ? `#${place.name}` : ""}`);
    }
  }, [place]);
  const leave = () => {
    window.history.replaceState(null, "", "/account");
    setPlace(read());
  };
  return [place, leave];
}

function read(): Place {
  const [said, rest] = window.location.hash.slice(1).split("?", 2);
  const behind = new URLSearchParams(rest);
  const query = new URLSearchParams(window.location.search);
  const name = query.get("secondFactor") ? "second-factor" : (NAMES.find((known) => known === said) ?? null);
  const token = behind.get("token");
  const invited = name === "invitation" ? token : behind.get("invitation");
  if (invited) keepInvitation(invited);
  return { name, token, returnTo: placeHere(query.get("returnTo")), failure: query.get("signInError") };
}

/** A path of this gateway: whoever writes a link to this page must not choose where else it leads. */
function placeHere(path: string | null): string {
  try {
    const url = new URL(path ?? "", window.location.origin);
    // Resolved, `/.//elsewhere` is `//elsewhere`, which names another host.
    if (path && url.origin === window.location.origin && !url.pathname.startsWith("//")) {
      return url.pathname + url.search + url.hash;
    }
  } catch {
    // No address at all.
  }
  return "/account";
}

let invitation: string | null = null;

/** Kept until it is accepted or ignored, also on the way over a provider. */
export function keptInvitation(): string | null {
  try {
    return invitation ?? window.sessionStorage.getItem(INVITATION);
  } catch {
    return invitation;
  }
}

export function keepInvitation(token: string | null): void {
  invitation = token;
  try {
    if (token) window.sessionStorage.setItem(INVITATION, token);
    else window.sessionStorage.removeItem(INVITATION);
  } catch {
    // A browser that keeps nothing for this site still knows it until the page closes.
  }
}
