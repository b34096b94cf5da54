// Makes vectors/profiles anew: node scripts/make-profile-vectors.ts. Keys and signatures are random, so every run gives others.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { generateSigningKey } from "../src/crypto/key-pair.ts";
import { type ObjectType, signedBytes, signObject, type Signer } from "../src/envelope/signed.ts";
import { account } from "../src/profiles/account.ts";
import { countersignature } from "../src/profiles/countersignature.ts";
import { signatureJwk } from "../src/profiles/keys.ts";
import { masterProfile } from "../src/profiles/master.ts";
import { masterOf, type Mesh, personalOf, withMaster, withPersonal, withSuspension } from "../src/profiles/mesh.ts";
import { type PersonalProfile, personalProfile } from "../src/profiles/personal.ts";
import { suspension } from "../src/profiles/suspension.ts";
import { applicationOf, beginMesh, devicesWith, entryOf, HOME, HOUR, makeDevice, makePerson, nextMaster, nextPersonal, SOME_DIGEST, someId, suspensionOf, type TestDevice } from "../src/profiles/test-mesh.ts";
import { udfOf } from "../src/udf/udf.ts";

const folder = join(import.meta.dirname, "../vectors/profiles");
for (const kind of ["valid", "invalid"]) {
  rmSync(join(folder, kind), { recursive: true, force: true });
  mkdirSync(join(folder, kind), { recursive: true });
}
const objects: Record<string, { kind: string; arrived?: number; text: string }> = {};

async function put<P>(name: string, type: ObjectType<P>, payload: P, by: Signer, arrived?: number) {
  const signed = await signObject(type, payload, by);
  const kind = type.typ.replace(/^mesh-|(-profile)?\+json$/g, "");
  objects[name] = { kind, ...(arrived === undefined ? {} : { arrived }), text: new TextDecoder().decode(signedBytes(signed)) };
  return signed;
}
const vector = (folderName: "valid" | "invalid", name: string, about: string, steps: readonly string[], outcome: string, more: object = {}) => writeFileSync(join(folder, folderName, `${name}.json`), `${JSON.stringify({ about, steps, outcome, ...more }, null, 1)}\n`);

const [laptop, tower, phone, tablet] = (await Promise.all(Array.from({ length: 4 }, makeDevice))) as [TestDevice, TestDevice, TestDevice, TestDevice];
const alice = makePerson([laptop, tower]);
const bob = makePerson([tablet]);
const [by, low] = [laptop.administration, tower.administration];
const catalog = someId();
for (const [name, device] of Object.entries({ laptop, tower, phone, tablet })) objects[`device-${name}`] = { kind: "device", text: new TextDecoder().decode(signedBytes(device.profile)) };

let mesh = await beginMesh(alice, [laptop, tower], [phone], [applicationOf(catalog, [laptop, tower, phone], 2)]);
await put("master-1", masterProfile, masterOf(mesh).payload, alice.master);
await put("personal-1-1", personalProfile, personalOf(mesh).payload, by, 0);
const start = ["master-1", "device-laptop", "device-tower", "device-phone", "personal-1-1"];
const first = mesh;
const personal = async (name: string, from: Mesh, changes: Partial<PersonalProfile>, signer: Signer, arrived: number) => put(name, personalProfile, nextPersonal(from, changes), signer, arrived);
const grow = async (from: Mesh, name: string, changes: Partial<PersonalProfile>, signer: Signer, arrived: number) => withPersonal(from, await personal(name, from, changes, signer, arrived), new Map([[tablet.id as string, tablet.profile]]), arrived);

// --- what holds
vector("valid", "first", "The first state of a mesh", start, "ok");
const withTablet = { devices: [...personalOf(mesh).payload.devices, entryOf(tablet, "member")] };
mesh = await grow(mesh, "personal-1-2", withTablet, low, HOUR);
vector("valid", "admission", "A lower administration device lets a member in", [...start, "device-tablet", "personal-1-2"], "ok");
vector("valid", "replay", "A version that is known already changes nothing", [...start, "device-tablet", "personal-1-2", "personal-1-1"], "ok");
await personal("personal-1-5", first, { ...withTablet, n: 5 }, by, HOUR);
vector("valid", "number-stepped-over", "A number may be stepped over", [...start, "device-tablet", "personal-1-5"], "ok");
const sus = await put("suspension-tower", suspension, suspensionOf(mesh, tower.id), by, 2 * HOUR);
const down = await withSuspension(mesh, sus, 2 * HOUR);
await personal("personal-1-3-after-suspension", down, {}, by, 3 * HOUR);
const story = [...start, "device-tablet", "personal-1-2"];
vector("valid", "suspension", "A higher administration device suspends a lower one, and with it the member that it let in an hour before", [...story, "suspension-tower", "personal-1-3-after-suspension"], "ok", { at: 3 * HOUR, suspended: [tower.id, tablet.id].sort() });
await put("suspension-contested", suspension, suspensionOf(mesh, laptop.id), phone.device, 2 * HOUR);
vector("valid", "suspension-contested", "A member suspends an administration device: both fall, the member for good", [...story, "suspension-contested"], "ok", { at: 3 * HOUR, suspended: [laptop.id, phone.id].sort() });
vector("valid", "suspension-lapsed", "The same after 72 hours", [...story, "suspension-contested"], "ok", { at: 75 * HOUR, suspended: [phone.id] });
const second = await put("master-2", masterProfile, nextMaster(mesh, { administrationKeys: [laptop.listed] }), alice.master);
const grown = await withMaster(mesh, second);
const gone = { applications: [applicationOf(catalog, [laptop, phone], 1)], devices: devicesWith(mesh, tower.id, { status: "disabled" }) };
const over = await grow(grown, "personal-2-1", gone, by, 4 * HOUR);
vector("valid", "new-master", "A new Master Profile takes an Administration Key away", [...story, "master-2", "personal-2-1"], "ok");
const overriding = { ...gone, previous: personalOf(first).digest, devices: devicesWith(first, tower.id, { status: "disabled" }) };
await personal("personal-2-1-override", grown, overriding, by, 73 * HOUR);
vector("valid", "override", "It may make void what is at most 72 hours old", [...story, "master-2", "personal-2-1-override"], "ok");
const only = [applicationOf(catalog, [laptop, tower], 2)];
const disabled = await grow(mesh, "personal-1-3-disabled", { applications: only, devices: devicesWith(mesh, phone.id, { status: "disabled" }) }, by, 2 * HOUR);
const leftOut = await grow(disabled, "personal-1-4-left-out", { devices: personalOf(disabled).payload.devices.filter((one) => one.id !== phone.id) }, by, 3 * HOUR);
vector("valid", "device-left-out", "A disabled device may be left out by a later version", [...story, "personal-1-3-disabled", "personal-1-4-left-out"], "ok");
const recovery = generateSigningKey();
const changed = await put("master-2-recovery", masterProfile, nextMaster(mesh, { recoveryKey: signatureJwk(recovery.publicKey) }), alice.master);
await put("consent", countersignature, { digest: changed.digest, purpose: "recovery-key", v: 1 }, alice.recovery);
vector("valid", "recovery-key", "The Recovery Key consents to its own replacement", [...story, "consent", "master-2-recovery"], "ok");
await put("account-1", account, { address: "alice@example.com", master: alice.id, portal: HOME, status: "open", v: 1, version: 1 }, by);
vector("valid", "account", "An account", [...start, "account-1"], "ok");

// --- what does not
const bad = async (name: string, about: string, from: Mesh, before: readonly string[], changes: Partial<PersonalProfile>, signer: Signer, outcome: string, arrived = 5 * HOUR) => {
  await personal(`bad-${name}`, from, changes, signer, arrived);
  vector("invalid", name, about, [...before, `bad-${name}`], outcome);
};
const last = personalOf(mesh).payload;
for (const [who, signer] of Object.entries({ master: alice.master, recovery: alice.recovery, device: laptop.device, member: phone.device, "unlisted-key": phone.administration, "another-person": bob.master })) {
  await bad(`personal-by-${who}`, `A Personal Profile signed by the wrong key: ${who}`, mesh, story, {}, signer, "profile-wrong-signer");
}
await bad("personal-by-removed-key", "A Personal Profile by an Administration Key that the new Master Profile took away", over, [...story, "master-2", "personal-2-1"], {}, low, "profile-wrong-signer");
await bad("personal-by-suspended-key", "A Personal Profile by an Administration Key that was suspended before", down, [...story, "suspension-tower"], {}, low, "signer-suspended");
await bad("gap-too-wide", "A number stepped over too far", mesh, story, { n: 19 }, by, "profile-out-of-order");
await bad("wrong-predecessor", "A predecessor that nobody knows", mesh, story, { previous: SOME_DIGEST }, by, "profile-out-of-order");
await bad("two-versions", "A second object for one (g, n)", first, story, { n: 2 }, by, "profile-two-versions");
await bad("under-superseded-master", "A version under g after one under g+1", mesh, [...story, "master-2", "personal-2-1"], {}, low, "profile-out-of-order");
await bad("override-late", "An override of what is older than 72 hours", grown, [...story, "master-2"], overriding, by, "profile-override-late", 74 * HOUR);
await bad("suspension-not-named", "A version that does not name a suspension that arrived before it", down, [...story, "suspension-tower"], { suspensions: [] }, by, "profile-out-of-order");
await bad("suspension-withheld", "A version that names a suspension which was not shown", down, story, {}, by, "portal-missing-profile");
await bad("administrator-disabled", "An administration device disabled without the Master key", mesh, story, { applications: [], devices: devicesWith(mesh, tower.id, { status: "disabled" }) }, by, "profile-wrong-role");
await bad("administrator-unlisted", "A member listed as administration device", mesh, story, { devices: devicesWith(mesh, phone.id, { role: "admin" }) }, by, "profile-wrong-role");
await bad("device-forgotten", "A device left out instead of disabled", mesh, story, { applications: [], devices: last.devices.filter((one) => one.id !== phone.id) }, by, "profile-wrong-role");
const again = [...personalOf(leftOut).payload.devices, entryOf(phone, "member")];
await bad("device-listed-again", "A device listed again after it was disabled and left out", leftOut, [...story, "personal-1-3-disabled", "personal-1-4-left-out"], { devices: again }, by, "profile-wrong-role");
await bad("home-moved", "Another home portal than in the version before", mesh, story, { home: udfOf("application/test", new Uint8Array(3)) }, by, "profile-out-of-order");
await bad("device-exchanged", "Another digest for a device", mesh, story, { devices: devicesWith(mesh, phone.id, { digest: SOME_DIGEST }) }, by, "profile-wrong-role");
await bad("device-not-offered", "A device whose profile was not sent", first, start, withTablet, by, "profile-not-connected");
await bad("reader-inactive", "An application that a disabled device reads", mesh, story, { devices: devicesWith(mesh, phone.id, { status: "disabled" }) }, by, "profile-wrong-role");
await put("bad-master-gap", masterProfile, nextMaster(mesh, { version: 3 }), alice.master);
vector("invalid", "master-gap", "A Master Profile after a gap", [...story, "bad-master-gap"], "profile-out-of-order");
await put("bad-master-signer", masterProfile, nextMaster(mesh, {}), by);
vector("invalid", "master-signer", "A Master Profile signed by an Administration Key", [...story, "bad-master-signer"], "signature-wrong-key");
vector("invalid", "recovery-key-alone", "Another Recovery Key without the old one's consent", [...story, "master-2-recovery"], "profile-wrong-signer");
await put("bad-suspension-place", suspension, suspensionOf(mesh, laptop.id), phone.device, 6 * HOUR);
vector("invalid", "suspension-place", "A suspension that names an older version than the current one", [...story, "master-2", "personal-2-1", "bad-suspension-place"], "profile-out-of-order");
await put("bad-suspension-signer", suspension, suspensionOf(first, laptop.id), tablet.device, HOUR);
vector("invalid", "suspension-signer", "A suspension by a device that is not listed", [...start, "bad-suspension-signer"], "profile-wrong-signer");
await put("bad-account-signer", account, { address: "alice@example.com", master: alice.id, portal: HOME, status: "open", v: 1, version: 1 }, laptop.device);
vector("invalid", "account-signer", "An account signed by a device key", [...start, "bad-account-signer"], "profile-wrong-signer");

writeFileSync(join(folder, "objects.json"), `${JSON.stringify(objects, null, 1)}\n`);
