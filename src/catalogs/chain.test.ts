import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { EncapsulationKey } from "../crypto/key-pair.ts";
import { generateDecapsulationKey } from "../crypto/key-pair.ts";
import { randomBytes } from "../crypto/random.ts";
import { seal } from "../envelope/sealed.ts";
import { masterOf, type Mesh, personalOf } from "../profiles/mesh.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import { rosterOf } from "../profiles/roster.ts";
import { addMaster, addPersonal, addSuspension, applicationOf, beginMesh, devicesWith, entryOf, HOUR, makeDevice, makePerson, nextMaster, nextPersonal, outcome, SOME_DIGEST, someId, type TestDevice } from "../profiles/test-mesh.ts";
import type { Code } from "../refusals/codes.ts";
import { authorityOf, cutOf } from "./chain.ts";
import { type Commit, wrapSubject } from "./commits.ts";
import { sealChanges } from "./entries.ts";
import { beginEpoch, grantEpoch } from "./epoch-keys.ts";
import { owed } from "./freshness.ts";
import { append, disable, grant, headsOf, NOTHING, placeIn, roll, type TestCatalog, write } from "./test-catalog.ts";

const [laptop, tower, phone, tablet, radio, guest] = (await Promise.all(Array.from({ length: 6 }, makeDevice))) as [TestDevice, TestDevice, TestDevice, TestDevice, TestDevice, TestDevice];
const alice = makePerson([laptop, tower]);
const [ID, OTHER] = [someId(), someId()];
const readableByRadio = (id: typeof ID, devices: readonly TestDevice[]) => {
  const entry = applicationOf(id, devices, 2);
  return { ...entry, readers: [...entry.readers, radio.id] };
};
// OTHER is what the administration devices alone read.
const mesh = await beginMesh(alice, [laptop, tower], [phone, tablet, radio], [readableByRadio(ID, [laptop, tower, phone, tablet]), applicationOf(OTHER, [laptop, tower], 2)], -1000 * HOUR);
const base = await write(await roll(NOTHING, ID, mesh, laptop), ID, mesh, phone, "first");
const next = await addPersonal(mesh, nextPersonal(mesh), laptop.administration);

type Case = { readonly by?: TestDevice; readonly mesh?: Mesh; readonly catalog?: TestCatalog; readonly change?: (payload: Commit) => Commit };
const payloadFor = (catalog: TestCatalog, of: Mesh) => sealChanges(placeIn(catalog, ID, of), base.keys[1] ?? randomBytes(32), []).payload;
const entriesCase = ({ by = phone, mesh: of = mesh, catalog = base, change = (payload) => payload }: Case) => outcome(() => append(catalog, change(payloadFor(catalog, of)), by.device, authorityOf(of, 0)));

suite("chain: the place of a commit (decision 6.1)", () => {
  const rows: Readonly<Record<string, readonly [Case, Code | "ok"]>> = {
    "the next one": [{}, "ok"],
    "a gap": [{ change: (payload) => ({ ...payload, index: payload.index + 1 }) }, "commit-out-of-order"],
    "a place that is taken": [{ change: (payload) => ({ ...payload, index: payload.index - 1 }) }, "commit-out-of-order"],
    "another predecessor": [{ change: (payload) => ({ ...payload, previous: SOME_DIGEST }) }, "commit-out-of-order"],
    "no predecessor": [{ change: ({ previous: _, ...payload }) => payload as Commit }, "commit-out-of-order"],
    "the predecessor's predecessor": [{ change: (payload) => ({ ...payload, previous: base.commits[0]?.signed.digest }) as Commit }, "commit-out-of-order"],
    "another catalog: two chains are not spliced": [{ change: (payload) => ({ ...payload, catalog: OTHER }) }, "commit-out-of-order"],
    "a version that is not known": [{ change: (payload) => ({ ...payload, n: 2 }) }, "commit-unknown-version"],
    "an epoch to come": [{ change: (payload) => ({ ...payload, epoch: 2 }) }, "commit-wrong-epoch"],
    "entries before there is an epoch": [{ catalog: NOTHING, by: laptop }, "commit-wrong-epoch"],
    "by an administration device": [{ by: tower }, "ok"],
    "by a device that reads only": [{ by: radio }, "commit-wrong-author"],
    "by a device that is not of this mesh": [{ by: guest }, "commit-wrong-author"],
  };
  for (const [what, [given, expected]] of Object.entries(rows)) test(`${what}: ${expected}`, async () => assert.equal(await entriesCase(given), expected));

  test("(g, n) never falls along the chain: nothing is written back into the past", async () => {
    const later = await write(base, ID, next, phone, "later");
    assert.equal(await entriesCase({ mesh: next, catalog: later, change: (payload) => ({ ...payload, n: 1 }) }), "commit-out-of-order");
    assert.equal(await entriesCase({ mesh: next, catalog: base, change: (payload) => ({ ...payload, n: 1 }) }), "ok");
  });

  test("the same commit twice is out of order the second time", async () => {
    const [, second] = base.commits;
    assert.equal(await outcome(() => append(base, second?.signed.payload ?? assert.fail(), phone.device, authorityOf(mesh, 0))), "commit-out-of-order");
  });

  test("entries under an epoch that was superseded are refused, and so are those under one older than a removal their author knew", async () => {
    const rolled = await roll(base, ID, mesh, laptop);
    assert.equal(await entriesCase({ catalog: rolled, change: (payload) => ({ ...payload, epoch: 1 }) }), "commit-wrong-epoch");
    const without = await disable(mesh, tablet, laptop, [base]);
    assert.equal(await entriesCase({ mesh: without }), "commit-wrong-epoch");
    assert.equal(await outcome(async () => write(await roll(base, ID, without, phone), ID, without, phone, "new")), "ok");
  });

  test("an editor who was not given the key cannot write", async () => {
    const grown = await addPersonal(mesh, nextPersonal(mesh, { applications: [readableByRadio(ID, [laptop, tower, phone, tablet, guest]), ...personalOf(mesh).payload.applications.slice(1)], devices: [...personalOf(mesh).payload.devices, entryOf(guest, "member")] }), laptop.administration, [guest]);
    assert.equal(await entriesCase({ mesh: grown, by: guest }), "commit-wrong-author");
    assert.equal(await outcome(async () => write(await grant(base, ID, grown, laptop, [guest]), ID, grown, guest, "x")), "ok");
  });
});

suite("chain: epochs and grants (decision 6.2, attack B1)", () => {
  const keys = (...devices: readonly TestDevice[]) => devices.map((one) => encapsulationKey(one.profile.payload.encryptionKey));
  const everyone = [laptop, tower, phone, tablet, radio];
  const epoch = async (recipients: readonly EncapsulationKey[], { by = laptop, of = mesh, change = (payload) => payload, catalog = base, id = ID, number = 2, now = 0 }: { by?: TestDevice; of?: Mesh; change?: (payload: Commit) => Commit; catalog?: TestCatalog; id?: typeof ID; number?: number; now?: number } = {}) =>
    outcome(async () => {
      const made = await beginEpoch({ ...placeIn(catalog, ID, of), epoch: number }, [laptop.profile.payload], [], base.keys[1]);
      const wraps = await seal(wrapSubject(id, number), randomBytes(32), recipients);
      return append(catalog, change({ ...made.payload, wraps }), by.device, authorityOf(of, now));
    });

  test("an epoch is for exactly the readers of its version: one key more is refused, one fewer, and one exchanged", async () => {
    assert.equal(await epoch(keys(...everyone)), "ok");
    assert.equal(await epoch([...keys(...everyone), generateDecapsulationKey().publicKey]), "commit-wrong-readers");
    assert.equal(await epoch(keys(...everyone, guest)), "commit-wrong-readers");
    assert.equal(await epoch(keys(...everyone.slice(1))), "commit-wrong-readers");
    assert.equal(await epoch([...keys(...everyone.slice(1)), generateDecapsulationKey().publicKey]), "commit-wrong-readers");
    assert.equal(await epoch([...keys(...everyone.slice(1)), encapsulationKey(laptop.profile.payload.authenticationKey)]), "commit-wrong-readers");
  });

  test("it bears the next number, and the key before under its own", async () => {
    for (const number of [1, 3]) assert.equal(await epoch(keys(...everyone), { number }), "commit-wrong-epoch");
    assert.equal(await epoch(keys(...everyone), { change: ({ previousKey: _, ...payload }: Commit & { previousKey?: unknown }) => payload as Commit }), "commit-wrong-epoch");
    assert.equal(await epoch(keys(...everyone), { catalog: NOTHING, number: 1 }), "commit-wrong-epoch");
    // The epoch that it goes on from is named only where it is not the one before, and never one that is not before.
    for (const previousEpoch of [1, 2, 3]) assert.equal(await epoch(keys(...everyone), { change: (payload) => ({ ...payload, previousEpoch }) as Commit }), "commit-wrong-epoch");
  });

  test("wraps of another catalog's epoch are not wraps of this one's", async () => assert.equal(await epoch(keys(...everyone), { id: OTHER }), "sealed-malformed"));

  test("nobody but a suspended device is left out", async () => {
    const excluding = (payload: Commit) => ({ ...payload, excluded: [tablet.id] }) as Commit;
    const others = keys(...everyone.filter((one) => one !== tablet));
    assert.equal(await epoch(others, { change: excluding }), "commit-wrong-readers");
    const down = await addSuspension(mesh, tablet.id, laptop.administration);
    assert.equal(await epoch(others, { of: down, change: excluding }), "ok");
    const lifted = await addPersonal(await addSuspension(down, tablet.id, alice.master, 0, { action: "lift", subject: down.suspensions[0]?.object.digest }), { ...nextPersonal(down), suspensions: [] }, laptop.administration).catch(() => undefined);
    assert.equal(lifted, undefined, "a version names every suspension, a lift too");
    const free = await addSuspension(down, tablet.id, alice.master, 0, { action: "lift", subject: down.suspensions[0]?.object.digest });
    const after = await addPersonal(free, nextPersonal(free), laptop.administration);
    assert.equal(await epoch(others, { of: after, change: excluding }), "commit-wrong-readers", "not under a version after the lift");
    assert.equal(await epoch(others, { of: after, change: (payload) => ({ ...excluding(payload), n: 1 }) }), "ok", "what was made before the lift can still be replayed");
  });

  test("a member begins an epoch when one is owed, and never otherwise; a reader never", async () => {
    assert.equal(await epoch(keys(...everyone), { by: phone }), "commit-wrong-author");
    const without = await disable(mesh, tablet, laptop, [base]);
    assert.equal(await epoch(keys(laptop, tower, phone, radio), { by: phone, of: without }), "ok");
    assert.equal(await epoch(keys(laptop, tower, phone, radio), { by: radio, of: without }), "commit-wrong-author");
    assert.equal(await epoch(keys(...everyone), { by: phone, of: without }), "commit-wrong-readers");
  });

  test("a grant is by an administrator, to readers who do not hold the key, under the current epoch", async () => {
    const devices = [...personalOf(mesh).payload.devices, entryOf(guest, "member")];
    const grown = await addPersonal(mesh, nextPersonal(mesh, { applications: [readableByRadio(ID, [laptop, tower, phone, tablet, guest]), ...personalOf(mesh).payload.applications.slice(1)], devices }), laptop.administration, [guest]);
    const give = (by: TestDevice, to: readonly TestDevice[], of = grown, change = (payload: Commit) => payload) => outcome(async () => append(base, change(await grantEpoch(placeIn(base, ID, of), randomBytes(32), to.map((one) => one.profile.payload))), by.device, authorityOf(of, 0)));
    assert.equal(await give(laptop, [guest]), "ok");
    assert.equal(await give(tower, [guest]), "ok");
    assert.equal(await give(phone, [guest]), "commit-wrong-author");
    assert.equal(await give(guest, [guest]), "commit-wrong-author");
    assert.equal(await give(laptop, [phone]), "commit-wrong-readers");
    assert.equal(await give(laptop, [guest], mesh), "commit-wrong-readers");
    assert.equal(await give(laptop, [guest], grown, (payload) => ({ ...payload, epoch: 2 })), "commit-wrong-epoch");
    assert.equal(await give(laptop, [await makeDevice()]), "commit-wrong-readers");
  });
});

suite("chain: authors who are cut off (decisions 4.5, 4.6, 5.4, attack B2)", () => {
  const standing = async (catalog: TestCatalog, of: Mesh, by: TestDevice, at: { g: number; n: number }) => (await write(catalog, ID, of, by, "late", at)).commits.at(-1)?.standing;
  const early = { g: 1, n: 1 };

  test("a disabled device writes nothing under the version that disables it or a later one", async () => {
    const without = await disable(mesh, phone, laptop, [base]);
    const rolled = await roll(base, ID, without, laptop);
    assert.equal(await outcome(() => write(rolled, ID, without, phone, "x")), "commit-wrong-author");
    assert.equal(await outcome(() => write(rolled, ID, without, phone, "x", early)), "commit-out-of-order");
  });

  test("what it slips in before the new epoch, with a portal's help, is quarantined: it is after the heads its disabler knew", async () => {
    const without = await disable(mesh, phone, laptop, [base]);
    assert.equal(cutOf(without, phone.id, ID), 2);
    assert.equal(await standing(base, without, phone, early), "quarantined");
    assert.equal(await standing(base, without, tablet, early), "stands");
    const written = await write(base, ID, mesh, phone, "before");
    const knew = await disable(mesh, phone, laptop, [written]);
    assert.equal(cutOf(knew, phone.id, ID), 3);
    assert.equal(await standing(base, knew, phone, early), "stands");
  });

  test("heads that do not name the catalog leave standing what the last sound version named, or nothing", async () => {
    assert.equal(await standing(base, await disable(mesh, phone, laptop, []), phone, early), "quarantined");
    const noted = await addPersonal(mesh, nextPersonal(mesh, { heads: [{ catalog: ID, digest: SOME_DIGEST, index: 9 }] }), tower.administration);
    assert.equal(cutOf(await disable(noted, phone, laptop, []), phone.id, ID), 9);
    // A thief's own word for what was known says nothing.
    const down = await addSuspension(noted, tower.id, laptop.administration);
    assert.equal(await standing(base, down, tower, { g: 1, n: 2 }), "quarantined");
    assert.equal(await standing(base, await addSuspension(noted, tower.id, laptop.administration, 0, { heads: [{ catalog: ID, digest: SOME_DIGEST, index: 9 }] }), tower, { g: 1, n: 2 }), "stands");
  });

  test("a member that suspends an administration device cuts it off in catalogs that the member does not read, too", async () => {
    const secret = await write(await roll(NOTHING, OTHER, mesh, laptop), OTHER, mesh, laptop, "known");
    const down = await addSuspension(mesh, laptop.id, phone.device, 0, { heads: headsOf([base]) });
    assert.equal((await write(secret, OTHER, down, laptop, "a PIN of the thief's", early)).commits.at(-1)?.standing, "quarantined");
  });

  test("a suspended device writes nothing under a later version, and nothing that counts under the same one", async () => {
    const down = await addSuspension(mesh, phone.id, laptop.administration, 0, { heads: headsOf([base]) });
    assert.equal(await standing(base, down, phone, early), "quarantined");
    const later = await addPersonal(down, nextPersonal(down), laptop.administration);
    assert.equal(await outcome(() => write(base, ID, later, phone, "x")), "signer-suspended");
  });

  test("entries under an overridden version stay if their author is still listed, and are quarantined if not", async () => {
    const admitted = await addPersonal(mesh, nextPersonal(mesh, { applications: [readableByRadio(ID, [laptop, tower, phone, tablet, guest]), ...personalOf(mesh).payload.applications.slice(1)], devices: [...personalOf(mesh).payload.devices, entryOf(guest, "member")] }), tower.administration, [guest]);
    const granted = await grant(base, ID, admitted, tower, [guest]);
    const over = await addMaster(admitted, nextMaster(admitted, { administrationKeys: masterOf(mesh).payload.administrationKeys.slice(0, 1) }), alice.master);
    const clean = await addPersonal(over, nextPersonal(over, { previous: personalOf(mesh).digest, applications: [{ ...readableByRadio(ID, [laptop, phone, tablet]), administrators: [laptop.id] }], devices: devicesWith(mesh, tower.id, { status: "disabled" }), heads: headsOf([granted]) }), laptop.administration, [], HOUR);
    assert.equal(await standing(granted, clean, phone, { g: 1, n: 2 }), "stands");
    assert.equal(await standing(granted, clean, guest, { g: 1, n: 2 }), "quarantined");
    const due = owed(granted.chain, ID, clean.history, authorityOf(clean, HOUR).suspended, rosterOf(masterOf(clean)));
    assert.deepEqual([due.roll, due.readers.includes(guest.id)], [true, false]);
  });
});

suite("chain: what is owed (decisions 5.4, 6.2)", () => {
  const due = (catalog: TestCatalog, of: Mesh, now = 0) => owed(catalog.chain, ID, of.history, authorityOf(of, now).suspended, rosterOf(masterOf(of)));

  test("nothing, if the epoch is for all readers and no reader left since", () => assert.deepEqual([due(base, mesh).roll, due(base, mesh).grants], [false, []]));

  test("a first epoch; a new one after a removal; a new one without whoever is suspended, for as long as he is", async () => {
    assert.equal(due(NOTHING, mesh).roll, true);
    const without = await disable(mesh, tablet, laptop, [base]);
    assert.equal(due(base, without).roll, true);
    assert.equal(due(await roll(base, ID, without, phone), without).roll, false);
    const down = await addSuspension(mesh, laptop.id, phone.device, 0);
    assert.deepEqual([...due(base, down).excluded].sort(), [laptop.id, phone.id].sort());
    const rolled = await roll(base, ID, down, tower, { excluded: [laptop.id, phone.id] });
    assert.equal(due(rolled, down).roll, false);
    // After 72 hours the target is back and is owed the key; the one who suspended a higher rank is not.
    assert.deepEqual(due(rolled, down, 73 * HOUR).grants, [laptop.id]);
  });

  test("a removal is not forgotten when the device is let in again under another Master Profile", async () => {
    const without = await disable(mesh, tablet, laptop, [base]);
    const grown = await addMaster(without, nextMaster(without, {}), alice.master);
    const back = await addPersonal(grown, nextPersonal(grown, { applications: personalOf(mesh).payload.applications, devices: personalOf(mesh).payload.devices }), laptop.administration);
    assert.equal(due(base, back).roll, true);
  });

  test("grants, to readers who do not hold the key yet", async () => {
    const grown = await addPersonal(mesh, nextPersonal(mesh, { applications: [readableByRadio(ID, [laptop, tower, phone, tablet, guest]), ...personalOf(mesh).payload.applications.slice(1)], devices: [...personalOf(mesh).payload.devices, entryOf(guest, "member")] }), laptop.administration, [guest]);
    assert.deepEqual([due(base, grown).roll, due(base, grown).grants], [false, [guest.id]]);
    assert.deepEqual(due(await grant(base, ID, grown, laptop, [guest]), grown).grants, []);
  });
});
