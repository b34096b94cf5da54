import type { Digest } from "../envelope/fields.ts";
import { type Signed, type Verified, verifySigned } from "../envelope/signed.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Account } from "./account.ts";
import type { ApplicationProfile } from "./application.ts";
import type { ConnectionAnswer, PinNotice } from "./connection.ts";
import type { Countersignature } from "./countersignature.ts";
import { checkBaseKeys, type DeviceProfile } from "./device.ts";
import type { PersonalWords } from "./history.ts";
import { signatureKeyId, verifyingKey } from "./keys.ts";
import type { MasterProfile } from "./master.ts";
import { applicationEntry, deviceEntry, type PersonalProfile } from "./personal.ts";
import { checkPersonal } from "./personal-rules.ts";
import type { PortalProfile } from "./portal.ts";
import type { Roster } from "./roster.ts";
import type { Correct, Evidence, Valid } from "./stages.ts";
import { isSuspended, NOBODY, partyOf, type Suspended, type Suspension } from "./suspension.ts";
import type { KeyId } from "./types.ts";

/** Draft §5.4: the key that signs a Master Profile is the Master Signature Key specified in it. */
export async function verifyMaster(signed: Signed<MasterProfile>): Promise<Verified<MasterProfile>> {
  demand(signatureKeyId<"master">(signed.payload.signatureKey) === signed.payload.id, "profile-wrong-id", "The identifier of this Master Profile is not that of its Master Signature Key.");
  return verifySigned(signed, verifyingKey(signed.payload.signatureKey));
}

/** A Master Profile follows the one before it; a change of Recovery Key needs the old one's countersignature (decision 4.7). */
export function correctMaster(profile: Verified<MasterProfile>, previous: Correct<MasterProfile> | undefined, countersigned?: Verified<Countersignature>): Correct<MasterProfile> {
  const { payload } = profile;
  const ids = [payload.signatureKey, payload.recoveryKey, ...payload.administrationKeys.map((key) => key.signatureKey)].map((key) => signatureKeyId(key));
  demand(new Set(ids).size === ids.length, "profile-malformed", "One key stands at two places of this Master Profile.");
  demand(payload.administrationKeys.every((key) => !ids.includes(key.device as string as KeyId)), "profile-malformed", "An Administration Key is a key of its own, not that of a device.");
  demand(new Set(payload.administrationKeys.map((key) => key.device)).size === payload.administrationKeys.length, "profile-malformed", "One device has two Administration Keys.");
  const sealedTo = [...payload.administrationKeys.map((key) => key.encryptionKey), ...payload.escrowKeys].map((key) => key.pub);
  demand(new Set(sealedTo).size === sealedTo.length, "profile-malformed", "One key stands at two places of this Master Profile.");
  demand(payload.version === (previous?.payload.version ?? 0) + 1 && payload.previous === previous?.digest, "profile-out-of-order", `Version ${payload.version} of the Master Profile does not follow version ${previous?.payload.version ?? 0}.`);
  if (previous !== undefined) {
    demand(payload.id === previous.payload.id, "profile-wrong-id", "This Master Profile is another person's.");
    const sameRecovery = payload.recoveryKey.pub === previous.payload.recoveryKey.pub;
    const blessed = countersigned !== undefined && countersigned.payload.purpose === "recovery-key" && countersigned.kid === signatureKeyId(previous.payload.recoveryKey) && countersigned.payload.digest === profile.digest;
    demand(sameRecovery || blessed, "profile-wrong-signer", "Only the Recovery Key may replace itself.");
  }
  return profile as Correct<MasterProfile>;
}

/** Draft §5.4: the key that signs a Personal Profile is an Administration Key of the Master Profile it names. */
export async function verifyPersonal(signed: Signed<PersonalProfile>, roster: Roster): Promise<Verified<PersonalProfile>> {
  return verifyByAdministration(signed, roster, "Personal Profile");
}

/** A Personal Profile under its Master Profile, after the version that it names, by a signer not suspended before it (decisions 4.2-4.5). */
export function correctPersonal(profile: Verified<PersonalProfile>, roster: Roster, previous: PersonalWords | undefined, suspended: Suspended): Correct<PersonalProfile> {
  requireAdministrationKey(profile, roster, "Personal Profile");
  checkPersonal(profile.payload, roster, previous);
  demand(!isSuspended(suspended, profile.kid, roster, profile.payload), "signer-suspended", "The administration device that signed this Personal Profile was suspended before.");
  // A Master Profile comes into force with the first Personal Profile under it, whose arrival tells whether the Master key was suspended then.
  const inForce = previous?.payload.g === profile.payload.g || !isSuspended(suspended, roster.id, roster, { g: roster.version, n: 0 });
  demand(inForce, "signer-suspended", "The Master key was suspended before it signed this Master Profile.");
  return profile as Correct<PersonalProfile>;
}

/** Draft §5.4: the key that signs a Device Profile is the Device Signature Key specified in it; its base keys prove possession. */
export async function verifyDevice(signed: Signed<DeviceProfile>): Promise<Verified<DeviceProfile>> {
  demand(signatureKeyId<"device">(signed.payload.signatureKey) === signed.payload.id, "profile-wrong-id", "The identifier of this Device Profile is not that of its Device Signature Key.");
  demand(signed.payload.encryptionKey.pub !== signed.payload.authenticationKey.pub, "profile-malformed", "A device has separate keys for encryption and for authentication.");
  const verified = await verifySigned(signed, verifyingKey(signed.payload.signatureKey));
  await checkBaseKeys(verified.payload);
  return verified;
}

/** A Device Profile connected to a Personal Profile (draft §5): listed there by identifier and by this very digest. */
export function correctDevice(profile: Verified<DeviceProfile>, personal: Correct<PersonalProfile>): Correct<DeviceProfile> {
  const entry = deviceEntry(personal.payload, profile.payload.id);
  demand(entry !== undefined && entry.digest === profile.digest, "profile-not-connected", "This Device Profile is not the one that the Personal Profile lists.");
  return profile as Correct<DeviceProfile>;
}

/** Draft §5.4: the key that signs an Application Profile is that of a device listed as its administrator in the Personal Profile. */
export async function correctApplication(signed: Signed<ApplicationProfile>, personal: PersonalWords, device: Correct<DeviceProfile>, previous: Correct<ApplicationProfile> | undefined, roster: Roster, suspended: Suspended): Promise<Correct<ApplicationProfile>> {
  const { payload } = signed;
  demand(payload.g === personal.payload.g && payload.n === personal.payload.n, "profile-out-of-order", "This Application Profile is signed under another Personal Profile.");
  const entry = applicationEntry(personal.payload, payload.id);
  demand(entry?.administrators.includes(device.payload.id) === true && signed.kid === (device.payload.id as string), "profile-wrong-signer", "The signer of this Application Profile is no administrator of the application.");
  demand(!isSuspended(suspended, device.payload.id, roster, payload), "signer-suspended", "The device that signed this Application Profile was suspended before.");
  demand(payload.version === (previous?.payload.version ?? 0) + 1 && payload.previous === previous?.digest, "profile-out-of-order", `Version ${payload.version} of the Application Profile does not follow version ${previous?.payload.version ?? 0}.`);
  return (await verifySigned(signed, verifyingKey(device.payload.signatureKey))) as Correct<ApplicationProfile>;
}

/** A Portal Profile is signed by the identity key whose UDF is the portal's pin (decision 3.5). */
export async function correctPortal(signed: Signed<PortalProfile>, pin: string | undefined): Promise<Correct<PortalProfile>> {
  const { payload } = signed;
  demand(signatureKeyId<"portal">(payload.identityKey) === payload.id, "profile-wrong-id", "The identifier of this Portal Profile is not that of its identity key.");
  demand(pin === undefined || payload.id === pin, "portal-wrong-identity", "This portal is not the one that was pinned.", "Nothing was sent to it. Check the URL, and ask its operator; do not go on.");
  return (await verifySigned(signed, verifyingKey(payload.identityKey))) as Correct<PortalProfile>;
}

/** An account is bound to a Master Profile by one of its Administration Keys (decision 8.3), not suspended now. */
export async function correctAccount(signed: Signed<Account>, roster: Roster, previous: Correct<Account> | undefined, suspended: Suspended = NOBODY): Promise<Correct<Account>> {
  const { payload } = signed;
  demand(payload.master === roster.id, "profile-wrong-id", "This account belongs to another person.");
  demand(payload.version === (previous?.payload.version ?? 0) + 1 && payload.previous === previous?.digest, "profile-out-of-order", "This account record does not follow the one before it.");
  const verified = await verifyByAdministration(signed, roster, "account");
  requireNotSuspended(verified, roster, suspended, "account");
  return verified as Correct<Account>;
}

/** The answer to a connection request is signed by an Administration Key of the version g that it names, not suspended before (g, n) (decision 5.2). */
export async function correctAnswer(signed: Signed<ConnectionAnswer>, roster: Roster, suspended: Suspended): Promise<Correct<ConnectionAnswer>> {
  const { payload } = signed;
  demand(payload.master === roster.id, "profile-wrong-id", "This answer is about another person's mesh.");
  demand(payload.g === roster.version && payload.masterDigest === roster.digest, "profile-out-of-order", "This answer names another version of the Master Profile.");
  const verified = await verifyByAdministration(signed, roster, "connection answer");
  demand(!isSuspended(suspended, verified.kid, roster, payload), "signer-suspended", "The administration device that signed this answer was suspended before.");
  return verified as Correct<ConnectionAnswer>;
}

/** A notice of a PIN is signed by an Administration Key not suspended now (decision 5.3). */
export async function correctPinNotice(signed: Signed<PinNotice>, roster: Roster, suspended: Suspended): Promise<Correct<PinNotice>> {
  demand(signed.payload.master === roster.id, "profile-wrong-id", "This PIN notice is about another person's mesh.");
  const verified = await verifyByAdministration(signed, roster, "PIN notice");
  requireNotSuspended(verified, roster, suspended, "PIN notice");
  return verified as Correct<PinNotice>;
}

/**
 * A suspension is signed by the Recovery Key, the Master key or an Administration Key of the version g that it names, or
 * by `device`, which the caller found listed as active in (g, n) (decision 4.5).
 */
export async function verifySuspension(signed: Signed<Suspension>, master: Correct<MasterProfile>, device: Correct<DeviceProfile> | undefined): Promise<Verified<Suspension>> {
  demand(signed.payload.master === master.payload.id, "profile-wrong-id", "This suspension is about another person's mesh.");
  demand(signed.payload.g === master.payload.version, "profile-out-of-order", "This suspension names another version of the Master Profile.");
  const keys = [master.payload.recoveryKey, master.payload.signatureKey, ...master.payload.administrationKeys.map((key) => key.signatureKey), ...(device === undefined ? [] : [device.payload.signatureKey])];
  const key = keys.find((one) => signatureKeyId(one) === signed.kid);
  demand(key !== undefined, "profile-wrong-signer", "The signer of this suspension may not suspend.");
  return verifySigned(signed, verifyingKey(key));
}

/** Verifies anything that an Administration Key of the Master Profile signs. */
export async function verifyByAdministration<P>(signed: Signed<P>, roster: Roster, what: string): Promise<Verified<P>> {
  return verifySigned(signed, verifyingKey(requireAdministrationKey(signed, roster, what)));
}

/** Verifies anything that a connected device signs with its Device Signature Key. */
export async function verifyByDevice<P>(signed: Signed<P>, device: Correct<DeviceProfile>): Promise<Verified<P>> {
  demand(signed.kid === (device.payload.id as string), "profile-wrong-signer", "This is signed by another device than the one expected.");
  return verifySigned(signed, verifyingKey(device.payload.signatureKey));
}

/** What makes a Correct profile Valid: it was the current one, by this evidence (draft §5; decision 4.8). */
export function valid<P>(profile: Correct<P>, evidence: Evidence): Valid<P> {
  return { profile, evidence };
}

/** The identifiers of two objects that their signer may not both have made (decision 4.2): evidence, never to be resolved by choosing. */
export function sameOrEvidence(known: { readonly digest: Digest } | undefined, seen: { readonly digest: Digest }, what: string): void {
  demand(known === undefined || known.digest === seen.digest, "profile-two-versions", `There are two different ${what}s with one version number: a device was cloned or restored, or a key is stolen.`, "Find out which device it is, and disable it: mesh device list. If it is none, the portal cheats: do not rely on it.");
}

function requireNotSuspended(signed: Verified<unknown>, roster: Roster, suspended: Suspended, what: string): void {
  demand(!suspended.has(partyOf(signed.kid, roster).id), "signer-suspended", `The administration device that signed this ${what} is suspended.`);
}

function requireAdministrationKey(signed: Signed<unknown>, roster: Roster, what: string) {
  const key = roster.administrators.find((one) => one.key === signed.kid);
  demand(key !== undefined, "profile-wrong-signer", `The signer of this ${what} is no administration device.`);
  return key.signatureKey;
}
