import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import { argon2d, argon2id } from "@noble/hashes/argon2.js";

import { MeshError } from "../refusals/mesh-error.ts";
import { sha256 } from "./digest.ts";
import { aesKdf, chaCha20, decryptCbc, decryptCbcCut, foreignArgon2, hmacSha256, pbkdf2Sha256 } from "./foreign.ts";

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);

async function code(work: () => Promise<unknown>): Promise<string> {
  return work().then(() => "done", (error: unknown) => (error instanceof MeshError ? error.code : String(error)));
}

test("SHA-256 and HMAC-SHA-256 of parts (FIPS 180-4; RFC 4231, case 2)", () => {
  assert.equal(sha256(ascii("a"), ascii("bc")).toHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(hmacSha256(ascii("Jefe"), ascii("what do ya want "), ascii("for nothing?")).toHex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("PBKDF2-HMAC-SHA-256 (RFC 7914 §11)", async () => {
  assert.equal((await pbkdf2Sha256(ascii("passwd"), ascii("salt"), 1)).toHex(), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
  assert.equal((await pbkdf2Sha256(ascii("Password"), ascii("NaCl"), 80_000)).toHex(), "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
});

test("Argon2d and Argon2id, as another implementation has them", async () => {
  const [password, salt] = [ascii("password"), counting(32)];
  for (const [variant, oracle] of [["argon2d", argon2d], ["argon2id", argon2id]] as const) {
    assert.deepEqual(await foreignArgon2(password, salt, { variant, memoryKiB: 64, passes: 2, lanes: 2 }), oracle(password, salt, { m: 64, t: 2, p: 2, dkLen: 32 }));
  }
});

test("AES-KDF is what its description says, round by round", () => {
  for (const rounds of [1, 2, 1000, 65_536, 65_537]) {
    let state: Uint8Array = counting(32);
    for (let round = 0; round < rounds; round++) {
      const cipher = createCipheriv("aes-256-ecb", counting(32), null);
      cipher.setAutoPadding(false);
      state = cipher.update(state);
    }
    assert.deepEqual(aesKdf(counting(32), counting(32), rounds), sha256(state), String(rounds));
  }
});

test("ChaCha20 (RFC 8439 §2.4.2, whose block 1 is our second), in one piece or in many", () => {
  const text = ascii("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.");
  const [key, nonce] = [counting(32), hex("00 00 00 00 00 00 00 4a 00 00 00 00")];
  const stream = chaCha20(key, nonce);
  stream(new Uint8Array(64));
  const [first, rest] = [stream(text.subarray(0, 7)), stream(text.subarray(7))];
  assert.equal(first.toHex() + rest.toHex().slice(0, 32), "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360");
});

test("AES-256-CBC takes the padding away, and refuses what has none", () => {
  const [key, iv] = [counting(32), counting(16)];
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const sealed = new Uint8Array(Buffer.concat([cipher.update(ascii("attack at dawn, and again at dusk")), cipher.final()]));
  assert.equal(new TextDecoder().decode(decryptCbc(key, iv, sealed)), "attack at dawn, and again at dusk");
  assert.equal(decryptCbc(key, iv, sealed.subarray(0, 32)), undefined);
  assert.equal(decryptCbc(key.subarray(1), iv, sealed), undefined);
  assert.equal(new TextDecoder().decode(decryptCbcCut(key, iv, sealed.subarray(0, 40))), "attack at dawn, and again at dus");
});

test("what a file asks for is bounded before work is done", async () => {
  const argon = (more: object) => () => foreignArgon2(ascii("p"), counting(32), { variant: "argon2id", memoryKiB: 64, passes: 1, lanes: 1, ...more });
  for (const work of [
    argon({ memoryKiB: 2 ** 20 + 1 }), argon({ memoryKiB: 7 }), argon({ memoryKiB: 64.5 }), argon({ lanes: 65, memoryKiB: 1024 }), argon({ lanes: 0 }), argon({ passes: 0 }), argon({ memoryKiB: 2 ** 20, passes: 17 }),
    () => foreignArgon2(ascii("p"), counting(7), { variant: "argon2d", memoryKiB: 64, passes: 1, lanes: 1 }),
    async () => pbkdf2Sha256(ascii("p"), ascii("s"), 5_000_001),
    async () => pbkdf2Sha256(ascii("p"), ascii("s"), 0),
    async () => aesKdf(counting(32), counting(32), 200_000_001),
    async () => aesKdf(counting(32), counting(31), 1),
  ]) assert.equal(await code(async () => work()), "password-key-parameters");
});
