import { utf8 } from "../../src/bytes/text.ts";
import { generateLogKey } from "../../src/crypto/log-key.ts";
import type { NoteSigner } from "../../src/notary/cosignature.ts";
import { type SignatureType, verifierKey } from "../../src/notary/verifier-key.ts";
import { type Udf, udfOf } from "../../src/udf/udf.ts";

/** So many people are in the log that is measured. */
export const IDENTIFIERS = 1_000_000;

/** The name of that log. */
export const ORIGIN = "portal.example/mesh/1";

/** One of them, drawn at random. */
export function someone(): number {
  return Math.floor(Math.random() * IDENTIFIERS);
}

/** The identifier of a person. */
export function idOf(person: number): Udf<"master"> {
  return udfOf("text/plain", utf8(String(person)));
}

/** A new key that signs notes. */
export function signerOf(type: SignatureType, name = ORIGIN): NoteSigner {
  const key = generateLogKey(type === "subtree/v1" ? "mlDsa44" : "ed25519");
  return { key: verifierKey(name, type, key.publicKey), sign: (message) => key.sign(message) };
}
