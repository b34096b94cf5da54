import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";

import { MeshError } from "../../../refusals/mesh-error.ts";
import { formats } from "./formats.ts";
import type { Plan } from "./plan.ts";
import { applied, planOf, vectorsOf, written } from "./test-files.ts";

// Those that cost much on purpose say nothing of parsers, and take their time.
const seeds = formats.flatMap(({ name: format }) => (["valid", "invalid"] as const).flatMap((kind) => vectorsOf(format, kind).map(({ name, octets }) => ({ format, name, octets })))).filter(({ name }) => !/costly|keepassxc-2/.test(name));
const pieces = ["null", "[]", "{}", "1e999", '""', "-1", "\u0000", "<a>", "</a>", "&amp;", '"', "\\", ",", "\n", "__proto__", "constructor", "[".repeat(40)].map((text) => new TextEncoder().encode(text));

const change = fc.record({ at: fc.noBias(fc.nat()), length: fc.nat(20), put: fc.oneof(fc.constantFrom(...pieces), fc.uint8Array({ maxLength: 4 })), cut: fc.boolean() });

function changed(octets: Uint8Array, { at, length, put, cut }: { at: number; length: number; put: Uint8Array; cut: boolean }): Uint8Array {
  const from = at % (octets.length + 1);
  return Buffer.concat([octets.subarray(0, from), put, cut ? new Uint8Array(0) : octets.subarray(from + length)]);
}

test("whatever becomes of a file, it is refused with a code, or what is brought in goes out and comes in again", async () => {
  const counts = { refused: 0, planned: 0 };
  await fc.assert(
    fc.asyncProperty(fc.nat(seeds.length - 1), fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), fc.boolean(), async (number, changes, partial, told) => {
      const { format, octets } = seeds[number] ?? assert.fail();
      const file = changes.reduce(changed, octets);
      let plan: Plan;
      try {
        plan = await planOf(file, [], { partial, ...(told ? { format } : {}) });
        counts.planned++;
      } catch (error) {
        if (!(error instanceof MeshError)) throw error;
        assert.match(error.code, /^(?:import-|password-key-parameters$)/);
        counts.refused++;
        return;
      }
      const entries = applied(plan);
      assert.equal((await planOf(new TextEncoder().encode(await written(entries, "mesh")))).imported, plan.imported);
      for (const to of ["bitwarden", "keepassxc-xml"] as const) await planOf(new TextEncoder().encode(await written(entries, to)));
    }),
    { numRuns: 800 },
  );
  assert(counts.planned > 50 && counts.refused > 50, JSON.stringify(counts));
});
