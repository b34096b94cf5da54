import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";

import { canonicalJson, type Json } from "../../../bytes/canonical-json.ts";
import { type Entry, merge, writes } from "../../../catalogs/merge.ts";
import { newEntryId } from "../../../catalogs/entry-id.ts";
import { addPassword, editPassword, removePassword } from "../edit.ts";
import { applied, codeOf, planOf, quickKeys, vector } from "./test-files.ts";
import { writeMeshFile } from "./mesh-file.ts";

const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const plain = async (entries: readonly Entry[]): Promise<string> => writeMeshFile(entries, new Map(), undefined);

async function everything(): Promise<readonly Entry[]> {
  const entries = applied(await planOf(vector("bitwarden", "valid", "everything.json")));
  const first = entries.find((entry) => entry.fields["name"] !== undefined) as Entry;
  const edit = (device: string, password: string, on = first): Entry => merge(on, editPassword(entries, on, { password, addSites: [`https://${device}.example`] }) as never, device);
  const edited = edit("B", "b2", edit("A", "a1"));
  const removed = merge(undefined, addPassword([], { name: "gone", password: "x" }), "A");
  return [...entries.filter((entry) => entry !== first), edited, merge(removed, removePassword(removed), "B")];
}

test("into an empty catalog everything comes back equal: identifiers, history, what was removed, what is kept", async () => {
  const entries = await everything();
  const file = await plain(entries);
  const plan = await planOf(octetsOf(file));
  assert.deepEqual({ imported: plan.imported, already: plan.already, renamed: plan.renamed, failed: plan.failed }, { imported: 8, already: 0, renamed: 0, failed: [] });
  assert.equal(await plain(applied(plan)), file);
});

test("whatever entries hold and whoever wrote it, values and their order come back", async () => {
  const value: fc.Arbitrary<Json> = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string(), { maxLength: 2 }), fc.record({ a: fc.string() }));
  const write = fc.record({ field: fc.constantFrom("name", "password", "site:0001", "removed", "kept.x", "later"), value, counter: fc.integer({ min: 1, max: 4 }), author: fc.constantFrom("A", "B", "C") });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { minLength: 1, maxLength: 12 }), { maxLength: 4 }), async (all) => {
      const entries = all.map((list) => {
        const id = newEntryId();
        return list.reduce<Entry | undefined>((entry, one) => merge(entry, { entry: id, fields: { [one.field]: [one.counter, one.value] } }, one.author), undefined) as Entry;
      });
      const back = applied(await planOf(octetsOf(await plain(entries))));
      const values = (list: readonly Entry[]) => list.map((entry) => [entry.id, ...Object.keys(entry.fields).sort().map((name) => `${name}=${canonicalJson(writes(entry, name).map((one) => one.value))}`)].join("\n")).sort();
      assert.deepEqual(values(back), values(entries));
    }),
    { numRuns: 60 },
  );
});

test("a second import brings nothing; what was changed since comes in beside, under another name", async () => {
  const entries = await everything();
  const file = octetsOf(await plain(entries));
  assert.equal((await planOf(file, entries)).changes.length, 0);
  const one = entries.find((entry) => entry.fields["name"] !== undefined) as Entry;
  const changed = entries.map((entry) => (entry === one ? merge(one, editPassword(entries, one, { username: "somebody else" }) as never, "A") : entry));
  const plan = await planOf(file, changed);
  assert.deepEqual({ imported: plan.imported, renamed: plan.renamed }, { imported: 1, renamed: 1 });
});

test("under a password it opens with that alone, and says nothing of what it holds", async () => {
  const entries = await everything();
  const sealed = await writeMeshFile(entries, new Map(), octetsOf("secret"), quickKeys);
  assert(!/bank|alice/i.test(sealed));
  assert.equal(await plain(applied(await planOf(octetsOf(sealed), [], { password: "secret" }))), await plain(entries));
  assert.equal(await codeOf(() => planOf(octetsOf(sealed), [], { password: "Secret" })), "import-wrong-password");
});

test("what was changed, cut off or asks for too much is refused", async () => {
  const sealed = JSON.parse(await writeMeshFile(await everything(), new Map(), octetsOf("secret"), quickKeys)) as { sealed: Record<string, never> };
  const { content } = sealed.sealed as unknown as { content: { ciphertext: string } };
  const turned = `${content.ciphertext.startsWith("A") ? "B" : "A"}${content.ciphertext.slice(1)}`;
  const cases: readonly (readonly [unknown, string])[] = [
    [{ ...sealed, sealed: { ...sealed.sealed, content: { ...content, ciphertext: turned } } }, "import-damaged"],
    [{ ...sealed, sealed: { ...sealed.sealed, memoryKiB: 1024 ** 3 } }, "password-key-parameters"],
    [{ ...sealed, sealed: { ...sealed.sealed, more: 1 } }, "import-damaged"],
    [{ ...sealed, v: 2 }, "import-newer"],
    [{ format: "mesh-passwords", v: 1 }, "import-damaged"],
    [{ format: "mesh-passwords", v: 1, entries: [{ id: "short", fields: {} }] }, "import-damaged"],
    [{ format: "mesh-passwords", v: 1, entries: [{ id: "AAAAAAAAAAAAAAAAAAAAAA", fields: { "Bad Name": ["x"] } }] }, "import-damaged"],
    [{ format: "mesh-passwords", v: 1, entries: [{ id: "AAAAAAAAAAAAAAAAAAAAAA", fields: { name: [] } }] }, "import-damaged"],
  ];
  for (const [file, code] of cases) assert.equal(await codeOf(() => planOf(octetsOf(JSON.stringify(file)), [], { password: "secret" })), code, JSON.stringify(file).slice(0, 60));
  assert.equal(await codeOf(async () => planOf(octetsOf((await plain(await everything())).slice(0, -100)))), "import-damaged");
});
