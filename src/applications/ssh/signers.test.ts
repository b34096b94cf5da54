import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Change } from "../../catalogs/entries.ts";
import { type Entry, change, merge } from "../../catalogs/merge.ts";
import { ED25519, ed25519Blob, keyLine } from "./public-key.ts";
import { allowedSigners, endedKeys, endKey } from "./signers.ts";

const key = (octet: number) => ({ kind: ED25519, blob: ed25519Blob(new Uint8Array(32).fill(octet)) });
const by = (author: string, asked: Change, before?: Entry): Entry => merge(before, asked, author);
const ended = (device: string, octet: number, until: number) => endKey({ device, key: key(octet), until });
const active = new Set(["desktop"]);
const found = (entries: readonly Entry[]) => endedKeys(entries, active).map(({ device, until }) => [device, until]);

suite("keys whose devices are gone (docs/spec/ssh.md 5)", () => {
  test("an end counts that an active device noted, the earliest of a key", () => {
    assert.deepEqual(found([by("desktop", ended("laptop", 1, 200)), by("desktop", ended("laptop", 1, 100)), by("desktop", ended("phone", 2, 150))]), [["laptop", 100], ["phone", 150]]);
  });

  test("one noted by a device that has ended itself counts up to its own end: a thief sets down no end that is yet to come", () => {
    const laptop = by("desktop", ended("laptop", 1, 100));
    assert.deepEqual(found([by("laptop", ended("phone", 2, 90)), laptop]), [["phone", 90], ["laptop", 100]]);
    assert.deepEqual(found([laptop, by("laptop", ended("laptop", 3, 4_000_000_000))]), [["laptop", 100]]);
    assert.deepEqual(found([by("nobody", ended("phone", 2, 50))]), []);
  });

  test("what two devices wrote together, or is no key and no time, is no end", () => {
    const honest = by("desktop", ended("laptop", 1, 100));
    assert.deepEqual(found([by("laptop", change(honest.id, honest, { until: 4_000_000_000 }), honest)]), []);
    for (const bad of [{ until: -1 }, { until: "100" }, { until: 1.5 }, { key: "ssh-ed25519 AAAA\n* ssh-rsa" }, { kind: "host" }, { removed: true }]) assert.deepEqual(found([by("desktop", change(honest.id, honest, bad), honest)]), [], JSON.stringify(bad));
  });

  test("allowed_signers names each key for git alone, those that ended until then, and breaks no line", () => {
    assert.equal(allowedSigners("alice@example.com", [{ device: "desk\ntop", key: key(1) }, { device: "laptop", key: key(2), until: "20260601120000" }]), `# Written by mesh: the keys of your devices; what you change here is lost.\nalice@example.com namespaces="git" ${keyLine(key(1))} desktop\nalice@example.com namespaces="git",valid-before="20260601120000" ${keyLine(key(2))} laptop\n`);
  });
});
