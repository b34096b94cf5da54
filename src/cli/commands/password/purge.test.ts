import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { makeTestHome, type TestHome } from "../../test-home.ts";

let home: TestHome;
before(async () => {
  home = await makeTestHome();
});
after(() => home.remove());

async function json<T>(...line: readonly string[]): Promise<T> {
  const { out, err, status } = await home.run([...line, "--json"]);
  assert.equal(status, 0, err);
  return JSON.parse(out) as T;
}

type Past = { readonly field: string; readonly number: number | null; readonly value: string | null };
const history = (name: string): Promise<readonly Past[]> => json("password", "history", name, "--reveal");

test("an earlier value comes back by its number, and the one until then is the first of the history", async () => {
  await home.run(["password", "add", "bank", "--password-file", "FILE", "--site", "a.example"], { input: "one" });
  for (const input of ["two", "three"]) await home.run(["password", "edit", "bank", "--password-file", "FILE"], { input });
  const numbered = async () => (await history("bank")).filter((one) => one.field === "password").map((one) => [one.number, one.value]);
  assert.deepEqual(await numbered(), [[null, "three"], [1, "two"], [2, "one"]]);
  await json("password", "restore", "bank", "--field", "password", "--to", "2");
  assert.deepEqual(await numbered(), [[null, "one"], [1, "three"], [2, "two"], [3, "one"]]);
  await json("password", "edit", "bank", "--remove-site", "a.example");
  assert.deepEqual(await json("password", "restore", "bank", "--field", "site").then((done) => (done as { field: string }).field), "site");
  assert.equal((await home.run(["password", "get", "bank", "--field", "site"])).out, "a.example\n");
  for (const line of [["--field", "password", "--to", "9"], ["--field", "nothing"], ["--field", "removed"]]) assert.equal((await home.run(["password", "restore", "bank", ...line])).status, 3);
  for (const line of [["--to", "1"], ["--field", "password", "--to", "0"]]) assert.equal((await home.run(["password", "restore", "bank", ...line])).status, 2);
  await home.run(["password", "edit", "bank", "--name", "Bank"]);
  await home.run(["password", "add", "bank", "--generate"]);
  assert.equal((await home.run(["password", "restore", "Bank", "--field", "name"])).status, 6, "its old name is another's now");
});

test("a purge says what it means, does nothing without a yes, and leaves what holds now", async () => {
  const asked = await home.run(["password", "purge", "Bank"]);
  assert.equal(asked.status, 2);
  assert.match(asked.err, /erased there 72 hours later/);
  assert.match(asked.err, /Out of reach are devices that stay offline/);
  assert.equal((await history("Bank")).filter((one) => one.field === "password").length, 4);
  const { purged } = await json<{ purged: readonly { name: string; values: number }[] }>("password", "purge", "Bank", "--yes");
  assert.deepEqual(purged.map((one) => [one.name, one.values]), [["Bank", 5]]);
  assert.deepEqual((await history("Bank")).map((one) => [one.field, one.number, one.value]), [["name", null, "Bank"], ["password", null, "one"], ["site", null, "a.example"]]);
  assert.deepEqual(await json("password", "purge", "Bank", "--yes"), { purged: [], sync: "sent" });
  await json("password", "restore", "Bank", "--purged");
  assert.deepEqual((await history("Bank")).filter((one) => one.field === "password").map((one) => one.value), ["one", "three", "two", "one", "one"]);
  assert.equal((await home.run(["password", "restore", "Bank", "--purged"])).status, 0);
  await json("password", "purge", "Bank", "--yes");
  await home.run(["password", "edit", "Bank", "--password-file", "FILE"], { input: "new" });
  assert.equal((await home.run(["password", "get", "Bank"])).out, "new\n", "what is written after a purge counts");
});

test("what was removed is purged with all it held, and is then no more among what can be restored", async () => {
  await home.run(["password", "add", "old", "--password-file", "FILE"], { input: "secret" });
  writeFileSync(join(home.path, "note"), "x");
  await json("password", "attach", "old", join(home.path, "note"));
  await json("password", "remove", "old");
  assert.equal((await home.run(["password", "purge", "old", "--yes"])).status, 3, "a removed one only with --removed");
  const { purged } = await json<{ purged: readonly { name: string; attachments: number }[] }>("password", "purge", "--removed", "--yes");
  assert.deepEqual(purged.map((one) => [one.name, one.attachments]), [["old", 1]]);
  assert.deepEqual(await json("password", "list", "--removed"), []);
  assert.equal((await home.run(["password", "restore", "old"])).status, 3);
  await json("password", "restore", "old", "--purged");
  await json("password", "restore", "old");
  assert.equal((await home.run(["password", "get", "old"])).out, "secret\n");
  assert.equal((await home.run(["password", "purge"])).status, 2);
});
