import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { canonicalJson, type Json } from "../bytes/canonical-json.ts";
import { utf8 } from "../bytes/text.ts";
import { testPasswordParameters } from "../crypto/password-key.ts";
import { openKeyringConformance } from "./conformance.ts";
import { changePassphrase, createKeyringFile, keyringNeedsPassphrase, openKeyringFile } from "./file.ts";

const directory = mkdtempSync(join(tmpdir(), "mesh-keyring-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(directory, `${++made}.json`);
const quick = { parameters: testPasswordParameters, floor: "test" } as const;
const old = utf8("old passphrase");
const next = utf8("new passphrase");

openKeyringConformance("file without a passphrase", async () => {
  const path = fresh();
  return { keyring: await createKeyringFile(path, undefined), reopen: () => openKeyringFile(path, undefined) };
});
openKeyringConformance("file under a passphrase", async () => {
  const path = fresh();
  return { keyring: await createKeyringFile(path, old, quick), reopen: () => openKeyringFile(path, old, quick) };
});

type Members = Record<string, Json>;
type Tree = { lock: Members; secrets: { id: string; purpose: string; sealed: Members }[]; format: Json } & Members;
async function altered(change: (file: Tree) => void, passphrase?: Uint8Array): Promise<string> {
  const path = fresh();
  const keyring = await createKeyringFile(path, passphrase, quick);
  await keyring.addAll(["a", "b"].map((id) => ({ id, purpose: "p", secret: utf8(`secret of ${id}`) })));
  const file = JSON.parse(readFileSync(path, "utf8")) as Tree;
  change(file);
  writeFileSync(path, canonicalJson(file));
  return path;
}

describe("keyring file: passphrase", () => {
  test("with the usual parameters; wrong, missing and superfluous passphrases", async () => {
    const path = fresh();
    (await createKeyringFile(path, old)).close();
    assert.equal(await keyringNeedsPassphrase(path), true);
    (await openKeyringFile(path, old)).close();
    await assert.rejects(openKeyringFile(path, next), { code: "keyring-wrong-passphrase", exit: 4 });
    await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-locked", exit: 4 });
    const open = fresh();
    await createKeyringFile(open, undefined);
    assert.equal(await keyringNeedsPassphrase(open), false);
    await openKeyringFile(open, old);
  });

  test("change rewraps the random key only; open keyrings stay open, and cannot bring the old passphrase back", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, old, quick);
    await keyring.add("a", "p", utf8("1"));
    const before = JSON.parse(readFileSync(path, "utf8")) as Tree;
    await assert.rejects(changePassphrase(path, next, old, quick), { code: "keyring-wrong-passphrase" });
    await assert.rejects(changePassphrase(path, undefined, next, quick), { code: "keyring-locked" });
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), before);
    await changePassphrase(path, old, next, quick);
    const afterwards = JSON.parse(readFileSync(path, "utf8")) as Tree;
    assert.deepEqual(afterwards.secrets, before.secrets);
    assert.notEqual(afterwards.lock["salt"], before.lock["salt"]);
    await keyring.add("b", "p", utf8("2"));
    await assert.rejects(openKeyringFile(path, old, quick), { code: "keyring-wrong-passphrase" });
    const reopened = await openKeyringFile(path, next, quick);
    assert.deepEqual(await reopened.open("b"), utf8("2"));
    assert.deepEqual(await reopened.derive("x"), await keyring.derive("x"));
    await changePassphrase(path, next, undefined, quick);
    assert.deepEqual(await (await openKeyringFile(path, undefined)).open("a"), utf8("1"));
    await changePassphrase(path, undefined, old, quick);
    assert.deepEqual(await (await openKeyringFile(path, old, quick)).open("a"), utf8("1"));
    assert.ok(!readFileSync(path, "utf8").includes('"none"'));
  });

  test("parameters from the file are bounded before any work", async () => {
    for (const [name, value] of [["memoryKiB", 1 << 30], ["passes", 1000], ["lanes", 1000], ["memoryKiB", 1024]] as const) {
      const path = await altered((file) => (file.lock[name] = value), old);
      await assert.rejects(openKeyringFile(path, old), { code: "keyring-damaged" });
    }
  });

  test("secrets are not in the file, nor the key if there is a passphrase", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, old, quick);
    await keyring.add("a", "p", utf8("a secret to look for"));
    assert.ok(!readFileSync(path).includes(Buffer.from("a secret to look for")));
    assert.ok(!readFileSync(path).includes(Buffer.from("a secret to look for").toString("base64url").slice(0, 20)));
  });
});

describe("keyring file: what is refused", () => {
  test("every changed member, and every cut", async () => {
    const changes: ((file: Tree) => void)[] = [
      (file) => file.secrets.pop(),
      (file) => file.secrets.reverse(),
      (file) => (file.secrets[0] = { ...file.secrets[0], purpose: "q" } as Tree["secrets"][number]),
      (file) => (file.secrets[0] = { ...file.secrets[0], sealed: file.secrets[1]?.sealed } as Tree["secrets"][number]),
      (file) => (file["mac"] = "A".repeat(86)),
      (file) => (file["keyring"] = "A".repeat(43)),
      (file) => (file.lock["key"] = "A".repeat(43)),
      (file) => (file["more"] = 1),
      (file) => (file.format = 0),
      (file) => (file.format = "2"),
    ];
    for (const change of changes) {
      const path = await altered(change);
      await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-damaged" }, String(change));
    }
    const path = await altered(() => undefined);
    const whole = readFileSync(path);
    for (const length of [0, 1, 100, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-damaged" }, `${length}`);
    }
    for (const content of [`${whole.toString()} `, "null", "[]", "1", whole.toString().replace("{", '{"format":1,')]) {
      writeFileSync(path, content);
      await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-damaged" }, content.slice(0, 20));
    }
    writeFileSync(path, whole);
    await openKeyringFile(path, undefined);
  });

  test("a wrap that was made for another passphrase but kept the commitment", async () => {
    const path = await altered((file) => (file.lock["key"] = { ciphertext: "A".repeat(64), salt: "A".repeat(43) }), old);
    await assert.rejects(openKeyringFile(path, old, quick), { code: "keyring-damaged" });
  });

  test("an oversized file is not read, and not written", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, undefined);
    await assert.rejects(keyring.add("a", "p", new Uint8Array(4 << 20)), { code: "keyring-failed" });
    assert.deepEqual(await keyring.list(), []);
    writeFileSync(path, Buffer.alloc((4 << 20) + 1, 0x20));
    await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-damaged" });
  });

  test("a newer format, untouched; members it does not know do not matter", async () => {
    const path = await altered((file) => Object.assign(file, { format: 2, lock: { name: "later" }, later: true }));
    const before = readFileSync(path);
    await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-newer" });
    await assert.rejects(changePassphrase(path, undefined, next), { code: "keyring-newer" });
    await assert.rejects(createKeyringFile(path, undefined), { code: "keyring-newer" });
    assert.deepEqual(readFileSync(path), before);
  });

  test("a file or folder that others may reach, with the way to mend it", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, undefined);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    chmodSync(path, 0o640);
    await assert.rejects(openKeyringFile(path, undefined), { code: "keyring-permissions", hint: `chmod 600 '${path}'` });
    await assert.rejects(keyring.list(), { code: "keyring-permissions" });
    chmodSync(path, 0o600);
    await keyring.list();
    const open = join(directory, "open");
    mkdirSync(open);
    chmodSync(open, 0o755);
    await assert.rejects(createKeyringFile(join(open, "k.json"), undefined), { code: "keyring-permissions", hint: `chmod 700 '${open}'` });
    assert.equal(existsSync(join(open, "k.json")), false);
  });

  test("no file, no folder, a folder, a keyring that holds keys", async () => {
    await assert.rejects(openKeyringFile(fresh(), undefined), { code: "keyring-not-found", exit: 3 });
    await assert.rejects(createKeyringFile(join(directory, "none", "k.json"), undefined), { code: "keyring-not-found" });
    await assert.rejects(openKeyringFile(directory, undefined), { code: "keyring-damaged" });
    const path = fresh();
    await createKeyringFile(path, undefined);
    const keyring = await createKeyringFile(path, undefined);
    await keyring.add("a", "p", utf8("1"));
    await assert.rejects(createKeyringFile(path, undefined), { code: "keyring-exists" });
    assert.equal(keyring.has("a"), true);
  });

  test("another keyring in its place: an open one neither reads nor writes it", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, undefined);
    const other = fresh();
    await createKeyringFile(other, undefined);
    writeFileSync(path, readFileSync(other));
    await assert.rejects(keyring.list(), { code: "keyring-damaged" });
    await assert.rejects(keyring.add("a", "p", utf8("1")), { code: "keyring-damaged" });
    assert.deepEqual(readFileSync(path), readFileSync(other));
  });
});

describe("keyring file: several processes", () => {
  const program = fileURLToPath(new URL("test-adder.ts", import.meta.url));
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
    return Object.assign(child, { said: () => output.split("\n").slice(0, -1) });
  };

  test("three add at once, and an open keyring looks on: no key is lost", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, undefined);
    const children = ["a", "b", "c"].map((name) => start(path, name, "30"));
    const closing = children.map((child) => once(child, "close"));
    for (let n = 0; n < 30; n++) await keyring.add(`own-${n}`, "test", utf8("1"));
    for (const [code] of await Promise.all(closing)) assert.equal(code, 0);
    assert.equal((await keyring.list()).length, 120);
  });

  test("kill -9 while adding, 10 times: every acknowledged key is there, the file whole, the lock free", async () => {
    const path = fresh();
    await createKeyringFile(path, undefined);
    for (let round = 0; round < 10; round++) {
      const child = start(path, `r${round}`, "100000");
      const closed = once(child, "close");
      while (child.said().length < 3) await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      child.kill("SIGKILL");
      await closed;
      const keyring = await openKeyringFile(path, undefined);
      for (const id of child.said()) assert.deepEqual(await keyring.open(id), utf8(id));
      await keyring.add(`after-${round}`, "test", utf8("1"));
    }
  });

  test("what a crash leaves beside it is harmless", async () => {
    const path = fresh();
    const keyring = await createKeyringFile(path, undefined);
    await keyring.add("a", "p", utf8("1"));
    writeFileSync(`${path}.${process.pid}.new`, '{"half', { mode: 0o600 });
    const again = await openKeyringFile(path, undefined);
    await again.add("b", "p", utf8("2"));
    assert.equal((await keyring.list()).length, 2);
  });
});
