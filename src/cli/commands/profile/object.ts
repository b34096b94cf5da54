import type { Json } from "../../../bytes/canonical-json.ts";
import type { Examined } from "../../../client/examine/examine.ts";
import { encapsulationKeyId, signatureKeyId } from "../../../profiles/keys.ts";
import type { Evidence } from "../../../profiles/stages.ts";
import { isUdf, showUdf } from "../../../udf/udf.ts";
import { type Describe, memberLines } from "./members.ts";

/** One object that was examined, as the document that --json prints. */
export function objectDocument({ object: { kind, signed }, signature, signer, stage, lacks, refusal }: Examined, evidence?: Evidence): object {
  return {
    format: "mesh",
    kind,
    type: signed.type.typ,
    digest: signed.digest,
    signedBy: signed.kid,
    signature,
    signer: signer ?? null,
    stage: evidence === undefined ? stage : "valid",
    evidence: evidence ?? null,
    lacks,
    refusal: refusal === undefined ? null : { code: refusal.code, message: refusal.message },
    payload: signed.payload,
  };
}

/** The same for people: what it is, whether it is true, how far it gets, and all that it says. */
export function objectText(examined: Examined, validity?: string): string {
  const { object: { kind, signed }, signature, signer } = examined;
  const { v: _, ...payload } = signed.payload as { readonly [member: string]: Json };
  const key = showUdf(signed.kid);
  const lines = [
    `${kind}${versionOf(payload)}`,
    "",
    `  signature  ${signature === "true" ? `true, by ${signer}` : signature === "false" ? `FALSE: not what the key ${key} signed` : "not checked"}`,
    `  signed by  ${key}`,
    `  stage      ${validity ?? stageText(examined)}`,
    `  digest     ${signed.digest.slice(0, 20)}...`,
    "",
    ...memberLines(payload, describe, "  "),
  ];
  return lines.join("\n");
}

function stageText({ stage, lacks, refusal }: Examined): string {
  if (stage === "correct") return "Correct: its signer was entitled to it. Only a portal can say whether it is current.";
  const reached = stage === "verified" ? "Verified" : "read, not Verified";
  if (refusal !== undefined) return `${reached}, and REFUSED: ${refusal.message}`;
  const more = lacks.length > 4 ? [...lacks.slice(0, 3), `${lacks.length - 3} more`] : lacks;
  return `${reached}. To judge further, give with --with: ${more.join("; ")}`;
}

/** The place of an object in its order, as it says itself. */
export function versionOf({ g, n, version, index }: { readonly [member: string]: Json }): string {
  if (typeof index === "number") return ` ${index}`;
  if (typeof version === "number") return `, version ${version}`;
  return typeof g === "number" && typeof n === "number" ? ` (${g}, ${n})` : "";
}

/** Keys by their fingerprints, fingerprints as people see them, and of what is sealed only its size. */
const describe: Describe = (value) => {
  if (isUdf(value)) return showUdf(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const members = value as { readonly [member: string]: Json };
  if (members["kty"] === "AKP") return keyText(members);
  if (typeof members["protected"] === "string" && typeof members["ciphertext"] === "string" && Array.isArray(members["recipients"])) return `sealed to ${members["recipients"].length} ${members["recipients"].length === 1 ? "key" : "keys"}, ${octetsOf(members["ciphertext"])} octets`;
  if (typeof members["salt"] === "string" && typeof members["ciphertext"] === "string") return `sealed, ${octetsOf(members["ciphertext"])} octets`;
  if (typeof members["payload"] === "string" && typeof members["signature"] === "string") return `a signed object of ${octetsOf(members["payload"])} octets`;
  return undefined;
};

function keyText(jwk: { readonly [member: string]: Json }): string {
  try {
    const id = jwk["alg"] === "ML-DSA-87-Ed448" ? signatureKeyId(jwk as never) : encapsulationKeyId(jwk as never);
    return `${showUdf(id)} (${String(jwk["alg"])})`;
  } catch {
    return "a key that cannot be read";
  }
}

function octetsOf(base64url: string): number {
  return Math.floor((base64url.length * 3) / 4);
}
