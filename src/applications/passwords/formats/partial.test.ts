import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import type { FormatName } from "./formats.ts";
import { readPartialObject } from "./partial-json.ts";
import { applied, planOf, quickKeys, vector } from "./test-files.ts";
import { writeMeshFile } from "./mesh-file.ts";
import { itemOf } from "./item.ts";

const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);
const octets = (of: string): Uint8Array => new TextEncoder().encode(of);

suite("a damaged file, with --partial", () => {
  for (const [format, name, imported, failed] of [
    ["bitwarden", "cut-off.json", 3, ["(1 of the items)"]],
    ["bitwarden", "not-utf8.json", 5, ["Überbank".replace("Ü", "\uFFFD"), "Überbank".replace("Ü", "\uFFFD")]],
    ["bitwarden-csv", "quote-never-closed.csv", 3, ["(the rest of the file)"]],
    ["chrome-csv", "value-too-many.csv", 3, ["row 5"]],
    ["firefox-csv", "quote-never-closed.csv", 3, ["(the rest of the file)"]],
    ["keepassxc-xml", "cut-off.xml", 2, ["(an entry)", "(the rest of the file)"]],
    ["kdbx", "cut-off.kdbx", 1, ["(an entry)", "(the rest of the file)"]],
    ["kdbx", "block-changed.kdbx", 0, ['Überbank <&> "quoted"', "(the rest of the file)"]],
    ["kdbx", "last-block-missing.kdbx", 4, ["(the rest of the file)"]],
  ] as const) {
    test(`${format}/${name}: what stands before the damage comes in, and the rest is named`, async () => {
      const plan = await planOf(vector(format, "invalid", name), [], { partial: true });
      assert.deepEqual([plan.imported, plan.failed.map(({ title }) => title)], [imported, failed]);
      const whole = applied(await planOf(wholeOf(format))).map((entry) => JSON.stringify(itemOf(entry)));
      // Nothing is brought in otherwise than the whole file has it.
      for (const entry of applied(plan)) if (entry.fields["name"] !== undefined) assert(whole.some((one) => one === JSON.stringify(itemOf(entry)) || entry.fields["renamed"] !== undefined), JSON.stringify(itemOf(entry)).slice(0, 200));
    });
  }

  test("our own, cut off: the entries before", async () => {
    const entries = applied(await planOf(vector("bitwarden", "valid", "everything.json")));
    const file = await writeMeshFile(entries, new Map(), undefined, quickKeys);
    const plan = await planOf(octets(file.slice(0, Math.floor(file.length / 2))), [], { partial: true });
    assert(plan.imported > 0 && plan.imported < 7);
    assert.equal(plan.failed.at(0)?.title, "(1 of the entries)");
  });
});

function wholeOf(format: FormatName): Uint8Array {
  if (format === "kdbx") return vector("kdbx", "valid", "chacha20-aes-kdf-not-compressed.kdbx");
  const name = format === "bitwarden" ? "everything.json" : format === "keepassxc-xml" ? "everything.xml" : "everything.csv";
  return vector(format, "valid", name);
}

test("an object cut off anywhere gives back a beginning of each of its lists, whatever stands in them", () => {
  fc.assert(
    fc.property(fc.record({ a: fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 5 }), b: fc.jsonValue({ maxDepth: 2 }), c: fc.array(fc.string(), { maxLength: 5 }) }), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (value, share, pretty) => {
      const whole = JSON.stringify(value, undefined, pretty ? 2 : undefined);
      const { members } = readPartialObject(whole.slice(0, Math.floor(whole.length * share)));
      const same = JSON.parse(whole) as Record<string, unknown>;
      for (const [name, there] of Object.entries(same)) {
        const read = members[name];
        if (read === undefined) continue;
        if (Array.isArray(there)) assert.deepEqual(plain(read), there.slice(0, (read as unknown[]).length));
        else assert.equal(JSON.stringify(read), JSON.stringify(there));
      }
    }),
  );
});

test("an object that is whole comes back whole", () => {
  const whole = text(vector("bitwarden", "valid", "everything.json"));
  assert.deepEqual(readPartialObject(whole), { members: JSON.parse(whole), lost: {} });
});

function plain(value: unknown): object {
  return JSON.parse(JSON.stringify(value) ?? "null") as object;
}
