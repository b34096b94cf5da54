import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes } from "../bytes/canonical-json.ts";
import { concatBytes, equalBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { hmac } from "../crypto/digest.ts";
import { passwordKey } from "../crypto/password-key.ts";
import { countField, type Digest, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { sealedShape } from "../envelope/sealed.ts";
import { jwsShape, type ObjectType } from "../envelope/signed.ts";
import { type Udf, udfOf } from "../udf/udf.ts";
import { wordsOf } from "../udf/words.ts";
import { addressField } from "./account.ts";
import { encapsulationKeyShape, signatureKeyShape } from "./keys.ts";
import { headsField, MAX_APPLICATIONS } from "./personal.ts";

/** The identifier of one connection: a UDF over who joins what, under a fresh nonce (decision 5.2). */
export type Witness = Udf<"witness">;

/** The name of a device as its owner gives it. */
export const deviceNameField = v.pipe(v.string(), v.minLength(1), v.maxLength(64), v.regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u));

/** The public name of a PIN: tells which record it is, nothing of the secret. */
export const pinIdField = v.pipe(v.string(), v.regex(/^[A-Z2-7]{5}$/));

const requestShape = v.strictObject({
  device: jwsShape,
  kind: v.picklist(["words", "pin"]),
  master: udfField<"master">(),
  pin: v.optional(pinIdField),
  sealed: sealedShape,
  v: formatField,
  witness: udfField<"witness">(),
});

/** A connection request (draft §6), signed by the joining device, which is embedded; its private part is sealed to the administration devices. */
export type ConnectionRequest = v.InferOutput<typeof requestShape>;
export const connectionRequest: ObjectType<ConnectionRequest> = { typ: "mesh-connection-request+json", shape: requestShape, maxBytes: 256 * 1024 };

/** The private part of a connection request; `administration` is the key the device would use were it made an administration device. */
export const connectionPrivateShape = v.strictObject({
  address: addressField,
  administration: v.strictObject({ encryptionKey: encapsulationKeyShape, proof: octetsField({ most: 8192 }), signatureKey: signatureKeyShape }),
  name: deviceNameField,
  nonce: octetsField({ octets: 32 }),
  pinProof: v.optional(octetsField({ octets: 64 })),
  v: formatField,
});
export type ConnectionPrivate = v.InferOutput<typeof connectionPrivateShape>;

/** Names the state of a catalog that a device wrote down (decision 6.4): the blob that holds it, and the commit after which it was so. */
const snapshotNameShape = v.strictObject({ catalog: udfField<"application">(), digest: digestField, index: countField(), size: countField() });
export type SnapshotName = v.InferOutput<typeof snapshotNameShape>;

const answerShape = v.strictObject({
  device: udfField<"device">(),
  g: countField(),
  heads: headsField,
  master: udfField<"master">(),
  masterDigest: digestField,
  n: countField(),
  personal: digestField,
  pinProof: v.optional(octetsField({ octets: 64 })),
  result: v.picklist(["accepted", "rejected"]),
  role: v.picklist(["admin", "member"]),
  snapshots: v.optional(v.pipe(v.array(snapshotNameShape), v.maxLength(MAX_APPLICATIONS))),
  v: formatField,
  witness: udfField<"witness">(),
});

/** The answer to a connection request, signed by an Administration Key (decision 5.2); (g, n) and `personal` name the version that lists the device. */
export type ConnectionAnswer = v.InferOutput<typeof answerShape>;
export const connectionAnswer: ObjectType<ConnectionAnswer> = { typ: "mesh-connection-answer+json", shape: answerShape, maxBytes: 64 * 1024 };

const pinNoticeShape = v.strictObject({ expires: countField(), master: udfField<"master">(), pin: pinIdField, status: v.picklist(["open", "closed"]), v: formatField });

/** Tells the portal that a PIN exists, so that those who hold it never queue behind strangers (decision 5.2); signed by an Administration Key. */
export type PinNotice = v.InferOutput<typeof pinNoticeShape>;
export const pinNotice: ObjectType<PinNotice> = { typ: "mesh-pin-notice+json", shape: pinNoticeShape, maxBytes: 16 * 1024 };

/** The witness of a connection: nobody can make another request, or another mesh, that yields the same. */
export function witnessOf(of: { readonly master: string; readonly device: Digest; readonly nonce: Uint8Array; readonly address: string }): Witness {
  const statement = { address: of.address, device: of.device, label: "mesh-connection-v1", master: of.master, nonce: toBase64url(of.nonce) };
  return udfOf("application/mmm-witness", canonicalBytes(statement)) as Witness;
}

/** The words of a connection: six that the joining device shows, three that only the accepting one does. */
export type ConnectionWords = { readonly request: readonly string[]; readonly answer: readonly string[] };

/** Derives both sets of words from the witness, slowly, so that no portal can search for a second one (decision 5.2; about 0.3 s). */
export async function connectionWords(witness: Witness): Promise<ConnectionWords> {
  const bits = await passwordKey(utf8(witness), utf8("mesh/connection/words/v1"));
  return { request: wordsOf(bits, 6), answer: wordsOf(bits, 3, 66) };
}

/** What an administration key signs to show that the joining device holds it. */
export function administrationProofMessage(witness: Witness): Uint8Array {
  return utf8(`mesh/administration-key/v1\0${witness}`);
}

/** The MAC by which one side of a PIN connection shows the other that it knows the PIN (decision 5.3). */
export function pinProof(secret: Uint8Array, direction: "request" | "answer", witness: Witness): string {
  return toBase64url(hmac(secret, concatBytes(utf8(`mesh/pin/v1\0${direction}\0`), utf8(witness))));
}

/** Compares a PIN proof in constant time. */
export function isPinProof(proof: string | undefined, secret: Uint8Array, direction: "request" | "answer", witness: Witness): boolean {
  return proof !== undefined && equalBytes(fromBase64url(proof), fromBase64url(pinProof(secret, direction, witness)));
}
