import { type SignatureJwk, signatureKeyId } from "../../profiles/keys.ts";
import { showUdf } from "../../udf/udf.ts";
import type { Read } from "./kinds.ts";

/** A key found in some object, and what it is there, in words. */
export type FoundKey = { readonly jwk: SignatureJwk; readonly is: string };

/** Every signature key in some objects, by its identifier. A key says of itself what it is: only judging tells whether that is so. */
export function keysIn(objects: readonly Read[]): ReadonlyMap<string, FoundKey> {
  const found = new Map<string, FoundKey>();
  for (const object of objects) for (const { jwk, is } of keysOf(object)) if (!found.has(signatureKeyId(jwk))) found.set(signatureKeyId(jwk), { jwk, is });
  return found;
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
