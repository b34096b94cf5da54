import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

import { toBase64url } from "../bytes/base64url.ts";
import type { Json } from "../bytes/canonical-json.ts";
import { utf8 } from "../bytes/text.ts";
import { sha512 } from "../crypto/digest.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { udf2017 } from "./key.ts";

type Row = { readonly inner_type: string; readonly kid: string; readonly payload_b64u: string; readonly protected_b64u: string; readonly signature_b64u: string };

/** The objects of the vectors, each as the `SignedData` in which it was stored. */
export const stored: readonly (readonly [string, Json])[] = readVectors<{ readonly objects: readonly Row[] }>("archive-2017/signed-profiles.json").objects.map((row) => [
  row.inner_type,
  { unprotected: { dig: "S512" }, payload: row.payload_b64u, signatures: [{ header: { kid: row.kid }, protected: row.protected_b64u, signature: row.signature_b64u }] },
]);

/** The stored object of a type. */
export function storedOf(type: string): Json {
  const found = stored.find(([name]) => name === type);
  if (found === undefined) throw new RangeError(type);
  return found[1];
}

/** A key pair as 2017 used them, and the public half as it stood in profiles. */
export type TestKey = { readonly udf: string; readonly privateKey: KeyObject; readonly listed: Json };

export function makeKey(bits = 2048): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const udf = udf2017(publicKey.export({ format: "der", type: "pkcs1" }));
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  return { udf, privateKey, listed: { UDF: udf, PublicParameters: { PublicKeyRSA: { kid: udf, n, e } } } };
}

/** Signs as 2017 did; `header` may say otherwise than it should. */
export function sign2017(type: string, members: Json, keys: readonly TestKey[], header: { readonly alg?: string; readonly val?: string } = {}): Json {
  const payload = utf8(JSON.stringify({ [type]: members }));
  const signatures = keys.map((key) => {
    const octets = utf8(JSON.stringify({ alg: "RS512", val: toBase64url(sha512(payload)), ...header }));
    return { header: { kid: key.udf }, protected: toBase64url(octets), signature: toBase64url(sign("sha512", octets, key.privateKey)) };
  });
  return { unprotected: { dig: "S512" }, payload: toBase64url(payload), signatures };
}
