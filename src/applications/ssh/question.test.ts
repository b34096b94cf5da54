import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Bound } from "./agent-session.ts";
import { ed25519Blob, fingerprintOf } from "./public-key.ts";
import { type Confirming, questionFor, type When } from "./question.ts";
import type { Purpose } from "./signed-data.ts";

const key = (octet: number) => ed25519Blob(new Uint8Array(32).fill(octet));
const session = (octet: number) => new Uint8Array(32).fill(octet);
const names = new Map([[fingerprintOf(key(1)), "server1"], [fingerprintOf(key(2)), "server2"]]);
const nameOf = (blob: Uint8Array) => names.get(fingerprintOf(blob));
const met = (octet: number, more: Partial<Bound> = {}): Bound => ({ hostKey: key(octet), session: session(octet), forwarding: false, proven: true, ...more });
const login = (octet: number, more: object = {}): Purpose => ({ purpose: "login", user: "alice", session: session(octet), ...more });
const document: Purpose = { purpose: "document", namespace: "git" };
const asked = (when: When, purpose: Purpose, bound: readonly Bound[], hosts: Confirming["hosts"] = {}) => questionFor({ all: when, hosts }, purpose, bound, nameOf);

suite("what a person is asked before the agent signs (docs/spec/agent.md 6)", () => {
  test("the host and the account, where the host has signed the very session that is signed for", () => {
    assert.deepEqual(asked("always", login(1), [met(1)]), { what: 'log in as "alice" to server1 by a key of this device' });
    assert.match(asked("always", login(9), [met(9)])?.what ?? "", /to a host that is not known here \(SHA256:/);
    for (const [purpose, bound] of [[login(1), []], [login(1), [met(2)]], [login(1), [met(1, { proven: false })]], [login(1), [met(1, { forwarding: true })]], [login(1, { hostKey: key(2) }), [met(1)]]] as const) {
      assert.match(asked("always", purpose, bound)?.what ?? "", /to a host that it does not name/);
    }
  });

  test("the computer that the agent is lent to, the nearest of several", () => {
    assert.deepEqual(asked("forwarded", login(1), [met(2, { forwarding: true }), met(1)]), { what: 'log in as "alice" to server1 by a key of this device', by: "server2" });
    assert.match(asked("forwarded", login(1), [met(2, { forwarding: true, proven: false }), met(1)])?.by ?? "", /^a host that is not known here/, "a name is told only of who has proven it");
    assert.equal(asked("always", document, [met(2, { forwarding: true })])?.by, "server2");
  });

  test("when she wants: never, always, or where another computer asks; a client that says nothing of its session counts as one, but for documents", () => {
    const rows: readonly (readonly [When, Purpose, readonly Bound[], boolean])[] = [
      ["never", login(1), [met(2, { forwarding: true }), met(1)], false],
      ["forwarded", login(1), [met(1)], false],
      ["forwarded", login(1), [], true],
      ["forwarded", document, [], false],
      ["forwarded", { purpose: "unknown" }, [], true],
      ["always", document, [], true],
    ];
    for (const [when, purpose, bound, is] of rows) assert.equal(asked(when, purpose, bound) !== undefined, is, JSON.stringify([when, purpose]));
    assert.ok(asked("never", login(1), [met(1)], { server1: "always" }));
    assert.equal(asked("always", login(1), [met(1)], { server1: "never" }), undefined);
    assert.ok(asked("always", login(2), [met(1)], { server1: "never" }), "who only says that it is that server is asked about");
  });

  test("what a client says is quoted, short and on one line", () => {
    const { what } = asked("always", { purpose: "login", user: `a\n${"\u202E"}b${"x".repeat(100)}`, session: session(1) }, [met(1)]) ?? { what: "" };
    assert.equal(what, `log in as "a??b${"x".repeat(60)}" to server1 by a key of this device`);
    assert.equal(asked("always", { purpose: "document", namespace: 'g"' }, [])?.what, 'sign something for "g\\"" by a key of this device');
  });
});
