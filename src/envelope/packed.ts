import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import { signature as algorithm } from "../crypto/algorithms.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Jws } from "./signed.ts";

const SPLIT = algorithm.signatureOctets;

/** A signed object in three quarters of its text, for keeping: signature, protected header, an octet 0x00 that no JSON text holds, payload. */
export function packJws(jws: Jws): Uint8Array {
  return concatBytes(fromBase64url(jws.signature), fromBase64url(jws.protected), Uint8Array.of(0), fromBase64url(jws.payload));
}

/** What `packJws` was given, octet for octet; `signed-malformed` for octets that it cannot have made. */
export function unpackJws(octets: Uint8Array): Jws {
  const [signature, head, payload] = split(octets);
  return { payload: toBase64url(payload), protected: toBase64url(head), signature: toBase64url(signature) };
}

/** Protected header and payload of a packed object, as JSON text in octets, without its signature. */
export function packedWords(octets: Uint8Array): { readonly head: Uint8Array; readonly payload: Uint8Array } {
  const [, head, payload] = split(octets);
  return { head, payload };
}

function split(octets: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const end = octets.indexOf(0, SPLIT);
  if (end < 0) throw new MeshError("signed-malformed", "This is no packed signed object.");
  return [octets.subarray(0, SPLIT), octets.subarray(SPLIT, end), octets.subarray(end + 1)];
}
