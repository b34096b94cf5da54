import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { randomBytes } from "../crypto/random.ts";
import type { Keyring } from "./keyring.ts";

/** A fresh, empty keyring under test; `reopen` opens what it left, where it leaves something. */
export interface KeyringSubject {
  readonly keyring: Keyring;
  readonly reopen?: () => Promise<Keyring>;
}

/** The tests that every keyring passes. */
export function keyringConformance(name: string, subject: () => Promise<KeyringSubject>): void {
  describe(`keyring: ${name}`, () => {
    test("what is added is listed in order, had, and opened; copies both ways", async () => {
      const { keyring, reopen } = await subject();
      assert.deepEqual(keyring.list(), []);
      const secret = randomBytes(100);
      const kept = secret.slice();
      await keyring.add("b", "second letter", secret);
      secret.fill(0);
      await keyring.addAll([{ id: "a", purpose: "", secret: new Uint8Array() }, { id: "\u{1f511} é", purpose: "any text", secret: utf8("x") }]);
      (await keyring.open("b")).fill(0);
      for (const one of [keyring, ...(reopen === undefined ? [] : [await reopen()])]) {
        assert.deepEqual(one.list(), [{ id: "b", purpose: "second letter" }, { id: "a", purpose: "" }, { id: "\u{1f511} é", purpose: "any text" }]);
        assert.equal(one.has("b"), true);
        assert.equal(one.has("B"), false);
        assert.deepEqual(await one.open("b"), kept);
        assert.deepEqual(await one.open("a"), new Uint8Array());
      }
    });

    test("a key that is not there", async () => {
      const { keyring } = await subject();
      await assert.rejects(keyring.open("a"), { code: "keyring-key-missing", exit: 3 });
      await keyring.remove("a");
      await keyring.addAll([]);
      assert.equal(keyring.has("a"), false);
    });

    test("adding the same again is no error; no key is overwritten, and of several none is added if one may not be", async () => {
      const { keyring } = await subject();
      await keyring.add("a", "p", utf8("1"));
      await keyring.add("a", "p", utf8("1"));
      await assert.rejects(keyring.add("a", "p", utf8("2")), { code: "keyring-key-exists" });
      await assert.rejects(keyring.add("a", "q", utf8("1")), { code: "keyring-key-exists" });
      await assert.rejects(keyring.addAll([{ id: "b", purpose: "p", secret: utf8("b") }, { id: "a", purpose: "p", secret: utf8("2") }]), { code: "keyring-key-exists" });
      await assert.rejects(keyring.addAll([{ id: "b", purpose: "p", secret: utf8("b") }, { id: "b", purpose: "p", secret: utf8("c") }]), { code: "keyring-key-exists" });
      assert.deepEqual(keyring.list(), [{ id: "a", purpose: "p" }]);
      assert.deepEqual(await keyring.open("a"), utf8("1"));
    });

    test("what is removed is gone, and its name free", async () => {
      const { keyring, reopen } = await subject();
      await keyring.addAll(["a", "b", "c"].map((id) => ({ id, purpose: "p", secret: utf8(id) })));
      for (const { id } of keyring.list()) if (id !== "b") await keyring.remove(id);
      await keyring.add("a", "q", utf8("new"));
      assert.deepEqual(keyring.list(), [{ id: "b", purpose: "p" }, { id: "a", purpose: "q" }]);
      assert.deepEqual(await (await reopen?.())?.open("a") ?? utf8("new"), utf8("new"));
    });

    test("additions at the same time all arrive", async () => {
      const { keyring } = await subject();
      await Promise.all(Array.from({ length: 20 }, (_, n) => keyring.add(`k${n}`, "p", utf8(`${n}`))));
      assert.equal(keyring.list().length, 20);
      for (let n = 0; n < 20; n++) assert.deepEqual(await keyring.open(`k${n}`), utf8(`${n}`));
    });

    test("derive gives the same each time, another for each label and each keyring", async () => {
      const { keyring, reopen } = await subject();
      const first = keyring.derive("rows");
      assert.equal(first.length, 32);
      await keyring.add("a", "p", utf8("1"));
      assert.deepEqual(keyring.derive("rows"), first);
      assert.equal(keyring.derive("rows", 100).length, 100);
      assert.notDeepEqual(keyring.derive("names"), first);
      assert.notDeepEqual((await subject()).keyring.derive("rows"), first);
      if (reopen !== undefined) assert.deepEqual((await reopen()).derive("rows"), first);
    });

    test("a closed keyring tells nothing", async () => {
      const { keyring } = await subject();
      await keyring.add("a", "p", utf8("1"));
      keyring.close();
      keyring.close();
      const locked = { code: "keyring-locked", exit: 4 };
      assert.throws(() => keyring.list(), locked);
      assert.throws(() => keyring.has("a"), locked);
      assert.throws(() => keyring.derive("rows"), locked);
      await assert.rejects(keyring.open("a"), locked);
      await assert.rejects(keyring.add("b", "p", utf8("1")), locked);
      await assert.rejects(keyring.remove("a"), locked);
    });
  });
}
