/** Client of a Marketgate gateway. */

export * from "./webhooks.js";
