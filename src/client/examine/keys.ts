import { type SignatureJwk, signatureKeyId } from "../../profiles/keys.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { showUdf } from "../../udf/udf.ts";
import type { Read } from "./kinds.ts";

/** A key found in some object, and what it is there, in words. */
export type FoundKey = { readonly jwk: SignatureJwk; readonly is: string };

/** Every signature key in some objects, by its identifier; octets that are no key are passed over. A key says of itself what it is: only judging tells whether that is so. */
export function keysIn(objects: readonly Read[]): ReadonlyMap<string, FoundKey> {
  const found = new Map<string, FoundKey>();
  for (const key of objects.flatMap(keysOf)) {
    const id = idOf(key.jwk);
    if (id !== undefined && !found.has(id)) found.set(id, key);
  }
  return found;
}

/** What has to be given to check the signature of an object, in words; undefined for what holds the key itself, or should. */
export function keeperOf({ kind, signed }: Read): string | undefined {
  switch (kind) {
    case "Master Profile":
    case "Device Profile":
    case "Portal Profile":
    case "connection request":
      return undefined;
    case "Personal Profile":
      return `version ${signed.payload.g} of the Master Profile`;
    case "Application Profile":
    case "commit":
    case "blob drop":
    case "release":
      return `the Device Profile of ${showUdf(signed.kid)}`;
    case "suspension":
      return "the Master Profile, or the Device Profile of who signed";
    default:
      return "the Master Profile";
  }
}

function idOf(jwk: SignatureJwk): string | undefined {
  try {
    return signatureKeyId(jwk);
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}

function keysOf(object: Read): readonly FoundKey[] {
  switch (object.kind) {
    case "Master Profile": {
      const { administrationKeys, recoveryKey, signatureKey, version } = object.signed.payload;
      const administration = administrationKeys.map((key, at) => ({ jwk: key.signatureKey, is: `Administration Key ${at + 1} of version ${version} of the Master Profile, that of device ${showUdf(key.device)}` }));
      return [{ jwk: signatureKey, is: "the Master Signature Key" }, { jwk: recoveryKey, is: "the Recovery Key" }, ...administration];
    }
    case "Device Profile":
      return [{ jwk: object.signed.payload.signatureKey, is: "the Device Signature Key of its Device Profile" }];
    case "Portal Profile":
      return [{ jwk: object.signed.payload.identityKey, is: "the portal's identity key" }];
    default:
      return [];
  }
}
