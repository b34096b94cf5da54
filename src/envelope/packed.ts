import { base64urlOctets, toBase64url, writeBase64url } from "../bytes/base64url.ts";
import { signature as algorithm } from "../crypto/algorithms.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Jws } from "./signed.ts";

const SPLIT = algorithm.signatureOctets;

/** A signed object that was read, in three quarters of its text, for keeping: signature, protected header, an octet 0x00 that no JSON text holds, payload. */
export function packJws({ payload, protected: head, signature }: Jws): Uint8Array {
  const packed = new Uint8Array(base64urlOctets(signature) + base64urlOctets(head) + 1 + base64urlOctets(payload));
  const end = writeBase64url(packed, writeBase64url(packed, 0, signature), head);
  writeBase64url(packed, end + 1, payload);
  return packed;
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
