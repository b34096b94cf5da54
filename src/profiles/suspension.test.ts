import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { utf8 } from "../bytes/text.ts";
import { digestOf, readSigned, signObject } from "../envelope/signed.ts";
import { signatureKeyId } from "./keys.ts";
import { isActive, masterOf, type Mesh, personalOf, suspendedIn, wasSuspended } from "./mesh.ts";
import { rosterOf } from "./roster.ts";
import { type Admission, isSuspended, OTHERS, suspendedAt, suspension, type SuspensionEvent } from "./suspension.ts";
import { addMaster, addPersonal, addSuspension, applicationOf, beginMesh, devicesWith, entryOf, HOUR, makeDevice, makePerson, nextMaster, nextPersonal, refused, SOME_DIGEST, someId, suspensionOf, type TestDevice } from "./test-mesh.ts";
import { type ModelEvent, modelSuspended } from "./test-suspension-model.ts";
import { CONTEST_MS } from "./types.ts";

const [admin1, admin2, member, other] = (await Promise.all(Array.from({ length: 4 }, makeDevice))) as [TestDevice, TestDevice, TestDevice, TestDevice];
const alice = makePerson([admin1, admin2]);
const start = await beginMesh(alice, [admin1, admin2], [member, other], [applicationOf(someId(), [admin1, admin2, member, other], 2)], -1000 * HOUR);

const parties = ["recovery", "master", "admin 1", "admin 2", "member", "other"] as const;
type PartyName = (typeof parties)[number];
const idOf: Readonly<Record<PartyName, string>> = { recovery: signatureKeyId(alice.first.recoveryKey), master: alice.id, "admin 1": admin1.id, "admin 2": admin2.id, member: member.id, other: other.id };
const signerOf = { recovery: alice.recovery, master: alice.master, "admin 1": admin1.administration, "admin 2": admin2.administration, member: member.device, other: other.device };
const downIn = (mesh: Mesh, now: number): readonly PartyName[] => parties.filter((party) => suspendedIn(mesh, now).has(idOf[party]));

// Rows: who suspends. f: the target falls for good. x: signer and target fall, the target for 72 h. -: oneself, for good.
const matrix: Readonly<Record<PartyName, string>> = {
  //            recovery master admin1 admin2 member other
  recovery: "-      f      f      f      f      f",
  master: "x      -      f      f      f      f",
  "admin 1": "x      x      -      f      f      f",
  "admin 2": "x      x      x      -      f      f",
  member: "x      x      x      x      -      x",
  other: "x      x      x      x      x      -",
};

suite("suspension: every pair of ranks, in both orders (decision 4.5)", () => {
  for (const first of parties) {
    matrix[first].split(/ +/).forEach((kind, column) => {
      const second = parties[column] as PartyName;
      test(`${first} suspends ${second}, who then suspends ${first}: ${kind === "f" ? `${second} falls` : kind === "x" ? `both fall, ${second} for 72 h` : "falls alone"}`, async () => {
        const once = await addSuspension(start, idOf[second], signerOf[first], 0);
        const both = await addSuspension(once, idOf[first], signerOf[second], 1);
        const forGood = kind === "x" ? [first] : [second];
        const atFirst = kind === "x" ? parties.filter((party) => party === first || party === second) : forGood;
        for (const mesh of [once, both]) {
          assert.deepEqual(downIn(mesh, 1), atFirst);
          assert.deepEqual(downIn(mesh, CONTEST_MS - 1), atFirst);
          assert.deepEqual(downIn(mesh, CONTEST_MS), forGood);
          assert.deepEqual(downIn(mesh, 1000 * CONTEST_MS), forGood);
        }
      });
    });
  }
});

const contested = await addSuspension(start, admin1.id, member.device, 0);
const firm = await addSuspension(start, member.id, admin2.administration, 0);

suite("suspension: confirm and lift (decision 4.5)", () => {
  const change = async (mesh: Mesh, action: "confirm" | "lift", target: PartyName, by: PartyName, arrived = HOUR) => addSuspension(mesh, idOf[target], signerOf[by], arrived, { action, subject: mesh.suspensions[0]?.object.digest });

  test("a rank above the target makes a contested suspension firm; no other does", async () => {
    for (const by of parties) {
      const confirmed = await change(contested, "confirm", "admin 1", by);
      assert.deepEqual(downIn(confirmed, CONTEST_MS), by === "recovery" || by === "master" ? ["admin 1", "member"] : ["member"], by);
    }
  });

  test("after it has lapsed there is nothing to confirm", async () => {
    assert.deepEqual(downIn(await change(contested, "confirm", "admin 1", "master", CONTEST_MS), CONTEST_MS), ["member"]);
  });

  test("a rank above whoever suspended lifts it; the same rank, a lower one and the suspended do not", async () => {
    for (const by of parties) assert.deepEqual(downIn(await change(firm, "lift", "member", by), HOUR), ["recovery", "master", "admin 1"].includes(by) ? [] : ["member"], by);
  });

  test("a lift frees whom it names, not the griefer who fell with him", async () => {
    assert.deepEqual(downIn(await change(contested, "lift", "admin 1", "master"), HOUR), ["member"]);
    assert.deepEqual(downIn(await change(contested, "lift", "member", "admin 2"), HOUR), ["admin 1"]);
  });

  test("of two suspensions a lift ends one", async () => {
    const twice = await addSuspension(firm, member.id, alice.master, 1);
    assert.deepEqual(downIn(await change(twice, "lift", "member", "admin 1"), HOUR), ["member"]);
  });

  test("the Recovery Key lifts even its own", async () => {
    const own = await addSuspension(start, admin1.id, alice.recovery, 0);
    assert.deepEqual(downIn(await change(own, "lift", "admin 1", "master"), HOUR), ["admin 1"]);
    assert.deepEqual(downIn(await change(own, "lift", "admin 1", "recovery"), HOUR), []);
  });

  test("confirm and lift name a suspension, and a suspension names none", async () => {
    for (const [action, subject] of [["lift", undefined], ["confirm", undefined], ["suspend", firm.suspensions[0]?.object.digest]] as const) {
      await refused("signed-malformed", () => addSuspension(start, member.id, alice.master, 0, { action, ...(subject === undefined ? {} : { subject }) }));
    }
  });
});

suite("suspension: who falls with whom (decision 4.5)", () => {
  const admit = async (mesh: Mesh, device: TestDevice, by: TestDevice, arrived: number) => addPersonal(mesh, nextPersonal(mesh, { devices: [...personalOf(mesh).payload.devices, entryOf(device, "member")] }), by.administration, [device], arrived);

  test("devices that the target let in at most 72 hours before fall too; older ones and another's do not", async () => {
    const [early, late, others] = (await Promise.all([1, 2, 3].map(makeDevice))) as [TestDevice, TestDevice, TestDevice];
    const mesh = await admit(await admit(await admit(start, early, admin2, 0), late, admin2, HOUR), others, admin1, HOUR);
    const down = await addSuspension(mesh, admin2.id, admin1.administration, CONTEST_MS + HOUR);
    assert.deepEqual([admin2, early, late, others].map((one) => isActive(down, one.id, CONTEST_MS + HOUR)), [false, true, false, true]);
    assert.equal(isActive(await addSuspension(mesh, admin2.id, admin1.administration, CONTEST_MS + HOUR + 1), late.id, CONTEST_MS + HOUR + 1), true);
  });

  test("they fall as contested as whoever let them in, and with a signer who fell for good", async () => {
    const [guest] = [await makeDevice()];
    const mesh = await admit(start, guest, admin2, 0);
    const hit = await addSuspension(mesh, admin2.id, member.device, 1);
    assert.deepEqual([1, CONTEST_MS, CONTEST_MS + 1].map((now) => isActive(hit, guest.id, now)), [false, false, true]);
    const griefer = await addSuspension(mesh, admin1.id, admin2.administration, 1);
    assert.equal(isActive(griefer, guest.id, 1000 * CONTEST_MS), false);
  });

  test("an administration device was let in by the Master key, whoever signed the version that lists it first", async () => {
    const third = await makeDevice();
    const grown = await addMaster(start, nextMaster(start, { administrationKeys: [...masterOf(start).payload.administrationKeys, third.listed] }), alice.master);
    const mesh = await addPersonal(grown, nextPersonal(grown, { devices: [...personalOf(start).payload.devices, entryOf(third, "admin")] }), admin2.administration, [third], 0);
    assert.equal(isActive(await addSuspension(mesh, admin2.id, admin1.administration, 1), third.id, 1), true);
    assert.equal(isActive(await addSuspension(mesh, alice.id, alice.recovery, 1), third.id, 1), false);
  });

  test("a device that a void version let in and (g+1, 1) let in again owes its place to the second", async () => {
    const guest = await makeDevice();
    const thief = await admit(start, guest, admin2, 0);
    const grown = await addMaster(thief, nextMaster(thief, {}), alice.master);
    const again = { previous: personalOf(start).digest, devices: [...personalOf(start).payload.devices, entryOf(guest, "member")] };
    const mesh = await addPersonal(grown, nextPersonal(grown, again), admin1.administration, [], HOUR);
    assert.equal(isActive(await addSuspension(mesh, admin2.id, admin1.administration, 2 * HOUR), guest.id, 2 * HOUR), true);
    assert.equal(isActive(await addSuspension(mesh, admin1.id, alice.master, 2 * HOUR), guest.id, 2 * HOUR), false);
    const before = await addSuspension(thief, admin2.id, admin1.administration, HOUR);
    const grown2 = await addMaster(before, nextMaster(before, {}), alice.master);
    const after = await addPersonal(grown2, nextPersonal(grown2, again), admin1.administration, [], 2 * HOUR);
    assert.equal(isActive(after, guest.id, 2 * HOUR), false, "what fell already is not raised by being listed");
  });

  test("an administration device that signs with its device key speaks as any device", async () => {
    assert.deepEqual(downIn(await addSuspension(start, member.id, admin1.device, 0), CONTEST_MS), ["admin 1"]);
    assert.deepEqual(downIn(await addSuspension(start, admin1.id, admin1.device, 0), CONTEST_MS), ["admin 1"]);
  });

  test("a device and its Administration Key are one target", async () => {
    assert.deepEqual(downIn(await addSuspension(start, admin2.administration.kid, admin1.administration, 0), 0), ["admin 2"]);
  });
});

suite("suspension: what it makes void", () => {
  test("what the target signs after (g, n) is not Correct; what it signed up to (g, n) is", async () => {
    const mesh = await addSuspension(start, admin2.id, admin1.administration, 0);
    const down = suspendedIn(mesh, 0);
    for (const id of [admin2.id, admin2.administration.kid]) {
      assert.deepEqual([{ g: 1, n: 1 }, { g: 1, n: 2 }, { g: 2, n: 1 }].map((at) => isSuspended(down, id, rosterOf(masterOf(mesh)), at)), [false, true, true]);
    }
    await refused("signer-suspended", () => addPersonal(mesh, nextPersonal(mesh), admin2.administration, [], 1));
  });

  test("a suspension by a key that the Master Profile no longer lists stays what it was (no rank is taken from the past)", async () => {
    const mesh = await addSuspension(start, member.id, admin1.administration, 0);
    const grown = await addMaster(mesh, nextMaster(mesh, { administrationKeys: [admin2.listed] }), alice.master);
    const after = await addPersonal(grown, nextPersonal(grown, { applications: [], devices: devicesWith(grown, admin1.id, { status: "disabled" }) }), admin2.administration, [], HOUR);
    assert.deepEqual(downIn(after, 1000 * CONTEST_MS), ["member"]);
    const lifted = await addSuspension(after, member.id, admin2.administration, 2 * HOUR, { action: "lift", subject: mesh.suspensions[0]?.object.digest });
    assert.deepEqual(downIn(lifted, 2 * HOUR), []);
  });

  test("whether somebody was suspended at a version does not change with what comes later", async () => {
    const mesh = await addSuspension(start, member.id, admin2.administration, 0);
    const lifted = await addSuspension(mesh, member.id, admin1.administration, HOUR, { action: "lift", subject: mesh.suspensions[0]?.object.digest });
    const next = await addPersonal(lifted, nextPersonal(lifted), admin1.administration, [], 2 * HOUR);
    for (const each of [mesh, lifted, next]) assert.equal(wasSuspended(each, member.id, { g: 1, n: 1 }), true);
    assert.equal(wasSuspended(next, member.id, { g: 1, n: 2 }), false);
    assert.equal(wasSuspended(next, other.id, { g: 1, n: 1 }), false);
  });
});

// Events of the model: `admin 1` leaves the Master Profile in its second version; devices of both were let in by administration devices.
const speakers = [...parties, "device of admin 1", "device of admin 2"] as const;
const rosters = [alice.first, { ...alice.first, administrationKeys: [admin2.listed], version: 2 }].map((payload) => rosterOf({ digest: SOME_DIGEST, payload }));
const rankOf = (name: (typeof speakers)[number], g: number): number => ({ recovery: 0, master: 1, "admin 1": g === 1 ? 2 : OTHERS, "admin 2": g === 1 ? 3 : 2 })[name as string] ?? OTHERS;
const admissions: readonly Admission[] = [
  { device: member.id, by: admin1.id, at: { g: 1, n: 1 }, arrived: 0 },
  { device: other.id, by: admin2.id, at: { g: 1, n: 1 }, arrived: 30 * HOUR },
  { device: member.id, by: admin2.id, at: { g: 2, n: 1 }, arrived: 60 * HOUR },
];
const step = fc.record({
  action: fc.constantFrom("suspend" as const, "suspend" as const, "confirm" as const, "lift" as const),
  signer: fc.constantFrom(...speakers),
  target: fc.constantFrom(...parties),
  subject: fc.nat(7),
  hours: fc.constantFrom(0, 1, 20, 40, 72),
  renewed: fc.integer({ min: 0, max: 5 }).map((one) => one === 0),
});

suite("suspension: the rule against a naive model (decision 4.5)", () => {
  test("any events by any keys: the same are suspended at every moment", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const events: SuspensionEvent[] = [];
        const model: ModelEvent[] = [];
        let [arrived, g] = [0, 1];
        const keys = { ...Object.fromEntries(parties.map((name) => [name, signerOf[name].kid])), "device of admin 1": admin1.device.kid, "device of admin 2": admin2.device.kid } as Record<string, SuspensionEvent["object"]["kid"]>;
        const partyIds: Record<string, string> = { ...idOf, "device of admin 1": admin1.id, "device of admin 2": admin2.id };
        const signers: (typeof speakers)[number][] = [];
        for (const [place, { action: wanted, signer: who, target, subject, hours, renewed }] of steps.entries()) {
          arrived += hours * HOUR;
          if (renewed) g = 2;
          // A key that the Master Profile no longer lists cannot sign: `verifySuspension` refuses it.
          const signer = who === "admin 1" && g === 2 ? "device of admin 1" : who;
          signers.push(signer);
          const about = place === 0 ? undefined : subject % place;
          const action = about === undefined ? "suspend" : wanted;
          const digest = digestOf(utf8(`${place}`));
          const payload = suspensionOf(start, idOf[target], { action, g, ...(action === "suspend" ? {} : { subject: digestOf(utf8(`${about}`)) }) });
          events.push({ arrived, object: { digest, kid: keys[signer], payload } as SuspensionEvent["object"] });
          const admitted: Record<string, string[]> = {};
          for (const device of [member.id, other.id]) {
            const last = admissions.findLast((one) => one.device === device && one.at.g <= g);
            if (last !== undefined && arrived - last.arrived <= CONTEST_MS) (admitted[last.by] ??= []).push(device);
          }
          const subjectSigner = signers[about ?? place] ?? signer;
          model.push({ action, signer: partyIds[signer] ?? "", rank: rankOf(signer, g), target: idOf[target], targetRank: rankOf(target, g), subject: about ?? -1, arrived, subjectRank: rankOf(subjectSigner, g), admitted });
        }
        for (const now of [arrived, arrived + CONTEST_MS - 1, arrived + CONTEST_MS]) {
          const down = suspendedAt(rosters, events, admissions, now);
          for (const party of parties) assert.equal(down.has(idOf[party]), modelSuspended(model, model.length, idOf[party], now), `${party} at ${now / HOUR} h`);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("no lower rank ever holds a higher one for more than 72 hours unconfirmed, and never without falling itself", () => {
    const attacker = fc.constantFrom<PartyName>("admin 2", "member", "other");
    fc.assert(
      fc.property(fc.array(fc.tuple(attacker, fc.constantFrom(...parties), fc.nat(10)), { minLength: 1, maxLength: 6 }), (orders) => {
        let arrived = 0;
        const events = orders.map(([by, target, hours], place) => ({ arrived: (arrived += hours * HOUR), object: { digest: digestOf(utf8(`${place}`)), kid: signerOf[by].kid, payload: suspensionOf(start, idOf[target]) } as SuspensionEvent["object"] }));
        const down = suspendedAt([rosterOf({ digest: SOME_DIGEST, payload: alice.first })], events, [], arrived);
        for (const high of ["recovery", "master", "admin 1"] as const) {
          const standing = down.get(idOf[high]);
          if (standing === undefined) continue;
          assert.ok(standing.until !== undefined && standing.until <= arrived + CONTEST_MS);
          assert.ok(standing.digests.every((digest) => down.get(events.find((one) => one.object.digest === digest)?.object.kid === signerOf["admin 2"].kid ? admin2.id : (events.find((one) => one.object.digest === digest)?.object.kid ?? "")) !== undefined));
        }
      }),
    );
  });

  test("a suspension read again from its text is the same", async () => {
    const signed = await signObject(suspension, suspensionOf(start, member.id), alice.master);
    assert.deepEqual(readSigned(JSON.parse(JSON.stringify(signed.jws)), suspension).payload, signed.payload);
  });
});
