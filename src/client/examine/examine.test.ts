import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { toBase64url } from "../../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../../bytes/canonical-json.ts";
import { utf8 } from "../../bytes/text.ts";
import { readVectors } from "../../crypto/test-vectors.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { examine } from "./examine.ts";
import { kinds, type Read } from "./kinds.ts";
import { parseExamined, readAll, readAny } from "./read.ts";

const texts = readVectors<Readonly<Record<string, { readonly text: string }>>>("profiles/objects.json");
const objectOf = (name: string): Read => readAny(parseExamined(utf8(texts[name]?.text ?? assert.fail(name))));

test("every type of signed object that a room declares can be examined", () => {
  const source = join(import.meta.dirname, "../..");
  const declared = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .flatMap((path) => [...readFileSync(join(source, path), "utf8").matchAll(/ObjectType<\w+> = \{ typ: "([^"]+)"/g)].map(([, typ]) => typ));
  assert.deepEqual(Object.values(kinds).map(({ typ }) => typ as string).sort(), declared.sort());
});

for (const folder of ["valid", "invalid"]) {
  suite(`vectors/profiles/${folder}: the last object, by those before it`, () => {
    // Objects do not tell when and in which order they arrived: what is refused for nothing else is not refused here.
    const byArrival = new Set(["override-late.json", "suspension-not-named.json", "under-superseded-master.json"]);
    for (const file of readdirSync(join(import.meta.dirname, "../../../vectors/profiles", folder))) {
      const { about, outcome, steps } = readVectors<{ readonly about: string; readonly outcome: string; readonly steps: readonly string[] }>(`profiles/${folder}/${file}`);
      test(about, async () => {
        const [last = assert.fail(), ...before] = [...steps].reverse().map(objectOf);
        const { lacks, refusal, stage } = await examine(last, before);
        const expected = byArrival.has(file) ? "ok" : outcome;
        if (expected === "ok") assert.deepEqual({ stage, lacks, refusal }, { stage: "correct", lacks: [], refusal: undefined });
        // What it names and was not given may be withheld or may not exist: that is no refusal, and never Correct.
        else if (lacks.length > 0) assert.notEqual(stage, "correct");
        else assert.equal(refusal?.code, expected);
      });
    }
  });
}

test("without the key that signed it an object is read and no more; with it Verified; with all that it names Correct", async () => {
  const personal = objectOf("personal-1-1");
  const [alone, half, whole] = [[], ["master-1"], ["master-1", "device-laptop", "device-tower", "device-phone"]].map((names) => examine(personal, names.map(objectOf)));
  assert.deepEqual([(await alone)?.stage, (await alone)?.signature], ["signed", "unchecked"]);
  assert.deepEqual([(await half)?.stage, (await half)?.lacks.length], ["verified", 3]);
  assert.match((await half)?.signer ?? "", /^Administration Key 1 of version 1/);
  assert.equal((await whole)?.stage, "correct");
});

test("a false signature is said to be false, whatever else is given", async () => {
  const { signed } = objectOf("personal-1-1");
  const header = toBase64url(canonicalBytes({ alg: "ML-DSA-87-Ed448", kid: signed.kid, typ: signed.type.typ }));
  const payload = toBase64url(canonicalBytes({ ...(signed.payload as object), n: 2 } as Json));
  const forged = readAny({ ...signed.jws, payload, protected: header });
  const examined = await examine(forged, Object.keys(texts).map(objectOf));
  assert.deepEqual([examined.signature, examined.stage, examined.refusal?.code], ["false", "signed", "signature-invalid"]);
});

test("a profile that its own key did not sign is refused, whoever else did", async () => {
  const { refusal, signature, stage } = await examine(objectOf("bad-personal-by-another-person"), []);
  assert.deepEqual([refusal, signature, stage], [undefined, "unchecked", "signed"]);
  const { signed } = objectOf("master-1");
  const stranger = toBase64url(canonicalBytes({ alg: "ML-DSA-87-Ed448", kid: objectOf("device-phone").signed.kid, typ: signed.type.typ }));
  assert.equal((await examine(readAny({ ...signed.jws, protected: stranger }), [])).refusal?.code, "signature-wrong-key");
});

test("an object twice, or with itself, is no evidence against it", async () => {
  const objects = ["device-phone", "personal-1-1", "device-tower", "device-laptop", "master-1", "personal-1-1", "master-1"].map(objectOf);
  for (const object of objects) assert.equal((await examine(object, objects)).stage, "correct", object.kind);
});

test("objects are found in whatever lists and answers they lie", () => {
  const jws = JSON.parse(texts["master-1"]?.text ?? "") as Json;
  assert.equal(readAll({ masters: [jws, { deep: [[jws]] }], others: [null, 1, "x", {}], jws }).length, 3);
});

test("whatever comes, it is refused with a code or examined, and never breaks", async () => {
  const { jws } = objectOf("account-1").signed;
  const attempt = async (value: Json) => {
    try {
      await examine(readAny(value), [objectOf("master-1")]);
    } catch (error) {
      assert(error instanceof MeshError, String(error));
    }
  };
  const typ = fc.constantFrom(...Object.values(kinds).map((type) => type.typ as string), "mesh-other+json", "");
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), typ, fc.constantFrom("payload", "protected", "signature"), async (value, name, member) => {
      await attempt(value as Json);
      await attempt({ ...jws, [member]: value } as Json);
      const wrap = (what: unknown): string => { try { return toBase64url(canonicalBytes(what as Json)); } catch { return "e30"; } };
      await attempt({ ...jws, payload: wrap(value), protected: wrap({ alg: "ML-DSA-87-Ed448", kid: objectOf("account-1").signed.kid, typ: name }) });
    }),
    { numRuns: 200 },
  );
});
