import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { makeTestHome, type TestHome } from "../../test-home.ts";

let home: TestHome;
before(async () => {
  home = await makeTestHome();
  const added = await home.run(["password", "add", "bank", "--username", "alice", "--site", "bank.example", "--tag", "work", "--password-file", "FILE", "--set", "account=123"], { input: "hunter2\n" });
  assert.deepEqual(added, { status: 0, out: "", err: 'Saved "bank".\nThe portal cannot be reached now; your other devices get this with the next sync.\n' });
});
after(() => home.remove());

async function json(line: readonly string[]): Promise<unknown> {
  const { status, out, err } = await home.run([...line, "--json"]);
  assert.deepEqual([status, err], [0, ""]);
  return JSON.parse(out);
}

async function error(line: readonly string[], how: Parameters<TestHome["run"]>[1] = {}): Promise<string> {
  const { status, out, err } = await home.run([...line, "--json"], how);
  assert.equal(out, "");
  const { code, message, ...rest } = JSON.parse(err) as { code: string; message: string };
  assert.deepEqual(Object.keys(rest), ["hint"]);
  assert(message.endsWith("."));
  return `${code} ${status}`;
}

test("into a pipe goes the password alone; to a terminal nothing secret without --reveal", async () => {
  assert.deepEqual(await home.run(["password", "get", "bank"]), { status: 0, out: "hunter2\n", err: "" });
  const card = await home.run(["password", "get", "bank"], { terminal: true });
  assert.equal(card.out, "Name       bank\nUser name  alice\nPassword   ••••••••\nSites      bank.example\nTags       work\naccount    123\n\n--reveal shows what is hidden.\n");
  assert.match((await home.run(["password", "get", "bank", "--reveal"], { terminal: true })).out, /^Password {3}hunter2$/m);
  for (const line of [["password", "get", "bank", "--field", "password"], ["password", "get", "bank", "--json"], ["password", "get", "bank", "--field", "password", "--json"]]) {
    assert.equal(await error(line, { terminal: true }), "secret-not-shown 2");
    assert.match((await home.run([...line, "--reveal"], { terminal: true })).out, /hunter2/);
  }
  assert.equal((await home.run(["password", "get", "bank", "--field", "username"], { terminal: true })).out, "alice\n");
});

test("get gives one document, or one field", async () => {
  const { id, ...rest } = (await json(["password", "get", "BANK"])) as { id: string };
  assert.deepEqual(rest, { kind: "login", name: "bank", username: "alice", password: "hunter2", sites: ["bank.example"], notes: null, totp: null, totpSecret: null, folder: null, tags: ["work"], favorite: false, fields: [{ name: "account", value: "123", secret: false }], details: {}, passkeys: 0, attachments: [] });
  assert.deepEqual(await json(["password", "get", id, "--field", "account"]), { field: "account", value: "123" });
  assert.equal((await home.run(["password", "get", "bank", "--field", "site"])).out, "bank.example\n");
  for (const field of ["totp", "totp-secret", "nothing", "constructor"]) assert.equal(await error(["password", "get", "bank", "--field", field]), "password-field-not-found 3");
  assert.equal(await error(["password", "get", "bnak"]), "password-not-found 3");
});

test("lists and searches hold no secret, and are empty lists when there is nothing", async () => {
  const [listed] = (await json(["password", "list"])) as readonly Record<string, unknown>[];
  assert.deepEqual({ ...listed, id: "" }, { id: "", kind: "login", name: "bank", username: "alice", sites: ["bank.example"], folder: null, tags: ["work"] });
  assert.deepEqual(await json(["password", "search", "BANK", "alice"]), [listed]);
  for (const line of [["list", "--tag", "play"], ["list", "--removed"], ["search", "hunter2"]]) assert.deepEqual(await json(["password", ...line]), []);
  assert.deepEqual(await home.run(["password", "list"]), { status: 0, out: "NAME  USER NAME  SITES         TAGS\nbank  alice      bank.example  work\n", err: "" });
});

test("edits change what they name, keep the old in the history, and come back after removal", async () => {
  await home.run(["password", "add", "shop", "--generate"]);
  const first = (await home.run(["password", "get", "shop"])).out;
  assert.match(first, /^\S{20}\n$/);
  assert.deepEqual({ ...((await json(["password", "edit", "shop", "--generate", "--length", "40", "--no-symbols", "--name", "Shop"])) as object), id: "" }, { id: "", name: "Shop", changed: ["name", "password"], sync: "later" });
  assert.match((await home.run(["password", "get", "shop"])).out, /^[A-Za-z2-9]{40}\n$/);
  assert.match((await home.run(["password", "edit", "shop", "--name", "Shop"])).err, /^"Shop" was so already\.\n/);
  const hidden = await home.run(["password", "history", "shop"]);
  assert(!hidden.out.includes(first.trim()) && hidden.out.includes("••••••••") && hidden.err === "--reveal shows what is hidden.\n");
  const secrets = (await json(["password", "history", "shop"])) as readonly { secret: boolean; value: unknown }[];
  assert(secrets.some((one) => one.secret) && secrets.every((one) => !one.secret || one.value === null));
  assert((await home.run(["password", "history", "shop", "--reveal"])).out.includes(first.trim()));
  const removed = await home.run(["password", "remove", "shop"]);
  assert.match(removed.err, /^Removed "Shop" from all your devices\.\nTo bring it back: mesh password restore \S{22}\n/);
  assert.equal(await error(["password", "get", "shop"]), "password-not-found 3");
  assert.equal(((await json(["password", "list", "--removed"])) as unknown[]).length, 1);
  await json(["password", "restore", "shop"]);
  assert.match((await home.run(["password", "get", "shop"])).out, /^[A-Za-z2-9]{40}\n$/);
});

test("--strict says that the portal was not reached, after the receipt: the edit stands", async () => {
  const { status, out, err } = await home.run(["password", "add", "strict", "--generate", "--strict", "--json"]);
  assert.equal(status, 7);
  assert.equal((JSON.parse(out) as { sync: string }).sync, "later");
  assert.equal((JSON.parse(err) as { code: string }).code, "service-unreachable");
  assert.equal((await home.run(["password", "get", "strict"])).status, 0);
});

test("bad input has its own code and changes nothing", async () => {
  const before = await json(["password", "list"]);
  for (const [line, code, input] of [
    [["add", "bank", "--generate"], "password-name-taken 6", ""],
    [["add", "x", "--generate", "--password-file", "FILE"], "usage-options-conflict 2", "p"],
    [["add", "x", "--length", "9", "--password-file", "FILE"], "usage-options-conflict 2", "p"],
    [["add", "x", "--generate", "--length", "7"], "usage-option-value 2", ""],
    [["add", "x", "--password-file", "FILE"], "input-malformed 2", ""],
    [["add", "x", "--password-file", "FILE"], "input-malformed 2", "two\nlines\n"],
    [["add", "x", "--password-file", "FILE"], "input-malformed 2", "x".repeat(200_000)],
    [["add", "x", "--password-file", "FILE"], "password-malformed 2", "x".repeat(9000)],
    [["add", "x", "--password-file", "/does/not/exist"], "input-unreadable 2", ""],
    [["add", "x", "--password-file", "/"], "input-unreadable 2", ""],
    [["add", "x"], "input-needed 2", ""],
    [["add", "x", "--set", "novalue", "--generate"], "usage-option-value 2", ""],
    [["add", "\u001b[2J", "--generate"], "password-malformed 2", ""],
    [["edit", "bank"], "usage-missing-argument 2", ""],
    [["edit", "bank", "--remove-site", "none"], "password-field-not-found 3", ""],
    [["edit", "none", "--generate"], "password-not-found 3", ""],
    [["remove", "none"], "password-not-found 3", ""],
    [["restore", "bank"], "password-not-found 3", ""],
  ] as const) assert.equal(await error(["password", ...line], { input }), code, line.join(" "));
  assert.deepEqual(await json(["password", "list"]), before);
});

test("what came in cannot drive the terminal on its way out", async () => {
  await home.run(["password", "add", "evil", "--notes-file", "FILE", "--generate", "--set", "a=\u001b]0;x\u0007"], { input: "\u001b[2J\nline" });
  const { out } = await home.run(["password", "get", "evil", "--reveal"], { terminal: true });
  assert.doesNotMatch(out.replaceAll("\n", ""), /\p{Cc}/u);
});
