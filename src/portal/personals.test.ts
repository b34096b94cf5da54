import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { sync } from "../client/sync.ts";
import { packedWords } from "../envelope/packed.ts";
import { splitOctets } from "../protocol/octets.ts";
import { deviceOf, household, type Household, join, names, save } from "../../test/adversary/household.ts";
import { personalIn } from "./personals.ts";
import { parseRow, putObject, shelf, type Stamped } from "./records.ts";
import { check } from "./upkeep/check.ts";
import { type Finding, repair } from "./upkeep/finding.ts";

/** Writes every version of a Personal Profile as older versions of the program did: the profile among the objects, and with `words` what it says beside its digest. */
async function makeOlder({ portal: { store } }: Household, words: boolean): Promise<void> {
  await store.transact(async (w) => {
    for (const { key, value } of await w.list(shelf.personals, "")) {
      const { text, octets } = splitOctets(value);
      if (octets === undefined) continue;
      const profile = await personalIn(w, value);
      await putObject(w, profile);
      const beside = words ? { words: { kid: profile.kid, payload: toBase64url(packedWords(octets).payload) } } : {};
      await w.put(shelf.personals, key, canonicalBytes({ ...parseRow<Stamped>(text), ...beside }));
    }
  });
}

void suite("rows of Personal Profiles (spec portal 5.1)", () => {
  for (const [what, words] of [["among the objects", false], ["among the objects, with its words beside its digest", true]] as const) {
    void test(`a profile that an older version of the program kept ${what} is read, followed and checked like others`, async () => {
      const alice = await household({ laptop: "member" });
      await save(alice.desktop, "mail");
      await makeOlder(alice, words);
      const tablet = await join(alice, "tablet");
      await save(tablet, "bank");
      for (const device of [alice.desktop, deviceOf(alice, "laptop"), tablet]) {
        await sync(device.client);
        assert.deepEqual(await names(device), ["bank", "mail"]);
      }
      const findings: unknown[] = [];
      const { unused } = await alice.portal.store.read((r) => check(r, alice.portal.clock.now, (finding) => findings.push(finding)));
      assert.deepEqual([findings, unused], [[], []]);
    });
  }

  void test("words beside a digest that are not those of the profile are found and made anew, and nothing that the profile lists is called unused for them", async () => {
    const alice = await household({ laptop: "member" });
    await makeOlder(alice, true);
    const { store, clock } = alice.portal;
    const before = await store.read((r) => r.list(shelf.personals, ""));
    const [first] = before;
    const last = before.at(-1);
    assert.ok(first !== undefined && last !== undefined);
    const { words } = parseRow<{ words: object }>(first.value);
    await store.transact((w) => w.put(shelf.personals, last.key, canonicalBytes({ ...parseRow<Stamped>(last.value), words } as Json)));
    const findings: Finding[] = [];
    const { unused } = await store.read((r) => check(r, clock.now, (finding) => findings.push(finding)));
    assert.deepEqual([findings.map(({ what }) => what), unused], [["copy-wrong"], []]);
    await repair(store, findings.flatMap((one) => one.repairs));
    assert.deepEqual(await store.read((r) => r.list(shelf.personals, "")), before);
  });
});
