import { MeshError } from "../refusals/mesh-error.ts";
import { type ArchivedKey, readKey } from "./key.ts";
import { listOf, type Members, membersOf, textOf } from "./lenient-json.ts";
import { type ArchivedSigned, isTrue, readArchived } from "./signed.ts";

/**
 * What can be said of an object of 2017, by the rules of 2017 (draft §5.4): whether its signatures are true, and by whom.
 *
 * It is a finding and no stage of trust: 2017 signed no version, bound no purpose and took names for keys that it did not
 * hash, so nothing here is ever `Verified`, and nothing else of the program takes it.
 */
export type ArchivedFinding = {
  readonly type: string;
  readonly identifier: string | undefined;
  readonly signedBy: readonly string[];
  /** `unchecked` if the key of a signature is in none of the objects given. */
  readonly signature: "true" | "false" | "unchecked";
  /** Whether every signer was entitled to sign it; `unknown` if the objects given do not say. */
  readonly entitled: "yes" | "no" | "unknown";
  /** What the signing key is, or why it is not as it should be. */
  readonly because: string;
  readonly embedded: readonly ArchivedFinding[];
};

/** The keys that may sign an object, all of them if `all`, and what they are; `entitled` is about everything else than which key signed. */
type Authority = { readonly keys: readonly ArchivedKey[]; readonly all: boolean; readonly entitled: boolean | undefined; readonly because: string; readonly embedded: readonly ArchivedFinding[] };

const MOST_EMBEDDED = 256;
const MOST_KEYS = 64;

/** Judges an object of 2017; `given` are others that may hold the keys that it does not hold itself, for an application those of its owner's devices. */
export function judgeArchived(object: ArchivedSigned, given: readonly ArchivedSigned[] = []): ArchivedFinding {
  const authority = authorityOver(object, given);
  const { type, identifier, signatures } = object;
  const verdicts = signatures.map((one) => {
    const key = authority.keys.find((known) => known.udf === one.kid);
    return key === undefined ? undefined : isTrue(object, one, key);
  });
  const finding = { type, identifier, signedBy: signatures.map((one) => one.kid), embedded: authority.embedded };
  // What had no signature passed in 2017: each of none was true.
  if (verdicts.length === 0) return { ...finding, signature: "false", entitled: "no", because: "it has no signature" };
  if (verdicts.includes(false)) return { ...finding, signature: "false", entitled: "no", because: "a signature is false" };
  const stranger = authority.all ? "it is signed by a key that may not sign it" : "the key that signed it is in none of the objects given";
  if (verdicts.includes(undefined)) return { ...finding, signature: "unchecked", entitled: authority.all ? "no" : "unknown", because: stranger };
  return { ...finding, signature: "true", entitled: authority.entitled === undefined ? "unknown" : authority.entitled ? "yes" : "no", because: authority.because };
}

function authorityOver(object: ArchivedSigned, given: readonly ArchivedSigned[]): Authority {
  switch (object.type) {
    case "MasterProfile":
      return ownKey(object, "MasterSignatureKey", "the Master Signature Key that it names");
    case "DeviceProfile":
      return ownKey(object, "DeviceSignatureKey", "the Device Signature Key that it names");
    case "PersonalProfile":
      return personalAuthority(object);
    case "ConnectionRequest":
      return { ...embeddedKey(expect(object.members, "Device", "DeviceProfile"), "DeviceSignatureKey"), because: "the device that asks" };
    case "ConnectionResult":
      return { ...personalAuthority(expect(object.members, "Profile", "PersonalProfile")), because: "an administration key of the profile in it" };
    default:
      return applicationAuthority(object, given);
  }
}

/** Draft §5.4: the key is in the object, and its fingerprint is the object's identifier. */
function ownKey({ members, identifier }: ArchivedSigned, name: string, what: string): Authority {
  const key = readKey(members[name]);
  const named = key !== undefined && key.udf === identifier;
  return { keys: key === undefined ? [] : [key], all: true, entitled: named, because: named ? what : "its identifier is not the fingerprint of its key", embedded: [] };
}

/** Draft §5.4: an administration key of the Master Profile that the Personal Profile holds. */
function personalAuthority({ members, identifier }: ArchivedSigned): Authority {
  const master = expect(members, "SignedMasterProfile", "MasterProfile");
  const devices = listOf(members["Devices"], MOST_EMBEDDED).map((one) => typed(readArchived(one), "DeviceProfile"));
  const findings = [master, ...devices].map((one) => judgeArchived(one));
  const sound = findings.every((one) => one.entitled === "yes") && master.identifier === identifier;
  const keys = listOf(master.members["OnlineSignatureKeys"], MOST_KEYS).flatMap((one) => readKey(one) ?? []);
  return { keys, all: true, entitled: sound, because: sound ? "an administration key of the Master Profile in it" : "what it holds is not by whom it should be", embedded: findings };
}

/** Draft §5.3: a device that the Personal Profile lists as administrator of the application; a device that it lists at all is at least known. */
function applicationAuthority(object: ArchivedSigned, given: readonly ArchivedSigned[]): Authority {
  const personals = given.filter((one) => one.type === "PersonalProfile" && judgeArchived(one).entitled === "yes");
  const devices = [...personals.flatMap((one) => listOf(one.members["Devices"], MOST_EMBEDDED).map((device) => readArchived(device))), ...given.filter((one) => one.type === "DeviceProfile" && judgeArchived(one).entitled === "yes")];
  const keys = devices.flatMap((one) => readKey(one.members["DeviceSignatureKey"]) ?? []);
  const entries = personals.flatMap((one) => listOf(one.members["Applications"], MOST_EMBEDDED)).map((one) => membersOf(one)).filter((one) => textOf(one?.["Identifier"]) === object.identifier && object.identifier !== undefined);
  const administrators = new Set(entries.flatMap((one) => listOf(one?.["AdminDeviceUDF"], MOST_EMBEDDED)));
  const listed = object.signatures.every((one) => administrators.has(one.kid));
  if (entries.length === 0) return { keys, all: false, entitled: undefined, because: "a device; no Personal Profile given lists this application", embedded: [] };
  return { keys, all: false, entitled: listed, because: listed ? "an administration device of this application" : "a device that does not administer this application", embedded: [] };
}

function embeddedKey(device: ArchivedSigned, name: string): Authority {
  const finding = judgeArchived(device);
  const key = readKey(device.members[name]);
  return { keys: key === undefined ? [] : [key], all: true, entitled: finding.entitled === "yes", because: "", embedded: [finding] };
}

function expect(members: Members, name: string, type: string): ArchivedSigned {
  const value = members[name];
  if (value === undefined) throw new MeshError("archive-malformed", `This object of 2017 lacks its ${name}.`);
  return typed(readArchived(value), type);
}

/** Else one object could hold another of its own type, and so on without end. */
function typed(object: ArchivedSigned, type: string): ArchivedSigned {
  if (object.type !== type) throw new MeshError("archive-malformed", `This object of 2017 holds a ${object.type} where a ${type} belongs.`);
  return object;
}
