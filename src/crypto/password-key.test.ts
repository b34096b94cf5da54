import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { argon2id } from "@noble/hashes/argon2.js";

import { utf8 } from "../bytes/text.ts";
import { checkPasswordParameters, defaultPasswordParameters, passwordKey, testPasswordParameters } from "./password-key.ts";

const salt = utf8("sixteen octets!!");
const quick = { floor: "test" } as const;
const refused = { code: "password-key-parameters" };

suite("keys from passwords: Argon2id (RFC 9106)", () => {
  for (const [memoryKiB, passes, lanes, length] of [[8, 1, 1, 32], [64, 3, 1, 64], [256, 2, 4, 100]] as const) {
    test(`a second implementation agrees: ${memoryKiB} KiB, ${passes} passes, ${lanes} lanes, ${length} octets`, async () => {
      const expected = argon2id(utf8("correct horse"), salt, { m: memoryKiB, t: passes, p: lanes, dkLen: length });
      assert.deepEqual(await passwordKey(utf8("correct horse"), salt, { memoryKiB, passes, lanes }, { length, ...quick }), expected);
    });
  }

  test("the default is 64 MiB, three passes, one lane, 32 octets (decision 5.2)", async () => {
    assert.deepEqual(defaultPasswordParameters, { memoryKiB: 65_536, passes: 3, lanes: 1 });
    assert.deepEqual(await passwordKey(utf8("p"), salt), await passwordKey(utf8("p"), salt, { memoryKiB: 65_536, passes: 3, lanes: 1 }, { length: 32 }));
  });

  test("every input counts", async () => {
    const key = await passwordKey(utf8("p"), salt, testPasswordParameters, quick);
    assert.notDeepEqual(await passwordKey(utf8("q"), salt, testPasswordParameters, quick), key);
    assert.notDeepEqual(await passwordKey(utf8("p"), utf8("sixteen octets!?"), testPasswordParameters, quick), key);
    assert.notDeepEqual(await passwordKey(utf8("p"), salt, { ...testPasswordParameters, passes: 2 }, quick), key);
  });
});

suite("keys from passwords: parameters from a file are bounded both ways (decision 5.1)", () => {
  const good = defaultPasswordParameters;
  for (const [why, parameters] of [
    ["memory below the floor", { ...good, memoryKiB: 65_535 }],
    ["memory above the ceiling", { ...good, memoryKiB: 1_048_577 }],
    ["passes below the floor", { ...good, passes: 2 }],
    ["passes above the ceiling", { ...good, passes: 17 }],
    ["no lanes", { ...good, lanes: 0 }],
    ["lanes above the ceiling", { ...good, lanes: 17 }],
    ["half a pass", { ...good, passes: 3.5 }],
    ["not a number", { ...good, memoryKiB: Number.NaN }],
    ["a text for a number", { ...good, passes: "3" as unknown as number }],
    ["the parameters of tests", testPasswordParameters],
  ] as const) {
    test(`refuses ${why}`, async () => {
      assert.throws(() => checkPasswordParameters(parameters), refused);
      await assert.rejects(passwordKey(utf8("p"), salt, parameters), refused);
    });
  }

  test("the bounds themselves are taken", () => checkPasswordParameters({ memoryKiB: 1_048_576, passes: 16, lanes: 16 }));

  test("tests too have a floor and the same ceiling", async () => {
    await assert.rejects(passwordKey(utf8("p"), salt, { memoryKiB: 7, passes: 1, lanes: 1 }, quick), refused);
    await assert.rejects(passwordKey(utf8("p"), salt, { memoryKiB: 8, passes: 1, lanes: 2 }, quick), refused);
    await assert.rejects(passwordKey(utf8("p"), salt, { memoryKiB: 2_000_000, passes: 1, lanes: 1 }, quick), refused);
  });

  test("refuses short salts and short or endless keys", async () => {
    await assert.rejects(passwordKey(utf8("p"), salt.subarray(1), testPasswordParameters, quick), refused);
    for (const length of [0, 31, 32.5, 1025]) await assert.rejects(passwordKey(utf8("p"), salt, testPasswordParameters, { length, ...quick }), refused);
  });
});
