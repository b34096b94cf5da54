import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { makeTestHome, type TestHome } from "../../test-home.ts";

let home: TestHome;
before(async () => {
  home = await makeTestHome();
});
after(() => home.remove());

const made = async (...options: readonly string[]): Promise<string> => (await home.run(["password", "generate", ...options])).out.trimEnd();
const refused = async (...line: readonly string[]): Promise<string> => (JSON.parse((await home.run([...line, "--json"])).err) as { code: string }).code;

test("a password is made of what was asked for, its bits are said beside it, and a terminal gets it on demand only", async () => {
  const { out, err, status } = await home.run(["password", "generate"]);
  assert.match(out, /^\S{20}\n$/);
  assert.deepEqual([err, status], ["120.7 bits; it is kept nowhere.\n", 0]);
  assert.match(await made("--length", "32", "--classes", "lower,digits", "--min", "digits=30", "--without", "234"), /^[a-z5-9]{32}$/);
  assert.match(await made("--classes", "lower", "--characters", "~"), /^(?=.*~)[a-z~]{20}$/);
  assert.match(await made("--pin", "6"), /^[0-9]{6}$/);
  assert.match(await made("--words", "7", "--separator", " "), /^([a-z]+ ){6}[a-z]+$/);
  assert.match(await made("--policy", "minlength: 24; required: lower; required: [-_]; max-consecutive: 2"), /^(?=.*[-_])[a-z_-]{24}$/);
  const document = JSON.parse((await home.run(["password", "generate", "--pin", "4", "--json"])).out) as { password: string; bits: number };
  assert.ok(/^[0-9]{4}$/.test(document.password) && document.bits === 13.2);
  assert.match((await home.run(["password", "generate", "--pin", "4"])).err, /which is little/);
  assert.equal((await home.run(["password", "generate"], { terminal: true })).status, 2);
  assert.match((await home.run(["password", "generate", "--reveal"], { terminal: true })).out, /^\S{20}\n$/);
});

test("add and edit make it by the same options", async () => {
  assert.match((await home.run(["password", "add", "bank", "--generate", "--policy", "maxlength: 8; required: digit"])).err, /^Saved "bank" with a new password of 8 characters, 24 bits/);
  assert.match((await home.run(["password", "get", "bank"])).out, /^[2-9]{8}\n$/);
  await home.run(["password", "edit", "bank", "--generate", "--words", "5"]);
  assert.match((await home.run(["password", "get", "bank"])).out, /^([a-z]+-){4}[a-z]+\n$/);
});

test("options that do not go together, and rules that nothing satisfies, are refused", async () => {
  for (const options of [["--words", "5", "--length", "20"], ["--pin", "4", "--words", "5"], ["--policy", "required: lower", "--no-symbols"], ["--policy", "x: y", "--separator", "-"]]) assert.equal(await refused("password", "generate", ...options), "usage-options-conflict");
  for (const options of [["--classes", "emoji"], ["--min", "digits"], ["--min", "digits=x"], ["--length", "7"], ["--words", "3"], ["--pin", "1"]]) assert.equal(await refused("password", "generate", ...options), "usage-option-value");
  for (const options of [["--length", "8", "--min", "digits=9"], ["--policy", "colour: red"], ["--classes", "digits", "--without", "23456789"]]) assert.equal(await refused("password", "generate", ...options), "password-malformed");
  assert.equal(await refused("password", "edit", "bank", "--words", "5"), "usage-options-conflict");
});
