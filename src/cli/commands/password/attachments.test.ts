import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { randomBytes } from "../../../crypto/random.ts";
import { makeTestHome, type TestHome } from "../../test-home.ts";

let home: TestHome;
const at = (name: string): string => join(home.path, name);
const digest = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex");

before(async () => {
  home = await makeTestHome();
  await home.run(["password", "add", "bank", "--generate"]);
});
after(() => home.remove());

async function json<T>(...line: readonly string[]): Promise<T> {
  const { out, err, status } = await home.run([...line, "--json"]);
  assert.equal(status, 0, err);
  return JSON.parse(out) as T;
}

const refused = async (...line: readonly string[]): Promise<string> => {
  const { err, status } = await home.run([...line, "--json"]);
  return `${(JSON.parse(err) as { code: string }).code} ${status}`;
};

test("files of every size come back octet for octet, before they were ever sent, and are their owner's alone", async () => {
  for (const size of [0, 1, 511, 512, 524_272, 524_273, 1_600_000, 10 * 1024 * 1024]) {
    const octets = randomBytes(size);
    writeFileSync(at("in"), octets);
    assert.deepEqual({ ...(await json<object>("password", "attach", "bank", at("in"), "--as", `file ${size}`)), id: "" }, { id: "", name: "bank", attachment: `file ${size}`, size, sync: "later" });
    assert.equal((await json<{ size: number }>("password", "save", "bank", `file ${size}`, "--out", at(`out-${size}`))).size, size);
    assert.equal(digest(readFileSync(at(`out-${size}`))), digest(octets));
    assert.equal(statSync(at(`out-${size}`)).mode & 0o777, 0o600);
  }
  assert.equal((await json<readonly object[]>("password", "attachments", "bank")).length, 8);
  assert.deepEqual((await json<readonly object[]>("password", "attachments", "bank"))[1], { name: "file 1", size: 1, type: null });
  assert.match((await home.run(["password", "get", "bank"], { terminal: true })).out, /^Attachments {2}file 0$/m);
});

test("one that is detached is gone from every list, its name is free, and its history brings it back", async () => {
  await home.run(["password", "add", "shop", "--generate"]);
  writeFileSync(at("note"), "hello");
  await json("password", "attach", "shop", at("note"));
  await json("password", "detach", "shop", "note");
  assert.deepEqual(await json("password", "attachments", "shop"), []);
  assert.equal(await refused("password", "save", "shop", "note", "--out", at("x")), "attachment-not-found 3");
  const past = (await json<readonly { field: string; number: number; value: string }[]>("password", "history", "shop")).find((one) => one.field === "attachment" && one.number === 1);
  assert.equal(past?.value, "note");
  await json("password", "restore", "shop", "--field", "attachment");
  await json("password", "save", "shop", "note", "--out", at("note-again"));
  assert.equal(readFileSync(at("note-again"), "utf8"), "hello");
});

test("what is too large, no file, there already or not there is refused, and nothing is left behind", async () => {
  writeFileSync(at("large"), new Uint8Array(10 * 1024 * 1024 + 1));
  mkdirSync(at("folder"));
  assert.equal(await refused("password", "attach", "bank", at("large")), "attachment-too-large 2");
  assert.equal(await refused("password", "attach", "bank", at("folder")), "attachment-too-large 2");
  assert.equal(await refused("password", "attach", "bank", at("nowhere")), "input-unreadable 2");
  assert.equal(await refused("password", "attach", "bnak", at("note")), "password-not-found 3");
  assert.equal(await refused("password", "attach", "bank", at("note"), "--as", "file 1"), "attachment-name-taken 6");
  assert.equal(await refused("password", "attach", "bank", at("note"), "--as", "a\nb"), "password-malformed 2");
  assert.equal(await refused("password", "save", "bank", "file 1", "--out", at("note")), "output-failed 1");
  assert.equal(await refused("password", "save", "bank", "file 1"), "usage-missing-argument 2");
  assert.equal(await refused("password", "save", "bank", "file 1", "--out", at("no/where")), "output-failed 1");
  assert.equal(await refused("password", "detach", "bank", "nothing"), "attachment-not-found 3");
  assert.ok(!existsSync(at("x")) && !existsSync(at("no")));
});
