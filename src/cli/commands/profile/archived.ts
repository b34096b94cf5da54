import type { ArchivedFinding } from "../../../archive-2017/judge.ts";
import type { Members } from "../../../archive-2017/lenient-json.ts";
import type { Json } from "../../../bytes/canonical-json.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { printable } from "../../printable.ts";
import { type Describe, memberLines } from "./members.ts";

/** A finding about an object of 2017, as the document that --json prints. */
export function archivedDocument(finding: ArchivedFinding, members: Members): object {
  const { type, identifier, signedBy, signature, entitled, because, embedded } = finding;
  return { format: "archive-2017", kind: type, identifier: identifier ?? null, signedBy, signature, entitled, because, holds: embedded.map((one) => ({ kind: one.type, identifier: one.identifier ?? null, signature: one.signature, entitled: one.entitled, because: one.because })), payload: members };
}

/** The same for people. */
export function archivedText(finding: ArchivedFinding, members: Members): string {
  const { type, identifier, signedBy, embedded } = finding;
  const lines = [
    printable(`${type} in the format of 2017${identifier === undefined ? "" : `, ${identifier}`}`),
    "",
    `  signature  ${verdict(finding)}`,
    `  signed by  ${printable(signedBy.join(", ") || "nobody")}`,
    `  stage      none: by the rules of 2017 ${finding.entitled === "yes" ? "it stands" : finding.entitled === "no" ? "it does not stand" : "it cannot be judged"}; nothing of today is made Verified by it`,
    ...embedded.map((one) => `  holds      ${printable(`${one.type} ${one.identifier ?? ""}`)}: ${verdict(one)}`),
    "",
    ...memberLines(members, describe, "  "),
  ];
  return lines.join("\n");
}

/** What an object of 2017 fails by, if it does. */
export function refusalOf({ signature, entitled, because }: ArchivedFinding): MeshError | undefined {
  if (signature === "false") return new MeshError("signature-invalid", `This object of 2017 is false: ${because}.`);
  return entitled === "no" ? new MeshError("profile-wrong-signer", `This object of 2017 does not stand: ${because}.`) : undefined;
}

function verdict({ signature, because }: ArchivedFinding): string {
  return signature === "true" ? `true, by ${because}` : signature === "false" ? `FALSE: ${because}` : `not checked: ${because}`;
}

const describe: Describe = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const members = value as { readonly [member: string]: Json };
  if ("PublicParameters" in members) return `${typeof members["UDF"] === "string" ? members["UDF"] : "a key without fingerprint"} (RSA)`;
  if ("SignedData" in members) return `signed, ${typeof members["Identifier"] === "string" ? members["Identifier"] : "without identifier"}`;
  return "JoseWebEncryption" in members ? "encrypted" : undefined;
};
