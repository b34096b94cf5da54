import type { Json } from "../bytes/canonical-json.ts";
import { equalBytes } from "../bytes/equal.ts";
import { sha512 } from "../crypto/digest.ts";
import { verifyRsaSha512 } from "../crypto/rsa.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { ArchivedKey } from "./key.ts";
import { lenientOctets, listOf, type Members, membersOf, parseLenient, textOf } from "./lenient-json.ts";

/** One signature of 2017: it covers its protected header, which holds the digest of the payload. */
export type ArchivedSignature = { readonly kid: string; readonly header: Uint8Array; readonly signature: Uint8Array };

/** A signed object of 2017 that was read; nothing in it is to be trusted, and nothing makes it `Verified`. */
export type ArchivedSigned = {
  readonly kind: "archived-2017";
  /** The tag inside the signed octets, `PersonalProfile` for example: the only thing that says what is signed. */
  readonly type: string;
  readonly identifier: string | undefined;
  readonly members: Members;
  readonly payload: Uint8Array;
  readonly signatures: readonly ArchivedSignature[];
};

const MOST_SIGNATURES = 8;

/** Whether JSON has the form in which 2017 stored what was signed, so that it is worth reading as such. */
export function isArchived(value: Json): boolean {
  return signedDataOf(value) !== undefined;
}

/**
 * Reads a signed object of 2017: `{"SignedMasterProfile": {"Identifier", "SignedData"}}`, the same without its tag, or the
 * `SignedData` alone. `archive-malformed` for everything else.
 */
export function readArchived(value: Json): ArchivedSigned {
  const data = signedDataOf(value);
  const payload = lenientOctets(data?.["payload"]);
  if (data === undefined || payload === undefined) throw malformed("its signed octets cannot be read");
  const signatures = listOf(data["signatures"], MOST_SIGNATURES).map((one) => {
    const members = membersOf(one);
    const kid = textOf(membersOf(members?.["header"])?.["kid"]);
    const [header, signature] = [lenientOctets(members?.["protected"]), lenientOctets(members?.["signature"])];
    if (kid === undefined || header === undefined || signature === undefined) throw malformed("one of its signatures cannot be read");
    return { kid, header, signature };
  });
  const content = membersOf(parseLenient(payload)) ?? {};
  const [type] = Object.keys(content);
  const members = type === undefined ? undefined : membersOf(content[type]);
  if (type === undefined || members === undefined || Object.keys(content).length !== 1 || !/^[A-Za-z]{1,64}$/.test(type)) throw malformed("what is signed does not say what it is");
  return { kind: "archived-2017", type, identifier: textOf(members["Identifier"]), members, payload, signatures };
}

/** Whether one signature is true under a key: by RS512 and no other algorithm, whatever its header says. */
export function isTrue({ payload }: Pick<ArchivedSigned, "payload">, { kid, header, signature }: ArchivedSignature, key: ArchivedKey): boolean {
  if (kid !== key.udf) return false;
  const members = membersOf(parseLenient(header));
  const digest = lenientOctets(members?.["val"]);
  return members?.["alg"] === "RS512" && digest !== undefined && equalBytes(digest, sha512(payload)) && verifyRsaSha512(key.rsa, header, signature);
}

function signedDataOf(value: Json): Members | undefined {
  const outer = membersOf(value);
  if (outer === undefined) return undefined;
  const names = Object.keys(outer);
  const inner = names.length === 1 && /^Signed[A-Za-z]+$/.test(names[0] ?? "") ? membersOf(outer[names[0] ?? ""]) : outer;
  const data = inner !== undefined && "SignedData" in inner ? membersOf(inner["SignedData"]) : inner;
  return data !== undefined && "payload" in data && "signatures" in data ? data : undefined;
}

function malformed(why: string): MeshError {
  return new MeshError("archive-malformed", `This is no signed object of 2017: ${why}.`);
}
