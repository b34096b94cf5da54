import { ed25519ToPkcs8, generateEd25519 } from "../crypto/ed25519.ts";
import { decapsulationKeyToPkcs8, signingKeyToPkcs8 } from "../crypto/key-encoding.ts";
import { type DecapsulationKey, generateDecapsulationKey, generateSigningKey, type SigningKey } from "../crypto/key-pair.ts";
import { wipe } from "../bytes/equal.ts";
import { signObject, type Verified } from "../envelope/signed.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { baseKeyOf, type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import { encapsulationJwk, signatureJwk } from "../profiles/keys.ts";
import type { AdministrationKey } from "../profiles/master.ts";
import type { DeviceId } from "../profiles/types.ts";
import { type Udf, udfOfKey } from "../udf/udf.ts";
import { signerOf } from "./client.ts";

/** The keys that a device makes for itself; their private halves are in its keyring before this is returned (decision 5.1). */
export type DeviceKeys = {
  readonly profile: Verified<DeviceProfile>;
  readonly device: DeviceId;
  readonly authenticationKey: string;
  readonly encryptionKey: string;
  readonly administrationKey: string;
  readonly administrationEncryptionKey: string;
  readonly administration: AdministrationKey;
};

/** Makes all keys of a device and its Device Profile; those for administration too, used only if the device is ever given that role. */
export async function makeDeviceKeys(keyring: Keyring): Promise<DeviceKeys> {
  const signature = generateSigningKey();
  const [authentication, encryption, administrationEncryption] = [generateDecapsulationKey(), generateDecapsulationKey(), generateDecapsulationKey()];
  const administration = generateSigningKey();
  const [base, authority] = [generateEd25519(), generateEd25519()];
  const device = udfOfKey(signature.publicKey.spki) as Udf<"device">;
  const ids = {
    authenticationKey: idOf(authentication),
    encryptionKey: idOf(encryption),
    administrationKey: udfOfKey(administration.publicKey.spki),
    administrationEncryptionKey: idOf(administrationEncryption),
  };
  const secrets = [
    secretSigning("device-signature", signature),
    secretDecapsulation("device-authentication", authentication),
    secretDecapsulation("device-encryption", encryption),
    secretSigning("administration-signature", administration),
    secretDecapsulation("administration-encryption", administrationEncryption),
    { id: `base-ssh-${device}`, purpose: "base-key-ssh", secret: base.privateKey },
    { id: sshAuthorityId(device), purpose: "base-key-ssh-authority", secret: ed25519ToPkcs8(authority.privateKey) },
  ];
  await keyring.addAll(secrets);
  const baseKeys = [baseKeyOf(device, "ssh", base), baseKeyOf(device, "ssh-authority", authority)];
  for (const secret of [...secrets.map((one) => one.secret), authority.privateKey]) wipe(secret);
  const payload: DeviceProfile = {
    authenticationKey: encapsulationJwk(authentication.publicKey),
    baseKeys,
    encryptionKey: encapsulationJwk(encryption.publicKey),
    id: device,
    signatureKey: signatureJwk(signature.publicKey),
    v: 1,
    version: 1,
  };
  const profile = await signObject(deviceProfile, payload, signerOf(keyring, device));
  const key: AdministrationKey = { device, encryptionKey: encapsulationJwk(administrationEncryption.publicKey), signatureKey: signatureJwk(administration.publicKey) };
  return { profile, device, ...ids, administration: key };
}

/** The name in its keyring of a device's key that signs certificates of SSH. */
export function sshAuthorityId(device: string): string {
  return `base-ssh-authority-${device}`;
}

/** A signing key as a keyring takes it. */
export function secretSigning(purpose: string, key: SigningKey): { readonly id: string; readonly purpose: string; readonly secret: Uint8Array } {
  return { id: udfOfKey(key.publicKey.spki), purpose, secret: signingKeyToPkcs8(key) };
}

/** A decapsulation key as a keyring takes it. */
export function secretDecapsulation(purpose: string, key: DecapsulationKey): { readonly id: string; readonly purpose: string; readonly secret: Uint8Array } {
  return { id: idOf(key), purpose, secret: decapsulationKeyToPkcs8(key) };
}

function idOf(key: DecapsulationKey): string {
  return udfOfKey(key.publicKey.spki);
}
