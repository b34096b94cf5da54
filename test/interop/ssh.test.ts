import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { withBlock } from "../../src/applications/ssh/authorized-keys.ts";
import { type Contents, ED25519_CERTIFICATE, makeCertificate } from "../../src/applications/ssh/certificate.ts";
import { ED25519, ed25519Blob, fingerprintOf, keyLine, readKeyLine } from "../../src/applications/ssh/public-key.ts";
import { allowedSigners } from "../../src/applications/ssh/signers.ts";
import { revocationList } from "../../src/applications/ssh/revocation-list.ts";
import { CoGeneratedKey } from "../../src/crypto/co-generated-key.ts";
import { contribute } from "../../src/crypto/co-generation.ts";
import { generateEd25519, signEd25519 } from "../../src/crypto/ed25519.ts";
import { serveAgent } from "../support/ssh-agent.ts";
import { run, type Sshd, startSshd } from "../support/sshd.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-ssh-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const now = Math.floor(Date.now() / 1000);
const seed = generateEd25519();
const authority = { publicKey: seed.publicKey, sign: (message: Uint8Array) => signEd25519(seed.privateKey, message) };
const authorityBlob = ed25519Blob(authority.publicKey);
const write = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** A device's key, made of its own half and somebody else's. */
async function deviceKey(): Promise<CoGeneratedKey> {
  const base = generateEd25519();
  const { scalar, publicKey } = await contribute(base.publicKey);
  return CoGeneratedKey.from(base.privateKey, scalar, publicKey);
}

const certified = (key: CoGeneratedKey, serial: bigint, more: Partial<Contents> = {}) =>
  makeCertificate({ key: key.publicKey, kind: "user", serial, id: `device ${serial}`, principals: ["alice@example.com"], from: now - 60, until: now + 3600, ...more }, authority);

suite("ssh-keygen reads what we make", () => {
  test("keys and their fingerprints", async () => {
    const blob = ed25519Blob((await deviceKey()).publicKey);
    const path = write("key.pub", `${keyLine({ kind: ED25519, blob }, "laptop")}\n`);
    assert.equal(run("ssh-keygen", ["-lf", path]).trim(), `256 ${fingerprintOf(blob)} laptop (ED25519)`);
  });

  test("certificates: whose, for whom, how long, and what they allow", async () => {
    const key = await deviceKey();
    const path = write("key-cert.pub", `${keyLine({ kind: ED25519_CERTIFICATE, blob: await certified(key, 12n, { critical: { "source-address": "127.0.0.0/8" } }) })}\n`);
    const shown = run("ssh-keygen", ["-Lf", path]);
    for (const line of [`Public key: ED25519-CERT ${fingerprintOf(ed25519Blob(key.publicKey))}`, `Signing CA: ED25519 ${fingerprintOf(authorityBlob)} (using ssh-ed25519)`, 'Key ID: "device 12"', "Serial: 12", "alice@example.com", "source-address 127.0.0.0/8", "permit-pty"]) assert.ok(shown.includes(line), `${line} is not in\n${shown}`);
  });

  test("lists of what is revoked: certificates by number and name, keys, and all of an authority", async () => {
    const keys = await Promise.all([deviceKey(), deviceKey(), deviceKey()]);
    const certificates = await Promise.all(keys.map(async (key, at) => write(`c${at}-cert.pub`, `${keyLine({ kind: ED25519_CERTIFICATE, blob: await certified(key, BigInt(at) + 2n ** 40n) })}\n`)));
    const plain = keys.map((key, at) => write(`k${at}.pub`, `${keyLine({ kind: ED25519, blob: ed25519Blob(key.publicKey) })}\n`));
    const revoked = (list: Uint8Array, path: string) => {
      try {
        return /REVOKED/.test(run("ssh-keygen", ["-Qf", write("list", list), path]));
      } catch (error) {
        return /REVOKED|ended with 1/.test(String(error));
      }
    };
    const some = revocationList({ certificates: [{ authority: authorityBlob, serials: [2n ** 40n, 7n, 2n ** 40n] }], keys: [ed25519Blob((keys[1] as CoGeneratedKey).publicKey)] }, 3n, now);
    assert.deepEqual([...certificates, ...plain].map((path) => revoked(some, path)), [true, true, false, false, true, false]);
    const all = revocationList({ certificates: [], keys: [authorityBlob] }, 4n, now);
    assert.deepEqual(certificates.map((path) => revoked(all, path)), [true, true, true]);
    assert.deepEqual(plain.map((path) => revoked(all, path)), [false, false, false]);
    const named = revocationList({ certificates: [], keyIds: [`device ${2n ** 40n + 1n}`, "device 7"], keys: [] }, 4n, now);
    assert.deepEqual(certificates.map((path) => revoked(named, path)), [false, true, false], "by its name, whoever signed it");
    assert.deepEqual(certificates.map((path) => revoked(revocationList({ certificates: [], keys: [] }, 1n, now), path)), [false, false, false]);
  });
});

suite("ssh-keygen signs by our agent what it is asked to", () => {
  test("the agent is asked for a document of git's, and what it signs verifies for git and for nothing else", async () => {
    const key = await deviceKey();
    const blob = ed25519Blob(key.publicKey);
    const identity = write("signer.pub", `${keyLine({ kind: ED25519, blob }, "laptop")}\n`);
    const allowed = write("allowed", allowedSigners("alice@example.com", [{ device: "laptop", key: { kind: ED25519, blob } }]));
    const agent = await serveAgent(join(folder, "signer.sock"), key, [{ blob, comment: "laptop" }]);
    const keygen = (args: readonly string[]): Promise<string> => new Promise((resolve) => {
      const child = spawn("ssh-keygen", [...args], { env: { ...process.env, SSH_AUTH_SOCK: agent.path }, stdio: ["pipe", "pipe", "pipe"] });
      let said = "";
      for (const stream of args[1] === "sign" ? [child.stdout] : [child.stdout, child.stderr]) stream.on("data", (text) => (said += String(text)));
      child.stdin.end("tree\n");
      child.once("close", () => resolve(said));
    });
    try {
      const verified = async (namespace: string): Promise<string> => {
        const signature = write(`${namespace}.sig`, await keygen(["-Y", "sign", "-n", namespace, "-f", identity]));
        return keygen(["-Y", "verify", "-n", namespace, "-I", "alice@example.com", "-f", allowed, "-s", signature]);
      };
      assert.match(await verified("git"), /^Good "git" signature for alice@example\.com/);
      assert.match(await verified("file"), /Could not verify/);
      assert.deepEqual(agent.asked.map((one) => one.purpose), [{ purpose: "document", namespace: "git" }, { purpose: "document", namespace: "file" }]);
    } finally {
      await agent.close();
    }
  });
});

/** Logs in by an agent's keys alone, and says whether it got in. */
function login(sshd: Sshd, agent: string): Promise<boolean> {
  const hosts = write("known_hosts", `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  const child = spawn("ssh", ["-F", "none", "-p", String(sshd.port), "-o", `IdentityAgent=${agent}`, "-o", `UserKnownHostsFile=${hosts}`, "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", `${sshd.user}@127.0.0.1`, "echo in"], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (text) => (out += String(text)));
  return new Promise((resolve) => child.once("close", () => resolve(out === "in\n")));
}

suite("a real sshd lets in a key of two halves", () => {
  test("plain: by a line of the block in authorized_keys, until it is taken out", async () => {
    const key = await deviceKey();
    const blob = ed25519Blob(key.publicKey);
    const own = "# mine\n";
    const sshd = await startSshd(["AuthorizedKeysFile %D/authorized_keys"], { authorized_keys: withBlock(own, "alice", [keyLine({ kind: ED25519, blob }, "laptop")]) });
    const agent = await serveAgent(join(folder, "plain.sock"), key, [{ blob, comment: "laptop" }]);
    try {
      assert.equal(await login(sshd, agent.path), true, sshd.said());
      const host = readKeyLine(sshd.hostKey).blob;
      assert.equal(agent.asked.length, 1);
      assert.deepEqual({ ...agent.asked[0]?.purpose, session: undefined }, { purpose: "login", session: undefined, user: sshd.user, hostKey: host });
      assert.deepEqual(agent.asked[0]?.bound.map((one) => [one.hostKey, one.forwarding]), [[host, false]], "the client binds the host's key before it asks");
      writeFileSync(join(sshd.folder, "authorized_keys"), own);
      assert.equal(await login(sshd, agent.path), false);
    } finally {
      await Promise.all([agent.close(), sshd.close()]);
    }
  });

  test("managed: by a certificate, until a list revokes it; the next login is refused, and the other device's not", async () => {
    const [lost, kept] = await Promise.all([deviceKey(), deviceKey()]);
    const sshd = await startSshd(["AuthorizedKeysFile none", "TrustedUserCAKeys %D/authorities", "AuthorizedPrincipalsFile %D/principals", "RevokedKeys %D/revoked"], {
      authorities: `${keyLine({ kind: ED25519, blob: authorityBlob })}\n`,
      principals: "alice@example.com\n",
      revoked: revocationList({ certificates: [], keys: [] }, 1n, now),
    });
    const agents = await Promise.all([lost, kept].map(async (key, at) => serveAgent(join(folder, `managed${at}.sock`), key, [{ blob: await certified(key, BigInt(at + 1)), comment: `device ${at + 1}` }])));
    const [thief, owner] = agents.map((agent) => agent.path) as [string, string];
    try {
      assert.deepEqual([await login(sshd, thief), await login(sshd, owner)], [true, true], sshd.said());
      writeFileSync(join(sshd.folder, "next"), revocationList({ certificates: [{ authority: authorityBlob, serials: [1n] }], keys: [ed25519Blob(lost.publicKey)] }, 2n, now));
      renameSync(join(sshd.folder, "next"), join(sshd.folder, "revoked"));
      assert.deepEqual([await login(sshd, thief), await login(sshd, owner)], [false, true], sshd.said());
      const stranger = await serveAgent(join(folder, "stranger.sock"), kept, [{ blob: await certified(kept, 3n, { principals: ["mallory@example.com"] }), comment: "another's" }]);
      assert.equal(await login(sshd, stranger.path), false);
      await stranger.close();
    } finally {
      await Promise.all([...agents.map((agent) => agent.close()), sshd.close()]);
    }
  });
});
