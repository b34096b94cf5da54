import assert from "node:assert/strict";
import { suite, test } from "node:test";

import * as fc from "fast-check";
import type { Json } from "../../bytes/canonical-json.ts";
import type { Change } from "../../catalogs/entries.ts";
import { change, current, type Entry, merge } from "../../catalogs/merge.ts";
import { readBlock, withKeys } from "./block.ts";
import { clientConfig, isTellable, withInclude, withoutInclude } from "./client-config.ts";
import { noteApplied, pinHost, placeHost, removeHost } from "./edit-host.ts";
import { findHost, hostOf, hostsOf, readTarget } from "./host.ts";
import { keysIn, knownHosts } from "./known-hosts.ts";
import { ED25519, ed25519Blob, fingerprintOf, keyLine } from "./public-key.ts";
import { readConnection } from "./ssh-log.ts";

const place = { host: "server.example", port: 22, user: "alice", typed: "server.example" };
const key = (octet: number) => ({ kind: ED25519, blob: ed25519Blob(new Uint8Array(32).fill(octet)) });

function made(asked: Change | undefined, before?: Entry, author = "laptop"): Entry {
  assert.ok(asked !== undefined);
  return merge(before, asked, author);
}

const server = (name = "server1") => made(placeHost([], place, name, "alice@example.com").change);

suite("a server as an entry (docs/spec/ssh.md 1)", () => {
  test("what was placed reads back, by its name or identifier; the same place once more is the same server", () => {
    const entry = server();
    const { applied, hostKeys, id, ...rest } = findHost(hostsOf([entry]), "server1");
    assert.deepEqual(rest, { ...place, name: "server1", way: "plain", sshdConfig: "/etc/ssh/sshd_config", block: "alice@example.com" });
    assert.deepEqual([applied, hostKeys], [undefined, []]);
    assert.equal(findHost(hostsOf([entry]), id).name, "server1");
    assert.deepEqual(placeHost([entry], place, undefined, "alice@elsewhere.example"), { id, change: undefined });
    assert.equal(hostOf(made(placeHost([entry], place, "box", "").change, entry))?.name, "box");
  });

  test("another server cannot have its name; one that was removed gives it back", () => {
    const other = { ...place, port: 2222 };
    assert.throws(() => placeHost([server()], other, "server1", ""), { code: "ssh-name-taken" });
    const removed = made(removeHost(server()), server());
    assert.deepEqual(hostsOf([removed]), []);
    placeHost([removed], other, "server1", "");
    assert.throws(() => placeHost([], place, "Not a name", ""), { code: "ssh-target-malformed" });
  });

  test("what two devices change at the same time both stays, and what is not understood stays too", () => {
    const entry = made({ entry: server().id, fields: { later: [1, "kept"] } }, server());
    const pinned = pinHost(entry, [key(1)]);
    const noted = noteApplied(entry, { at: "2026-06-01T12:00:00.000Z", by: "x", keys: [fingerprintOf(key(2).blob)], asOf: "1.2.3", others: [] });
    const both = made(noted, made(pinned, entry, "desktop"), "laptop");
    const host = hostOf(both);
    assert.deepEqual([host?.hostKeys, host?.applied?.asOf, current(both, "later")], [[key(1)], "1.2.3", "kept"]);
    assert.equal(pinHost(both, [key(1)]), undefined);
    assert.deepEqual(hostOf(made(pinHost(both, [key(3)]), both))?.hostKeys, [key(3)]);
    assert.equal(noteApplied(both, { ...(host?.applied as NonNullable<typeof host>["applied"] & object), at: "2027-01-01T00:00:00.000Z" }), undefined, "the time alone is no news");
  });

  test("an entry that could say more to ssh than where a server is, is none", () => {
    const bad: Readonly<Record<string, readonly Json[]>> = {
      name: ["server1\n  ProxyCommand touch /tmp/x", "*", "-oProxyCommand=x", "a b", "", 1, "UPPER"],
      host: ["h\nProxyCommand x", "-h", "a b", "a\"b", "%h", "$(x)", "", null],
      user: ["-l", "a b", "root\n", "a'b", "%r", "", null],
      block: ["a\nb", "a b", "", null],
      port: ["22", 0, 65_536, 2.5, null],
      way: ["other", null],
    };
    for (const [field, values] of Object.entries(bad)) for (const value of values) assert.equal(hostOf(made(change(server().id, server(), { [field]: value }), server())), undefined, `${field} ${JSON.stringify(value)}`);
    const strange = made(change(server().id, server(), { "host-key:ssh-rsa": keyLine(key(1)), "host-key:ssh-ed25519": "ssh-ed25519 AAAA\nmore", applied: { keys: "all" } }), server());
    assert.deepEqual([hostOf(strange)?.hostKeys, hostOf(strange)?.applied], [[], undefined], "what is said wrong of it is left out");
  });

  test("a managed one has the path of its sshd_config, and an account that can be a file's name", () => {
    const managed = (fields: Readonly<Record<string, Json>>) => hostOf(made(change(server().id, server(), { way: "managed", ...fields }), server()));
    assert.deepEqual([managed({})?.way, managed({})?.sshdConfig], ["managed", "/etc/ssh/sshd_config"]);
    assert.equal(managed({ "sshd-config": "/opt/my-ssh/sshd_config.2" })?.sshdConfig, "/opt/my-ssh/sshd_config.2");
    for (const path of ["sshd_config", "/", "/x", "/etc/../x", "/etc/.ssh/x", "/etc//x", "/etc/ssh/", "/etc/s h/x", "/etc/$(x)/x", "/etc/x;y/z", "/etc/x\n/y", "/etc/'/y", 1, `/etc/${"x".repeat(200)}`]) assert.equal(managed({ "sshd-config": path }), undefined, String(path));
    for (const user of [".", ".."]) assert.equal(managed({ user }), undefined, user);
    const placed = placeHost([server()], place, undefined, "", { sshdConfig: "/opt/ssh/sshd_config" });
    const entry = made(placed.change, server());
    assert.deepEqual([hostOf(entry)?.way, hostOf(entry)?.block], ["managed", "alice@example.com"]);
    assert.equal(placeHost([entry], place, undefined, "").change, undefined, "added once more as a plain one it stays what it is");
  });

  test("two that have one name, given at the same time, are told apart by their identifiers", () => {
    const [a, b] = [server(), server()];
    assert.throws(() => findHost(hostsOf([a, b]), "server1"), { code: "ssh-host-ambiguous" });
    assert.equal(findHost(hostsOf([a, b]), b.id).id, b.id);
    assert.throws(() => findHost([], "server1"), { code: "ssh-host-not-found" });
  });

  test("servers are said as for ssh", () => {
    assert.deepEqual(readTarget("alice@server.example:2222"), { user: "alice", host: "server.example", port: 2222 });
    assert.deepEqual(readTarget("box"), { host: "box" });
    assert.deepEqual(readTarget("root@[fe80::1]:22"), { user: "root", host: "fe80::1", port: 22 });
    assert.deepEqual(readTarget("root@2001:db8::1"), { user: "root", host: "2001:db8::1" });
    for (const wrong of ["", "@", "a@", "-oProxyCommand=x", "a@-x", "a b", "h:0", "h:99999", "h:port", "a;b@h", "h\n"]) assert.throws(() => readTarget(wrong), { code: "ssh-target-malformed" }, wrong);
  });
});

suite("what stands in the block (docs/spec/ssh.md 2)", () => {
  const [lines, asOf] = [[keyLine(key(1), "laptop"), keyLine(key(2), "phone")], { g: 1, n: 5, version: 3 }];

  test("keys and the state that they are of read back; others are told by their keys, whatever options they have", () => {
    const others = [`from="10.0.0.0/8",command="echo \\"a b\\"" ${keyLine(key(3), "old one")}`, `  ${keyLine(key(4))}  `, `restrict\t${keyLine(key(3))}`, "what is this"];
    const found = readBlock(withKeys(`${others.join("\n")}\n# a note\n`, "alice", lines, asOf), "alice");
    assert.deepEqual(found.keys, [1, 2].map((octet) => fingerprintOf(key(octet).blob)).sort());
    assert.deepEqual(found.asOf, asOf);
    assert.deepEqual(found.others.filter((one) => !one.startsWith("line:")), [3, 4].map((octet) => fingerprintOf(key(octet).blob)).sort());
    assert.equal(found.others.length, 3);
  });

  test("an earlier state never replaces a later one", () => {
    const there = withKeys("", "alice", lines, asOf);
    for (const before of [{ g: 0, n: 9, version: 9 }, { g: 1, n: 4, version: 9 }, { g: 1, n: 5, version: 2 }]) assert.throws(() => withKeys(there, "alice", lines, before), { code: "ssh-host-ahead" });
    for (const since of [asOf, { g: 2, n: 0, version: 0 }, { g: 1, n: 6, version: 0 }]) assert.deepEqual(readBlock(withKeys(there, "alice", lines, since), "alice").asOf, since);
  });

  test("a line made to be slow to read is not", () => {
    const begun = process.cpuUsage();
    readBlock(`${"\\\"".repeat(200_000)}\n${"\" ".repeat(200_000)}`, "alice");
    assert.ok(process.cpuUsage(begun).user < 2_000_000);
  });
});

suite("what this device's ssh is told (docs/spec/ssh.md 4)", () => {
  const files = { common: "/h/ssh/known_hosts_all", knownHosts: "/h/ssh/known_hosts", identity: "/h/ssh/device.pub", agent: "/h/agent/ssh.sock" };

  test("a configuration names each server, and offers the device's own key where its agent runs", () => {
    const known = made(pinHost(server(), [key(1)]), server());
    const text = clientConfig(hostsOf([known, server("box")]), files);
    assert.match(text, /^Host server1\n {2}HostName server\.example\n {2}Port 22\n {2}User alice\n {2}HostKeyAlias server1\n {2}UserKnownHostsFile "\/h\/ssh\/known_hosts"\n {2}StrictHostKeyChecking yes\n/m);
    assert.match(text, /^Match originalhost box,server1 exec "test -S '\/h\/agent\/ssh\.sock'"\n {2}IdentityAgent "\/h\/agent\/ssh\.sock"\n {2}IdentityFile "\/h\/ssh\/device\.pub"\n {2}IdentitiesOnly yes$/m);
    assert.equal(/Host box\n(?: {2}.*\n)*/.exec(text)?.[0].includes("StrictHostKeyChecking"), false, "whose host key is not known is for the person's own known_hosts");
    assert.equal(knownHosts(hostsOf([known, server("box")])), `server1 ${keyLine(key(1))}\n`);
    assert.deepEqual(["/a b/c", "/a\"b", "/a\nb", "/a*", "/100%"].map(isTellable), [true, false, false, false, false]);
  });

  test("one line comes first in a person's own file, and goes again without a trace", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", " ", "\n", "\r", "#", "Host x", "Include \"/h/other\"") }), (text) => {
      const included = withInclude(text, "/h/ssh/config");
      assert.equal(included, `Include "/h/ssh/config"\n${text}`);
      assert.equal(withInclude(included, "/h/ssh/config"), included);
      assert.equal(withoutInclude(included, "/h/ssh/config"), text);
    }));
  });

  test("of what a scan printed only the key of the fingerprint that was met is taken", () => {
    const printed = [1, 2].map((octet) => `[server.example]:22 ${keyLine(key(octet))}`).join("\n");
    assert.deepEqual(keysIn(`# comment\nnonsense\n${printed}\n`, fingerprintOf(key(2).blob)), [key(2)]);
    assert.deepEqual(keysIn(printed, fingerprintOf(key(3).blob)), []);
  });
});

suite("what ssh tells of a connection", () => {
  const fingerprint = fingerprintOf(key(1).blob);
  const met = `debug1: Server host key: ssh-ed25519 ${fingerprint}`;

  test("which host key it met, and whether it got in", () => {
    assert.deepEqual(readConnection(`OpenSSH_9.2p1\n${met}\ndebug1: x\nAuthenticated to h ([127.0.0.1]:22) using "publickey".\nPermission denied (said by somebody).\n`), { met: { kind: ED25519, fingerprint }, authenticated: true, by: undefined, trouble: undefined, words: "Permission denied (said by somebody)." });
    assert.deepEqual(readConnection(`debug1: Server host key: ssh-ed25519-cert-v01@openssh.com ${fingerprint}\n`).met, { kind: ED25519, fingerprint });
  });

  test("by which key it got in: the last that the server took, of a certificate the key in it", () => {
    const [refused, taken] = [2, 3].map((n) => fingerprintOf(key(n).blob));
    const log = `debug1: Server accepts key: other ED25519 ${refused} agent\ndebug1: Server accepts key: /home/alice/device-1-cert.pub ED25519-CERT ${taken} explicit agent\n`;
    assert.equal(readConnection(`${log}Authenticated to h ([127.0.0.1]:22) using "publickey".\n`).by, taken);
    assert.equal(readConnection(`${log}Authenticated to h ([127.0.0.1]:22) using "password".\n`).by, undefined);
    assert.equal(readConnection(log).by, undefined);
  });

  test("why it did not", () => {
    const troubles = (lines: string) => readConnection(`${met}\n${lines}\n`).trouble;
    assert.equal(troubles("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed."), "changed");
    assert.equal(troubles("No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed."), "unknown");
    assert.equal(troubles("alice@h: Permission denied (publickey)."), "refused");
    assert.equal(troubles("ssh: connect to host h port 22: Connection refused"), "unreachable");
    assert.equal(troubles(""), "unreachable");
  });
});
