import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { checkBasePublicKey } from "../crypto/co-generation.ts";
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../crypto/ed25519.ts";
import { countField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import type { ObjectType } from "../envelope/signed.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { encapsulationKeyShape, signatureKeyShape } from "./keys.ts";

const baseKeyShape = v.strictObject({
  alg: v.literal("Ed25519"),
  application: v.picklist(["ssh", "ssh-authority"]),
  proof: octetsField({ octets: 64 }),
  pub: octetsField({ octets: 32 }),
});

/**
 * One base key per application and algorithm (draft §5.2): from that for `ssh` device and administrator later generate a key together (decision 5.5); that for
 * `ssh-authority` signs certificates of SSH as it is, which servers take while the device is an administration device (decision 9.2).
 */
export type BaseKey = v.InferOutput<typeof baseKeyShape>;

const shape = v.strictObject({
  authenticationKey: encapsulationKeyShape,
  baseKeys: v.pipe(v.array(baseKeyShape), v.maxLength(8)),
  encryptionKey: encapsulationKeyShape,
  id: udfField<"device">(),
  signatureKey: signatureKeyShape,
  v: formatField,
  version: countField(),
});

/** A Device Profile (draft §5.2): the public keys of one device, signed by itself; it tells nothing of whose device it is. */
export type DeviceProfile = v.InferOutput<typeof shape>;
export const deviceProfile: ObjectType<DeviceProfile> = { typ: "mesh-device-profile+json", shape, maxBytes: 64 * 1024 };

/** What the holder of a base key signs with it: the proof that no key was copied from another device. */
export function baseKeyProofMessage(device: string, application: string, pub: Uint8Array): Uint8Array {
  return concatBytes(utf8(`mesh/base-key/v1\0${application}\0Ed25519\0${device}\0`), pub);
}

/** A base key as it stands in a Device Profile, with its proof. */
export function baseKeyOf(device: string, application: BaseKey["application"], { privateKey, publicKey }: Ed25519Key): BaseKey {
  return { alg: "Ed25519", application, proof: toBase64url(signEd25519(privateKey, baseKeyProofMessage(device, application, publicKey))), pub: toBase64url(publicKey) };
}

/** Checks every base key: its proof of possession for this device, and that it lies in the prime-order group (decision 5.5). */
export async function checkBaseKeys(profile: DeviceProfile): Promise<void> {
  const names = profile.baseKeys.map((key) => `${key.application}/${key.alg}`);
  if (new Set(names).size !== names.length) throw new MeshError("profile-malformed", "This Device Profile has two base keys for one application.");
  for (const key of profile.baseKeys) {
    const pub = fromBase64url(key.pub);
    await checkBasePublicKey(pub);
    const message = baseKeyProofMessage(profile.id, key.application, pub);
    if (!verifyEd25519(pub, message, fromBase64url(key.proof))) throw new MeshError("profile-malformed", `The base key for ${key.application} has no proof that this device holds it.`);
  }
}
