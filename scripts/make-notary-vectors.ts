// Makes vectors/notary anew: node scripts/make-notary-vectors.ts. Keys and signatures are random, so every run gives others.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { toBase64url } from "../src/bytes/base64url.ts";
import { fromUtf8, utf8 } from "../src/bytes/text.ts";
import type { MapLabel } from "../src/notary/currency.ts";
import { type LogEntry, writeEntry } from "../src/notary/entry.ts";
import { readNote, writeNote } from "../src/notary/note.ts";
import { flipped } from "../src/notary/test-log.ts";
import { idOf, TestNotary } from "../src/notary/test-notary.ts";
import { readTlogProof, writeTlogProof } from "../src/notary/tlog-proof.ts";
import { rootOf } from "../src/notary/tree.ts";
import { writeVerifierKey } from "../src/notary/verifier-key.ts";

const folder = join(import.meta.dirname, "../vectors/notary");
const NOW = 1_790_000_000;
for (const kind of ["valid", "invalid"]) {
  rmSync(join(folder, kind), { recursive: true, force: true });
  mkdirSync(join(folder, kind), { recursive: true });
}
const write = (path: string, content: object) => writeFileSync(join(folder, `${path}.json`), `${JSON.stringify(content, null, 1)}\n`);

// Proofs of what is current, all of one log.
const notary = await TestNotary.open({ cosigners: 3 });
for (let person = 1; person <= 12; person++) notary.create(idOf(person));
await notary.close(NOW - 60);
notary.personal(idOf(3));
notary.suspend(idOf(3));
notary.sealed("connect");
await notary.close(NOW);
const policy = notary.policy({ quorum: 2 });
write("policy", { ...policy, logKeys: policy.logKeys.map(writeVerifierKey), cosigners: policy.cosigners.map(writeVerifierKey) });

const label = (person: number, kind: MapLabel["kind"]): MapLabel => ({ kind, id: idOf(person) });
const proof = async (of: MapLabel) => fromUtf8(await notary.prove(of));
const valid = async (name: string, about: string, of: MapLabel, value: object | null) => write(`valid/proof-${name}`, { about, proof: await proof(of), now: NOW, outcome: "ok", ...of, value, epoch: 2, size: notary.size });
await valid("master", "The first version of a Master Profile", label(5, "master"), { g: 1, n: 0 });
await valid("personal", "The second version of a Personal Profile", label(3, "personal"), { g: 1, n: 2 });
await valid("suspensions", "One suspension", label(3, "suspensions"), { g: 0, n: 1 });
await valid("absent", "No suspension", label(4, "suspensions"), null);

const good = await notary.prove(label(5, "master"));
const parts = readTlogProof(good);
const [extra, note] = [parts.extra ?? new Uint8Array(0), readNote(parts.checkpoint)];
const signedBy = (keep: (at: number) => boolean) => writeNote({ ...note, signatures: note.signatures.filter((_, at) => keep(at)) });
const invalid = (name: string, about: string, octets: Uint8Array, outcome: string, now = NOW) => write(`invalid/proof-${name}`, { about, proof: fromUtf8(octets), now, outcome });
invalid("old-version", "Another version than the one that the map holds", writeTlogProof({ ...parts, extra: flipped(extra, 8 * (2 + 52 + 16 + 1 + 4) - 8) }), "log-proof-false");
invalid("other-identifier", "The way of somebody else", writeTlogProof({ ...parts, extra: extra.with(2 + 51, (extra[2 + 51] as number) === 97 ? 98 : 97) }), "log-proof-false");
invalid("cut-way", "A way that ends too soon", writeTlogProof({ ...parts, extra: extra.slice(0, -1) }), "log-proof-malformed");
invalid("wrong-path", "A hash of the audit path with a bit turned", writeTlogProof({ ...parts, path: parts.path.with(0, flipped(parts.path[0] ?? new Uint8Array(32), 0)) }), "log-proof-false");
invalid("not-last", "An index that is not the log's last", writeTlogProof({ ...parts, index: parts.index - 1 }), "log-proof-false");
invalid("one-log-signature", "The log's Ed25519 signature alone", writeTlogProof({ ...parts, checkpoint: signedBy((at) => at !== 1) }), "note-unsigned");
invalid("one-cosigner", "One cosigner where two must vouch", writeTlogProof({ ...parts, checkpoint: signedBy((at) => at < 3) }), "log-proof-stale");
invalid("stale", "Cosignatures of an hour ago", good, "log-proof-stale", NOW + 3600);
invalid("other-log", "A checkpoint of another log", writeTlogProof({ ...parts, checkpoint: utf8(fromUtf8(parts.checkpoint).replace("portal.example/mesh/1", "portal.example/mesh/2")) }), "log-wrong-origin");

// Logs from their first entry on.
async function log(kind: "valid" | "invalid", name: string, about: string, outcome: string, fill: (notary: TestNotary) => Promise<void>): Promise<void> {
  const one = await TestNotary.open();
  one.create(idOf(1));
  await one.close(NOW);
  await fill(one);
  const more = outcome === "ok" ? { root: rootOf(one.log.tree).toHex() } : {};
  write(`${kind}/log-${name}`, { about, entries: one.entries.map(fromUtf8), outcome, ...more });
}
const digest = toBase64url(new Uint8Array(64).fill(9)) as never;
const add = (entry: LogEntry) => async (one: TestNotary) => one.add(writeEntry(entry));
await log("valid", "two-people", "Two people, a new version, a suspension and a sealed entry, in three epochs", "ok", async (one) => {
  one.create(idOf(2));
  one.personal(idOf(1));
  await one.close(NOW + 1);
  one.suspend(idOf(2));
  one.sealed("catalogs");
  await one.close(NOW + 2);
});
await log("valid", "moved-here", "Somebody who comes with version (4, 7)", "ok", async (one) => {
  one.add(writeEntry({ id: idOf(8), k: "master", len: 9, n: 4, obj: digest, prev: digest, v: 1 }));
  one.add(writeEntry({ g: 4, id: idOf(8), k: "personal", len: 9, n: 7, obj: digest, prev: digest, v: 1 }));
});
await log("invalid", "master-twice", "Version 1 of a Master Profile twice", "portal-wrong-entry", add({ id: idOf(1), k: "master", len: 9, n: 1, obj: digest, v: 1 }));
await log("invalid", "other-previous", "A version that follows another digest", "portal-wrong-entry", add({ g: 1, id: idOf(1), k: "personal", len: 9, n: 2, obj: digest, prev: digest, v: 1 }));
await log("invalid", "wrong-master", "A Personal Profile under a Master Profile that is not there", "portal-wrong-entry", add({ g: 2, id: idOf(1), k: "personal", len: 9, n: 1, obj: digest, v: 1 }));
await log("invalid", "unpaired-master", "An epoch over a Master Profile without a Personal Profile under it", "portal-wrong-entry", async (one) => {
  one.add(writeEntry({ id: idOf(2), k: "master", len: 9, n: 1, obj: digest, v: 1 }));
  await one.close(NOW + 1);
});
await log("invalid", "epoch-skipped", "Epoch 3 after epoch 1", "portal-wrong-entry", add({ k: "epoch", map: toBase64url(new Uint8Array(32)), n: 3, t: NOW * 1000 + 1, v: 1 }));
await log("invalid", "time-stands", "An epoch at the time of the one before", "portal-wrong-entry", add({ k: "epoch", map: toBase64url(new Uint8Array(32)), n: 2, t: NOW * 1000, v: 1 }));
await log("invalid", "wrong-map", "An epoch that commits to an empty map", "portal-wrong-map", add({ k: "epoch", map: toBase64url(new Uint8Array(32)), n: 2, t: NOW * 1000 + 1, v: 1 }));
const text = (entry: string) => async (one: TestNotary) => one.add(utf8(entry));
await log("invalid", "not-canonical", "An entry with a space", "log-entry-malformed", text(`{"c":"${digest}", "k":"account","v":1}`));
await log("invalid", "member-twice", "An entry with a member twice", "log-entry-malformed", text(`{"c":"${digest}","c":"${digest}","k":"account","v":1}`));
await log("invalid", "unknown-kind", "An entry of an unknown kind", "log-entry-malformed", text(`{"c":"${digest}","k":"diary","v":1}`));
await log("invalid", "unknown-member", "An entry with a member of no meaning", "log-entry-malformed", text(`{"c":"${digest}","k":"account","v":1,"x":1}`));
await log("invalid", "oversized", "An entry of more than 4 KiB", "log-entry-malformed", text(`{"c":"${digest}","k":"account","v":1,"x":"${"x".repeat(4096)}"}`));
await log("invalid", "empty", "An entry of no octets", "log-entry-malformed", text(""));
