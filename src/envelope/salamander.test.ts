import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { decryptGcm } from "../crypto/encrypt.ts";
import { generateDecapsulationKey } from "../crypto/key-pair.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { decapsulatorWith, openSealed } from "./sealed.ts";
import { sealTwoTexts } from "./test-salamander.ts";

const subject = { typ: "mesh-test+jwe", id: "one", version: 1 };
const texts = [utf8("Pay Bob nothing."), utf8("Pay Bob it all! ")] as const;
const [one, two] = [generateDecapsulationKey(), generateDecapsulationKey()];

suite("sealed: one ciphertext never opens to two texts (decision 2.6, attacks W1 and W2)", () => {
  test("the attack is real: AES-GCM by itself opens one ciphertext and tag under two keys, to two texts", async () => {
    const { sealed, contentKeys } = await sealTwoTexts(subject, [one.publicKey, two.publicKey], texts);
    const opened = contentKeys.map((key) => decryptGcm(key, fromBase64url(sealed.iv), concatBytes(fromBase64url(sealed.ciphertext), fromBase64url(sealed.tag)), utf8(sealed.protected)));
    assert.deepEqual(opened[0]?.subarray(0, 16), texts[0]);
    assert.deepEqual(opened[1]?.subarray(16, 32), texts[1]);
    assert.notDeepEqual(opened[0], opened[1]);
  });

  test("the commitment in the header lets one of the two recipients open it, and tells the other", async () => {
    for (const [first, second] of [[one, two], [two, one]] as const) {
      const { sealed } = await sealTwoTexts(subject, [first.publicKey, second.publicKey], texts);
      assert.deepEqual((await openSealed(sealed, subject, decapsulatorWith(first))).subarray(0, 16), texts[0]);
      await assert.rejects(openSealed(sealed, subject, decapsulatorWith(second)), (error) => error instanceof MeshError && error.code === "sealed-wrong-commitment");
    }
  });
});
