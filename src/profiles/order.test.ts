import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { generateSigningKey } from "../crypto/key-pair.ts";
import { readSigned, signObject } from "../envelope/signed.ts";
import { udfOf } from "../udf/udf.ts";
import { countersignature } from "./countersignature.ts";
import { deviceProfile } from "./device.ts";
import { disabledIn, soundOf } from "./history.ts";
import { encapsulationJwk, signatureJwk } from "./keys.ts";
import { masterProfile } from "./master.ts";
import { masterOf, type Mesh, missingSuspensions, personalOf, withMaster, withPersonal } from "./mesh.ts";
import { type PersonalProfile, personalProfile } from "./personal.ts";
import { MAX_STEP } from "./personal-rules.ts";
import { addMaster, addPersonal, addSuspension, applicationOf, beginMesh, devicesWith, entryOf, HOUR, makeDevice, makePerson, nextMaster, nextPersonal, outcome, refused, signerWith, SOME_DIGEST, someId, suspensionOf, type TestDevice } from "./test-mesh.ts";
import { correctMaster, verifyDevice, verifyMaster } from "./validity.ts";
import { showVersion } from "./version.ts";

const [laptop, tower, phone, tablet] = (await Promise.all(Array.from({ length: 4 }, makeDevice))) as [TestDevice, TestDevice, TestDevice, TestDevice];
const alice = makePerson([laptop, tower]);
const CATALOG = someId();
const start = await beginMesh(alice, [laptop, tower], [phone], [applicationOf(CATALOG, [laptop, tower, phone], 2)]);
const by = laptop.administration;

const judged = (mesh: Mesh, changes: Partial<PersonalProfile>, arrived = 0) => outcome(() => addPersonal(mesh, nextPersonal(mesh, changes), by, [tablet], arrived));

suite("order of Personal Profiles (decision 4.2, decision record 10)", () => {
  test("(g, n+1) follows (g, n); a number that was used up may be stepped over, a few at most", async () => {
    for (const [n, code] of [[2, "ok"], [1 + MAX_STEP, "ok"], [2 + MAX_STEP, "profile-out-of-order"], [Number.MAX_SAFE_INTEGER, "profile-out-of-order"]] as const) assert.equal(await judged(start, { n }), code);
  });

  test("the first of all is (1, 1) and names nothing before it", async () => {
    const empty = { ...start, history: [], devices: new Map() };
    const first = personalOf(start).payload;
    for (const [changes, code] of [[{}, "ok"], [{ n: 2 }, "profile-out-of-order"], [{ previous: SOME_DIGEST }, "profile-out-of-order"]] as const) {
      assert.equal(await outcome(() => addPersonal(empty, { ...first, ...changes }, by, [laptop, tower, phone])), code);
    }
  });

  test("every wrong predecessor is refused: none, another's, one too old", async () => {
    const second = await addPersonal(start, nextPersonal(start), by);
    const { previous: _, ...without } = nextPersonal(second);
    await refused("profile-out-of-order", () => addPersonal(second, without, by));
    assert.equal(await judged(second, { previous: SOME_DIGEST }), "profile-out-of-order");
    assert.equal(await judged(second, { previous: personalOf(start).digest }), "profile-out-of-order");
    assert.equal(await judged(second, { previous: masterOf(start).digest }), "profile-out-of-order");
  });

  test("a version that is known already changes nothing, however old", async () => {
    const second = await addPersonal(start, nextPersonal(start), by);
    const third = await addPersonal(second, nextPersonal(second), by);
    const replayed = personalOf(second);
    assert.equal(await withPersonal(third, readSigned(replayed.jws, personalProfile), new Map(), 5), third);
  });

  test("two objects for one (g, n) are evidence, whoever signed which (profile-two-versions)", async () => {
    const second = await addPersonal(start, nextPersonal(start), by);
    const third = await addPersonal(second, nextPersonal(second), by);
    const other = { ...nextPersonal(start), heads: [{ catalog: CATALOG, digest: SOME_DIGEST, index: 1 }] };
    for (const mesh of [second, third]) for (const signer of [by, tower.administration]) await refused("profile-two-versions", () => addPersonal(mesh, other, signer));
    await refused("profile-two-versions", () => addPersonal(second, nextPersonal(start), tower.administration));
  });

  test("an object whose signature is false is evidence of nothing", async () => {
    const second = await addPersonal(start, nextPersonal(start), by);
    const other = { ...nextPersonal(start), heads: [{ catalog: CATALOG, digest: SOME_DIGEST, index: 1 }] };
    await refused("signature-invalid", () => addPersonal(second, other, { kid: by.kid, sign: (message) => phone.device.sign(message) }));
    await refused("profile-wrong-signer", () => addPersonal(second, other, phone.device));
  });

  test("a version names its own Master Profile by number and digest, and its own person", async () => {
    for (const [changes, code] of [[{ master: SOME_DIGEST }, "profile-out-of-order"], [{ g: 2, n: 1 }, "profile-out-of-order"], [{ id: makePerson([laptop]).id }, "profile-wrong-id"]] as const) assert.equal(await judged(start, changes), code);
    const grown = await addMaster(start, nextMaster(start, {}), alice.master);
    const late = { ...nextPersonal(start), g: 1, n: 2, master: masterOf(start).digest };
    const over = await addPersonal(grown, nextPersonal(grown), by);
    await refused("profile-out-of-order", () => addPersonal(over, { ...late, previous: personalOf(over).digest }, by));
    await refused("profile-out-of-order", () => addPersonal(over, { ...late, previous: personalOf(start).digest }, by));
  });

  test("a version names exactly the suspensions that arrived before it, in their order (decision 4.5)", async () => {
    const suspended = await addSuspension(await addSuspension(start, phone.id, by), phone.id, tower.administration);
    const [one, two] = suspended.suspensions.map((each) => each.object.digest);
    assert.ok(one !== undefined && two !== undefined);
    for (const [suspensions, code] of [[[one, two], "ok"], [[], "profile-out-of-order"], [[one], "profile-out-of-order"], [[two, one], "profile-out-of-order"], [[one, two, SOME_DIGEST], "profile-out-of-order"]] as const) {
      assert.equal(await judged(suspended, { suspensions: [...suspensions] }), code);
    }
    assert.deepEqual(missingSuspensions(start, { suspensions: [one, two] }), [one, two]);
    assert.deepEqual(missingSuspensions(suspended, { suspensions: [one] }), []);
  });
});

suite("override by a new Master Profile (decision 4.6)", () => {
  const later = async (arrivals: readonly number[]): Promise<Mesh> => {
    let mesh = start;
    for (const arrived of arrivals) mesh = await addPersonal(mesh, nextPersonal(mesh), tower.administration, [], arrived);
    return addMaster(mesh, nextMaster(mesh, {}), alice.master);
  };
  const named = (mesh: Mesh, n: number) => ({ previous: mesh.history[n - 1]?.profile.digest ?? SOME_DIGEST });

  test("(g+1, 1) names the last version of g, or an earlier one, whose successors become void", async () => {
    const mesh = await later([HOUR, 2 * HOUR, 3 * HOUR]);
    const kept = await addPersonal(mesh, nextPersonal(mesh), by, [], 4 * HOUR);
    const soundIn = (of: Mesh) => soundOf(of.history).map(({ profile: { payload } }) => showVersion(payload));
    assert.deepEqual(soundIn(kept), ["(1, 1)", "(1, 2)", "(1, 3)", "(1, 4)", "(2, 1)"]);
    const over = await addPersonal(mesh, nextPersonal(mesh, named(mesh, 2)), by, [], 4 * HOUR);
    assert.deepEqual(soundIn(over), ["(1, 1)", "(1, 2)", "(2, 1)"]);
  });

  test("what it makes void is at most 72 hours old, by the arrival of the first void version", async () => {
    const mesh = await later([HOUR, 2 * HOUR, 30 * HOUR]);
    for (const [n, at, code] of [[2, 74, "ok"], [2, 75, "profile-override-late"], [1, 73, "ok"], [1, 73.5, "profile-override-late"], [3, 102, "ok"], [3, 103, "profile-override-late"], [4, 10_000, "ok"]] as const) {
      assert.equal(await judged(mesh, named(mesh, n), at * HOUR), code, `${n} at ${at} h`);
    }
  });

  test("it names a version of g and of no other, and only under the new Master Profile", async () => {
    const two = await later([HOUR]);
    const under2 = await addPersonal(two, nextPersonal(two), by, [], HOUR);
    const three = await addMaster(under2, nextMaster(under2, {}), alice.master);
    assert.equal(await judged(three, named(three, 1), HOUR), "profile-out-of-order");
    const same = await addPersonal(start, nextPersonal(start), by);
    assert.equal(await judged(same, named(same, 1)), "profile-out-of-order");
  });

  test("nothing is added under g once there is a version under g+1, by whichever key of g", async () => {
    const grown = await addMaster(start, nextMaster(start, { administrationKeys: [laptop.listed] }), alice.master);
    const over = await addPersonal(grown, nextPersonal(grown, { applications: [], devices: devicesWith(grown, tower.id, { status: "disabled" }) }), by);
    for (const signer of [laptop.administration, tower.administration]) {
      for (const previous of [personalOf(start).digest, personalOf(over).digest]) await refused("profile-out-of-order", () => addPersonal(over, { ...nextPersonal(start), previous }, signer));
    }
  });

  test("a thousand versions of a thief lose against one g+1 (attack B3)", async () => {
    let mesh = start;
    for (let count = 0; count < 50; count++) mesh = await addPersonal(mesh, nextPersonal(mesh), tower.administration, [], count);
    mesh = await addMaster(mesh, nextMaster(mesh, { administrationKeys: [laptop.listed] }), alice.master);
    mesh = await addPersonal(mesh, nextPersonal(mesh, { ...named(mesh, 1), applications: [applicationOf(CATALOG, [laptop, phone], 1)], devices: devicesWith(mesh, tower.id, { status: "disabled" }) }), by, [], HOUR);
    await refused("profile-out-of-order", () => addPersonal(mesh, { ...nextPersonal(mesh), g: 1, n: 52, master: mesh.masters[0]?.digest ?? SOME_DIGEST }, tower.administration));
    await refused("profile-wrong-signer", () => addPersonal(mesh, nextPersonal(mesh), tower.administration));
  });
});

suite("what a Personal Profile may list (decisions 4.3, 4.4, 4.9)", () => {
  const entry = applicationOf(CATALOG, [laptop, tower, phone], 2);
  const rows: Readonly<Record<string, readonly [Partial<PersonalProfile>, string]>> = {
    "a new member": [{ devices: [...personalOf(start).payload.devices, entryOf(tablet, "member")] }, "ok"],
    "a device that is forgotten instead of disabled": [{ devices: personalOf(start).payload.devices.slice(0, 2), applications: [] }, "profile-wrong-role"],
    "an administration device that the Master Profile does not name": [{ devices: [...personalOf(start).payload.devices, entryOf(tablet, "admin")] }, "profile-wrong-role"],
    "a member made administration device": [{ devices: devicesWith(start, phone.id, { role: "admin" }) }, "profile-wrong-role"],
    "an administration device disabled without the Master key": [{ devices: devicesWith(start, tower.id, { status: "disabled" }), applications: [] }, "profile-wrong-role"],
    "an administration device made a member": [{ devices: devicesWith(start, tower.id, { role: "member" }), applications: [] }, "profile-wrong-role"],
    "the same device twice": [{ devices: [...personalOf(start).payload.devices, entryOf(phone, "member")] }, "profile-malformed"],
    "another digest for a device": [{ devices: devicesWith(start, phone.id, { digest: SOME_DIGEST }) }, "profile-wrong-role"],
    "one application twice": [{ applications: [entry, entry] }, "profile-malformed"],
    "two heads of one catalog": [{ heads: [1, 2].map((index) => ({ catalog: CATALOG, digest: SOME_DIGEST, index })) }, "profile-malformed"],
    "an application read by a device that is not active": [{ devices: devicesWith(start, phone.id, { status: "disabled" }) }, "profile-wrong-role"],
    "another home portal": [{ home: udfOf("application/test", new Uint8Array(2)) }, "profile-out-of-order"],
    "an application read by a stranger": [{ applications: [{ ...entry, readers: [...entry.readers, tablet.id] }] }, "profile-wrong-role"],
    "an application that names a reader twice": [{ applications: [{ ...entry, readers: [...entry.readers, phone.id] }] }, "profile-malformed"],
    "an editor who does not read": [{ applications: [{ ...entry, readers: [laptop.id, tower.id] }] }, "profile-wrong-role"],
    "a member that administers an application": [{ applications: [{ ...entry, administrators: [...entry.administrators, phone.id] }] }, "profile-wrong-role"],
    "an application without an administrator": [{ applications: [{ ...entry, administrators: [] }] }, "profile-wrong-role"],
  };
  for (const [what, [changes, code]] of Object.entries(rows)) test(`${what}: ${code}`, async () => assert.equal(await judged(start, changes), code));

  test("a disabled device is never active again in the same g", async () => {
    const gone = await addPersonal(start, nextPersonal(start, { applications: [applicationOf(CATALOG, [laptop, tower], 2)], devices: devicesWith(start, phone.id, { status: "disabled" }) }), by);
    assert.equal(await judged(gone, { devices: devicesWith(gone, phone.id, { status: "active" }) }), "profile-wrong-role");
  });

  test("a disabled device may be left out, an active one may not, and whoever was left out is never listed again in the same g", async () => {
    const applications = [applicationOf(CATALOG, [laptop, tower], 2)];
    const others = personalOf(start).payload.devices.slice(0, 2);
    const gone = await addPersonal(start, nextPersonal(start, { applications, devices: devicesWith(start, phone.id, { status: "disabled" }) }), by);
    const out = await addPersonal(gone, nextPersonal(gone, { devices: others }), by);
    const later = await addPersonal(out, nextPersonal(out), by);
    for (const mesh of [out, later]) for (const status of ["active", "disabled"] as const) assert.equal(await judged(mesh, { devices: [...others, entryOf(phone, "member", status)] }), "profile-wrong-role");
    assert.equal(await judged(later, { devices: [...others, entryOf(tablet, "member")] }), "ok");
    const disabling = disabledIn(later.history, phone.id);
    assert.equal(typeof disabling === "object" && disabling.digest, personalOf(gone).digest);
    // By the Master key's word it may be, as it may whatever it finds; an Administration Key that comes after it may not.
    const [grown, besides] = [await addMaster(later, nextMaster(later, {}), alice.master), { devices: [...others, entryOf(phone, "member")] }];
    assert.equal(await judged(grown, besides), "ok");
    assert.equal(await judged(await addPersonal(grown, nextPersonal(grown), by), besides), "profile-wrong-role");
  });

  test("a device comes with its profile, and keeps it for ever, under every Master Profile", async () => {
    await refused("profile-not-connected", () => addPersonal(start, nextPersonal(start, { devices: [...personalOf(start).payload.devices, entryOf(tablet, "member")] }), by, []));
    const exchanged = await verifyDevice(await signObject(deviceProfile, { ...phone.profile.payload, version: 2 }, phone.device));
    const grown = await addMaster(start, nextMaster(start, {}), alice.master);
    const payload = nextPersonal(grown, { devices: devicesWith(grown, phone.id, { digest: exchanged.digest }) });
    await refused("profile-wrong-role", async () => withPersonal(grown, await signObject(personalProfile, payload, by), new Map([[phone.id as string, exchanged]]), 0));
  });
});

suite("order of Master Profiles (decisions 4.2, 4.7)", () => {
  const next = nextMaster(start, { administrationKeys: [laptop.listed] });

  test("version g+1 names version g by digest; a gap, a wrong predecessor and a second first one are refused", async () => {
    for (const changes of [{ version: 3 }, { previous: SOME_DIGEST }, { version: 4, previous: SOME_DIGEST }]) await refused("profile-out-of-order", () => addMaster(start, { ...next, ...changes }, alice.master));
    const { previous: _, ...first } = next;
    await refused("profile-out-of-order", () => addMaster({ ...start, masters: [] }, first, alice.master));
    assert.equal(await outcome(() => addMaster(start, next, alice.master)), "ok");
  });

  test("two Master Profiles of one version are evidence; one known already changes nothing", async () => {
    const grown = await addMaster(start, next, alice.master);
    await refused("profile-two-versions", () => addMaster(grown, nextMaster(start, {}), alice.master));
    assert.equal(await withMaster(grown, readSigned(masterOf(start).jws, masterProfile)), grown);
  });

  test("no key stands at two places", async () => {
    const twice = [{ administrationKeys: [laptop.listed, laptop.listed] }, { administrationKeys: [laptop.listed, { ...tower.listed, device: laptop.id }] }, { recoveryKey: laptop.listed.signatureKey }, { administrationKeys: [{ ...laptop.listed, signatureKey: laptop.profile.payload.signatureKey }] }];
    for (const changes of twice) {
      const verified = await verifyMaster(await signObject(masterProfile, nextMaster(start, changes), alice.master));
      await refused("profile-malformed", () => correctMaster(verified, masterOf(start)));
    }
    const profile = { ...phone.profile.payload, authenticationKey: encapsulationJwk(phone.encryption.publicKey) };
    await refused("profile-malformed", async () => verifyDevice(await signObject(deviceProfile, profile, phone.device)));
  });

  test("a base key comes with a proof that this device holds it, and once for each application (decision 5.5)", async () => {
    const key = phone.profile.payload.baseKeys[0];
    const foreign = tablet.profile.payload.baseKeys[0];
    assert.ok(key !== undefined && foreign !== undefined);
    for (const baseKeys of [[foreign], [key, key], [{ ...key, proof: foreign.proof }], [{ ...key, pub: foreign.pub }]]) {
      await refused("profile-malformed", async () => verifyDevice(await signObject(deviceProfile, { ...phone.profile.payload, baseKeys }, phone.device)));
    }
  });

  test("only the Recovery Key replaces itself: by its countersignature over this very Master Profile", async () => {
    const recovery = generateSigningKey();
    const signed = await signObject(masterProfile, nextMaster(start, { recoveryKey: signatureJwk(recovery.publicKey) }), alice.master);
    const consent = (digest = signed.digest, purpose: "recovery-key" | "transition" = "recovery-key", signer = alice.recovery) => signObject(countersignature, { digest, purpose, v: 1 as const }, signer);
    await refused("profile-wrong-signer", () => withMaster(start, signed));
    await refused("profile-wrong-signer", async () => withMaster(start, signed, await consent(masterOf(start).digest)));
    await refused("profile-wrong-signer", async () => withMaster(start, signed, await consent(signed.digest, "transition")));
    for (const signer of [alice.master, laptop.administration, laptop.device, signerWith(recovery)]) await refused("signature-wrong-key", async () => withMaster(start, signed, await consent(signed.digest, "recovery-key", signer)));
    assert.equal(await outcome(async () => withMaster(start, signed, await consent())), "ok");
  });

  test("a Master Profile signed after the Master key was suspended never comes into force (decision 4.5)", async () => {
    const suspended = await addSuspension(start, alice.id, alice.recovery, 0);
    const grown = await addMaster(suspended, nextMaster(suspended, {}), alice.master);
    await refused("signer-suspended", () => addPersonal(grown, nextPersonal(grown), by, [], HOUR));
  });
});

suite("order of suspensions (decision 4.5)", () => {
  test("a suspension names the version current: neither one before, nor one to come", async () => {
    const second = await addPersonal(start, nextPersonal(start), by);
    for (const place of [{ n: 1 }, { n: 3 }, { g: 2, n: 1 }]) await refused("profile-out-of-order", () => addSuspension(second, phone.id, by, 0, place));
    await refused("profile-wrong-id", () => addSuspension(second, phone.id, by, 0, { master: makePerson([laptop]).id }));
  });

  test("a device disabled since cannot slip in a suspension of the time before, whatever portal helps it", async () => {
    const early = suspensionOf(start, laptop.id);
    const gone = await addPersonal(start, nextPersonal(start, { applications: [applicationOf(CATALOG, [laptop, tower], 2)], devices: devicesWith(start, phone.id, { status: "disabled" }) }), by);
    await refused("profile-out-of-order", () => addSuspension(gone, laptop.id, phone.device, 0, early));
    await refused("profile-wrong-signer", () => addSuspension(gone, laptop.id, phone.device));
  });

  test("the same suspension twice counts once", async () => {
    const once = await addSuspension(start, phone.id, by);
    assert.equal(await addSuspension(once, phone.id, by), once);
  });
});
