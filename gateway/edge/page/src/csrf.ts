// The proof that a change comes from a page of this gateway: one of a signed-in browser's two cookies, read back.
const COOKIES = ["__Host-mg_csrf", "mg_csrf"];

/** The header that mutations by cookie need; nothing where nobody is signed in. */
export function csrf(): Record<string, string> {
  const kept = new Map(document.cookie.split("; ").map((part) => [part.split("=", 1)[0]!, part.slice(part.indexOf("=") + 1)]));
  const proof = COOKIES.map((name) => kept.get(name)).find(Boolean);
  return proof ? { "x-csrf-token": proof } : {};
}
