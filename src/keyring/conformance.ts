import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { contribute } from "../crypto/co-generation.ts";
import { ed25519ToPkcs8, generateEd25519, verifyEd25519 } from "../crypto/ed25519.ts";
import { encapsulate } from "../crypto/encapsulate.ts";
import { decapsulationKeyToPkcs8, signingKeyToPkcs8 } from "../crypto/key-encoding.ts";
import { generateDecapsulationKey, generateSigningKey } from "../crypto/key-pair.ts";
import { randomBytes } from "../crypto/random.ts";
import { verify } from "../crypto/sign.ts";
import type { Keyring, OpenKeyring } from "./keyring.ts";

/** A fresh, empty keyring under test; `reopen` opens what it left, where it leaves something. */
export interface KeyringSubject<K extends Keyring = Keyring> {
  readonly keyring: K;
  readonly reopen?: () => Promise<K>;
}

const locked = { code: "keyring-locked", exit: 4 };
const missing = { code: "keyring-key-missing", exit: 3 };

/** The tests that every keyring passes, wherever its keys are. */
export function keyringConformance(name: string, subject: () => Promise<KeyringSubject>): void {
  describe(`keyring: ${name}`, () => {
    test("what is added is listed in order", async () => {
      const { keyring, reopen } = await subject();
      assert.deepEqual(await keyring.list(), []);
      await keyring.add("b", "second letter", utf8("1"));
      await keyring.addAll([{ id: "a", purpose: "", secret: new Uint8Array() }, { id: "\u{1f511} é", purpose: "any text", secret: utf8("x") }]);
      for (const one of [keyring, ...(reopen === undefined ? [] : [await reopen()])]) {
        assert.deepEqual(await one.list(), [{ id: "b", purpose: "second letter" }, { id: "a", purpose: "" }, { id: "\u{1f511} é", purpose: "any text" }]);
      }
    });

    test("a signature key signs, a decapsulation key decapsulates, and what is no such key does neither", async () => {
      const { keyring, reopen } = await subject();
      const [signing, opening] = [generateSigningKey(), generateDecapsulationKey()];
      await keyring.addAll([{ id: "s", purpose: "p", secret: signingKeyToPkcs8(signing) }, { id: "d", purpose: "p", secret: decapsulationKeyToPkcs8(opening) }]);
      const message = randomBytes(300);
      const { ciphertext, secret } = await encapsulate(opening.publicKey);
      for (const one of [keyring, ...(reopen === undefined ? [] : [await reopen()])]) {
        assert.equal(await verify(signing.publicKey, message, await one.sign("s", message)), true);
        assert.deepEqual(await one.decapsulate("d", ciphertext), secret);
        await assert.rejects(one.sign("d", message), { code: "key-malformed" });
        await assert.rejects(one.decapsulate("s", ciphertext), { code: "key-malformed" });
        await assert.rejects(one.decapsulate("d", ciphertext.subarray(1)), { code: "ciphertext-malformed" });
      }
    });

    test("a key of Ed25519 in PKCS#8 signs as it is; a bare seed, as base keys are, does not", async () => {
      const { keyring, reopen } = await subject();
      const { privateKey, publicKey } = generateEd25519();
      await keyring.addAll([{ id: "e", purpose: "p", secret: ed25519ToPkcs8(privateKey) }, { id: "base", purpose: "p", secret: privateKey }]);
      const message = randomBytes(300);
      for (const one of [keyring, ...(reopen === undefined ? [] : [await reopen()])]) {
        assert.equal(verifyEd25519(publicKey, message, await one.sign("e", message)), true);
        await assert.rejects(one.sign("base", message), { code: "key-malformed" });
        await assert.rejects(one.decapsulate("e", message), { code: "key-malformed" });
      }
    });

    test("a base key signs together with what was added to it, and with nothing else", async () => {
      const { keyring, reopen } = await subject();
      const base = generateEd25519();
      const { scalar: contribution, publicKey } = await contribute(base.publicKey);
      await keyring.add("base", "p", base.privateKey);
      const message = randomBytes(300);
      for (const one of [keyring, ...(reopen === undefined ? [] : [await reopen()])]) {
        assert.equal(verifyEd25519(publicKey, message, await one.signAdded("base", { contribution, publicKey }, message)), true);
        await assert.rejects(one.signAdded("base", { contribution: randomBytes(32).with(31, 0), publicKey }, message), { code: "key-malformed" });
        await assert.rejects(one.signAdded("base", { contribution, publicKey: base.publicKey }, message), { code: "key-malformed" });
        await assert.rejects(one.signAdded("none", { contribution, publicKey }, message), missing);
      }
    });

    test("a key that is not there", async () => {
      const { keyring } = await subject();
      await assert.rejects(keyring.sign("a", utf8("m")), missing);
      await assert.rejects(keyring.decapsulate("a", utf8("c")), missing);
      await keyring.remove("a");
      await keyring.addAll([]);
      assert.deepEqual(await keyring.list(), []);
    });

    test("adding the same again is no error; no key is overwritten, and of several none is added if one may not be", async () => {
      const { keyring } = await subject();
      await keyring.add("a", "p", utf8("1"));
      await keyring.add("a", "p", utf8("1"));
      await assert.rejects(keyring.add("a", "p", utf8("2")), { code: "keyring-key-exists" });
      await assert.rejects(keyring.add("a", "q", utf8("1")), { code: "keyring-key-exists" });
      await assert.rejects(keyring.addAll([{ id: "b", purpose: "p", secret: utf8("b") }, { id: "a", purpose: "p", secret: utf8("2") }]), { code: "keyring-key-exists" });
      await assert.rejects(keyring.addAll([{ id: "b", purpose: "p", secret: utf8("b") }, { id: "b", purpose: "p", secret: utf8("c") }]), { code: "keyring-key-exists" });
      assert.deepEqual(await keyring.list(), [{ id: "a", purpose: "p" }]);
      await keyring.add("a", "p", utf8("1"));
    });

    test("what is removed is gone, and its name free", async () => {
      const { keyring } = await subject();
      await keyring.addAll(["a", "b", "c"].map((id) => ({ id, purpose: "p", secret: utf8(id) })));
      for (const { id } of await keyring.list()) if (id !== "b") await keyring.remove(id);
      await keyring.add("a", "q", utf8("new"));
      assert.deepEqual(await keyring.list(), [{ id: "b", purpose: "p" }, { id: "a", purpose: "q" }]);
    });

    test("additions at the same time all arrive", async () => {
      const { keyring } = await subject();
      await Promise.all(Array.from({ length: 20 }, (_, n) => keyring.add(`k${n}`, "p", utf8(`${n}`))));
      assert.equal((await keyring.list()).length, 20);
      for (let n = 0; n < 20; n++) await keyring.add(`k${n}`, "p", utf8(`${n}`));
    });

    test("derive gives the same each time, another for each label and each keyring", async () => {
      const { keyring, reopen } = await subject();
      const first = await keyring.derive("rows");
      assert.equal(first.length, 32);
      await keyring.add("a", "p", utf8("1"));
      assert.deepEqual(await keyring.derive("rows"), first);
      assert.equal((await keyring.derive("rows", 100)).length, 100);
      assert.notDeepEqual(await keyring.derive("names"), first);
      assert.notDeepEqual(await (await subject()).keyring.derive("rows"), first);
      if (reopen !== undefined) assert.deepEqual(await (await reopen()).derive("rows"), first);
    });

    test("a closed keyring does and tells nothing", async () => {
      const { keyring } = await subject();
      await keyring.add("a", "p", utf8("1"));
      keyring.close();
      keyring.close();
      await assert.rejects(keyring.list(), locked);
      await assert.rejects(keyring.derive("rows"), locked);
      await assert.rejects(keyring.sign("a", utf8("m")), locked);
      await assert.rejects(keyring.decapsulate("a", utf8("c")), locked);
      await assert.rejects(keyring.add("b", "p", utf8("1")), locked);
      await assert.rejects(keyring.remove("a"), locked);
    });
  });
}

/** As `keyringConformance`, for one that is open in this process: its secrets can be taken out. */
export function openKeyringConformance(name: string, subject: () => Promise<KeyringSubject<OpenKeyring>>): void {
  keyringConformance(name, subject);
  describe(`open keyring: ${name}`, () => {
    test("what is added is had, and opened; copies both ways", async () => {
      const { keyring, reopen } = await subject();
      const secret = randomBytes(100);
      const kept = secret.slice();
      await keyring.add("b", "second letter", secret);
      secret.fill(0);
      await keyring.add("a", "", new Uint8Array());
      (await keyring.open("b")).fill(0);
      for (const one of [keyring, ...(reopen === undefined ? [] : [await reopen()])]) {
        assert.equal(one.has("b"), true);
        assert.equal(one.has("B"), false);
        assert.deepEqual(await one.open("b"), kept);
        assert.deepEqual(await one.open("a"), new Uint8Array());
      }
    });

    test("a key that is not there, or was removed, is not had", async () => {
      const { keyring } = await subject();
      await keyring.add("a", "p", utf8("1"));
      await keyring.remove("a");
      assert.equal(keyring.has("a"), false);
      await assert.rejects(keyring.open("a"), missing);
      keyring.close();
      assert.throws(() => keyring.has("a"), locked);
      await assert.rejects(keyring.open("a"), locked);
    });
  });
}
