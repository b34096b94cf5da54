import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { authorityOf, nextCommit } from "../../src/catalogs/chain.ts";
import { type Commit, commit } from "../../src/catalogs/commits.ts";
import { sealChanges } from "../../src/catalogs/entries.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { beginEpoch, grantEpoch, type Place } from "../../src/catalogs/epoch-keys.ts";
import { change } from "../../src/catalogs/merge.ts";
import { toBase64url } from "../../src/bytes/base64url.ts";
import { type Self, signerOf } from "../../src/client/client.ts";
import { makeDeviceKeys } from "../../src/client/keys.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { makePin } from "../../src/client/operations/pin.ts";
import { pull, sync } from "../../src/client/sync.ts";
import type { Synced } from "../../src/client/synced.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { keyedUnder } from "../../src/envelope/keyed.ts";
import { type Jws, readSigned, signObject, type Signer } from "../../src/envelope/signed.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { applyParts } from "../../src/portal/batch.ts";
import { loadView } from "../../src/portal/view.ts";
import { loadWhole, type Whole } from "../../src/portal/whole.ts";
import { account } from "../../src/profiles/account.ts";
import { applicationProfile } from "../../src/profiles/application.ts";
import { connectionAnswer, pinNotice } from "../../src/profiles/connection.ts";
import { masterOf, personalOf, suspendedIn } from "../../src/profiles/mesh.ts";
import { type PersonalProfile, personalProfile } from "../../src/profiles/personal.ts";
import { rosterOf } from "../../src/profiles/roster.ts";
import { suspension } from "../../src/profiles/suspension.ts";
import { correctAccount, correctAnswer } from "../../src/profiles/validity.ts";
import { catalogRead } from "../../src/protocol/catalogs.ts";
import { connectComplete, connectPending } from "../../src/protocol/connections.ts";
import type { Part } from "../../src/protocol/parts.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { newDevice, type TestDevice } from "../support/world.ts";
import { serveAfter } from "./cheating.ts";
import { deviceOf, household, type Household, idOf, join, refused, whoIs } from "./household.ts";

const PLACEHOLDER = toBase64url(new Uint8Array(64));

async function viewOf(alice: Household): Promise<Whole> {
  const { master } = await whoIs(alice.desktop);
  const view = await alice.portal.store.read((r) => loadWhole(r, master));
  assert.ok(view !== undefined);
  return view;
}

/** Judges one part as the portal does, and says how many writes follow. */
async function judged({ portal }: Household, whole: Whole, part: Part, now: number): Promise<number> {
  const view = await portal.store.read((r) => loadView(r, whole.id));
  const applied = await applyParts({ id: whole.id, view, whole: async () => whole, read: portal.store.read.bind(portal.store) }, [part], now);
  return applied.effects.length;
}

/** Everything that can be signed, each as a part that would hold were its signer entitled to it. */
async function everything(view: Whole, self: Self, passwords: string, by: { device: Signer; administration: Signer }): Promise<Readonly<Record<string, Part>>> {
  const [personal, master] = [personalOf(view).payload, masterOf(view)];
  const { g, n } = personal;
  const chain = view.chains.get(passwords);
  const application = view.applications.get(passwords);
  assert.ok(chain !== undefined && application !== undefined);
  const place: Place = { catalog: passwords as Place["catalog"], epoch: chain.epoch, g, index: chain.index + 1, n, previous: chain.digest };
  const readers = personal.applications.find((one) => one.id === passwords)?.readers ?? [];
  const devices = readers.flatMap((id) => view.devices.get(id)?.payload ?? []);
  const spy = await makeDeviceKeys(openMemoryKeyring());
  const next: PersonalProfile = { ...personal, n: n + 1, previous: personalOf(view).digest, suspensions: view.suspensions.map((one) => one.object.digest) };
  const { payload: entries, body } = sealChanges(place, randomBytes(32), [change(newEntryId(), undefined, { name: "planted" })]);
  const sealed = keyedUnder(randomBytes(32), "x", new Uint8Array(8));
  const commitPart = async (payload: Commit, octets?: Uint8Array): Promise<Part> => ({ kind: "commit", object: (await signObject(commit, payload, by.device)).jws, ...(octets === undefined ? {} : { body: toBase64url(octets) }) });
  const target = readers.find((one) => one !== self.device) ?? self.device;
  return {
    personal: { kind: "personal", object: (await signObject(personalProfile, next, by.administration)).jws },
    application: { kind: "application", object: (await signObject(applicationProfile, { epoch: chain.epoch, g, id: passwords as never, n, previous: application.digest, sealed, v: 1, version: application.payload.version + 1 }, by.device)).jws },
    suspension: { kind: "suspension", object: (await signObject(suspension, { action: "suspend", g, heads: [], master: master.payload.id, n, target: target as never, v: 1 }, by.device)).jws },
    pin: { kind: "pin", object: (await signObject(pinNotice, { expires: 9e12, master: master.payload.id, pin: "ABCDE", status: "open", v: 1 }, by.administration)).jws },
    entries: await commitPart(entries, body),
    epoch: await commitPart((await beginEpoch({ ...place, epoch: chain.epoch + 1 }, devices, [], randomBytes(32))).payload),
    grant: await commitPart(await grantEpoch(place, randomBytes(32), [spy.profile.payload])),
  };
}

suite("a member does what only an administration device may", () => {
  let alice: Household;
  let laptop: TestDevice;
  let asking: { witness: string };
  let synced: Synced;
  before(async () => {
    alice = await household({ laptop: "member" });
    laptop = deviceOf(alice, "laptop");
    const stranger = newDevice(alice.portal);
    asking = await joinMesh(stranger.client, { address: "alice@example.com", master: (await whoIs(laptop)).master, portal: alice.at, deviceName: "stranger" });
    synced = await pull(laptop.client);
  });

  test("its own program refuses to accept a device, to make a PIN and to read what waits", async () => {
    await refused(laptop, () => acceptConnection(laptop.client, asking.witness, "member"), "device-not-administrator");
    await refused(laptop, () => makePin(laptop.client, 1000), "device-not-administrator");
  });

  test("the portal refuses it what waits, and an answer", async () => {
    await assert.rejects(synced.link.call(synced.requester, connectPending, {}), { code: "request-not-allowed" });
    const self = await whoIs(laptop);
    const [personal, master] = [personalOf(synced.mesh), masterOf(synced.mesh)];
    const answer = await signObject(connectionAnswer, { device: self.device, g: 1, heads: [], master: self.master, masterDigest: master.digest, n: personal.payload.n, personal: personal.digest, result: "rejected", role: "member", v: 1, witness: asking.witness as never }, signerOf(laptop.keyring, self.device));
    await assert.rejects(synced.link.call(synced.requester, connectComplete, { answer: answer.jws }), { code: "request-not-allowed" });
    await assert.rejects(correctAnswer(answer, rosterOf(master), suspendedIn(synced.mesh, 0)), { code: "profile-wrong-signer" });
  });

  test("nothing that it signs with any key it has is taken, by portal or client: Personal Profile, Application Profile, PIN, grant", async () => {
    const self = await whoIs(laptop);
    const passwords = await idOf(laptop, "passwords");
    for (const administration of [self.device, self.administrationKey]) {
      const parts = await everything(await viewOf(alice), self, passwords, { device: signerOf(laptop.keyring, self.device), administration: signerOf(laptop.keyring, administration) });
      const wanted: Readonly<Record<string, string>> = { personal: "profile-wrong-signer", application: "profile-wrong-signer", pin: "profile-wrong-signer", grant: "commit-wrong-author", epoch: "commit-wrong-author" };
      for (const [kind, code] of Object.entries(wanted)) {
        const part = parts[kind];
        assert.ok(part !== undefined);
        await assert.rejects(synced.link.call(synced.requester, publish, { parts: [part] }), { code }, kind);
      }
    }
    await sync(laptop.client);
  });

  test("nor does it edit, roll or read the catalog of administration", async () => {
    const self = await whoIs(laptop);
    const administration = await idOf(alice.desktop, "administration");
    const view = await viewOf(alice);
    const parts = await everything(view, self, administration, { device: signerOf(laptop.keyring, self.device), administration: signerOf(laptop.keyring, self.device) });
    for (const kind of ["entries", "epoch", "grant"]) {
      const part = parts[kind];
      assert.ok(part?.kind === "commit");
      await assert.rejects(synced.link.call(synced.requester, publish, { parts: [part] }), { code: "commit-wrong-author" }, kind);
      await assert.rejects(nextCommit(view.chains.get(administration), readSigned(part.object, commit), authorityOf(view, 0)), { code: "commit-wrong-author" }, kind);
    }
    await assert.rejects(synced.link.call(synced.requester, catalogRead, { after: 0, catalog: administration as never }), { code: "catalog-not-readable" });
  });

  test("honest twin: an administration device does all of it, and the member edits and reads what it may", async () => {
    const passwords = await idOf(laptop, "passwords");
    const self = await whoIs(alice.desktop);
    const signer = { device: signerOf(alice.desktop.keyring, self.device), administration: signerOf(alice.desktop.keyring, self.administrationKey) };
    const view = await viewOf(alice);
    const parts = await everything(view, self, passwords, signer);
    for (const kind of ["personal", "application", "pin", "epoch"]) assert.equal(await judged(alice, view, parts[kind] as Part, 0), 1, kind);
    const member = await whoIs(laptop);
    const theirs = await everything(view, member, passwords, { device: signerOf(laptop.keyring, member.device), administration: signer.administration });
    assert.equal(await judged(alice, view, theirs["entries"] as Part, 0), 1);
  });
});

suite("a suspended device signs anything", () => {
  test("every kind of part is refused, whoever brings it, and so are its account and answer; the same parts hold without the suspension", async () => {
    const alice = await household({ tower: "admin", laptop: "member" });
    const tower = deviceOf(alice, "tower");
    const self = await whoIs(tower);
    const passwords = await idOf(tower, "passwords");
    const by = { device: signerOf(tower.keyring, self.device), administration: signerOf(tower.keyring, self.administrationKey) };
    const now = alice.portal.clock.now;
    const unharmed = await everything(await viewOf(alice), self, passwords, by);
    for (const [kind, part] of Object.entries(unharmed)) if (kind !== "grant") assert.equal(await judged(alice, await viewOf(alice), part, now), 1, kind);

    const desktop = await whoIs(alice.desktop);
    const before = await viewOf(alice);
    const personal = personalOf(before).payload;
    const object = await signObject(suspension, { action: "suspend", g: personal.g, heads: [], master: desktop.master, n: personal.n, target: self.device as never, v: 1 }, signerOf(alice.desktop.keyring, desktop.administrationKey));
    const synced = await pull(alice.desktop.client);
    await synced.link.call(synced.requester, publish, { parts: [{ kind: "suspension", object: object.jws }] });
    synced.link.close();

    const view = await viewOf(alice);
    for (const [kind, part] of Object.entries({ ...unharmed, ...(await everything(view, self, passwords, by)) })) {
      await assert.rejects(judged(alice, view, part, now), (error: { code: string }) => error.code === "signer-suspended" || error.code === "commit-wrong-epoch", kind);
      const relay = await pull(deviceOf(alice, "laptop").client);
      await assert.rejects(relay.link.call(relay.requester, publish, { parts: [part] }), (error: { code: string }) => error.code === "signer-suspended" || error.code === "commit-wrong-epoch", kind);
      relay.link.close();
    }
    const suspended = suspendedIn(view, now);
    const closed = await signObject(account, { ...view.account.payload, previous: view.account.digest, status: "closed", version: 2 }, by.administration);
    await assert.rejects(correctAccount(closed, rosterOf(masterOf(view)), view.account, suspended), { code: "signer-suspended" });
    const answer = await signObject(connectionAnswer, { device: self.device, g: personal.g, heads: [], master: self.master, masterDigest: masterOf(view).digest, n: personal.n + 1, personal: PLACEHOLDER as never, result: "accepted", role: "member", v: 1, witness: self.device as never }, by.administration);
    await assert.rejects(correctAnswer(answer, rosterOf(masterOf(view)), suspended), { code: "signer-suspended" });
    await refused(tower, () => sync(tower.client), "device-disabled");
    await sync(deviceOf(alice, "laptop").client);
  });

  test("a commit that a portal takes from it all the same is refused by every device", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    const self = await whoIs(tablet);
    const keys = openMemoryKeyring();
    await keys.add(self.device, "device-signature", await tablet.keyring.open(self.device));
    await leaveMesh(tablet.client);
    await sync(laptop.client);
    const view = await viewOf(alice);
    const passwords = await idOf(laptop, "passwords");
    const parts = await everything(view, self, passwords, { device: signerOf(keys, self.device), administration: signerOf(keys, self.device) });
    for (const kind of ["entries", "epoch"]) {
      const part = parts[kind];
      assert.ok(part?.kind === "commit");
      const sent: { commit: Jws; body?: string } = { commit: part.object, ...(part.body === undefined ? {} : { body: part.body }) };
      const stop = serveAfter(alice.portal, sent);
      await refused(laptop, () => sync(laptop.client), "portal-false-data");
      stop();
    }
    await sync(laptop.client);
    await disableDevice(alice.desktop.client, "tablet");
    await join(alice, "phone");
  });
});
