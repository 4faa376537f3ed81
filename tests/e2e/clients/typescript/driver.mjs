// Runs what a test writes: a function's body and its arguments a line, what it returned a line back.
import { createInterface } from "node:readline";
import * as client from "@marketgate/client";
import { WebSocket } from "ws";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value ?? "null");
const say = (word) => console.log(JSON.stringify(word));
/** Asks the test to do something, and waits until it is done. */
const told = async (name) => {
  say({ told: name });
  return hear();
};
const sockets = [];
/** A WebSocket that a test can look at: what went each way. */
class Watched extends WebSocket {
  sent = [];
  constructor(...given) {
    super(...given);
    sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
    super.send(text);
  }
}
const posts = [];
/** A fetch that a test can look at: what was sent and what came back. */
const watched = async (url, init) => {
  const response = await fetch(url, init);
  posts.push({ sent: JSON.parse(init.body), headers: init.headers, status: response.status });
  return response;
};
const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;

for (let call = await hear(); call !== null; call = await hear()) {
  posts.length = sockets.length = 0;
  const given = { ...client, WebSocket: Watched, fetch: watched, posts, sockets, told, given: call.given };
  try {
    const value = await new AsyncFunction(...Object.keys(given), call.body)(...Object.values(given));
    say({ value: value ?? null });
  } catch (error) {
    say({ thrown: { name: error.name, message: error.message, fault: error.fault ?? null, data: error.data ?? null } });
  }
}
