import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import type { Currency } from "../notary/currency.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { checkSuspensions } from "./check-current.ts";

const NOW = 1_790_000_000_000;
const digest = (name: number): string => toBase64url(new Uint8Array(64).fill(name));

/** A mesh with suspensions that came so many milliseconds ago, the first with digest 1. */
function meshWith(...ages: readonly number[]): Mesh {
  return { suspensions: ages.map((age, at) => ({ arrived: NOW - age, object: { digest: digest(at + 1) } })) } as unknown as Mesh;
}

/** What a log says under an epoch of so many milliseconds ago. */
function saying(n: number, of: number, age = 60_000): Currency {
  return { epoch: { t: NOW - age }, value: n === 0 ? undefined : { digest: fromBase64url(digest(of)), g: 0, index: 9, n } } as unknown as Currency;
}

suite("the suspensions that a log has (log 7.3)", () => {
  test("as many as this device knows, in whichever order they came, are settled", () => {
    assert.equal(checkSuspensions(meshWith(), saying(0, 0), NOW), true);
    assert.equal(checkSuspensions(meshWith(50_000, 40_000), saying(2, 2), NOW), true);
    assert.equal(checkSuspensions(meshWith(50_000, 40_000), saying(2, 1), NOW), true);
  });

  test("one that came just now may lack on either side, and is looked for again", () => {
    assert.equal(checkSuspensions(meshWith(50_000, 10_000), saying(1, 1), NOW), false);
    assert.equal(checkSuspensions(meshWith(50_000), saying(2, 7, 9_999), NOW), false);
  });

  test("one that the log lacks for longer, that the portal does not show, or that is another", () => {
    assert.throws(() => checkSuspensions(meshWith(50_000, 10_001), saying(1, 1), NOW), { code: "portal-missing-entry" });
    assert.throws(() => checkSuspensions(meshWith(50_000), saying(2, 7, 10_000), NOW), { code: "portal-older-profile" });
    assert.throws(() => checkSuspensions(meshWith(50_000), saying(1, 7), NOW), { code: "portal-wrong-entry" });
  });
});
