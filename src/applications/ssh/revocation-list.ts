import { compareBytes, concatBytes } from "../../bytes/equal.ts";
import { byte, string, uint32, uint64 } from "./wire.ts";

const sections = { certificates: 1, keys: 2 } as const;
const serials = 0x20;
const names = 0x23;

/** What a server must refuse. */
export type Revoked = {
  /** Serial numbers of certificates, each with the blob of its authority's key. */
  readonly certificates: readonly { readonly authority: Uint8Array; readonly serials: readonly bigint[] }[];
  /** What certificates are named (`id`), whoever signed them. */
  readonly keyIds?: readonly string[];
  /** Blobs of keys; that of an authority revokes all its certificates. */
  readonly keys: readonly Uint8Array[];
};

/**
 * A list of what is revoked, for `RevokedKeys` of sshd (OpenSSH's PROTOCOL.krl); the same list gives the same octets.
 * @param version of the list, growing
 * @param made seconds since 1970
 */
export function revocationList({ certificates, keyIds = [], keys }: Revoked, version: bigint, made: number): Uint8Array {
  const head = concatBytes(new TextEncoder().encode("SSHKRL\n\0"), uint32(1), uint64(version), uint64(BigInt(made)), uint64(0n), string(""), string("mesh"));
  const listed = certificates
    .filter((one) => one.serials.length > 0)
    .toSorted((a, b) => compareBytes(a.authority, b.authority))
    .map((one) => section(sections.certificates, concatBytes(string(one.authority), string(""), section(serials, concatBytes(...ordered(one.serials).map(uint64))))));
  const named = keyIds.length === 0 ? [] : [section(sections.certificates, concatBytes(string(""), string(""), section(names, concatBytes(...[...new Set(keyIds)].sort().map(string)))))];
  const plain = [...new Map(keys.map((key) => [key.toHex(), key])).values()].toSorted(compareBytes);
  return concatBytes(head, ...listed, ...named, ...(plain.length === 0 ? [] : [section(sections.keys, concatBytes(...plain.map(string)))]));
}

function section(kind: number, contents: Uint8Array): Uint8Array {
  return concatBytes(byte(kind), string(contents));
}

/** Serial numbers once each and growing, as the format has them. 0 is no certificate's own and cannot be revoked by number. */
function ordered(numbers: readonly bigint[]): readonly bigint[] {
  return [...new Set(numbers)].filter((number) => number > 0n).toSorted((a, b) => (a < b ? -1 : 1));
}
