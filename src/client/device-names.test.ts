import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Json } from "../bytes/canonical-json.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { type Entry, merge } from "../catalogs/merge.ts";
import { accusations, namesIn, ownEntry } from "./device-names.ts";

const mesh = { masters: [{ payload: { administrationKeys: [{ device: "ADMIN" }] } }, { payload: { administrationKeys: [{ device: "LATER" }] } }] } as never;

/** An entry by its writes: field, counter, author, value. */
function entryOf(...all: readonly (readonly [string, number, string, Json])[]): Entry {
  const id = newEntryId();
  const entry = all.reduce<Entry | undefined>((before, [field, counter, author, value]) => merge(before, { entry: id, fields: { [field]: [counter, value] } }, author), undefined);
  return entry ?? assert.fail();
}

/** The entry that an administration device makes when it lets another in. */
const madeFor = (device: string, name: string) => [["device", 1, "ADMIN", device], ["name", 1, "ADMIN", name]] as const;

suite("the names of devices", () => {
  test("count as the device itself or one that ever administered the mesh wrote them, and as nobody else did", () => {
    const rows: readonly (readonly [string, Entry, Readonly<Record<string, string>>])[] = [
      ["the one that let it in", entryOf(...madeFor("A", "phone")), { A: "phone" }],
      ["itself", entryOf(...madeFor("A", "phone"), ["name", 2, "A", "mobile"]), { A: "mobile" }],
      ["another administration device", entryOf(...madeFor("A", "phone"), ["name", 2, "LATER", "mobile"]), { A: "mobile" }],
      ["another member", entryOf(...madeFor("A", "phone"), ["name", 2, "T", "laptop"]), { A: "phone" }],
      ["another member that claims the entry for itself", entryOf(...madeFor("A", "phone"), ["device", 2, "T", "T"]), { A: "phone" }],
      ["and names itself there", entryOf(...madeFor("A", "phone"), ["device", 2, "T", "T"], ["name", 2, "T", "x"]), { A: "phone", T: "x" }],
      ["another member that claims the entry for a third", entryOf(...madeFor("A", "phone"), ["device", 2, "T", "B"]), { A: "phone" }],
      ["another member in an entry of its own", entryOf(["device", 1, "T", "A"], ["name", 9, "T", "x"]), {}],
      ["itself, in an entry of its own", entryOf(["device", 1, "A", "A"], ["name", 1, "A", "phone"]), { A: "phone" }],
      ["an administration device there, which says of whom", entryOf(["device", 1, "A", "A"], ["name", 1, "A", "phone"], ["device", 2, "ADMIN", "A"], ["name", 2, "ADMIN", "mobile"]), { A: "mobile" }],
      ["an administration device, while a thief claims it", entryOf(["device", 1, "A", "A"], ["name", 1, "A", "phone"], ["device", 9, "T", "T"], ["name", 2, "ADMIN", "mobile"]), { A: "phone" }],
      ["what is removed by a member", entryOf(...madeFor("A", "phone"), ["removed", 1, "T", true]), { A: "phone" }],
    ];
    for (const [what, entry, expected] of rows) assert.deepEqual(Object.fromEntries(namesIn([entry], mesh)), expected, what);
  });

  test("of two entries about one device the later name counts, in whichever order they stand, and the entry is the one that gives it", () => {
    const [first, second] = [entryOf(...madeFor("A", "phone")), entryOf(["device", 1, "A", "A"], ["name", 3, "A", "mobile"])];
    for (const entries of [[first, second], [second, first]]) {
      assert.equal(namesIn(entries, mesh).get("A"), "mobile");
      assert.equal(ownEntry(entries, "A", mesh), second);
    }
  });

  test("whoever accuses is who wrote the accusation, wherever it stands", () => {
    const entry = entryOf(...madeFor("A", "phone"), ["accuses", 1, "T", { catalog: "C", maker: "ADMIN" }]);
    assert.deepEqual(accusations([entry, entryOf(...madeFor("T", "tablet"), ["device", 2, "T", "A"])], mesh), [{ by: "tablet", maker: "ADMIN" }]);
  });
});
