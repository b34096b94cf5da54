import { toBase32 } from "../bytes/base32.ts";
import type { Json } from "../bytes/canonical-json.ts";
import { derInteger, derSequence } from "../bytes/der.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { sha512 } from "../crypto/digest.ts";
import { type RsaKey, rsaKeyFromPkcs1 } from "../crypto/rsa.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { lenientOctets, membersOf, textOf } from "./lenient-json.ts";

/** A public key of 2017 and the fingerprint that was made of it again: 150 bits in groups of five. */
export type ArchivedKey = { readonly udf: string; readonly rsa: RsaKey };

const SHA_2_512 = 0x60;
const LETTERS = 30;
const MOST_OCTETS = 520;

/** The fingerprint of a key as 2017 made it: over PKCS#1, not over SubjectPublicKeyInfo, under a content type that says otherwise. */
export function udf2017(pkcs1: Uint8Array): string {
  const digest = sha512(utf8("application/x509-keyinfo:"), sha512(pkcs1));
  // 150 bits are 18 octets and six bits. For these six the programs of 2017 took the lower end of the octet.
  const rest = Uint8Array.of(((digest[17] as number) << 2) & 0xff);
  const letters = toBase32(concatBytes(Uint8Array.of(SHA_2_512), digest.subarray(0, 17), rest)).slice(0, LETTERS);
  return letters.replaceAll(/.{5}(?=.)/g, "$&-");
}

/**
 * Reads a `PublicKey` of 2017; undefined where there is none.
 *
 * `archive-malformed` if it is no RSA key or not the one whose fingerprint stands beside it; as {@link rsaKeyFromPkcs1}.
 */
export function readKey(value: Json | undefined): ArchivedKey | undefined {
  const members = membersOf(value);
  if (members === undefined) return undefined;
  const key = membersOf(membersOf(members["PublicParameters"])?.["PublicKeyRSA"]);
  const [n, e] = [lenientOctets(key?.["n"]), lenientOctets(key?.["e"])];
  if (n === undefined || e === undefined || n.length === 0 || e.length === 0 || n.length > MOST_OCTETS || e.length > MOST_OCTETS) throw new MeshError("archive-malformed", "A key of this object of 2017 is no RSA key.");
  const pkcs1 = derSequence(derInteger(BigInt(`0x${n.toHex()}`)), derInteger(BigInt(`0x${e.toHex()}`)));
  const udf = udf2017(pkcs1);
  const named = [textOf(members["UDF"]), textOf(key?.["kid"])].filter((one) => one !== undefined);
  if (named.some((one) => one !== udf)) throw new MeshError("archive-malformed", "A key of this object of 2017 is not the one whose fingerprint stands beside it.");
  return { udf, rsa: rsaKeyFromPkcs1(pkcs1) };
}
