import assert from "node:assert/strict";
import { PROTOCOL } from "../../../src/agent/messages.ts";
import { readRequest } from "../../../src/agent/requests.ts";
import { octets, type Target } from "../target.ts";

const common = { v: PROTOCOL, build: "b", home: "/h" };
const wishes = [
  { ask: "status" },
  { ask: "unlock", passphrase: "p" },
  { ask: "run", caller: { argv: ["password", "get", "x"], environment: { TERM: "xterm" }, terminals: [true, true, false], columns: 80 } },
  { ask: "sign", id: "a", message: "AAAA" },
  { ask: "sign-added", id: "a", contribution: "AA", publicKey: "AA", message: "AAAA" },
  { ask: "derive", label: "rows", length: 32 },
  { ask: "add", secrets: [{ id: "a", purpose: "p", secret: "AA" }] },
];

/** What comes over an agent's socket: a line is a request, or it is told what it is instead. */
export const agentLine: Target = {
  name: "agent-line",
  files: ["agent/requests"],
  seeds: () => wishes.map((wish) => octets(JSON.stringify({ ...common, ...wish }))),
  words: ["ask", "status", "lock", "unlock", "run", "list", "sign", "sign-added", "decapsulate", "derive", "add", "remove", "caller", "secrets", '"v":1'],
  refusals: [],
  run: (input) => {
    const request = readRequest(input);
    if (typeof request === "string") return assert.ok(request === "malformed" || request === "version");
    // What was read says the same when it is written and read again.
    assert.deepEqual(readRequest(octets(JSON.stringify(request))), request);
  },
};
