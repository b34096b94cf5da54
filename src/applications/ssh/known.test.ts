import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Json } from "../../bytes/canonical-json.ts";
import { concatBytes } from "../../bytes/equal.ts";
import { change, type Entry, merge } from "../../catalogs/merge.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { blocksOf, readStatements } from "./client-file.ts";
import { clientConfig } from "./client-config.ts";
import { type Confirmed, forgetKnown, knownName, knownsOf, takeKnown } from "./known.ts";
import { readKnownHosts } from "./known-hosts-file.ts";
import { commonKnownHosts } from "./known-hosts.ts";
import { ED25519, ed25519Blob, keyLine } from "./public-key.ts";
import { addSection, type Section, sectionsOf } from "./section.ts";
import { string } from "./wire.ts";

const key = (octet: number) => ({ kind: ED25519, blob: ed25519Blob(new Uint8Array(32).fill(octet)) });
const saw = (host: string, octet: number): Confirmed => ({ host, key: key(octet) });

/** The entries after a device noted what it saw. */
function after(entries: readonly Entry[], changes: ReturnType<typeof takeKnown>["changes"], author = "laptop"): readonly Entry[] {
  const all = new Map(entries.map((one) => [one.id, one]));
  for (const one of changes) all.set(one.entry, merge(all.get(one.entry), one, author));
  return [...all.values()];
}

const made = (values: Readonly<Record<string, Json>>): Entry => merge(undefined, change(newEntryId(), undefined, values), "laptop");

suite("the known_hosts of all devices (docs/spec/ssh.md 9)", () => {
  test("what one confirmed is on the list, once, and the same again changes nothing", () => {
    const { added, changes, conflicts } = takeKnown([], [saw("a.example", 1), saw("[a.example]:2222", 2), saw("a.example", 1)]);
    assert.deepEqual([added.length, conflicts.length], [2, 0]);
    const entries = after([], changes);
    assert.deepEqual(knownsOf(entries).map(({ host, keys }) => [host, keys]), [["[a.example]:2222", [key(2)]], ["a.example", [key(1)]]]);
    assert.deepEqual(takeKnown(entries, [saw("a.example", 1)]), { changes: [], added: [], conflicts: [] });
    assert.equal(commonKnownHosts(knownsOf(entries), [{ host: "a.example", port: 22, hostKeys: [key(1), key(3)] }]), `[a.example]:2222 ${keyLine(key(2))}\na.example ${keyLine(key(1))}\na.example ${keyLine(key(3))}\n`);
  });

  test("another key of the same kind is told and never taken; of another kind it is one more", () => {
    const entries = after([], takeKnown([], [saw("a.example", 1)]).changes);
    const other = takeKnown(entries, [saw("a.example", 9)]);
    assert.deepEqual([other.changes, other.conflicts], [[], [{ host: "a.example", kind: ED25519, listed: key(1), found: key(9) }]]);
    const rsa = { kind: "ssh-rsa", blob: concatBytes(string("ssh-rsa"), string(Uint8Array.of(3)), string(new Uint8Array(128).fill(1))) };
    assert.deepEqual(knownsOf(after(entries, takeKnown(entries, [{ host: "a.example", key: rsa }]).changes))[0]?.keys, [key(1), rsa]);
    assert.deepEqual(takeKnown(entries, [saw("a.example", 9), saw("a.example", 1)]).conflicts, [], "ssh takes each of several");
  });

  test("what a person took off does not come back by a file in which it stands; the next key does", () => {
    const entries = after([], takeKnown([], [saw("a.example", 1)]).changes);
    const gone = after(entries, forgetKnown(entries, "A.example"));
    assert.deepEqual(knownsOf(gone), []);
    assert.deepEqual(takeKnown(gone, [saw("a.example", 1)]).added, []);
    assert.deepEqual(takeKnown(gone, [saw("a.example", 1), saw("a.example", 2)]).added, [saw("a.example", 2)]);
    assert.throws(() => forgetKnown(gone, "a.example"), { code: "ssh-host-not-found" });
  });

  test("an entry that could say more in a known_hosts than a host, is none", () => {
    for (const host of ["*", "a,b", "!a", "a b", "a\nb", "@revoked", "#a", "|1|a|b", "[a]", "[a]:x", "", 1]) assert.deepEqual(knownsOf([made({ kind: "known", host, "host-key:ssh-ed25519": keyLine(key(1)) })]), [], String(host));
    assert.deepEqual([knownName("A.example", 22), knownName("::1", 2222)], ["a.example", "[::1]:2222"]);
  });
});

suite("what stands in a person's own files (docs/spec/ssh.md 9)", () => {
  test("a known_hosts: names, several at once, hashed ones, and how many lines say something else", () => {
    const line = keyLine(key(1));
    const read = readKnownHosts(`# one\na.example,10.0.0.1 ${line} a comment\n|1|c2FsdA==|aGFzaA== ${line}\n*.example ${line}\n@cert-authority * ${line}\nbroken\n\n[b]:2222\t${line}\n`);
    assert.deepEqual(read, { confirmed: [saw("a.example", 1), saw("10.0.0.1", 1), saw("[b]:2222", 1)], hashed: [{ digest: "|1|c2FsdA==|aGFzaA==", key: key(1) }], others: 3 });
  });

  test("an ssh_config: keywords in any case, with a blank or =, quoted words, comments; what stands under Match is in no section", () => {
    const read = blocksOf(readStatements('Compression yes\nhost a "b"  # c\n\tHostName = a.example\nMatch all\n  User x\nHOST d\nproxycommand nc %h\n'));
    assert.deepEqual(read, [{ names: ["a", "b"], says: [{ keyword: "hostname", words: ["a.example"] }] }, { names: ["d"], says: [{ keyword: "proxycommand", words: ["nc", "%h"] }] }]);
  });
});

suite("sections that all devices have (docs/spec/ssh.md 9)", () => {
  const section: Section = { name: "work", host: "work.example", port: 2222, user: "alice", jump: "bob@gate.example:22,10.0.0.1" };

  test("one reads back, is written for ssh, and of two of one name the first stays", () => {
    const entry = merge(undefined, addSection([], section) as ReturnType<typeof change>, "laptop");
    const { id, ...rest } = sectionsOf([entry])[0] as Section & { id: string };
    assert.deepEqual([rest, id], [section, entry.id]);
    assert.equal(addSection([entry], { ...section, host: "other.example" }), undefined);
    const files = { common: "/h/all", knownHosts: "/h/known", identity: undefined, agent: undefined };
    assert.match(clientConfig([], files, [section]), /\nHost work\n {2}HostName work\.example\n {2}Port 2222\n {2}User alice\n {2}ProxyJump bob@gate\.example:22,10\.0\.0\.1\n/);
  });

  test("an entry that could say more to ssh than where a name leads, is none", () => {
    const good = { kind: "section", ...section };
    assert.equal(sectionsOf([made(good)]).length, 1);
    const bad: readonly Readonly<Record<string, Json>>[] = [{ name: "*" }, { name: "a b" }, { name: "!a" }, { host: "-x" }, { host: "a\nProxyCommand x" }, { user: "$(x)" }, { port: "22" }, { port: 0 }, { jump: "a;b" }, { jump: "`x`" }, { jump: "a b" }, { jump: 1 }, { jump: Array(9).fill("a").join(",") }];
    for (const one of bad) assert.deepEqual(sectionsOf([made({ ...good, ...one })]), [], JSON.stringify(one));
  });
});
