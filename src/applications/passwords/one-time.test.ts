import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { toBase32 } from "../../bytes/base32.ts";
import { utf8 } from "../../bytes/text.ts";
import { type OneTimeHash, oneTimeNumber } from "../../crypto/one-time-code.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { codeAt, readOneTime } from "./one-time.ts";

type Vectors = { readonly hotp: readonly string[]; readonly seeds: Readonly<Record<OneTimeHash, string>>; readonly totp: readonly (Readonly<Record<OneTimeHash, string>> & { readonly seconds: number })[] };
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "../../../vectors/one-time-codes/rfc.json"), "utf8")) as Vectors;
const SECRET = "JBSWY3DPEHPK3PXP";

suite("one-time codes", () => {
  test("the ten codes of RFC 4226, appendix D", () => {
    const codes = vectors.hotp.map((_, counter) => String(oneTimeNumber("SHA1", utf8(vectors.seeds.SHA1), counter) % 1_000_000).padStart(6, "0"));
    assert.deepEqual(codes, vectors.hotp);
  });

  test("the eighteen codes of RFC 6238, appendix B", () => {
    for (const { seconds, ...codes } of vectors.totp) {
      for (const [hash, code] of Object.entries(codes) as [OneTimeHash, string][]) {
        const url = `otpauth://totp/Site:alice?secret=${toBase32(utf8(vectors.seeds[hash]))}&algorithm=${hash}&digits=8&issuer=Site`;
        assert.equal(codeAt(readOneTime(url), seconds * 1000 + 999).code, code);
      }
    }
  });

  test("codes that Bitwarden computes at the beginning of 2023, Steam's among them", () => {
    const now = Date.parse("2023-01-01T00:00:00Z");
    const rows = [["WQIQ25BRKZYCJVYP", "194506"], ["wqiq 25br kzyc-jvyp", "194506"], ["PIUDISEQYA", "829846"], ["PIUDISEQYA======", "829846"], ["otpauth://totp/test-account?secret=WQIQ25BRKZYCJVYP", "194506"], ["steam://HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ", "7W6CJ"], ["otpauth://totp/x?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&digits=5&encoder=steam", "7W6CJ"]] as const;
    for (const [kept, code] of rows) assert.equal(codeAt(readOneTime(kept), now).code, code, kept);
  });

  test("a code holds to the end of its period and no longer, and has its digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.constantFrom(6, 7, 8), fc.integer({ min: 0, max: 4_000_000_000_000 }), (period, digits, now) => {
        const one = readOneTime(`otpauth://totp/a?secret=${SECRET}&period=${period}&digits=${digits}`);
        const { code, secondsLeft } = codeAt(one, now);
        assert.ok(secondsLeft >= 1 && secondsLeft <= period && new RegExp(`^[0-9]{${digits}}$`).test(code));
        assert.equal(codeAt(one, now + (secondsLeft - 1) * 1000).code, code);
        assert.equal(codeAt(one, now + secondsLeft * 1000).secondsLeft, period);
      }),
    );
  });

  test("what gives no code is refused, and no refusal holds the secret", () => {
    const rows = ["", "0189", "JBSWY3DP!", "A", "A".repeat(2000), "https://example.com", "otpauth://", `otpauth://hotp/a?secret=${SECRET}&counter=1`, `otpauth://yaotp/a?secret=${SECRET}`, "otpauth://totp/a", "otpauth://totp/a?secret=", `otpauth://totp/a?secret=${SECRET}&algorithm=MD5`, `otpauth://totp/a?secret=${SECRET}&digits=9`, `otpauth://totp/a?secret=${SECRET}&digits=6.5`, `otpauth://totp/a?secret=${SECRET}&period=0`, `otpauth://totp/a?secret=${SECRET}&period=-1`];
    for (const kept of rows) assert.throws(() => readOneTime(kept), (error) => error instanceof MeshError && error.code === "totp-malformed" && !error.message.includes("JBSWY") && !(error.hint ?? "").includes("JBSWY"), kept);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((text) => `otpauth://totp/${text}`)), (kept) => {
      try {
        codeAt(readOneTime(kept), 0);
      } catch (error) {
        assert.ok(error instanceof MeshError && error.code === "totp-malformed");
      }
    }));
  });
});
