// The shapes that the account's queries return, and what its codes mean in plain English.
export type Membership = { id: string; name: string; role: string; status: string };

export type Viewer = {
  user: { email: string; totpEnabled: boolean } | null;
  tenant: { id: string; name: string; role: string | null; plan: string; status: string } | null;
  scopes: string[];
  organisations: Membership[];
};

export type Seen = { viewer: Viewer | null; signInMethods: string[] };

export type ApiKey = {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  status: string;
};

export type Session = {
  id: string;
  userAgent: string | null;
  clientIp: string | null;
  createdAt: string;
  lastSeenAt: string;
  current: boolean;
};

// The gateway's own words tell an application what to do; these tell a person at this page.
const REFUSALS: Record<string, string> = {
  CREDENTIALS_INVALID: "The address or the password is not right.",
  EMAIL_NOT_VERIFIED: "The address is not confirmed yet: follow the link in the mail, or ask for another link.",
  TOKEN_INVALID: "This link was used before, or is too old: ask for another one.",
  NO_PASSWORD: "You have no password yet: ask for a link to set one.",
  NOT_BEGUN: "This took longer than five minutes: begin again.",
};

export const refusal = (code: string, message: string): string => REFUSALS[code] ?? message;

const FAILED: Record<string, string> = {
  BAD_RETURN_TO: "The link to the provider was not right: begin again here.",
  STATE_INVALID: "The sign-in was begun in another browser, or took longer than ten minutes: begin again.",
  DENIED: "You did not agree at the provider, so nobody was signed in.",
  PROVIDER_FAILED: "The provider did not answer as it should: try again later, or use a password.",
  ADDRESS_NOT_VERIFIED: "The provider has not confirmed your e-mail address: confirm it there first.",
  ADDRESS_NOT_ACCEPTED: "The e-mail address that the provider has of you cannot be used here.",
  ACCOUNT_NOT_VERIFIED: "Somebody signed up with your address and has not confirmed it: follow the link in the mail first.",
  SIGN_UP_CLOSED: "Nobody can sign up here, and you have no account yet: ask the operator for one.",
  INVITATION_REQUIRED: "Only invited people can sign up here: follow the link of an invitation.",
  INVITATION_INVALID: "The invitation is over, or was sent to another address: ask for a new one.",
};

/** Why a provider's sign-in ended without one. */
export const failed = (code: string): string => FAILED[code] ?? "Nobody was signed in: try again.";

export const inSmall = (constant: string): string => constant.toLowerCase().replaceAll("_", " ");
